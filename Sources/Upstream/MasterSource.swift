import Glibc
import Ledger

/// Master data that come by themselves, on threads of their own.
public protocol MasterSource: Sendable {
    var name: String { get }
    /// Begins. Later calls do nothing.
    /// - Throws: `DeliveryError` when the system gives no thread.
    func start() throws(DeliveryError)
    /// Does now what it would do later: somebody wants to know, or the link came up.
    func askNow()
    /// - Returns: false when it had not ended after `milliseconds`.
    @discardableResult
    func stop(milliseconds: Int64) -> Bool
    func status() -> SourceStatus
}

extension MasterSource {
    @discardableResult
    public func stop() -> Bool { stop(milliseconds: 2_000) }
}

/// Why a batch was not taken in.
public enum MasterIntakeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Wrong in itself or against what is there: it stays wrong until the sender changes it.
    case refused(String)
    /// The store cannot take it at present.
    case notStored(String)

    public var description: String {
        switch self {
        case .refused(let reason), .notStored(let reason): reason
        }
    }
}

/// Where master data of a source go. Called on the source's threads.
public protocol MasterIntake: Sendable {
    /// Up to where a source was taken in; nil: nothing yet.
    func cursor(of source: String) throws(MasterIntakeError) -> String?
    /// Whether a source stood at a cursor before it came to the present one.
    func hasPassed(_ cursor: String, of source: String) throws(MasterIntakeError) -> Bool
    /// Takes a batch in with its cursor, whole or not at all; returns when both are on the disk.
    /// - Returns: whether it changed anything.
    func take(_ batch: MasterBatch, from source: String) throws(MasterIntakeError) -> Bool
    /// A source said that there is nothing more: what was taken in is all of it.
    func reportComplete(from source: String)
    /// Somebody must look: what the source sends cannot be taken in.
    func reportRefusal(from source: String)
}

/// `CLOCK_BOOTTIME` in milliseconds: an age counts on while the machine sleeps.
func bootMilliseconds() -> Int64 { milliseconds(of: CLOCK_BOOTTIME) }

/// Milliseconds since 1970.
func wallMilliseconds() -> Int64 { milliseconds(of: CLOCK_REALTIME) }

private func milliseconds(of clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) &* 1_000 &+ Int64(time.tv_nsec) / 1_000_000
}

import Ledger
import Readings

/// The event log with its cursors, as a delivery thread sees it. Called from several threads.
public protocol EventLog: Sendable {
    /// Committed events with numbers above `sequence`, ascending, at most `limit`.
    func events(after sequence: Int64, limit: Int) throws(EventLogError) -> [StoredEvent]
    /// The number of the last committed event; 0: none.
    func lastSequence() throws(EventLogError) -> Int64
    /// The number up to which everything is settled with this destination; 0: nothing yet.
    func cursor(of destination: String) throws(EventLogError) -> Int64
    /// Moves the cursor. Need not be on the disk when it returns: a cursor that is lost only makes events be sent again.
    func acknowledge(_ destination: String, upTo sequence: Int64) throws(EventLogError)
    /// Keeps a rejected event aside and raises an exception. Comes before the acknowledgement, and again for the same event if the
    /// acknowledgement was lost: the second time must change nothing.
    func deadLetter(_ destination: String, sequence: Int64, reason: String) throws(EventLogError)
    /// This moment by the machine's own clock; nil where it is not known.
    func bootTime() -> BootTime?
}

extension EventLog {
    public func bootTime() -> BootTime? { nil }
}

/// Why the log could not be read or written.
public struct EventLogError: Error, Hashable, Sendable, CustomStringConvertible {
    public var reason: String

    public init(_ reason: String) {
        self.reason = reason
    }

    public var description: String { "event log: \(reason)" }
}

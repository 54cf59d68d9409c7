import Devices
import Ledger
import Readings
import Store
import Upstream

/// The store as the destinations see it.
struct StoreLog: EventLog {
    let store: EventStore
    /// Records that a destination refused an event for good; waits until that is on the disk.
    let reportDeadLetter: @Sendable (_ destination: String, _ sequence: Int64, _ reason: String) throws(EventLogError) -> Void

    func events(after sequence: Int64, limit: Int) throws(EventLogError) -> [StoredEvent] {
        do throws(StoreError) { return try store.events(after: sequence, limit: limit) } catch { throw EventLogError(error.description) }
    }

    func lastSequence() throws(EventLogError) -> Int64 { store.lastSequence }

    func cursor(of destination: String) throws(EventLogError) -> Int64 { store.cursor(destination) }

    func acknowledge(_ destination: String, upTo sequence: Int64) throws(EventLogError) {
        store.acknowledge(destination: destination, upTo: sequence)
    }

    func bootTime() -> BootTime? { WallClock.bootTime(at: BootClock.now()) }

    func deadLetter(_ destination: String, sequence: Int64, reason: String) throws(EventLogError) {
        try reportDeadLetter(destination, sequence, reason)
    }
}

import GRDB
import Ledger
import Synchronization

@testable import Store
@testable import Upstream

/// Drives one delivery worker in the place of its thread.
final class Courier {
    let name: String
    /// When the next step is due; nil: not before something was committed.
    private(set) var next: Int64?
    /// In the middle of a step: it waits for the network, and the rest goes on.
    private(set) var isBusy = false
    private var isWoken = false
    private var worker: DeliveryWorker?

    init(_ machine: CrashMachine, name: String, types: [String], batch: Int, destination: any Destination) {
        self.name = name
        next = machine.now
        worker = DeliveryWorker(
            name: name, filter: EventFilter(types: types), batch: batch, log: MachineLog(machine: machine, name: name),
            destination: destination, backOff: BackOff())
    }

    var status: DeliveryStatus { worker?.status ?? DeliveryStatus(destination: name, state: .ended, cursor: 0, counters: .init()) }

    func wake(at time: Int64) {
        isWoken = true
        if next == nil { next = time }
    }

    func step(_ machine: CrashMachine) {
        guard var worker else { return }
        isBusy = true
        isWoken = false
        let answer = worker.step(random: { machine.random.unit() }, publish: { _ in }).next
        self.worker = worker
        isBusy = false
        switch answer {
        case .again: next = machine.now
        case .waitForEvents: next = isWoken ? machine.now : nil
        case .pause(let milliseconds): next = machine.now + max(1, milliseconds)
        case .stop: next = nil
        }
    }
}

extension CrashMachine {
    func step(_ courier: Courier) { courier.step(self) }
}

/// The store as the delivery workers see it, without the threads between.
private struct MachineLog: EventLog {
    unowned let machine: CrashMachine
    let name: String

    func events(after sequence: Int64, limit: Int) throws(EventLogError) -> [StoredEvent] {
        guard !machine.isDead, let shared = machine.shared else { throw EventLogError("the daemon is gone") }
        let events: [StoredEvent]
        do throws(StoreError) {
            events = try shared.read("read events after \(sequence)") { db in
                try StoredEvent.all(
                    db, sql: "SELECT seq, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?", arguments: [sequence, limit])
            }
        } catch {
            throw EventLogError(error.description)
        }
        if machine.sabotage == .cursorBeforeReceipt, let last = events.last {
            machine.acknowledge(name, upTo: last.sequence)
        }
        return events
    }

    func lastSequence() throws(EventLogError) -> Int64 { machine.shared?.lastSequence.withLock { $0 } ?? 0 }

    func cursor(of destination: String) throws(EventLogError) -> Int64 {
        machine.shared?.cursors.withLock { $0[destination] ?? 0 } ?? 0
    }

    func acknowledge(_ destination: String, upTo sequence: Int64) throws(EventLogError) {
        guard !machine.isDead else { throw EventLogError("the daemon is gone") }
        machine.acknowledge(destination, upTo: sequence)
    }

    func deadLetter(_ destination: String, sequence: Int64, reason: String) throws(EventLogError) {
        machine.violate(.undelivered, "\(destination) refused event \(sequence): \(reason)")
    }
}

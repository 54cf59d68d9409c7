import Foundation
import Ledger
import Store

/// The store as the daemon has it, given decisions at the pace at which it commits them.
struct StoreRun {
    var seconds: Double
    var statistics: StoreStatistics

    /// - Parameters:
    ///   - untimed: decisions that are committed before the clock starts.
    ///   - group: decisions that wait together. One: the next is asked for when the one before is answered. More: they gather while
    ///     the writer is busy with the group before, which it does not wait for, so that one transaction may hold a few more or less.
    init(directory: String, decisions: [Decision], untimed: Int, group: Int) throws {
        let store = try EventStore(directory: directory, gateway: Decisions.gateway, random: { Decisions.epoch })
        Self.commit(decisions[..<untimed], group: 500, to: store)
        // So that the timed part begins with an empty WAL, as that of the peer does.
        store.close()
        let timed = try EventStore(directory: directory, gateway: Decisions.gateway, random: { Decisions.epoch })
        Self.waitForWAL(in: directory)
        let start = ContinuousClock.now
        if group == 1 {
            let answered = DispatchSemaphore(value: 0)
            for decision in decisions[untimed...] {
                timed.commit(decision, generation: 1) {
                    Self.expectCommitted($0)
                    answered.signal()
                }
                answered.wait()
            }
        } else {
            Self.commit(decisions[untimed...], group: group, to: timed)
        }
        seconds = (ContinuousClock.now - start) / .seconds(1)
        timed.close()
        statistics = timed.statistics
    }

    /// What a start writes once is no cost of an event: while nothing is asked, the WAL gets the length that it will have.
    private static func waitForWAL(in directory: String) {
        var size = -1
        var unchanged = 0
        while unchanged < 20 {
            Thread.sleep(forTimeInterval: 0.02)
            let now = (try? FileManager.default.attributesOfItem(atPath: "\(directory)/events.db-wal")[.size] as? Int) ?? 0
            unchanged = now == size ? unchanged + 1 : 0
            size = now
        }
    }

    /// Two groups are under way: one is written while the next gathers.
    private static func commit(_ decisions: ArraySlice<Decision>, group: Int, to store: EventStore) {
        let answered = DispatchSemaphore(value: 2)
        var left = decisions
        while !left.isEmpty {
            answered.wait()
            let taken = left.prefix(group)
            left = left.dropFirst(group)
            let last = taken.index(before: taken.endIndex)
            for (position, decision) in zip(taken.indices, taken) {
                store.commit(decision, generation: 1) {
                    expectCommitted($0)
                    if position == last { answered.signal() }
                }
            }
        }
        for _ in 0..<2 { answered.wait() }
        for _ in 0..<2 { answered.signal() }
    }

    private static func expectCommitted(_ outcome: CommitOutcome) {
        if case .failed(let error) = outcome { fatalError("\(error)") }
    }
}

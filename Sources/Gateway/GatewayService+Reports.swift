import Control
import Engine
import Ledger
import Readings
import Reports
import Store

extension EventIndex {
    /// Takes in what came since the last time, for a request that somebody waits for.
    /// - Returns: the number of the newest event that can be found.
    /// - Throws: `OperationError` `unavailable` when that takes longer than anybody waits; the next request goes on from there.
    @discardableResult
    func bringUp(from store: EventStore) throws -> Int64 {
        let end = ContinuousClock.now + .seconds(20)
        let newest = store.lastSequence
        let position = try update(from: store) { ContinuousClock.now < end }
        guard position >= newest else {
            throw OperationError(
                .unavailable, "the index of the log is being made, \(position) of \(newest) events are in it: ask again in a moment")
        }
        return position
    }
}

extension GatewayService {
    /// Reckoned from the index, on a thread that may wait: the engine loop gives only its image of the moment.
    func loanReport(_ query: LoanReportQuery) async throws(OperationError) -> JSON {
        let (ledger, now) = try await look { ($0.engine.ledger, $0.wallTime) }
        let (store, index) = (store, index)
        return try await blocking {
            try index.bringUp(from: store)
            let period = ReportPeriod(query.month ?? now.localDate, deadMonths: query.deadMonths, midnight: WallClock.midnight)
            let history = try index.loanHistory(from: period.start.milliseconds, to: period.end.milliseconds)
            let classes = ledger.master.items.mapValues(\.itemClass)
            let resting = Set(classes.keys).subtracting(history.lines.lazy.filter(\.isTimed).map(\.item))
            let lastOut = try index.lastOut(of: resting, before: period.end.milliseconds)
            let report = LoanReport(
                period: period, now: now, deadMonths: query.deadMonths, history: history, classes: classes, lastOut: lastOut)
            return report.json(
                offset: { WallClock.offset(at: $0 / 1_000) },
                classNames: ledger.master.classes.mapValues(\.name).filter { !$0.value.isEmpty }
            ).naming(ledger.name)
        }
    }
}

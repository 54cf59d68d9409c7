import Foundation
import Ledger
import Readings
import Reports
import Store

/// How long the report of a month with 50,000 loans takes, in its parts, and how long the index of their events.
///
/// `stockgate-report-bench [DIRECTORY]`: with a directory the store is left there, for a daemon to be asked.
@main
enum Main {
    static let runs = 5
    /// Milliseconds that the whole may take.
    static let wanted = 1_000.0

    static func main() throws {
        let kept = CommandLine.arguments.dropFirst().first
        let directory = kept ?? FileManager.default.temporaryDirectory.appendingPathComponent("report-bench-\(getpid())").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { if kept == nil { try? FileManager.default.removeItem(atPath: directory) } }
        let store = try EventStore(directory: directory, gateway: LoanMonth.gateway, random: { LoanMonth.epoch })
        var month = LoanMonth()
        if store.lastSequence == 0 { month.fill(store) }
        print("\(LoanMonth.loans) loans of a month, \(LoanMonth.items) tools, \(LoanMonth.people) people, \(store.lastSequence) events")
        let index = try EventIndex(directory: directory)
        let fed = try milliseconds { try index.update(from: store) }
        print("the index made from the log: \(Int(fed)) ms, done once")

        let midnight = { (day: CivilDate) in WallTime(rfc3339: "\(day)T00:00:00+08:00") ?? LoanMonth.start }
        var parts: [[Double]] = []
        var walls: [Double] = []
        var size = (0, 0, 0)
        for _ in 0..<runs {
            var times: [Double] = []
            let begin = ContinuousClock.now
            let period = ReportPeriod(LoanMonth.start.localDate, deadMonths: 6, midnight: midnight)
            var history = LoanHistory()
            var lastOut: [ItemKey: Int64] = [:]
            times.append(
                try milliseconds {
                    try index.update(from: store)
                    history = try index.loanHistory(from: period.start.milliseconds, to: period.end.milliseconds)
                    let resting = Set(month.classes.keys).subtracting(history.lines.map(\.item))
                    lastOut = try index.lastOut(of: resting, before: period.end.milliseconds)
                })
            var report: LoanReport?
            times.append(
                milliseconds {
                    report = LoanReport(
                        period: period, now: period.end, deadMonths: 6, history: history, classes: month.classes, lastOut: lastOut)
                })
            var answer = JSON.null
            times.append(milliseconds { answer = report?.json(offset: { _ in 480 }) ?? .null })
            times.append(milliseconds { size.0 = answer.canonicalBytes.count })
            times.append(milliseconds { size.1 = ReportPage.html(of: answer, .english).utf8.count })
            times.append(milliseconds { size.2 = ReportSheet.text(of: answer).utf8.count })
            parts.append(times)
            walls.append((ContinuousClock.now - begin) / .milliseconds(1))
            guard report?.totals.items == Int64(LoanMonth.loans) else { fatalError("the report counts \(report?.totals.items ?? 0) items") }
        }
        let names = ["read from the index", "reckoned", "as JSON value", "as JSON text", "as a page", "as comma-separated values"]
        for (part, name) in names.enumerated() { print("  \(name): \(median(parts.map { $0[part] })) ms") }
        let sum = median(parts.map { $0.reduce(0, +) })
        print(
            "all of it: \(sum) ms of processor time, \(Int(wanted)) wanted; \(median(walls)) ms on the wall; median of \(runs). \(size.0) bytes of JSON, \(size.1) of page, \(size.2) of CSV"
        )
        index.close()
        store.close()
        if sum > wanted { exit(1) }
    }

    /// Of this process alone: on a machine that does other work the time on the wall says little.
    private static func milliseconds(_ body: () throws -> Void) rethrows -> Double {
        let start = processorTime()
        try body()
        return processorTime() - start
    }

    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1_000 + Double(time.tv_nsec) / 1_000_000
    }

    private static func median(_ values: [Double]) -> Double { (values.sorted()[values.count / 2] * 10).rounded() / 10 }
}

import Ledger
import Readings

@testable import Reports

/// The figures of a month once more, straight from the list of events and without any of the product's folding: what nothing corrects stands,
/// the rest is looked up by going through all of it, again and again.
struct NaiveReport {
    private struct Fact {
        var number: Int64
        var type: String
        var time: Int64
        var station: String?
        var item: String
        var loan: String?
        var fromLoan: String?
        /// Who took it, or may have.
        var person: String?
        var due: Int64
        /// Of an inspection; kind of an exception.
        var word: String?

        init(_ event: JSON) {
            let data = event["data"] ?? .null
            number = event["seq"]?.integer ?? 0
            type = event["type"]?.string ?? ""
            time = WallTime(rfc3339: event["time"]?.string ?? "")?.milliseconds ?? 0
            station = event["station"]?.string
            item = data["item"]?.string ?? data["items"]?.array?.first?.string ?? ""
            loan = data["loan"]?.string
            fromLoan = data["from_loan"]?.string
            person = data["person"]?.string ?? data["candidates"]?.array?.first?.string
            due = WallTime(rfc3339: data["due"]?.string ?? "")?.milliseconds ?? 0
            word = data["result"]?.string ?? data["kind"]?.string
        }

        func ends(_ line: Fact) -> Bool {
            guard item == line.item else { return false }
            return switch type {
            case "loan.returned", "loan.lost": loan == line.loan
            case "loan.transferred": fromLoan == line.loan
            default: false
            }
        }
    }

    private let standing: [Fact]
    private let period: ReportPeriod
    private let asOf: Int64

    init(_ events: [JSON], _ period: ReportPeriod, asOf: Int64) {
        let corrected = Set(events.compactMap { $0["corrects"]?.integer })
        standing = events.filter { !corrected.contains($0["seq"]?.integer ?? 0) && $0["type"] != "crossing.retracted" }.map(Fact.init)
        self.period = period
        self.asOf = asOf
    }

    private var lines: [Fact] { standing.filter { $0.type == "loan.checked_out" || $0.type == "loan.transferred" } }

    /// - Parameter group: which lines, inspections and refusals count: by item, person and station.
    func figures(where group: (_ item: String, _ person: String?, _ station: String?) -> Bool) -> LoanFigures {
        var figures = LoanFigures()
        var loans: Set<String?> = []
        for line in lines where group(line.item, line.person, line.station) {
            if isInside(line.time) {
                figures.items += 1
                loans.insert(line.loan)
            }
            let end = standing.first { $0.ends(line) }
            figures.renewed += Int64(of(line, "loan.renewed").count { isInside($0.time) })
            if let end, isInside(end.time) {
                switch end.type {
                case "loan.returned":
                    if end.time <= due(line, at: end.time) { figures.onTime += 1 } else { figures.late += 1 }
                    figures.spanOut += end.time - line.time
                case "loan.lost": figures.lost += 1
                default: figures.transferred += 1
                }
            }
            if let end, end.type == "loan.lost",
                let found = standing.first(where: { $0.type == "tool.found" && $0.item == line.item && $0.number > end.number }),
                isInside(found.time)
            {
                figures.found += 1
            }
            if line.time <= asOf, end.map({ $0.time > asOf }) ?? true, due(line, at: asOf) < asOf { figures.overdue += 1 }
            figures.use += max(0, min(end?.time ?? asOf, asOf) - max(line.time, period.start.milliseconds))
        }
        figures.loans = Int64(loans.count)
        for fact in standing where isInside(fact.time) {
            switch fact.type {
            case "loan.inspected":
                // The newest line of the item that had ended when somebody looked.
                let line = lines.last { line in
                    line.item == fact.item && line.number < fact.number && standing.contains { $0.number < fact.number && $0.ends(line) }
                }
                guard group(fact.item, line?.person, line?.station ?? fact.station) else { continue }
                if fact.word == "damaged" { figures.damaged += 1 }
                if fact.word == "incomplete" { figures.incomplete += 1 }
            case "exception.raised":
                if fact.word != "state_conflict", group(fact.item, fact.person, fact.station) { figures.refused += 1 }
            default: break
            }
        }
        return figures
    }

    private func of(_ line: Fact, _ type: String) -> [Fact] {
        standing.filter { $0.type == type && $0.loan == line.loan && $0.item == line.item }
    }

    private func due(_ line: Fact, at moment: Int64) -> Int64 {
        of(line, "loan.renewed").last { $0.time <= moment }?.due ?? line.due
    }

    private func isInside(_ time: Int64) -> Bool { time >= period.start.milliseconds && time < period.end.milliseconds }
}

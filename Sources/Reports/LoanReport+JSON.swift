import Ledger
import Readings

extension LoanReport {
    /// Of lists of single lines, so many at most; the figures count all.
    public static let longestList = 500

    /// As the API tells it, without names of people and items. `docs/api.yaml`, schema `LoanReport`.
    /// - Parameters:
    ///   - offset: minutes from UTC at the site at a moment: clocks may have changed between a loan and the end of the month.
    ///   - classNames: what classes are called.
    public func json(offset: (_ milliseconds: Int64) -> Int, classNames: [String: String] = [:]) -> JSON {
        func moment(_ milliseconds: Int64) -> JSON {
            .string(WallTime(milliseconds: milliseconds, offsetMinutes: offset(milliseconds), quality: .synchronised).rfc3339)
        }
        func line(_ line: LoanHistory.Line) -> JSON {
            .compact([
                "loan": .string(line.loan), "item": .string(line.item.text), "person": .string(line.person.text),
                "permit": line.permit.map { .string($0.text) }, "station": line.station.map(JSON.string), "since": moment(line.out),
                "due": moment(line.due(at: asOf.milliseconds)), "ended": line.end.map { moment($0.time) },
            ])
        }
        func named(_ itemClass: String?, _ more: [String: JSON?]) -> [String: JSON?] {
            let name = itemClass.flatMap { classNames[$0] }
            return more.merging(["class": itemClass.map(JSON.string), "class_name": name.map(JSON.string)]) { $1 }
        }
        let span = max(0, asOf.milliseconds - period.start.milliseconds)
        var site = totals.members
        site["tools"] = .integer(Int64(tools))
        site["utilisation"] = totals.utilisation(of: tools, over: span).map(JSON.number)
        return [
            "month": .string(period.name), "from": .string(period.start.rfc3339), "until": .string(period.end.rfc3339),
            "as_of": .string(asOf.rfc3339), "hours": .number(Double(span / 360_000) / 10), "totals": .object(site),
            "untimed": .integer(untimed),
            "people": .array(people.map { json($0.figures, ["person": $0.key.map { .string($0.text) }]) }),
            "classes": .array(
                classes.map { group in
                    json(
                        group.figures,
                        named(
                            group.name,
                            [
                                "tools": .integer(Int64(group.tools)),
                                "utilisation": group.figures.utilisation(of: group.tools, over: span).map(JSON.number),
                            ]))
                }),
            "stations": .array(
                stations.map {
                    json($0.figures, ["station": $0.key.map(JSON.string), "received": .integer(received[$0.key] ?? 0)])
                }),
            "items": .array(
                items.map { tool in
                    json(
                        tool.figures,
                        named(
                            tool.itemClass,
                            [
                                "item": .string(tool.item.text),
                                "utilisation": tool.figures.utilisation(of: 1, over: span).map(JSON.number),
                            ]))
                }),
            "days": .array(
                days.map { ["day": .string($0.day.description), "taken": .integer($0.taken), "returned": .integer($0.returned)] }),
            "dead_stock": [
                "months": .integer(Int64(deadMonths)), "since": .string(period.quiet.localDate.description),
                "items": .array(
                    idle.map {
                        .compact(named($0.itemClass, ["item": .string($0.item.text), "last": $0.last.map(moment)]))
                    }),
            ],
            "overdue": .array(overdue.prefix(Self.longestList).map(line)),
            "damage": .array(
                damage.prefix(Self.longestList).map {
                    .compact([
                        "item": .string($0.item.text), "loan": $0.loan.map(JSON.string), "person": $0.person.map { .string($0.text) },
                        "time": moment($0.time), "result": .string($0.result),
                    ])
                }),
            "lost": .array(lost.prefix(Self.longestList).map(line)),
        ]
    }

    private func json(_ figures: LoanFigures, _ more: [String: JSON?]) -> JSON {
        .object(figures.members.merging(more.compactMapValues { $0 }) { $1 })
    }
}

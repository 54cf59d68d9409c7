import Control
import Ledger
import Readings
import Reports

extension Fixtures {
    private static func moment(_ text: String) -> Int64 { WallTime(rfc3339: "2026-11-\(text):00+08:00")!.milliseconds }

    /// Some loans of the crib, of people and things whose names are foreign, hostile or gone.
    public static let loanHistory: LoanHistory = {
        func line(
            _ opened: Int64, _ loan: String, _ item: String, _ person: String, _ station: String?, _ out: String, due: String,
            _ end: String? = nil, _ how: LoanHistory.End.How = .returned
        ) -> LoanHistory.Line {
            LoanHistory.Line(
                opened: opened, loan: "CRIB1-7QK3-\(loan)", item: ItemKey(item)!, person: PersonKey(person)!, station: station,
                out: moment(out), due: moment(due), end: end.map { .init(time: moment($0), how: how) },
                back: how == .returned ? end.map(moment) : nil, backStation: how == .returned && end != nil ? "gate" : nil)
        }
        var renewed = line(9, "00003-3", "TORQUE-01", "p-2b", "gate", "10T08:00", due: "12T18:00", "14T08:00")
        renewed.renewals = [.init(time: moment("12T09:00"), due: moment("19T18:00"))]
        renewed.permit = PermitKey("REQ-9")
        return LoanHistory(
            lines: [
                line(3, "00001-9", "DRILL-01", "p-1a", "gate", "02T08:00", due: "05T18:00", "04T20:00"),
                line(5, "00002-7", "DRILL-01", "p-2b", "gate", "05T08:00", due: "06T18:00", "08T08:00"),
                line(6, "00002-7", "=SAW", "p-2b", "gate", "05T08:00", due: "20T18:00"), renewed,
                line(12, "00004-1", "DRILL-02", "p-gone", nil, "11T08:00", due: "18T18:00", "20T08:00", .lost),
                line(14, "00005-K", "DRILL-01", "p-evil", "工具间", "19T08:00", due: "26T18:00"),
            ],
            inspections: [
                .init(
                    item: ItemKey("DRILL-01")!, line: 5, loan: "CRIB1-7QK3-00002-7", person: PersonKey("p-2b"), station: "gate",
                    time: moment("08T09:00"), result: "damaged")
            ],
            objections: [
                .init(
                    number: 7, item: ItemKey("TORQUE-01")!, person: PersonKey("p-1a"), station: "gate", time: moment("06T10:00"),
                    kind: "over_quota")
            ])
    }()

    static func loanReport(_ query: LoanReportQuery, _ history: LoanHistory) -> JSON {
        let period = ReportPeriod(query.month ?? now.localDate, deadMonths: query.deadMonths) { WallTime(rfc3339: "\($0)T00:00:00+08:00")! }
        let classes: [String: String?] = [
            "DRILL-01": "power-tool", "DRILL-02": "power-tool", "=SAW": "power-tool", "TORQUE-01": "gauge", "CALIPER": "gauge",
            "LADDER": nil,
        ]
        let known = Dictionary(uniqueKeysWithValues: classes.map { (ItemKey($0.key)!, $0.value) })
        let report = LoanReport(
            period: period, now: now, deadMonths: query.deadMonths, history: history, classes: known,
            lastOut: [ItemKey("CALIPER")!: WallTime(rfc3339: "2026-04-12T10:00:00+08:00")!.milliseconds])
        let names = [
            "p-1a": "李雷", "p-2b": "Anna Kowalska", "p-evil": "</td><script>alert(1)</script>\u{202E}\u{1B}[31m", "DRILL-01": "Drill 18 V",
            "DRILL-02": "Drill \"12 V\", small", "TORQUE-01": "扭力扳手", "=SAW": "=HYPERLINK(\"http://x\")",
        ]
        return report.json(offset: { _ in 480 }).naming { bearer in
            switch bearer {
            case .item(let key): names[key.text]
            case .person(let key): names[key.text]
            default: nil
            }
        }
    }
}

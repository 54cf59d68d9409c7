import Control
import Ledger
import Readings

/// Permits, one loan from its beginning to its end, and answers to "may this person take this tool".
extension Fixtures {
    public static let requestKey = "R-CRIB1-FF6Y-00011-4"

    public static let permits = PermitReport(
        requests: [
            [
                "permit": .string(requestKey), "person": "p-1a", "name": "李雷", "items": ["DRILL-01"], "item_names": ["Drill 18 V"],
                "quantity": 1, "used": 0, "levels": 2, "approvals": ["uid:1000 (anna)"], "requested_by": "uid:1001 (li)",
                "since": "2026-11-21T09:00:00.000+08:00", "status": "pending", "purpose": "厂房 3 检修", "until": "2026-11-25",
                "due": "2026-11-24",
            ],
            [
                "permit": "R-CRIB1-FF6Y-00009-K", "person": "p-2b", "name": "Anna Kowalska", "classes": ["meter", "power-tool"],
                "quantity": 3, "used": 1, "levels": 1, "approvals": ["uid:0 (root)"], "requested_by": "uid:1000 (anna)",
                "since": "2026-11-20T09:00:00.000+08:00", "status": "approved", "from": "2026-11-20",
            ],
        ],
        permits: [
            [
                "permit": "REQ-9", "person": "p-1a", "name": "李雷", "classes": ["power-tool"], "quantity": 2, "used": 1,
                "approvers": ["ERP: Wang"], "until": "2026-12-31",
            ]
        ])

    /// Of the loan that is overdue, with its reminder and what an inspection found of another tool of it.
    public static let loanEvents: [JSON] = [
        event(
            1, "loan.checked_out", "08:13:31",
            [
                "station": "gate", "actor": ["person": "p-2b", "name": "Anna Kowalska"],
                "data": [
                    "loan": .string(oldLoanNumber), "item": "METER-07", "item_name": "万用表", "person": "p-2b", "name": "Anna Kowalska",
                    "due": "2026-11-19T18:00:00.000+08:00",
                ],
                "evidence": ["rule": "without_permit:flag", "flags": ["hours", "permit"]],
            ]),
        event(
            2, "loan.checked_out", "08:13:31",
            [
                "station": "gate", "actor": ["person": "p-2b", "name": "Anna Kowalska"],
                "data": [
                    "loan": .string(oldLoanNumber), "item": "DRILL-02", "item_name": "Drill 18 V", "person": "p-2b",
                    "name": "Anna Kowalska", "permit": "REQ-8", "due": "2026-11-19T18:00:00.000+08:00",
                ],
                "evidence": ["rule": "permit"],
            ]),
        event(
            5, "loan.returned", "09:40:00",
            [
                "actor": ["client": "uid:1000 (anna)"],
                "data": [
                    "loan": .string(oldLoanNumber), "item": "DRILL-02", "item_name": "Drill 18 V", "borrower": "p-2b",
                    "borrower_name": "Anna Kowalska", "inspect": true,
                ],
                "evidence": ["rule": "by_hand"],
            ]),
        event(
            6, "loan.inspected", "09:45:00",
            [
                "actor": ["client": "uid:1000 (anna)"],
                "data": [
                    "item": "DRILL-02", "item_name": "Drill 18 V", "result": "damaged", "borrower": "p-2b",
                    "borrower_name": "Anna Kowalska",
                ],
            ]),
    ]

    public static let mayBorrow: JSON = [
        "person": "p-1a", "name": "李雷", "verdict": "flag", "reason": "hours",
        "rules": [
            ["rule": "blocked", "broken": false],
            ["rule": "overdue", "broken": false, "facts": ["late": 1]],
            ["rule": "credit", "broken": false, "facts": ["score": 91, "least": 60]],
            ["rule": "hours", "broken": true, "response": "flag", "facts": ["hours": "mon-fri 07:00-19:00"]],
            ["rule": "master_age", "broken": true, "response": "flag", "facts": ["most": 24]],
        ],
        "standing": ["credit": 91, "open": 2, "overdue": 1, "value": 128_000, "month": 7],
    ]

    public static let mayNotTake: JSON = [
        "person": "p-1a", "name": "李雷", "item": "METER-07", "item_name": "万用表", "verdict": "refuse", "reason": "calibration",
        "ground": "without_permit:refuse", "due": "2026-11-30T18:00:00.000+08:00",
        "loan": [
            "loan": .string(oldLoanNumber), "item": "METER-07", "item_name": "万用表", "person": "p-2b", "name": "Anna Kowalska",
            "since": "2026-11-12T16:20:00.000+08:00", "due": "2026-11-19T18:00:00.000+08:00", "station": "gate", "event": 1,
        ],
        "rules": [
            ["rule": "blocked", "broken": false],
            ["rule": "overdue", "broken": true, "response": "allow", "facts": ["late": 4, "until": "2026-12-02"]],
            ["rule": "condition", "broken": true, "response": "flag", "facts": ["condition": "uninspected"]],
            ["rule": "calibration", "broken": true, "response": "refuse", "facts": ["until": "2026-11-01"]],
            ["rule": "certificate", "broken": true, "response": "refuse", "facts": ["missing": ["high-voltage", "crane"]]],
            ["rule": "second_person", "broken": true, "response": "refuse", "facts": ["present": 0]],
            ["rule": "value", "broken": true, "response": "refuse", "facts": ["value": 600_000, "most": 500_000]],
            ["rule": "permit", "broken": true, "response": "refuse"],
        ],
        "standing": ["credit": 84, "open": 2, "overdue": 1, "value": 128_000, "month": 7],
    ]

    public static func mayTake(station: String?) -> JSON {
        .compact([
            "person": "p-1a", "name": "李雷", "item": "DRILL-02", "item_name": "Drill 18 V", "station": station.map(JSON.string),
            "verdict": "allow", "ground": "permit", "permit": "REQ-9", "due": "2026-11-28T18:00:00.000+08:00",
            "rules": [
                ["rule": "blocked", "broken": false],
                ["rule": "calibration", "broken": false, "facts": ["until": "2027-03-31"]],
                ["rule": "certificate", "broken": false],
                ["rule": "quota", "broken": false, "facts": ["open": 2, "most": 5]],
                ["rule": "class_quota", "broken": false, "facts": ["open": 1, "most": 2]],
                ["rule": "monthly", "broken": false, "facts": ["loans": 7, "most": 30]],
                ["rule": "master_age", "broken": false, "facts": ["hours": 2, "most": 24]],
                ["rule": "permit", "broken": false],
            ],
            "standing": ["credit": 100, "open": 2, "overdue": 0, "value": 128_000, "month": 7],
        ])
    }

    /// What a gateway would record of a command.
    static func event(_ number: Int64, of command: LoanCommand) -> JSON {
        func loan(_ number: LoanNumber, _ members: [String: JSON]) -> JSON {
            let line: JSON = ["loan": .string(number.description), "item": "METER-07", "item_name": "万用表"]
            return .object((line.object ?? [:]).merging(members) { _, new in new })
        }
        let (type, data): (String, JSON) =
            switch command {
            case .request(let form):
                (
                    "permit.requested",
                    .compact([
                        "permit": .string(requestKey), "person": .string(form.person.text), "name": "李雷",
                        "items": form.items.isEmpty ? nil : .array(form.items.map { .string($0.text) }),
                        "classes": form.classes.isEmpty ? nil : .array(form.classes.map(JSON.string)),
                        "quantity": .integer(Int64(form.quantity)), "levels": 2,
                    ])
                )
            case .approve(let permit): ("permit.approved", ["permit": .string(permit.text), "level": 2, "levels": 2])
            case .reject(let permit, let note): ("permit.rejected", ["permit": .string(permit.text), "note": .string(note)])
            case .withdraw(let permit, let note): ("permit.withdrawn", ["permit": .string(permit.text), "note": .string(note)])
            case .renew(let number, _):
                (
                    "loan.renewed",
                    loan(
                        number, ["borrower": "p-2b", "borrower_name": "Anna Kowalska", "due": "2026-11-28T18:00:00.000+08:00", "count": 1])
                )
            case .takeBack(let number, _): ("loan.returned", loan(number, ["borrower": "p-2b", "borrower_name": "Anna Kowalska"]))
            case .void(let number, _, _):
                (
                    "crossing.retracted",
                    [
                        "type": "loan.checked_out", "time": "2026-11-12T16:20:00.000+08:00",
                        "data": loan(number, ["person": "p-2b", "name": "Anna Kowalska", "due": "2026-11-19T18:00:00.000+08:00"]),
                    ]
                )
            case .transfer(let item, let person):
                (
                    "loan.transferred",
                    [
                        "loan": .string(loanNumber), "from_loan": .string(oldLoanNumber), "item": .string(item.text), "borrower": "p-2b",
                        "borrower_name": "Anna Kowalska", "person": .string(person.text), "name": "李雷",
                        "due": "2026-11-28T18:00:00.000+08:00",
                    ]
                )
            case .lost(let item, _):
                (
                    "loan.lost",
                    ["loan": .string(oldLoanNumber), "item": .string(item.text), "borrower": "p-2b", "borrower_name": "Anna Kowalska"]
                )
            case .inspect(let form): ("loan.inspected", ["item": .string(form.item.text), "result": .string(form.result.rawValue)])
            case .service(let item, let note): ("tool.serviced", ["item": .string(item.text), "note": .string(note)])
            case .correct(let exception, _, let note):
                ("exception.resolved", ["exception": .integer(exception), "resolution": "corrected", "note": .string(note)])
            }
        return event(number, type, "10:15:30", ["actor": ["client": "uid:1000 (anna)"], "data": data])
    }
}

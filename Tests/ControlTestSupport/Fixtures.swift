import Control
import Identifiers
import Ledger
import Readings
import SiteConfiguration

/// A small tool crib on a Saturday morning.
public enum Fixtures {
    public static let now = WallTime(rfc3339: "2026-11-21T10:15:30.000+08:00")!

    public static let tag = EPC(hex: "3034257BF7194E4000001A85")!
    public static let strangeTag = EPC(hex: "E28011606000020A")!

    public static let status: GatewayStatus = {
        var status = bareStatus
        status.store.bytesPerEvent = 18_432
        status.store.hasReserve = false
        status.store.problem = "disk_full: commit event 7 (SQLite 13)"
        status.masterSources = [
            .init(
                name: "erp", kind: "pull", state: "refused", cursor: "41", age: 7_200, batches: 3,
                problem: "GET https://erp.example.com/changes: line 3: credentials need person")
        ]
        return status
    }()

    private static let bareStatus = GatewayStatus(
        gateway: "CRIB1", site: "Demo crib", version: "0.1.0", language: "en", uptimeSeconds: 11_542, clock: .synchronised,
        masterVersion: 3,
        masterApplied: "2026-11-21T08:15:30.000+08:00", events: 7, openLoans: 2, overdueLoans: 1, openExceptions: 2, devicesReading: 2,
        devicesSilent: 1, devicesAbsent: 1)

    public static let devices = [
        DeviceReport(
            name: "gate-1", state: .reading, since: "2026-11-21T07:03:08.000+08:00", lastReading: "2026-11-21T10:15:29.000+08:00",
            readings: 18_234,
            rejects: ["noise": 12, "checksum": 1], faults: ["antenna not connected": 3], answers: ["firmware": "A0050172020978"],
            skipped: ["output 4 off"], port: "/dev/ttyUSB0", profile: "r2000/a0-uhf"),
        DeviceReport(
            name: "工牌-1", state: .reading, since: "2026-11-21T07:03:08.000+08:00", lastReading: "2026-11-21T10:13:30.000+08:00",
            readings: 41,
            port: "/dev/ttyUSB1", profile: "em4100/serial-ascii"),
        DeviceReport(
            name: "bench-scanner", state: .silent(reason: "no answer to the step \"get firmware\""), since: "2026-11-21T10:05:30.000+08:00",
            advice: "no_answer", port: "/dev/ttyACM0", profile: "zebra/cdc-scanner"),
        DeviceReport(name: "dock-scanner", state: .absent(reason: "not plugged in"), since: "2026-11-19T10:15:30.000+08:00"),
    ]

    public static let stations = [
        StationReport(
            name: "gate", kind: "gate", mode: "running", location: "CRIB", locationName: "Tool crib", owner: "storekeeper",
            devices: ["gate-1", "工牌-1"],
            antennas: [.init(device: "gate-1", port: 1, side: .inside), .init(device: "gate-1", port: 2, side: .outside)]),
        StationReport(
            name: "bench", kind: "putaway", mode: "testing", owner: "storekeeper", devices: ["bench-scanner"],
            stopped: "no scanner is there"),
    ]

    public static let destinations = [
        DestinationReport(name: "erp", kind: "epcis", state: "idle", cursor: 7, waiting: 0),
        DestinationReport(
            name: "archive", kind: "file", state: "backing_off", cursor: 4, waiting: 3, oldest: "2026-11-21T09:55:30.000+08:00",
            problem: "No space left on device"),
    ]

    public static let loanNumber = LoanNumber(gateway: "CRIB1", epoch: 0x7BCD_EF01_2345_6789, counter: 42).description
    public static let oldLoanNumber = LoanNumber(gateway: "CRIB1", epoch: 0x7BCD_EF01_2345_6789, counter: 17).description

    public static let loans: [JSON] = [
        [
            "loan": .string(oldLoanNumber), "item": "METER-07", "item_name": "万用表", "person": "p-2b", "name": "Anna Kowalska",
            "since": "2026-11-12T16:20:00.000+08:00", "due": "2026-11-19T18:00:00.000+08:00", "station": "gate", "event": 1,
        ],
        [
            "loan": .string(loanNumber), "item": "DRILL-01", "item_name": "Drill 18 V", "person": "p-1a", "name": "李雷", "permit": "REQ-9",
            "since": "2026-11-21T10:13:31.000+08:00", "due": "2026-11-28T18:00:00.000+08:00", "station": "gate", "event": 3,
        ],
    ]

    public static let stock: [JSON] = [
        [
            "location": "A-01-2", "location_name": "货架 A 第 2 层", "product": "BOLT-M8", "product_name": "Bolt M8×40", "lot": "L2611",
            "quantity": 250,
        ],
        ["location": "B-03", "item": "DRILL-02", "item_name": "Drill 18 V", "quantity": 1],
    ]

    public static let exceptions: [JSON] = [
        [
            "number": 4, "kind": "unknown_tag", "epcs": ["E28011606000020A"], "candidates": ["p-1a", "p-2b"],
            "candidate_names": ["李雷", "Anna Kowalska"], "direction": "out", "owner": "storekeeper",
            "deadline": "2026-11-22T10:14:00.000+08:00",
            "since": "2026-11-21T10:14:00.000+08:00", "station": "gate",
        ],
        [
            "number": 2, "kind": "not_permitted", "items": ["METER-07"], "item_names": ["万用表"], "loan": .string(oldLoanNumber),
            "direction": "out",
            "owner": "安全主管", "deadline": "2026-11-20T10:14:00.000+08:00", "since": "2026-11-19T10:14:00.000+08:00", "station": "gate",
        ],
    ]

    public static let tags = [
        TagReport(epc: tag, bearer: .item(ItemKey("DRILL-01")!), name: "Drill 18 V", source: .local),
        TagReport(epc: EPC(hex: "AA01")!, bearer: .person(PersonKey("p-1a")!), name: "李雷", source: .master),
    ]

    public static let deliveries = [
        EventReport.Delivery(destination: "erp", state: .acknowledged, time: "2026-11-21T10:13:32.000+08:00"),
        EventReport.Delivery(destination: "archive", state: .waiting, reason: "No space left on device"),
    ]

    public static let profile = ProfileReport(
        device: "gate-1", profile: "r2000/a0-uhf", reason: "named in the site file",
        candidates: [
            .init(profile: "r2000/a0-uhf", result: .bindOnly),
            .init(profile: "zebra/cdc-scanner", result: .failed(property: "ID_VENDOR_ID", expected: "05e0", found: "1a86")),
            .init(profile: "zebra/keyboard-wedge", result: .failed(property: "ID_INPUT_KEYBOARD", expected: "1", found: nil)),
            .init(profile: "generic/serial-scanner", result: .matched(properties: 2)),
        ])

    public static let importOutcome: ImportOutcome = {
        let rows = { (name: String) in MasterRow(set: .items, id: "DRILL-01", body: ["name": .string(name)]) }
        let added = MasterRow(set: .people, id: "1007", body: ["name": "韩梅梅"])
        return ImportOutcome(
            isDryRun: false, version: 4, counts: [.people: .init(added: 1, unchanged: 8), .items: .init(changed: 1)],
            changes: MasterRow.changes(from: [rows("Drill")], by: [rows("Drill 18 V"), added]))
    }()

    private static let identity = EventIdentity(prefix: 0x0123_4567_89AB_CDEF)

    /// An event as the API gives it.
    public static func event(_ number: Int64, _ type: String, _ time: String, _ members: [String: JSON]) -> JSON {
        var all: [String: JSON] = [
            "schema": 1, "id": .string(identity.id(sequence: number)), "seq": .integer(number), "type": .string(type), "certainty": "final",
            "time": .string("2026-11-21T\(time).000+08:00"), "clock": "synchronised", "subject": [], "actor": "gateway", "master": 3,
            "evidence": .null, "prev": .string(String(repeating: "0", count: 64)),
        ]
        all.merge(members) { _, new in new }
        return .object(all)
    }

    public static let events: [JSON] = [
        event(
            1, "master.applied", "08:15:30", ["actor": ["client": "uid:0 (root)"], "data": ["version": 3, "digest": "ab12", "rows": 120]]),
        event(
            2, "tag.bound", "09:01:10",
            [
                "actor": ["client": "uid:1000 (anna)"],
                "data": ["epc": .string(tag.hex), "bearer": ["item": "DRILL-01", "name": "Drill 18 V"]],
            ]),
        event(
            3, "loan.checked_out", "10:13:31",
            [
                "station": "gate", "episode": "gate/12", "actor": ["person": "p-1a", "name": "李雷"],
                "place": "https://id.gs1.org/414/9506000134376",
                "subject": ["https://id.gs1.org/01/80614141123458/21/6789"],
                "data": [
                    "loan": .string(loanNumber), "item": "DRILL-01", "item_name": "Drill 18 V", "epc": .string(tag.hex), "person": "p-1a",
                    "name": "李雷", "permit": "REQ-9", "due": "2026-11-28T18:00:00.000+08:00",
                ],
                "evidence": [
                    "first": "inside", "last": "outside", "inside": ["reads": 31, "rssi": .number(-51.5)],
                    "outside": ["reads": 22, "rssi": -48],
                    "seconds": .number(1.75), "badge": "seen 2.1 s before", "rule": "permit",
                ],
            ]),
        event(
            4, "exception.raised", "10:14:00",
            [
                "station": "gate", "episode": "gate/13", "actor": "unknown",
                "data": [
                    "kind": "unknown_tag", "epcs": ["E28011606000020A"], "candidates": ["p-1a"], "candidate_names": ["李雷"],
                    "direction": "out",
                    "owner": "storekeeper", "deadline": "2026-11-22T10:14:00.000+08:00",
                ],
            ]),
        event(
            5, "stock.put_away", "10:14:40",
            [
                "station": "bench", "actor": ["person": "p-2b", "name": "Anna Kowalska"],
                "data": [
                    "stock": ["product": "BOLT-M8", "product_name": "Bolt M8×40", "lot": "L2611"], "quantity": 250, "location": "A-01-2",
                    "location_name": "货架 A 第 2 层", "location_uri": "https://stockgate.invalid/location/A-01-2",
                ],
            ]),
        event(
            6, "station.mode_changed", "10:15:00",
            ["station": "bench", "actor": ["client": "uid:1000 (anna)"], "data": ["mode": "testing"]]),
        event(
            7, "loan.returned", "10:15:20",
            [
                "station": "gate", "episode": "gate/14", "actor": ["person": "p-2b", "name": "Anna Kowalska"],
                "data": [
                    "loan": .string(loanNumber), "item": "DRILL-01", "item_name": "Drill 18 V", "borrower": "p-1a", "borrower_name": "李雷",
                ],
            ]),
    ]

    public static let happenings: [JSON] = [
        [
            "kind": "reading", "device": "gate-1", "tag": ["epc": .string(tag.hex), "ant": 1, "rssi": .number(-51.5)],
            "bearer": ["item": "DRILL-01", "name": "Drill 18 V"],
        ],
        ["kind": "reading", "device": "gate-1", "tag": ["epc": .string(tag.hex), "ant": 1, "rssi": -49]],
        ["kind": "reading", "device": "工牌-1", "badge": "0006012345", "bearer": ["person": "p-1a", "name": "李雷"]],
        ["kind": "reading", "device": "bench-scanner", "scan": ["text": "BOLT-M8", "aim": "]C0"]],
        ["kind": "reading", "device": "door", "input": ["line": 2, "active": true]],
        [
            "kind": "sighting", "station": "gate", "epc": .string(tag.hex), "sighting": "passed_out", "evidence": ["first": "inside"],
            "bearer": ["item": "DRILL-01", "name": "Drill 18 V"],
        ],
        ["kind": "sighting", "station": "gate", "epc": "E28011606000020A", "sighting": "unknown", "evidence": [:]],
        ["kind": "feedback", "station": "gate", "feedback": "accepted"],
        [
            "kind": "test", "station": "bench",
            "events": [
                [
                    "type": "stock.put_away",
                    "data": [
                        "stock": ["item": "DRILL-02"], "quantity": 1, "location": "B-03",
                        "location_uri": "https://stockgate.invalid/location/B-03",
                    ],
                ]
            ],
        ],
        ["kind": "feedback", "station": "gate", "feedback": "not_recorded"],
        ["kind": "device", "device": "bench-scanner", "state": "absent", "reason": "unplugged"],
    ]
}

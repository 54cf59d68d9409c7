import Identifiers
import Readings
import SiteConfiguration
import TestSupport
import Testing

@testable import Ledger

@Suite("Ledger: state, commands and the form of events")
struct StateTests {
    @Test("Putaway moves a tool, and adds to the stock of a product by lot")
    func putAway() {
        var ledger = Fixture.ledger()
        let tool = ledger.decide(Fixture.putAway("DRILL-01", "A-01", badge: "1001"))
        #expect(tool.events.map(\.summary) == ["stock.put_away item/DRILL-01 A-01"])
        #expect(tool.events.first?.actor == .person(Fixture.liLei))
        #expect(ledger.state.places == [ItemKey("DRILL-01")!: LocationKey("A-01")!])
        for _ in 0..<2 { _ = ledger.decide(Fixture.putAway("010950600013435210ABC", "A-01", aim: "]C1")) }
        let plain = ledger.decide(Fixture.putAway("9506000134352", "A-01", aim: "]E0"))
        #expect(plain.events.map(\.summary) == ["stock.put_away product/BOLT-M8 A-01"])
        let shelf = LocationKey("A-01")!
        let bolt = ProductKey("BOLT-M8")!
        #expect(
            ledger.state.stock == [
                StockPosition(location: shelf, subject: .product(bolt, lot: "ABC")): 2,
                StockPosition(location: shelf, subject: .product(bolt, lot: nil)): 1,
            ])
        #expect(plain.events.first?.subjects == ["https://id.gs1.org/01/09506000134352"])
    }

    @Test("A lent tool that is put on a shelf is put away, and the record is doubted")
    func lentToolOnShelf() {
        var ledger = Fixture.ledger()
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]))
        let decision = ledger.decide(Fixture.putAway("DRILL-01", "A-01"))
        #expect(decision.events.map(\.summary) == ["stock.put_away item/DRILL-01 A-01", "exception.raised state_conflict DRILL-01 p-li"])
        #expect(decision.feedback == .exception)
        let again = ledger.decide(Fixture.putAway("DRILL-01", "A-01"))
        #expect(again.events.map(\.summary) == ["stock.put_away item/DRILL-01 A-01"])
        #expect(again.feedback == .exception)
    }

    @Test("Keys are compared by their bytes, as the store compares them")
    func keys() {
        let composed = ItemKey("Caf\u{E9}")!
        let decomposed = ItemKey("Cafe\u{301}")!
        #expect(composed.text == decomposed.text)
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
    }

    @Test("Rows with impossible numbers are refused, and never overflow")
    func impossibleRows() {
        for row in [
            StateRow(key: "counters", value: ["loan": .integer(.max), "episode": 1]), StateRow(key: "permit/X", value: .integer(.max)),
            StateRow(key: "counters", value: ["loan": -1, "episode": 1]),
        ] {
            #expect(throws: EventError.self) { _ = try LedgerState(nextSequence: 1, rows: [row]) }
        }
        #expect(throws: EventError.self) { _ = try LedgerState(nextSequence: .max, rows: []) }
    }

    @Test("A code that nobody knows becomes an exception with harmless text")
    func unknownCode() {
        var ledger = Fixture.ledger()
        let hostile = "\u{1B}[2J\u{202E}" + String(repeating: "A", count: 10_000)
        let decision = ledger.decide(Proposal(station: "bench", content: .unknownCode(Scan(data: Array(hostile.utf8)))))
        guard case .exceptionRaised(let raised)? = decision.events.first?.body else { return #expect(Bool(false)) }
        #expect(raised.kind == .unknownCode)
        #expect(raised.code?.unicodeScalars.count == 64)
        #expect(raised.code?.hasPrefix("\u{FFFD}[2J\u{FFFD}AAA") == true)
    }

    @Test("Tags are bound once, and only to what is there")
    func binding() throws {
        var ledger = Fixture.ledger()
        let drill = Bearer.item(ItemKey("DRILL-01")!)
        #expect(throws: CommandRefusal.self) {
            try ledger.plan(.bindTag(epc: Fixture.stranger, bearer: .item(ItemKey("NONE")!)), by: "uid:0", at: Fixture.now)
        }
        #expect(throws: CommandRefusal.self) { try ledger.plan(.bindTag(epc: Fixture.saw, bearer: drill), by: "uid:0", at: Fixture.now) }
        #expect(throws: CommandRefusal.self) { try ledger.plan(.unbindTag(epc: Fixture.saw), by: "uid:0", at: Fixture.now) }
        let decision = ledger.commit(try ledger.plan(.bindTag(epc: Fixture.stranger, bearer: drill), by: "uid:0", at: Fixture.now))
        #expect(decision.events.first?.actor == .client("uid:0"))
        #expect(ledger.bearer(of: Fixture.stranger) == drill)
        #expect(throws: CommandRefusal.self) {
            try ledger.plan(.bindTag(epc: Fixture.stranger, bearer: drill), by: "uid:0", at: Fixture.now)
        }
        var master = ledger.master
        master.tags[Fixture.stranger] = .item(ItemKey("SAW-01")!)
        let conflict = ledger.replaceMaster(master, digest: "00", rows: 1, by: nil, at: Fixture.now)
        #expect(conflict.events.map(\.summary) == ["master.applied", "exception.raised binding_conflict  "])
    }

    @Test("Exceptions are assigned and resolved once")
    func exceptions() throws {
        var ledger = Fixture.ledger()
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill]))
        #expect(ledger.state.exceptions[1]?.raised.deadline.rfc3339 == "2026-11-22T10:00:00.000+08:00")
        _ = ledger.commit(try ledger.plan(.assignException(number: 1, owner: "Wang"), by: "uid:0", at: Fixture.now))
        #expect(ledger.state.exceptions[1]?.raised.owner == "Wang")
        _ = ledger.commit(
            try ledger.plan(.resolveException(number: 1, resolution: "found", note: "was on the cart"), by: "uid:0", at: Fixture.now))
        #expect(ledger.state.exceptions.isEmpty)
        #expect(throws: CommandRefusal.self) {
            try ledger.plan(.resolveException(number: 1, resolution: "found", note: ""), by: "uid:0", at: Fixture.now)
        }
    }

    @Test("Stations change their mode")
    func modes() throws {
        var ledger = Fixture.ledger()
        #expect(throws: CommandRefusal.self) {
            try ledger.plan(.setStationMode(station: "nowhere", mode: .paused), by: "uid:0", at: Fixture.now)
        }
        #expect(throws: CommandRefusal.self) {
            try ledger.plan(.setStationMode(station: "gate", mode: .running), by: "uid:0", at: Fixture.now)
        }
        _ = ledger.commit(try ledger.plan(.setStationMode(station: "gate", mode: .testing), by: "uid:0", at: Fixture.now))
        #expect(ledger.state.modes == ["gate": .testing])
    }

    @Test("Random days: the rows of the state, and the fold of the stored events, are the state", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func fold(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var ledger = Fixture.ledger(LoanPolicy(withoutPermit: .flag, quota: 2))
        let identity = EventIdentity(prefix: seed)
        var rows: [String: StateRow] = [:]
        var log: [JSON] = []
        for _ in 0..<400 {
            let plan: Plan
            let tags = [Fixture.drill, Fixture.saw, Fixture.meter, Fixture.stranger].filter { _ in random.next() % 2 == 0 }
            let badges = ["1001", "1002", "1003", "9999"].filter { _ in random.next() % 4 == 0 }
            switch random.next() % 8 {
            case 0..<3: plan = ledger.plan(Fixture.crossing(.out, tags, badges: badges), at: Fixture.now)
            case 3..<5: plan = ledger.plan(Fixture.crossing(.in, tags, badges: badges), at: Fixture.now)
            case 5: plan = ledger.plan(Fixture.putAway(random.next() % 2 == 0 ? "DRILL-01" : "9506000134352", "A-01"), at: Fixture.now)
            case 6:
                guard let number = ledger.state.exceptions.keys.min() else { continue }
                plan = try ledger.plan(.resolveException(number: number, resolution: "ok", note: ""), by: "uid:0", at: Fixture.now)
            default:
                let isBound = ledger.state.tags[Fixture.stranger] != nil
                let command: Command =
                    isBound ? .unbindTag(epc: Fixture.stranger) : .bindTag(epc: Fixture.stranger, bearer: .item(ItemKey("SAW-01")!))
                plan = try ledger.plan(command, by: "uid:0", at: Fixture.now)
            }
            let decision = ledger.commit(plan)
            for row in decision.rows { rows[row.key] = row.value == nil ? nil : row }
            let zeros = String(repeating: "0", count: 64)
            log += decision.events.map { $0.json(identity: identity, previousHash: zeros) }
            for event in decision.events {
                let sealed = event.unsealed(identity: identity).sealed(previousHash: zeros)
                #expect(sealed.bytes == event.json(identity: identity, previousHash: zeros).canonicalBytes, "seed \(seed)")
            }
        }
        #expect(rows.values.sorted { $0.key < $1.key } == ledger.state.rows, "seed \(seed)")
        #expect(try LedgerState(nextSequence: ledger.state.nextSequence, rows: ledger.state.rows) == ledger.state, "seed \(seed)")
        var folded = LedgerState()
        for json in log { _ = folded.apply(try Event(json: try JSON(parsing: json.canonicalBytes))) }
        #expect(folded == ledger.state, "seed \(seed)")
        #expect(Set(log.compactMap { $0["id"]?.string }).count == log.count)
        let loans = log.filter { $0["type"] == "loan.checked_out" }.compactMap { event in
            event["data"]?["loan"]?.string.map { "\($0) \(event["data"]?["item"]?.string ?? "")" }
        }
        #expect(Set(loans).count == loans.count, "seed \(seed)")
    }

    @Test("Event ids are UUIDs of version 8 and variant 10")
    func identity() {
        let id = EventIdentity(prefix: 0x123_4567_89AB_CDEF).id(sequence: 258)
        #expect(id == "12345678-9abc-8def-8000-000000000102")
    }
}

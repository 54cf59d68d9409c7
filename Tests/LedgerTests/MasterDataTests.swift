import Identifiers
import Readings
import SiteConfiguration
import Testing

@testable import Ledger

@Suite struct MasterDataTests {
    private func rows(_ lines: String...) throws -> [MasterRow] {
        try lines.map { try MasterRow(json: JSON(parsing: $0)) }
    }

    private func base() throws -> MasterData {
        try MasterData().applying(
            rows(
                #"{"set":"tags","id":"3476451fd400000000000001","item":"DRILL-01"}"#,
                #"{"set":"credentials","id":"0001001","person":"E-17"}"#,
                #"{"set":"permits","id":"REQ-1","person":"E-17","items":["DRILL-01"],"classes":["power"],"#
                    + #""from":"2026-11-01","until":"2026-11-30","quantity":2}"#,
                #"{"set":"people","id":"E-17","key":"p-17","name":"李雷","quota":3}"#,
                #"{"set":"items","id":"DRILL-01","name":"Drill","class":"power","due_days":7,"#
                    + #""code":["T-1","T-2"],"gs1":"(01)09506000134352(21)17"}"#,
                #"{"set":"products","id":"BOLT","name":"Bolt","gtin":"9506000134352"}"#,
                #"{"set":"locations","id":"A-01","name":"Shelf","gln":"9521141123454"}"#,
                #"{"set":"codes","id":"X-9","location":"A-01"}"#))
    }

    private func problems(_ data: MasterData, _ rows: [MasterRow]) -> [String] {
        do {
            _ = try data.applying(rows)
            return []
        } catch {
            return error.problems.map { "\($0.row) \($0.code.rawValue) \($0.member ?? "-")" }
        }
    }

    @Test("No kit is a part of itself, however many steps it takes, in one batch or over several")
    func cyclicKits() throws {
        func item(_ id: String, _ parts: String...) throws -> MasterRow {
            let list = parts.map { "\"\($0)\"" }.joined(separator: ",")
            return try rows(#"{"set":"items","id":"\#(id)","name":"\#(id)"\#(parts.isEmpty ? "" : ",\"parts\":[" + list + "]")}"#)[0]
        }
        let bad = "bad_value parts"
        #expect(try problems(MasterData(), [item("A", "A")]) == ["0 \(bad)"])
        #expect(try problems(MasterData(), [item("A", "B"), item("B", "A")]) == ["0 \(bad)", "1 \(bad)"])
        #expect(try problems(MasterData(), [item("A", "B"), item("B", "C"), item("C", "A")]).count == 3)
        // A part of two kits, and a kit in a kit, go round in no circle; the same part twice neither.
        let good = try MasterData().applying([item("TRUNK", "BOX", "BIT", "BIT"), item("BOX", "BIT"), item("BIT")])
        #expect(try problems(good, [item("BIT", "TRUNK")]) == ["0 \(bad)"])
        #expect(try problems(good, [item("BIT"), item("BOX")]) == [])
        // A circle that is mended by the same batch is none.
        let turned = try good.applying([item("TRUNK"), item("BIT", "TRUNK")])
        #expect(turned.items[ItemKey("BIT")!]?.parts == [ItemKey("TRUNK")!])
        // Long chains take no time.
        let chain = try (0..<20_000).map { try item("K\($0)", $0 == 19_999 ? "BIT" : "K\($0 + 1)") }
        #expect(problems(good, chain) == [])
    }

    @Test func everySet() throws {
        let data = try base()
        #expect(data.version == 1)
        let person = try #require(data.people[PersonKey("p-17")!])
        #expect(person == Person(key: PersonKey("p-17")!, number: "E-17", name: "李雷", isBlocked: false, quota: 3))
        let item = try #require(data.items[ItemKey("DRILL-01")!])
        #expect(item.itemClass == "power")
        #expect(item.dueDays == 7)
        // GS1 Digital Link: URI syntax 1.2, key and qualifier.
        #expect(item.uri == "https://id.gs1.org/01/09506000134352/21/17")
        #expect(data.tags == [EPC(hex: "3476451FD400000000000001")!: .item(item.key)])
        #expect(data.credentials == ["0001001": person.key])
        let permit = try #require(data.permits[PermitKey("REQ-1")!])
        #expect(permit.items == [item.key])
        #expect(permit.classes == ["power"])
        #expect(permit.quantity == 2)
        #expect(permit.until == CivilDate(year: 2026, month: 11, day: 30))
        let bolt = ProductKey("BOLT")!
        #expect(data.products[bolt]?.gtin == "09506000134352")
        let shelf = LocationKey("A-01")!
        #expect(data.locations[shelf]?.uri == "https://id.gs1.org/414/9521141123454")
        #expect(
            data.codes == [
                "T-1": .item(item.key), "T-2": .item(item.key), "(01)09506000134352(21)17": .item(item.key),
                "https://id.gs1.org/01/09506000134352/21/17": .item(item.key), "9506000134352": .product(bolt),
                "09506000134352": .product(bolt),
                "https://id.gs1.org/01/09506000134352": .product(bolt), "9521141123454": .location(shelf),
                "https://id.gs1.org/414/9521141123454": .location(shelf), "X-9": .location(shelf),
            ])
    }

    @Test(arguments: [
        (#"{"set":"items","id":"A","name":"x","colour":"red"}"#, "0 unknown_member colour"),
        (#"{"set":"items","id":"A"}"#, "0 missing_member name"),
        (#"{"set":"items","id":"A","name":7}"#, "0 wrong_type name"),
        (#"{"set":"items","id":"A","name":"a\u0007b"}"#, "0 bad_value name"),
        (#"{"set":"items","id":"A","name":"x","due_days":0}"#, "0 bad_value due_days"),
        (#"{"set":"items","id":"A","name":"x","due_days":"7"}"#, "0 wrong_type due_days"),
        (#"{"set":"items","id":"A","name":"x","gs1":"(01)09506000134353"}"#, "0 bad_value gs1"),
        (#"{"set":"items","id":"A","name":"x","uri":"ftp://x"}"#, "0 bad_value uri"),
        (#"{"set":"items","id":"A","name":"x","code":["a",1]}"#, "0 wrong_type code"),
        (#"{"set":"items","id":"A","name":"x","code":"T-1"}"#, "0 bound_twice -"),
        (#"{"set":"products","id":"A","name":"x","gtin":"9506000134353"}"#, "0 bad_value gtin"),
        (#"{"set":"products","id":"A","name":"x","gtin":"09506000134352"}"#, "0 bound_twice -"),
        (#"{"set":"locations","id":"A","name":"x","gln":"9521141123455"}"#, "0 bad_value gln"),
        (#"{"set":"people","id":"A","name":"x"}"#, "0 missing_key key"),
        (#"{"set":"people","id":"A","name":"x","key":"p-17"}"#, "0 bound_twice key"),
        (#"{"set":"people","id":"E-17","name":"x","key":"p-18"}"#, "0 changed_key key"),
        (#"{"set":"people","id":"A","name":"x","key":"p-1","blocked":"yes"}"#, "0 wrong_type blocked"),
        (#"{"set":"people","id":"A","name":"x","key":"p-1","email":7}"#, "0 wrong_type email"),
        (#"{"set":"people","id":"A","name":"x","key":"p-1","email":"a@b@c"}"#, "0 bad_value email"),
        (#"{"set":"people","id":"A","name":"x","key":"p-1","language":"fr"}"#, "0 bad_value language"),
        (#"{"set":"people","id":"A","name":"x","key":"p-1","supervisor":"nobody"}"#, "0 unknown_reference supervisor"),
        (#"{"set":"people","id":"A","name":"x","key":"p-1","supervisor":7}"#, "0 wrong_type supervisor"),
        (#"{"set":"people","id":"A","name":"x","key":"p-1","supervisor":"A"}"#, "0 bad_value supervisor"),
        (#"{"set":"credentials","id":"1","person":"nobody"}"#, "0 unknown_reference person"),
        (#"{"set":"credentials","id":"1"}"#, "0 missing_member person"),
        (#"{"set":"tags","id":"303","item":"DRILL-01"}"#, "0 bad_value id"),
        (#"{"set":"tags","id":"3034","item":"SAW"}"#, "0 unknown_reference item"),
        (#"{"set":"tags","id":"3034"}"#, "0 missing_member -"),
        (#"{"set":"tags","id":"3034","item":"DRILL-01","location":"A-01"}"#, "0 bound_twice -"),
        (#"{"set":"codes","id":"T-1","location":"A-01"}"#, "0 bound_twice -"),
        (#"{"set":"permits","id":"R","person":"p-17","items":["SAW"]}"#, "0 unknown_reference items"),
        (#"{"set":"permits","id":"R","person":"p-17"}"#, "0 missing_member items"),
        (#"{"set":"permits","id":"R","person":"p-17","classes":["a"],"from":"2026-13-01"}"#, "0 bad_value from"),
        (#"{"set":"permits","id":"R","person":"p-17","classes":["a"],"from":"2026-2-1"}"#, "0 bad_value from"),
        (#"{"set":"permits","id":"R","person":"p-17","classes":["a"],"from":"2026-12-02","until":"2026-12-01"}"#, "0 bad_value until"),
        (#"{"set":"permits","id":"R","person":"p-17","classes":["a"],"quantity":0}"#, "0 bad_value quantity"),
        (#"{"set":"people","id":"E-17","deleted":true}"#, "0 still_referenced -"),
        (#"{"set":"items","id":"DRILL-01","deleted":true}"#, "0 still_referenced -"),
        (#"{"set":"locations","id":"A-01","deleted":true}"#, "0 still_referenced -"),
    ])
    func refuses(line: String, problem: String) throws {
        let data = try base()
        #expect(Set(problems(data, try rows(line))) == [problem])
    }

    /// A supervisor may stand further down than who has one, and stays as long as somebody names them.
    @Test func peopleAreReached() throws {
        let data = try base().applying(
            rows(
                #"{"set":"people","id":"A","name":"x","key":"p-1","email":"Ann.Li@example.com","language":"zh","supervisor":"B"}"#,
                #"{"set":"people","id":"B","name":"y","key":"p-2","supervisor":"p-17"}"#))
        let (ann, boss) = (data.people[PersonKey("p-1")!], data.people[PersonKey("p-2")!])
        #expect(ann?.email?.description == "Ann.Li@example.com" && ann?.language == .chinese && ann?.supervisor == PersonKey("p-2"))
        #expect(boss?.email == nil && boss?.language == nil && boss?.supervisor == PersonKey("p-17"))
        #expect(problems(data, try rows(#"{"set":"people","id":"B","deleted":true}"#)) == ["0 still_referenced -"])
        // What a problem says is logged: no address stands in it.
        let row = try rows(#"{"set":"people","id":"C","name":"x","key":"p-3","email":"secret@exa mple.com"}"#)
        let refusal = #expect(throws: MasterRefusal.self) { try data.applying(row) }
        #expect(refusal?.problems.map(\.description).joined().contains("secret") == false)
        // Moved away in the batch that deletes.
        let moved = try data.applying(
            rows(#"{"set":"people","id":"B","deleted":true}"#, #"{"set":"people","id":"A","name":"x","key":"p-1"}"#))
        #expect(moved.people[PersonKey("p-1")!]?.email == nil && moved.people[PersonKey("p-2")!] == nil)
    }

    @Test(
        arguments: [
            ("a@b", true), ("ann.li+tools@mail.example.com", true), ("o'brien_x=y@x-y.example", true), ("李雷@例子.中国", true),
            ("zoë@example.com", true), (String(repeating: "a", count: 64) + "@x.example", true),
            (String(repeating: "a", count: 65) + "@x.example", false), ("a@" + String(repeating: "b", count: 63) + ".example", true),
            ("a@" + String(repeating: "b", count: 64) + ".example", false),
            ("a@" + Array(repeating: String(repeating: "b", count: 62), count: 4).joined(separator: ".") + "x", true),
            ("a@" + Array(repeating: String(repeating: "b", count: 62), count: 4).joined(separator: ".") + "xyz", false),
            ("", false), ("a", false), ("@b", false), ("a@", false), ("a@b@c", false), (".a@b", false), ("a.@b", false), ("a..b@c", false),
            ("a@.b", false), ("a@b.", false), ("a@b..c", false), ("a@-b", false), ("a@b-", false), ("a b@c", false), ("a@b c", false),
            ("a@b\r\nBcc: x@y", false), ("a\n@b", false), ("<a@b>", false), ("Ann <a@b>", false), ("\"a b\"@c", false),
            ("a@[127.0.0.1]", false),
            ("a,b@c", false), ("a@b,c@d", false), ("a;b@c", false), ("a:b@c", false), ("(x)a@b", false), ("a\\b@c", false),
            ("a@b_c", false),
            ("a\u{202E}b@c", false), ("a\u{200B}@b", false), ("a@b\u{3002}c", false), ("a\u{0}@b", false), ("a@b/c", false), ("😀@b", false),
        ])
    func addresses(text: String, isGood: Bool) {
        #expect((MailAddress(text) != nil) == isGood)
        if isGood { #expect(MailAddress(text)?.description == text) }
    }

    @Test func namesBothWhenBoundTwice() throws {
        let batch = try rows(
            #"{"set":"items","id":"SAW","name":"Saw"}"#, #"{"set":"tags","id":"3034aa","item":"DRILL-01"}"#,
            #"{"set":"tags","id":"3034AA","item":"SAW"}"#)
        let refusal = #expect(throws: MasterRefusal.self) { try base().applying(batch) }
        #expect(refusal?.problems.map(\.code) == [.boundTwice])
        #expect(refusal?.problems.first?.message == "bound to item DRILL-01 and to item SAW")
        let code = #expect(throws: MasterRefusal.self) {
            try base().applying(rows(#"{"set":"items","id":"SAW","name":"Saw","code":"T-2"}"#))
        }
        #expect(code?.problems.first?.message == "the code T-2 is bound to item DRILL-01 and to item SAW")
    }

    @Test func findsDuplicates() throws {
        let batch = try rows(
            #"{"set":"items","id":"A","name":"x"}"#, #"{"set":"items","id":"B","name":"x"}"#, #"{"set":"items","id":"A","name":"y"}"#)
        #expect(problems(MasterData(), batch) == ["2 duplicate -"])
    }

    @Test func aRefusedBatchChangesNothingAndSaysEverything() throws {
        let data = try base()
        let found = problems(
            data,
            try rows(
                #"{"set":"items","id":"SAW","name":"Saw"}"#, #"{"set":"credentials","id":"1","person":"x"}"#, #"{"set":"items","id":"A"}"#,
                #"{"set":"tags","id":"zz","item":"SAW"}"#))
        #expect(found == ["1 unknown_reference person", "2 missing_member name", "3 bad_value id"])
        #expect(data.items.count == 1)
    }

    @Test func deletesWhatNothingNamesAnyMore() throws {
        let data = try base().applying(
            rows(
                #"{"set":"items","id":"DRILL-01","deleted":true}"#, #"{"set":"tags","id":"3476451FD400000000000001","deleted":true}"#,
                #"{"set":"permits","id":"REQ-1","deleted":true}"#, #"{"set":"credentials","id":"0001001","deleted":true}"#,
                #"{"set":"people","id":"E-17","deleted":true}"#, #"{"set":"codes","id":"X-9","deleted":true}"#,
                #"{"set":"items","id":"NEVER-WAS","deleted":true}"#))
        #expect(data.items.isEmpty)
        #expect(data.people.isEmpty)
        #expect(data.tags.isEmpty)
        #expect(data.permits.isEmpty)
        #expect(data.credentials.isEmpty)
        #expect(Set(data.codes.values) == [.product(ProductKey("BOLT")!), .location(LocationKey("A-01")!)])
        #expect(data.version == 2)
    }

    /// A code may go from one thing to another within one batch, in any order.
    @Test func codesMoveWithinABatch() throws {
        let lines = [
            #"{"set":"items","id":"SAW","name":"Saw","code":"T-1"}"#, #"{"set":"items","id":"DRILL-01","name":"Drill","code":"T-2"}"#,
        ]
        for order in [lines, lines.reversed()] {
            let data = try base().applying(order.map { try MasterRow(json: JSON(parsing: $0)) })
            #expect(data.codes["T-1"] == .item(ItemKey("SAW")!))
            #expect(data.codes["T-2"] == .item(ItemKey("DRILL-01")!))
            #expect(data.codes["(01)09506000134352(21)17"] == nil)
        }
    }

    /// A code that stands both in the item's row and in a row of its own stays until both are gone.
    @Test func codesWithTwoRows() throws {
        let both = try base().applying(rows(#"{"set":"codes","id":"T-1","item":"DRILL-01"}"#))
        let one = try both.applying(rows(#"{"set":"codes","id":"T-1","deleted":true}"#))
        #expect(one.codes["T-1"] == .item(ItemKey("DRILL-01")!))
        let other = try both.applying(rows(#"{"set":"items","id":"DRILL-01","name":"Drill"}"#))
        #expect(other.codes["T-1"] == .item(ItemKey("DRILL-01")!))
        let none = try other.applying(rows(#"{"set":"codes","id":"T-1","deleted":true}"#))
        #expect(none.codes["T-1"] == nil)
    }

    @Test func tagsAndCredentialsCanBeRebound() throws {
        let data = try base().applying(
            rows(
                #"{"set":"items","id":"SAW","name":"Saw"}"#, #"{"set":"tags","id":"3476451FD400000000000001","item":"SAW"}"#,
                #"{"set":"people","id":"E-18","key":"p-18","name":"Han"}"#, #"{"set":"credentials","id":"0001001","person":"p-18"}"#))
        #expect(data.tags[EPC(hex: "3476451FD400000000000001")!] == .item(ItemKey("SAW")!))
        #expect(data.credentials["0001001"] == PersonKey("p-18"))
    }

    @Test func keysAreMintedOnceAndKept() throws {
        let batch = try rows(
            #"{"set":"people","id":"E-17","name":"李雷"}"#, #"{"set":"people","id":"E-18","name":"Han"}"#,
            #"{"set":"people","id":"E-19","name":"Wang"}"#, #"{"set":"people","id":"E-20","key":"own","name":"Zhao"}"#,
            #"{"set":"people","id":"E-21","deleted":true}"#)
        var random: [UInt64] = [0xABC, 0xABC, 0xFFFF_0000_0000_0001]
        let minted = try base().mintingKeys(for: batch) { random.removeFirst() }
        #expect(minted.map { $0.body["key"]?.string } == ["p-17", "p-0000000000000abc", "p-ffff000000000001", "own", nil])
        let data = try base().applying(minted)
        #expect(data.people.count == 4)
    }

    @Test func changes() throws {
        let stored = try rows(
            #"{"set":"items","id":"A","name":"x","class":"c"}"#, #"{"set":"items","id":"B","name":"y"}"#,
            #"{"set":"items","id":"C","name":"z"}"#)
        let batch = try rows(
            #"{"set":"items","id":"D","name":"new"}"#, #"{"set":"items","id":"A","name":"x2"}"#, #"{"set":"items","id":"B","name":"y"}"#,
            #"{"set":"items","id":"C","deleted":true}"#, #"{"set":"items","id":"E","deleted":true}"#)
        let changes = MasterRow.changes(from: stored, by: batch)
        #expect(changes.map { "\($0.kind.rawValue) \($0.id)" } == ["changed A", "removed C", "added D"])
        #expect(changes[0].members == [.init(name: "class", old: "c", new: nil), .init(name: "name", old: "x", new: "x2")])
        #expect(changes[1].members == [.init(name: "name", old: "z", new: nil)])
        #expect(changes[2].members == [.init(name: "name", old: nil, new: "new")])
    }

    @Test(arguments: [
        #"{"set":"items"}"#, #"{"set":"tools","id":"A"}"#, #"{"set":"items","id":17}"#, #"{"set":"items","id":""}"#,
        #"{"set":"items","id":" A"}"#,
        #"{"set":"items","id":"A","deleted":"yes"}"#, #"{"set":"items","id":"A","deleted":true,"name":"x"}"#, #"[]"#,
    ])
    func refusesRows(text: String) throws {
        let json = try JSON(parsing: text)
        #expect(throws: MasterRowError.self) { try MasterRow(json: json) }
    }

    @Test func rowsGoThereAndBack() throws {
        for text in [#"{"class":"c","id":"A","name":"x","set":"items"}"#, #"{"deleted":true,"id":"A","set":"items"}"#] {
            #expect(try MasterRow(json: JSON(parsing: text)).json.canonicalText == text)
        }
    }

    /// Applying in steps gives what applying at once gives.
    @Test func stepsGiveTheSameAsOneBatch() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("master data steps: seed \(seed)")
        var state = seed
        func pick(_ count: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % count
        }
        for _ in 0..<50 {
            var latest: [String: MasterRow] = [:]
            var stepped = MasterData()
            for _ in 0..<20 {
                let id = "I-\(pick(4))"
                let row = MasterRow(
                    set: .items, id: id,
                    body: ["name": .string("n\(pick(9))"), "code": .array((0..<pick(3)).map { .string("\(id)-c\($0)-\(pick(3))") })])
                let isDeleted = pick(4) == 0
                stepped = try stepped.applying([isDeleted ? MasterRow(set: .items, id: id, isDeleted: true) : row])
                latest[id] = isDeleted ? nil : row
            }
            let once = try MasterData().applying(Array(latest.values))
            #expect(stepped.items == once.items, "seed \(seed)")
            #expect(stepped.codes == once.codes, "seed \(seed)")
        }
    }
}

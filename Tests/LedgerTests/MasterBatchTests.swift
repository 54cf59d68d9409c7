import Ledger
import Readings
import Testing

@Suite("Batches of master data, as upstream sends them")
struct MasterBatchTests {
    static func read(_ text: String, pieces: Int = .max) throws(MasterBatchError) -> MasterBatch {
        var reader = MasterBatchReader()
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            guard reader.take(rest.prefix(pieces)) else { break }
            rest = rest.dropFirst(pieces)
        }
        return try reader.finish()
    }

    static let delta = """
        {"master":1,"since":"c4"}
        {"set":"items","id":"DRILL","name":"Drill"}

        {"set":"items","id":"SAW","deleted":true}
        {"end":1,"cursor":"c6","rows":2,"more":true}

        """

    @Test("A change is the same in whatever pieces it comes", arguments: [1, 2, 7, 64, .max])
    func pieces(size: Int) throws {
        let batch = try Self.read(Self.delta, pieces: size)
        #expect(batch.since == "c4" && batch.cursor == "c6" && batch.hasMore && batch.snapshot.isEmpty)
        #expect(batch.rows.map(\.label) == ["items DRILL", "items SAW"] && batch.rows.map(\.isDeleted) == [false, true])
        // The last line end is not needed.
        #expect(try Self.read(String(Self.delta.dropLast()), pieces: size) == batch)
    }

    @Test("Cut off anywhere before its end it counts for nothing")
    func cut() throws {
        let whole = Array(Self.delta.utf8)
        let lines = Self.delta.split(separator: "\n", omittingEmptySubsequences: false)
        let complete = whole.count - 1
        for count in 0..<complete {
            var reader = MasterBatchReader()
            _ = reader.take(whole.prefix(count))
            #expect(throws: MasterBatchError.self, "\(count) bytes") { try reader.finish() }
        }
        #expect(throws: MasterBatchError.incomplete) { try Self.read(lines.prefix { !$0.hasPrefix("{\"end\"") }.joined(separator: "\n")) }
    }

    @Test(
        "What does not follow the form is refused with its line",
        arguments: [
            ("{\"set\":\"items\",\"id\":\"X\",\"name\":\"Y\"}", "line 1: the first line must be the head"),
            ("{\"master\":2}\n{\"end\":1,\"cursor\":\"c\",\"rows\":0}", "line 1: the first line must be the head"),
            ("{\"master\":1}\n{\"end\":1,\"cursor\":\"c\",\"rows\":1}", "line 2: the end must count the \"rows\": 0 came"),
            ("{\"master\":1}\n{\"end\":1,\"rows\":0}", "line 2: the end needs a \"cursor\""),
            ("{\"master\":1}\n{\"end\":1,\"cursor\":\"a\\nb\",\"rows\":0}", "line 2: the end needs a \"cursor\""),
            (
                "{\"master\":1,\"snapshot\":true}\n{\"end\":1,\"cursor\":\"c\",\"rows\":0,\"more\":true}",
                "line 2: a snapshot comes whole"
            ),
            ("{\"master\":1}\n{\"end\":1,\"cursor\":\"c\",\"rows\":0}\n{}", "line 3: something stands after the end"),
            (
                "{\"master\":1}\n{\"set\":\"tools\",\"id\":\"X\"}\n{\"end\":1,\"cursor\":\"c\",\"rows\":0}",
                "line 2: the row needs a \"set\""
            ),
            ("{\"master\":1}\nnonsense\n{\"end\":1,\"cursor\":\"c\",\"rows\":0}", "line 2: "),
            (
                "{\"master\":1,\"sets\":[\"items\"]}\n{\"end\":1,\"cursor\":\"c\",\"rows\":0}",
                "line 1: \"sets\" is a list of a snapshot's sets"
            ),
            (
                "{\"master\":1,\"snapshot\":true,\"sets\":[\"items\"]}\n{\"set\":\"people\",\"id\":\"7\",\"name\":\"A\"}\n{\"end\":1,\"cursor\":\"c\",\"rows\":1}",
                "line 3: people 7 is in no set of the snapshot"
            ),
        ])
    func malformed(text: String, problem: String) throws {
        let error = try #require(throws: MasterBatchError.self) { try Self.read(text) }
        guard case .malformed(let problems) = error else { return #expect(Bool(false), "\(error)") }
        #expect(problems.first?.hasPrefix(problem) == true, "\(problems)")
    }

    @Test("Lengths are bounded")
    func bounds() throws {
        var reader = MasterBatchReader()
        let isTooLong = !reader.take(Array(repeating: UInt8(ascii: "x"), count: MasterBatchReader.maximumLine + 1))
        #expect(isTooLong)
        var bad = MasterBatchReader()
        let isGivenUp = !bad.take(Array(String(repeating: "?\n", count: 200).utf8))
        #expect(isGivenUp)
        guard case .malformed(let problems) = try #require(throws: MasterBatchError.self, performing: { try bad.finish() }) else { return }
        #expect(problems.count == MasterBatchReader.maximumProblems)
    }

    @Test("A snapshot deletes what it leaves out, in its sets only")
    func snapshot() throws {
        let batch = try Self.read(
            """
            {"master":1,"snapshot":true,"sets":["items"]}
            {"set":"items","id":"DRILL","name":"Drill"}
            {"end":1,"cursor":"c1","rows":1}
            """)
        let stored = [
            MasterRow(set: .items, id: "DRILL", body: ["name": "Old"]), MasterRow(set: .items, id: "SAW", body: ["name": "Saw"]),
            MasterRow(set: .items, id: "GONE", isDeleted: true), MasterRow(set: .people, id: "7", body: ["name": "A"]),
        ]
        #expect(
            batch.rows(over: stored).map(\.json.canonicalText) == [
                "{\"id\":\"DRILL\",\"name\":\"Drill\",\"set\":\"items\"}", "{\"deleted\":true,\"id\":\"SAW\",\"set\":\"items\"}",
            ])
        #expect(
            try Self.read("{\"master\":1,\"snapshot\":true}\n{\"end\":1,\"cursor\":\"c\",\"rows\":0}").snapshot
                == Set(MasterRow.Set.allCases))
    }
}

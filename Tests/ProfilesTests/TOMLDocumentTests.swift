import Profiles
import Readings
import TestSupport
import Testing

@Suite("TOML with lines")
struct TOMLDocumentTests {
    private static let text = #"""
        # comment with [table] = "x"
        a = 1
        "quoted key" = { b = [1, 2], 'c' = "}" }

        [one]
        s = """
        x = 1
        [two]
        """
        e.f.g = true
        list = [
            "first", # [no]
            { deep = [ [1],
              [2] ] },
        ]

        [[many]]
        n = 'a"b'
        [many.sub]
        k = "\"[x]"
        [[many]]
        n = 2
        [[many.inner]]
        z = 0x1F
        """#

    @Test func everyKeyHasItsLine() throws {
        let document = try TOMLDocument(file: "test", text: Self.text)
        let lines: [([TOMLPathStep], Int)] = [
            ([.key("a")], 2), ([.key("quoted key")], 3), ([.key("quoted key"), .key("b"), .index(1)], 3),
            ([.key("quoted key"), .key("c")], 3),
            ([.key("one")], 5), ([.key("one"), .key("s")], 6), ([.key("one"), .key("e"), .key("f"), .key("g")], 10),
            ([.key("one"), .key("list"), .index(0)], 12), ([.key("one"), .key("list"), .index(1), .key("deep")], 13),
            ([.key("one"), .key("list"), .index(1), .key("deep"), .index(1)], 14), ([.key("many"), .index(0), .key("n")], 18),
            ([.key("many"), .index(0), .key("sub"), .key("k")], 20), ([.key("many"), .index(1), .key("n")], 22),
            ([.key("many"), .index(1), .key("inner"), .index(0), .key("z")], 24), ([.key("many"), .index(1), .key("missing")], 21),
        ]
        for (path, line) in lines { #expect(document.line(of: path) == line, "\(TOMLDocument.text(path))") }
        #expect(document.line(of: [.key("nowhere")]) == nil)
        #expect(TOMLDocument.text([.key("many"), .index(1), .key("n")]) == "many[2].n")
    }

    @Test func theValueIsWhole() throws {
        let document = try TOMLDocument(file: "test", text: Self.text)
        #expect(document.root["a"] == 1)
        #expect(document.root["quoted key"]?["b"] == .array([.integer(1), .integer(2)]))
        #expect(document.root["one"]?["s"] == "x = 1\n[two]\n")
        #expect(document.root["many"]?.array?.last?["inner"]?.array?.first?["z"] == 31)
        #expect(try TOMLDocument(file: "test", text: "t = \"a\\u0000b\\tä\"").root["t"] == "a\u{0}b\tä")
    }

    @Test(arguments: [
        "a = ", "a = 1\na = 2", "[x", "a = \"\n\"", "a = 99999999999999999999", "= 1", "[.x]", "[[,]]", "[ = 1", "[ä]", "x = 1\n[\n]",
        "a = [}", "a = [1, }]",
    ])
    func whatIsNoTOMLHasALine(text: String) {
        let error = #expect(throws: TOMLProblem.self) { try TOMLDocument(file: "test", text: text) }
        #expect(error?.line != nil)
        #expect(error?.description.hasPrefix("test:") == true)
    }

    @Test(arguments: [81, 82] as [UInt64])
    func anyTextIsReadOrRefused(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let pieces = [
            "a", "=", "1", "\n", "[", "]", "[[", "]]", "{", "}", "\"", "'", "\"\"\"", "'''", ".", ",", "#", "\\", " ", "ä", "b = 2\n",
            "[t]\n", "\u{0}",
        ]
        for _ in 0..<3_000 {
            let text = (0..<Int.random(in: 0...25, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            guard let document = try? TOMLDocument(file: "test", text: text) else { continue }
            // Every key of a text that was read has a line in it.
            let lineCount = text.utf8.count(where: { $0 == 0x0A }) + 1
            for key in (document.root.object ?? [:]).keys where !key.isEmpty {
                let line = document.line(of: [.key(key)])
                #expect(
                    line.map { (1...lineCount).contains($0) } == true, "seed \(seed), \(text.debugDescription), key \(key.debugDescription)"
                )
            }
        }
    }
}

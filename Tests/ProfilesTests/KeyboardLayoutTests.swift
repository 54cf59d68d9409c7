import Decoding
import Foundation
import Profiles
import Readings
import Testing

/// The layout files against xkeyboard-config, and every character they have, typed and read.
@Suite("Keyboard layouts")
struct KeyboardLayoutTests {
    static let names = ShippedProfiles.library.layouts.keys.sorted()

    @Test func allAreThere() {
        #expect(Self.names == ["de", "es", "fr", "gb", "it", "us"])
    }

    // MARK: Counterpart

    struct Row: Decodable {
        var layout: String
        var code: UInt16
        var levels: [String?]
    }

    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("counterparts/keyboard_layouts.py").path

    /// Why the comparison cannot be made here; nil when it can.
    static let obstacle: String? = {
        if !FileManager.default.fileExists(atPath: "/usr/share/X11/xkb/symbols/us") { return "xkb-data is not installed" }
        if python == nil { return "there is no python3" }
        return (try? rows())?.isEmpty == false ? nil : "libxkbcommon0 is not installed"
    }()

    private static let python = ["/usr/bin/python3", ProcessInfo.processInfo.environment["STOCKGATE_PYTHON"] ?? ""].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private static func rows() throws -> [Row] {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: python ?? "")
        process.arguments = [script] + names
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try data.split(separator: 0x0A).map { try JSONDecoder().decode(Row.self, from: $0) }
    }

    /// Where the layouts of Windows, for which scanners are made, give something else than those of Linux: layout, key, level.
    private static let differences: Set<String> = [
        // Accents where Linux has the characters alone.
        "fr 3 2", "fr 8 2", "es 5 2",
        // The euro sign beside the 5.
        "es 6 2", "it 6 2",
        // Accented vowels, and the broken bar, on AltGr.
        "gb 41 2", "gb 18 2", "gb 18 3", "gb 22 2", "gb 22 3", "gb 23 2", "gb 23 3", "gb 24 2", "gb 24 3", "gb 30 2", "gb 30 3",
    ]
    /// Keys of the first two levels that Windows has not.
    private static let missing: Set<String> = ["fr 41 1", "us 86 0", "us 86 1"]

    @Test(.enabled(if: obstacle == nil, Comment(rawValue: obstacle ?? "")))
    func agreeWithXKB() throws {
        var compared = 0
        var differing: Set<String> = []
        var lacking: Set<String> = []
        for row in try Self.rows() {
            let layout = try #require(ShippedProfiles.library.layouts[row.layout])
            let levels = layout.keys[row.code]?.levels ?? []
            // The pad's own signs stand on the first level only, the others repeat them; the space has one level for all.
            var wanted = [55, 74, 78, 98].contains(row.code) ? Array(row.levels.prefix(1)) : row.levels
            if row.code == 57 { wanted = [" ", " "] }
            for (level, expected) in wanted.enumerated() {
                let place = "\(row.layout) \(row.code) \(level)"
                guard level < levels.count, let found = levels[level] else {
                    if level < 2, expected != nil { lacking.insert(place) }
                    continue
                }
                if found != KeyboardLayout.Key(levels: [expected ?? ""]).levels[0] { differing.insert(place) }
                compared += 1
            }
            for level in wanted.count..<max(levels.count, wanted.count) where levels[level] != nil {
                differing.insert("\(row.layout) \(row.code) \(level)")
            }
        }
        #expect(differing == Self.differences)
        #expect(lacking == Self.missing)
        #expect(compared > 600)
        print("xkb: \(compared) levels of \(Self.names.count) layouts compared")
    }

    @Test(arguments: names)
    func accentsAreThoseOfUnicode(name: String) throws {
        let marks = ["acute": "\u{301}", "grave": "\u{300}", "circumflex": "\u{302}", "diaeresis": "\u{308}", "tilde": "\u{303}"]
        let layout = try #require(ShippedProfiles.library.layouts[name])
        for (accent, key) in layout.deadKeys {
            let mark = try #require(marks[accent])
            for (letter, whole) in key.combinations {
                let composed = (String(decoding: letter, as: UTF8.self) + mark).precomposedStringWithCanonicalMapping
                #expect(Array(composed.utf8) == whole)
            }
            #expect(!key.combinations.isEmpty)
        }
    }

    // MARK: Round trip

    /// The keys for every text that a layout can type: plain, Shift, AltGr, and an accent before a space or a letter.
    private static func strokes(_ layout: KeyboardLayout) -> [(text: [UInt8], keys: [(UInt16, Int)])] {
        var strokes: [(text: [UInt8], keys: [(UInt16, Int)])] = []
        var accents: [(name: String, key: (UInt16, Int))] = []
        for (code, key) in layout.keys.sorted(by: { $0.key < $1.key }) {
            for (level, content) in key.levels.enumerated() {
                switch content {
                case .text(let text): strokes.append((text, [(code, level)]))
                case .dead(let name): accents.append((name, (code, level)))
                case nil: break
                }
            }
        }
        let plain = strokes
        for accent in accents {
            guard let dead = layout.deadKeys[accent.name] else { continue }
            strokes.append((dead.alone, [accent.key, (57, 0)]))
            for (letter, whole) in dead.combinations {
                for stroke in plain where stroke.text == letter { strokes.append((whole, [accent.key] + stroke.keys)) }
            }
        }
        return strokes
    }

    @Test(arguments: names)
    func everythingThatCanBeTypedIsRead(name: String) throws {
        let layout = try #require(ShippedProfiles.library.layouts[name])
        var decoder = KeyboardWedge(.init(layout: layout, text: TextRule(aim: .never)))
        var batch = DecodedBatch()
        func press(_ code: UInt16, _ value: Int32) { decoder.decode(key: code, value: value, at: .zero, into: &batch) }
        let strokes = Self.strokes(layout)
        for stroke in strokes {
            batch.removeAll()
            for (code, level) in stroke.keys {
                if level & 1 != 0 { press(42, 1) }
                if level & 2 != 0 { press(100, 1) }
                press(code, 1)
                press(code, 0)
                if level & 2 != 0 { press(100, 0) }
                if level & 1 != 0 { press(42, 0) }
            }
            press(28, 1)
            press(28, 0)
            #expect(batch.readings == [.scan(Scan(data: stroke.text))], "\(String(decoding: stroke.text, as: UTF8.self))")
            #expect(batch.rejects.total == 0)
        }
        // Code 128 and the QR code know all of ASCII. What a layout lacks, a scanner sends as an Alt number.
        let typed = Set(strokes.map(\.text))
        let lacking = (UInt8(0x20)...0x7E).filter { !typed.contains([$0]) }.map { String(UnicodeScalar($0)) }
        #expect(lacking == (name == "it" ? ["`", "~"] : []))
    }

    // MARK: Files

    private static func layout(_ text: String) throws -> (layout: KeyboardLayout?, problems: [String]) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("stockgate-layouts-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder.appendingPathComponent("keyboard-layouts"), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: folder.appendingPathComponent("keyboard-layouts/own.toml"))
        let library = ProfileLibrary(directories: [folder.path])
        return (library.layouts["own"], library.problems.map { "\($0.key): \($0.reason)" })
    }

    @Test func mistakesInALayoutFileAreTold() throws {
        let good = try Self.layout("[keys]\n30 = [\"a\", \"A\"]\n13 = [\"dead acute\"]\n[dead]\nacute = [\"´\", \"aá\"]")
        #expect(good.problems == [])
        #expect(good.layout?.deadKeys["acute"] == .init(alone: "´", combinations: ["a": "á"]))
        #expect(try Self.layout("[keys]\n13 = [\"dead acute\"]").problems == ["keys.13: there is no acute in [dead]"])
        #expect(try Self.layout("[keys]\nx = [\"a\"]").problems == ["keys.x: must be the number of a key, 1 to 767"])
        #expect(
            try Self.layout("[keys]\n30 = [\"a\"]\n[dead]\nacute = [\"´\", \"á\"]").problems
                == ["dead.acute[2]: must be a letter and the same with the accent"])
        #expect(
            try Self.layout("[keys]\n30 = [\"a\"]\n[dead]\nacute = []").problems
                == ["dead.acute: must begin with what it gives alone, one character"])
    }
}

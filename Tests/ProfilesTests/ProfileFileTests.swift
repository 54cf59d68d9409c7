import Decoding
import FoundationEssentials
import Profiles
import Readings
import TestSupport
import Testing

/// A folder of profiles that is removed when the test is over.
final class Layer {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("stockgate-profiles-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ name: String, _ text: String) throws {
        let file = URL(fileURLWithPath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }
}

@Suite("Profile files")
struct ProfileFileTests {
    private static let good = """
        id = "acme/one"
        name = "Acme One"
        support = 1

        [transport]
        kind = "serial"
        baud = 9600

        [[match]]
        ID_VENDOR_ID = "1234"
        ID_MODEL_ID = "0001"

        [decoder]
        protocol = "a0"

        [session]
        liveness_ms = 3000

        [[session.step]]
        name = "firmware"
        send = "A0 03 01 72 EA"
        expect = "A0 ?? ?? 72 ..."

        [[session.step]]
        name = "antenna"
        send = "A0 04 01 74 00 E7"

        [session.inventory]
        command = "A0 04 01 89 01 D1"

        [feedback]
        accepted = [{ send = "A0 05 01 61 03 01 F5" }, { pause_ms = 100, send = "A0 05 01 61 03 00 F6" }]
        """

    /// Loads the good profile with one line changed.
    private static func load(replacing old: String = "", by new: String = "") throws -> ProfileLibrary {
        let layer = try Layer()
        try layer.write("acme/one/profile.toml", old.isEmpty ? good : good.replacing(old, with: new))
        return ProfileLibrary(directories: [layer.path])
    }

    @Test func theGoodOneIsRead() throws {
        let library = try Self.load()
        #expect(library.problems.map(\.description) == [])
        let profile = try #require(library["acme/one"])
        #expect(profile.transport == .serial(.init(baud: 9_600)))
        #expect(profile.decoder == .a0(.init()))
        #expect(profile.plan.steps.map(\.name) == ["firmware", "antenna"])
        #expect(profile.plan.inventory?.commands.first == [0xA0, 0x04, 0x01, 0x89, 0x01, 0xD1])
        #expect(profile.plan.feedback[.accepted]?.map(\.pause.milliseconds) == [0, 100])
        #expect(profile.plan.livenessTimeout == .seconds(3))
    }

    // Line, key and reason of one mistake each.
    @Test(arguments: [
        ("baud = 9600", "baudd = 9600", 7, "transport.baudd", "unknown key; did you mean \"baud\"?"),
        ("baud = 9600", "", 5, "transport.baud", "is missing"),
        ("baud = 9600", "baud = \"fast\"", 7, "transport.baud", "must be an integer"),
        ("baud = 9600", "baud = 5000000", 7, "transport.baud", "must be between 50 and 4000000"),
        ("support = 1", "support = 6", 3, "support", "must be between 1 and 5"),
        ("id = \"acme/one\"", "id = \"acme/two\"", 1, "id", "must be \"acme/one\", like the folders of the file"),
        (
            "protocol = \"a0\"", "protocol = \"a1\"", 14, "decoder.protocol",
            "must be one of \"a0\", "
        ),
        (
            "protocol = \"a0\"", "protocol = \"keyboard_wedge\"\nlayout = \"xx\"", 15, "decoder.layout",
            "there is no keyboard layout \"xx\"; known: "
        ),
        ("A0 04 01 74 00 E7", "A0 04 01 74 00 E8", 26, "session.step[2].send", "its last byte, the check, must be E7"),
        ("name = \"antenna\"", "name = \"firmware\"", 25, "session.step[2].name", "stands twice"),
        ("name = \"antenna\"", "nam = \"antenna\"", 25, "session.step[2].nam", "unknown key; did you mean \"name\"?"),
        (
            "A0 ?? ?? 72 ...", "A0 ? 72", 22, "session.step[1].expect",
            "must be bytes in hexadecimal, ?? for any one, ... at the end for any more"
        ),
        ("liveness_ms = 3000", "liveness_ms = 1500", 17, "session.liveness_ms", "must be longer than the watchdog of the inventory"),
        ("pause_ms = 100, send", "pause = 100, send", 32, "feedback.accepted[2].pause", "unknown key"),
        ("accepted = [", "acepted = [", 32, "feedback.acepted", "unknown key; did you mean \"accepted\"?"),
        ("ID_MODEL_ID = \"0001\"", "ID_MODEL_ID = \"00A1\"", 11, "match[1].ID_MODEL_ID", "must be four hexadecimal digits in lower case"),
        ("ID_MODEL_ID = \"0001\"", "id_model = \"x\"", 11, "match[1].id_model", "is no udev property: those are upper case"),
        ("[feedback]", "[feedback", 31, "", "expected"),
    ])
    func aMistakeHasItsPlace(old: String, new: String, line: Int, key: String, reason: String) throws {
        let library = try Self.load(replacing: old, by: new)
        #expect(library["acme/one"] == nil)
        let problem = library.problems.first { $0.key == key && $0.line == line && $0.reason.contains(reason) }
        #expect(problem != nil, "\(library.problems.map(\.description))")
        #expect(library.problems.allSatisfy { $0.description.hasPrefix($0.file + ":\($0.line ?? 0): ") })
    }

    @Test(arguments: [
        ("0403", "6001"), ("1a86", "7523"), ("1a86", "5523"), ("10c4", "ea60"), ("067b", "2303"), ("067b", "23a3"),
    ])
    func aConverterChipIsNoDevice(vendor: String, product: String) throws {
        let rule = "ID_VENDOR_ID = \"\(vendor)\"\nID_MODEL_ID = \"\(product)\""
        let old = "ID_VENDOR_ID = \"1234\"\nID_MODEL_ID = \"0001\""
        for weak in [
            "", "\nID_USB_INTERFACE_NUM = \"00\"", "\nID_USB_DRIVER = \"ch341\"", "\nID_MODEL = \"*\"", "\nID_MODEL = \"USB_Serial\"",
            "\nID_SERIAL = \"Silicon_Labs_CP2102_*\"", "\nID_SERIAL_SHORT = \"0001\"",
        ] {
            let library = try Self.load(replacing: old, by: rule + weak)
            #expect(library["acme/one"] == nil)
            #expect(library.problems.first?.line == 11 && library.problems.first?.reason.contains("USB-serial converter") == true)
        }
        #expect(try Self.load(replacing: old, by: rule + "\nID_SERIAL = \"Acme_One_*\"").problems.isEmpty)
        #expect(try Self.load(replacing: old, by: "ID_USB_DRIVER = \"ch341\"").problems.first?.line == 9)
    }

    @Test func aBadProfileDisablesOnlyItself() throws {
        let shipped = try Layer()
        try shipped.write("acme/one/profile.toml", Self.good)
        try shipped.write(
            "acme/two/profile.toml", Self.good.replacing("acme/one", with: "acme/two").replacing("\"0001\"", with: "\"0002\""))
        let own = try Layer()
        try own.write("acme/one/profile.toml", Self.good.replacing("baud = 9600", with: "baud = 115200"))
        try own.write("acme/two/profile.toml", "id = ")
        try own.write("acme/Three/profile.toml", Self.good)
        let library = ProfileLibrary(directories: [shipped.path, own.path, own.path + "/none"])
        #expect(library.profiles.map(\.id) == ["acme/one", "acme/two"])
        #expect(library["acme/one"]?.transport == .serial(.init(baud: 115_200)))
        #expect(library["acme/two"]?.transport == .serial(.init(baud: 9_600)))
        #expect(library.problems.map(\.file) == ["\(own.path)/acme/Three/profile.toml", "\(own.path)/acme/two/profile.toml"])
        #expect(library.problems.last?.line == 1)
    }

    @Test func filesAreBoundedAndMustBeText() throws {
        let layer = try Layer()
        try layer.write("acme/one/profile.toml", Self.good + "\n#" + String(repeating: "x", count: TOMLDocument.maximumLength))
        try layer.write("acme/two/profile.toml", "id = \"acme/two\"\n\u{0}x = 1")
        let library = ProfileLibrary(directories: [layer.path])
        #expect(library.profiles.isEmpty)
        #expect(library.problems.map(\.reason) == ["longer than \(TOMLDocument.maximumLength) bytes", "a NUL character"])
        #expect(library.problems.last?.line == 2)
    }

    /// One character gone, doubled or changed anywhere in a shipped profile: it is read, or every problem has a line or is about
    /// something that is missing as a whole. Nothing stops the program.
    @Test(arguments: ShippedProfiles.library.profiles.map(\.id), [91, 92] as [UInt64])
    func anySlipIsSurvived(id: String, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let text = Array(try String(contentsOfFile: "\(ShippedProfiles.directory)/\(id)/profile.toml", encoding: .utf8))
        let layer = try Layer()
        let layout = "keyboard-layouts/us.toml"
        try layer.write(layout, String(contentsOfFile: "\(ShippedProfiles.directory)/\(layout)", encoding: .utf8))
        for round in 0..<100 {
            var changed = text
            let place = Int.random(in: 0..<text.count, using: &generator)
            switch Int.random(in: 0...2, using: &generator) {
            case 0: changed.remove(at: place)
            case 1: changed.insert(text[place], at: place)
            default: changed[place] = Array("[]{}=\".,#'\n9a -").randomElement(using: &generator) ?? "x"
            }
            try layer.write("\(id)/profile.toml", String(changed))
            let library = ProfileLibrary(directories: [layer.path])
            #expect((library[id] == nil) == !library.problems.isEmpty, "seed \(seed), round \(round)")
            let lost = library.problems.filter { $0.line == nil && $0.reason != "is missing" }
            #expect(lost.isEmpty, "seed \(seed), round \(round)")
        }
    }

    @Test func matchingIsExplained() throws {
        let library = ShippedProfiles.library
        // A Symbol scanner in CDC mode, as udev describes it.
        let scanner = [
            "SUBSYSTEM": "tty", "ID_VENDOR_ID": "05e0", "ID_MODEL_ID": "1701",
            "ID_SERIAL": "Symbol_Technologies__Inc__2008_Symbol_Bar_Code_Scanner",
            "ID_USB_DRIVER": "cdc_acm", "ID_USB_INTERFACE_NUM": "00",
        ]
        #expect(library.match(properties: scanner).profile == "zebra/cdc-scanner")
        let keyboard = library.match(properties: [
            "SUBSYSTEM": "input", "ID_VENDOR_ID": "05e0", "ID_MODEL_ID": "1200", "ID_INPUT_KEYBOARD": "1",
        ])
        #expect(keyboard.profile == "zebra/keyboard-wedge")
        // The second event node of the same scanner is no keyboard.
        let second = library.match(properties: ["SUBSYSTEM": "input", "ID_VENDOR_ID": "05e0", "ID_MODEL_ID": "1200"])
        #expect(second.outcome == .none)
        #expect(
            second.candidates.contains(
                .init(profile: "zebra/keyboard-wedge", result: .failed(property: "ID_INPUT_KEYBOARD", expected: "1", found: nil))))
        #expect(second.description.contains("  zebra/keyboard-wedge: ID_INPUT_KEYBOARD must be 1, is missing"))
        #expect(second.candidates.contains(.init(profile: "r2000/a0-uhf", result: .bindOnly)))
        // A bare CH340 matches nothing.
        #expect(library.match(properties: ["SUBSYSTEM": "tty", "ID_VENDOR_ID": "1a86", "ID_MODEL_ID": "7523"]).profile == nil)
    }

    private static let line = """
        id = "acme/one"
        name = "Acme One"
        support = 1
        [transport]
        kind = "serial"
        baud = 9600
        [decoder]
        protocol = "scanner_line"
        """

    @Test func whatALineCanHaveIsAMatterOfItsProfile() throws {
        func problems(_ decoder: String, _ session: String) throws -> [String] {
            let layer = try Layer()
            try layer.write("acme/one/profile.toml", Self.line + "\n" + decoder + "\n" + session)
            return ProfileLibrary(directories: [layer.path]).problems.map(\.reason)
        }
        let step = "[[session.step]]\nname = \"a\"\nsend = \"01\"\nexpect = \"02\""
        let rounds = "[session]\nliveness_ms = 9000\n[session.inventory]\ncommand = \"01\""
        #expect(try problems("answers = [\"OK\"]", step) == [])
        #expect(try problems("ends_rounds = true", rounds) == [])
        #expect(try problems("", step) == ["scanner_line has no answers that could be compared"])
        #expect(try problems("answers = [\"OK\"]", rounds) == ["scanner_line has no rounds"])
        #expect(try problems("answers = [\"**\"]", "") == ["would match every line"])
        #expect(try problems("start = \"02\"\nalso_ends = \"02\"", "") == ["stands in also_ends, too"])
        #expect(
            try problems("code_id_length = 1\n[decoder.code_ids]\nI = \"C1\"", "")
                == ["must be one or two characters and an AIM identifier such as \"]C1\""])
    }

    @Test func commandsOfScannersAreWholeFrames() throws {
        func problems(_ name: String, _ send: String) throws -> [String] {
            let layer = try Layer()
            let text = Self.line.replacing("scanner_line", with: name) + "\n[[session.step]]\nname = \"a\"\nsend = \"\(send)\""
            try layer.write("acme/one/profile.toml", text)
            return ProfileLibrary(directories: [layer.path]).problems.map(\.reason)
        }
        #expect(try problems("ssi", "04 A3 04 00 FF 55") == [])
        #expect(try problems("ssi", "04 A3 04 00 FF 54") == ["its last two bytes, the check, must be FF55"])
        #expect(try problems("gm65", "7E 00 07 01 00 2A 02 D8 0F") == [])
        #expect(try problems("gm65", "7E 00 07 01 00 2A 02 D8 00") == ["its last two bytes, the check, must be D80F or ABCD"])
    }

    @Test func aHIDUsageNamesADevice() throws {
        let match = "[[match]]\nID_VENDOR_ID = \"1234\"\nID_MODEL_ID = \"0001\""
        #expect(try Self.load(replacing: match, by: "[[match]]\nSTOCKGATE_HID_USAGE = \"008c:0002\"").problems.isEmpty)
        let library = ShippedProfiles.library
        let scanner = ["SUBSYSTEM": "hidraw", "ID_VENDOR_ID": "0c2e", "ID_MODEL_ID": "0db3", "STOCKGATE_HID_USAGE": "008c:0002"]
        #expect(library.match(properties: scanner).profile == "honeywell/hid-pos")
        #expect(library.match(properties: scanner.merging(["ID_VENDOR_ID": "4321"]) { $1 }).profile == "generic/hid-pos")
        #expect(library.match(properties: scanner.merging(["STOCKGATE_HID_USAGE": "0001:0006"]) { $1 }).profile == nil)
    }

    @Test func anyRuleOfAProfileFindsIt() throws {
        // The first rule agrees in more properties before it fails than the second one has.
        let first = "ID_VENDOR_ID = \"1234\"\nID_MODEL_ID = \"0001\"\nID_MODEL = \"Pro\"\nID_REVISION = \"0200\""
        let library = try Self.load(
            replacing: "ID_VENDOR_ID = \"1234\"\nID_MODEL_ID = \"0001\"", by: first + "\n\n[[match]]\nID_SERIAL = \"Acme_*\"")
        let device = ["SUBSYSTEM": "tty", "ID_VENDOR_ID": "1234", "ID_MODEL_ID": "0001", "ID_MODEL": "Pro", "ID_REVISION": "0100"]
        #expect(library.match(properties: device.merging(["ID_SERIAL": "Acme_Pro_7"]) { $1 }).profile == "acme/one")
        #expect(
            library.match(properties: device).candidates
                == [.init(profile: "acme/one", result: .failed(property: "ID_REVISION", expected: "0200", found: "0100"))])
    }

    @Test func theNarrowerRuleWins() throws {
        let layer = try Layer()
        let old = "ID_MODEL_ID = \"0001\""
        try layer.write("acme/one/profile.toml", Self.good)
        try layer.write(
            "acme/two/profile.toml", Self.good.replacing("acme/one", with: "acme/two").replacing(old, with: old + "\nID_MODEL = \"Pro?\""))
        try layer.write("acme/three/profile.toml", Self.good.replacing("acme/one", with: "acme/three"))
        let library = ProfileLibrary(directories: [layer.path])
        let device = ["SUBSYSTEM": "tty", "ID_VENDOR_ID": "1234", "ID_MODEL_ID": "0001"]
        #expect(library.match(properties: device).outcome == .ambiguous(profiles: ["acme/one", "acme/three"]))
        #expect(library.match(properties: device.merging(["ID_MODEL": "Pro2"]) { $1 }).profile == "acme/two")
    }

    @Test(arguments: [
        ("", "", true), ("", "*", true), ("abc", "abc", true), ("abc", "a?c", true), ("abc", "a*", true), ("abc", "*c", true),
        ("abc", "*b*", true),
        ("abc", "*x*", false), ("abc", "ab", false), ("ab", "abc", false), ("abc", "?", false), ("aXbXc", "a*b*c", true),
        ("mississippi", "m*issip*i", true),
    ])
    func wildcards(text: String, pattern: String, isMatch: Bool) {
        #expect(MatchRule.matches(text, pattern: pattern) == isMatch)
    }

    @Test func hostilePatternsEnd() {
        let text = String(repeating: "a", count: 2_000)
        #expect(!MatchRule.matches(text, pattern: String(repeating: "a*", count: 99) + "b"))
    }
}

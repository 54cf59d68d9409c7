import Decoding
import Foundation
import Profiles
import Readings
import SiteConfiguration
import TestSupport
import Testing

@testable import Gateway

/// A gate with one antenna on each side.
private func gateTables(_ inside: String, _ outside: String, geometry: String = "pedestal") -> String {
    """
    [[device]]
    name = "uhf"
    profile = "r2000/a0-uhf"
    [[station]]
    name = "g"
    kind = "gate"
    geometry = "\(geometry)"
    [[station.antenna]]
    device = "uhf"
    port = 1
    side = "inside"
    \(inside)
    [[station.antenna]]
    device = "uhf"
    port = 2
    side = "outside"
    \(outside)

    """
}

@Suite("Site file")
struct SiteFileTests {
    static let head = """
        [gateway]
        code = "CRIB1"
        site = "Works"

        """

    private func problems(_ text: String) -> [String] {
        switch SiteFile.parse(text, file: "site.toml") {
        case .success: []
        case .failure(let error): error.problems.map(\.description)
        }
    }

    @Test("The smallest site is a gateway")
    func smallest() throws {
        let site = try SiteFile.parse(Self.head, file: "site.toml").get()
        #expect(site.gateway.code == "CRIB1")
        #expect(site.stations.isEmpty)
        #expect(site.policy == LoanPolicy())
    }

    @Test("The demonstration's site loads when its placeholders are filled in")
    func demo() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: folder.appending(path: "Demo/site.toml"), encoding: .utf8)
        let filled = text.replacing("@DIRECTORY@", with: "/var/tmp/demo").replacing(
            "@PROFILES@", with: folder.appending(path: "DeviceProfiles").path)
        let site = try SiteFile.parse(filled, file: "site.toml").get()
        #expect(site.stations.map(\.name) == ["gate", "bench", "cabinet"])
        #expect(SiteCheck.problems(of: site).isEmpty)
    }

    @Test("A radio setting that the model cannot have is told with the device's name")
    func impossibleRadio() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        func problems(_ profile: String, _ radio: String) throws -> [String] {
            let head = Self.head + "\nprofiles = [\"\(folder.appending(path: "DeviceProfiles").path)\"]\n"
            let device = "[[device]]\nname = \"gate\"\nprofile = \"\(profile)\"\nradio = { \(radio) }\n"
            return SiteCheck.problems(of: try SiteFile.parse(head + device, file: "site.toml").get()).map(\.description)
        }
        #expect(try problems("r2000/a0-uhf", "region = \"etsi\", power_dbm = 26, antennas = [1, 3]") == [])
        let wrong = try problems("r2000/a0-uhf", "region = \"japan\", power_dbm = 26.5, antennas = [5]")
        #expect(
            wrong == [
                "site.toml:6: device gate: radio.region: the reader cannot be set to japan, only to china, etsi, fcc (r2000/a0-uhf)",
                "site.toml:6: device gate: radio.power_dbm: must be a multiple of 1 dBm (r2000/a0-uhf)",
                "site.toml:6: device gate: radio.antennas: there is no antenna 5, only 1, 2, 3, 4 (r2000/a0-uhf)",
            ])
        #expect(
            try problems("r2000/a0-uhf", "power_dbm = 40") == [
                "site.toml:6: device gate: radio.power_dbm: must be between 0 and 33 dBm (r2000/a0-uhf)"
            ])
        #expect(try problems("zebra/cdc-scanner", "power_dbm = 20").first?.contains("cannot set the power") == true)
        #expect(try problems("thingmagic/mercury-m6e-nano", "power_dbm = 20").first?.contains("is missing") == true)
    }

    @Test("Two devices cannot be in one place, by whatever name it is called")
    func samePlace() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let head = Self.head + "\nprofiles = [\"\(root.appending(path: "DeviceProfiles").path)\"]\n"
        let link = FileManager.default.temporaryDirectory.appending(path: "port-\(UUID())").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/null")
        defer { try? FileManager.default.removeItem(atPath: link) }
        let osdp = "generic/osdp-reader"
        let uhf = "r2000/a0-uhf"
        func problems(_ first: (String, String), _ second: (String, String)) throws -> [String] {
            let devices = [("one", first), ("two", second)].map { name, device in
                "[[device]]\nname = \"\(name)\"\nprofile = \"\(device.0)\"\n\(device.1)\n"
            }
            return SiteCheck.problems(of: try SiteFile.parse(head + devices.joined(), file: "site.toml").get()).map {
                "\($0.key): \($0.reason)"
            }
        }
        let port = "port = \"/dev/ttyS1\""
        let taken = ["device two: port: the device \"one\" is at /dev/ttyS1 already"]
        #expect(try problems((osdp, "\(port)\nunit = 1"), (osdp, "\(port)\nunit = 2")) == taken)
        #expect(try problems((osdp, port), (uhf, port)) == taken)
        #expect(try problems(("waveshare/relay-8", "\(port)\nunit = 1"), (osdp, "\(port)\nunit = 2")) == taken)
        #expect(try problems(("waveshare/relay-8", "\(port)\nunit = 1"), ("waveshare/relay-8", "\(port)\nunit = 2")) == [])
        #expect(try problems((osdp, port), (osdp, "port = \"/dev/ttyS2\"")) == [])
        #expect(
            try problems((osdp, "port = \"/dev/null\""), (osdp, "port = \"\(link)\"")) == [
                "device two: port: the device \"one\" is at /dev/null already"
            ])
        func listening(_ one: String, _ two: String) throws -> [String] {
            try problems((uhf, "listen = \"\(one)\""), (uhf, "listen = \"\(two)\""))
        }
        for (one, two) in [
            ("0.0.0.0:5085", "10.0.0.1:5085"), ("10.0.0.1:5085", "0.0.0.0:5085"), ("[::]:5085", "10.0.0.1:5085"),
            ("0.0.0.0:5085", "[::]:5085"),
            ("[fd00::1]:5085", "[::]:5085"), ("[fd00::1]:5085", "[fd00:0::1]:5085"), ("0.0.0.0:5085", "[::ffff:127.0.0.1]:5085"),
            ("[::ffff:10.0.0.1]:5085", "10.0.0.1:5085"), ("10.0.0.1:5085", "10.0.0.1:5085"),
        ] {
            #expect(try listening(one, two).first?.contains("two: listen: the device \"one\" is at ") == true, "\(one) \(two)")
        }
        for (one, two) in [
            ("0.0.0.0:5085", "10.0.0.1:5086"), ("10.0.0.2:5085", "10.0.0.1:5085"), ("0.0.0.0:5085", "[fd00::1]:5085"),
        ] {
            #expect(try listening(one, two) == [], "\(one) \(two)")
        }
        #expect(try problems((uhf, "listen = \"0.0.0.0:5085\""), (uhf, "address = \"10.0.0.1:5085\"")) == [])
        #expect(
            try problems((uhf, "address = \"10.0.0.1:5085\""), (uhf, "address = \"10.0.0.1:5085\"")) == [
                "device two: address: the device \"one\" is at 10.0.0.1 port 5085 already"
            ])
        #expect(
            try problems(("moxa/iologik-e1214", "address = \"10.0.0.1\""), (uhf, "address = \"10.0.0.1:502\"")) == [
                "device two: address: the device \"one\" is at 10.0.0.1 port 502 already"
            ])
    }

    @Test("A name that nobody has to prove is an error")
    func unprovenName() {
        func problems(_ place: String, _ tls: String) -> [String] {
            self.problems(Self.head + "[[device]]\nname = \"a\"\nprofile = \"x/y\"\n\(place)\n[device.tls]\n\(tls)\n")
        }
        let certificate = "certificate_file = \"/c.pem\"\nserver_name = \"reader\""
        let found = problems("listen = \"0.0.0.0:5085\"", certificate)
        #expect(found.count == 1 && found.first?.hasSuffix("server_name needs authority_file where the device calls") == true, "\(found)")
        #expect(problems("listen = \"0.0.0.0:5085\"", certificate + "\nauthority_file = \"/a.pem\"") == [])
        // One that is called is checked against the system's authorities.
        #expect(problems("address = \"10.0.0.1:5085\"", certificate) == [])
    }

    @Test("A keyboard layout of the site goes before that of the profile, and must be known")
    func layouts() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let profiles = folder.appending(path: "DeviceProfiles").path
        func site(_ profile: String, _ layout: String) throws -> Site {
            let text =
                Self.head + "profiles = [\"\(profiles)\"]\n[[device]]\nname = \"a\"\nprofile = \"\(profile)\"\nlayout = \"\(layout)\"\n"
            return try SiteFile.parse(text, file: "site.toml").get()
        }
        let german = try site("generic/keyboard-wedge", "de")
        #expect(SiteCheck.problems(of: german).isEmpty)
        let library = ProfileLibrary(directories: [profiles])
        let profile = try #require(library["generic/keyboard-wedge"])
        let program = try profile.program(for: german.devices[0], layouts: library.layouts)
        #expect(program.decoder == library.layouts["de"].flatMap { profile.decoder.with(layout: $0) })
        #expect(program.decoder != profile.decoder)
        let unknown = try SiteCheck.problems(of: site("generic/keyboard-wedge", "dvorak"))
        #expect(unknown.map(\.key) == ["device a: layout"])
        #expect(unknown.first?.reason == "there is no keyboard layout \"dvorak\"; known: de, es, fr, gb, it, us")
        let serial = try SiteCheck.problems(of: site("zebra/cdc-scanner", "de"))
        #expect(serial.first?.reason.hasPrefix("zebra/cdc-scanner is no keyboard") == true)
    }

    @Test(
        "What is wrong is told with file, line and key",
        arguments: [
            (
                "[[station]]\nname = \"bench\"\nkind = \"putaway\"\nscanners = [\"nowhere\"]\n",
                ["site.toml:7", "scanners", "no device \"nowhere\""]
            ),
            (
                "[[station]]\nname = \"bench\"\nkind = \"putaway\"\nscaners = [\"x\"]\n",
                ["site.toml:7", "scaners", "did you mean \"scanners\""]
            ),
            ("[[device]]\nname = \"a\"\nport = \"/dev/ttyUSB0\"\n", ["site.toml:6", "port", "needs a profile"]),
            (gateTables("x_cm = -30\ny_cm = 0", "x_cm = 30\ny_cm = 0\nfacing_deg = 90"), ["facing_deg", "is missing"]),
            (gateTables("x_cm = -30\ny_cm = 0\nfacing_deg = 90", ""), ["site.toml:18", "antenna", "every antenna"]),
            (gateTables("z_cm = 120", ""), ["x_cm", "is missing"]),
            (gateTables("x_cm = -3000\ny_cm = 0\nfacing_deg = 90", ""), ["site.toml:15", "x_cm", "between -1000 and 1000"]),
            (gateTables("", "", geometry: "round"), ["site.toml:10", "geometry", "one of \"angled\", \"pedestal\""]),
            (
                "[[destination]]\nname = \"e\"\nkind = \"epcis\"\nurl = \"https://e.example\"\ncertainty = \"provisional\"\n",
                ["site.toml:8", "certainty", "must be final"]
            ),
            ("[[device]]\nname = \"a\"\nprofile = \"x/y\"\nbaud = \"fast\"\n", ["site.toml:7", "baud", "integer"]),
            (
                "[[device]]\nname = \"a\"\nprofile = \"x/y\"\n[[device]]\nname = \"a\"\nprofile = \"x/y\"\n",
                ["site.toml:8", "stands twice", "site.toml:4"]
            ),
            ("[[device]]\nname = \"../etc\"\nprofile = \"x/y\"\n", ["site.toml:5", "name", "letters"]),
            ("[[destination]]\nname = \"wms\"\nkind = \"epcis\"\nurl = \"ftp://x\"\n", ["site.toml:7", "url", "https://"]),
            ("[[station]]\nname = \"gate\"\nkind = \"door\"\n", ["site.toml:6", "kind", "gate"]),
            ("[policy]\nwithout_permit = \"maybe\"\n", ["site.toml:5", "without_permit", "allow"]),
            ("this is not TOML", ["site.toml:4"]),
        ])
    func wrong(tail: String, words: [String]) {
        let problems = problems(Self.head + tail)
        #expect(problems.contains { problem in words.allSatisfy(problem.contains) }, "\(problems)")
    }

    @Test("All problems are told at once")
    func allAtOnce() {
        let problems = problems("[gateway]\ncode = \"x\"\n[[device]]\nname = \"a\"\n[[station]]\nname = \"s\"\nkind = \"gate\"\n")
        #expect(problems.count >= 4, "\(problems)")
    }

    @Test("What a walk test found goes to the antennas of its gate, in whatever order the files stand")
    func tunings() throws {
        let tuning = "[[tuning]]\nstation = \"g\"\nfloor_dbm = -70.4\nantenna = [{ device = \"uhf\", port = 2, bias_db = -1.5 }]\n"
        for text in [tuning + gateTables("", ""), gateTables("", "") + "\n" + tuning] {
            let site = try SiteFile.parse(Self.head + text, file: "site.toml").get()
            guard case .gate(let gate) = site.stations[0].kind else { continue }
            #expect(gate.floor == -7_040)
            #expect(gate.antennas.map(\.bias) == [nil, -150])
        }
        #expect(problems(Self.head + tuning) == ["site.toml:5: tuning[1].station: there is no gate \"g\""])
        let other = tuning.replacing("port = 2", with: "port = 3") + gateTables("", "")
        #expect(problems(Self.head + other).first?.contains("g has no antenna 3 of uhf") == true)
    }

    @Test("Antennas stand where the site file says, or where the geometry does")
    func placements() throws {
        func placements(_ text: String) throws -> [AntennaPlacement] {
            guard case .gate(let gate) = try SiteFile.parse(Self.head + text, file: "site.toml").get().stations[0].kind else { return [] }
            return gate.placements
        }
        let placed = try placements(
            gateTables("x_cm = -40\ny_cm = 0\nz_cm = 130\nfacing_deg = 105", "x_cm = 40\ny_cm = 200\nfacing_deg = -75"))
        #expect(placed == [.init(x: -40, y: 0, z: 130, facing: 105), .init(x: 40, y: 200, z: 120, facing: -75)])
        #expect(try placements(gateTables("", "")) == [.init(x: -30, y: 0, facing: 90), .init(x: 30, y: 0, facing: 90)])
        let angled = Site.Gate(
            antennas: [GateSide.inside, .outside, .inside, .outside, .inside].enumerated().map {
                .init(device: "uhf", port: UInt8($0 + 1), side: $1)
            }, geometry: .angled)
        #expect(
            angled.placements == [
                .init(x: -60, y: 0, facing: 120), .init(x: 60, y: 0, facing: 60), .init(x: -60, y: 200, facing: -120),
                .init(x: 60, y: 200, facing: -60), .init(x: -60, y: 0, z: 60, facing: 120),
            ])
    }

    @Test("A gate needs an antenna, and each stands once; with one side only it tells no directions")
    func gate() {
        let device = "[[device]]\nname = \"uhf\"\nprofile = \"r2000/a0-uhf\"\n"
        let one = "[[station]]\nname = \"g\"\nkind = \"gate\"\n[[station.antenna]]\ndevice = \"uhf\"\nport = 1\nside = \"inside\"\n"
        #expect(problems(Self.head + device + one) == [])
        let none = "[[station]]\nname = \"g\"\nkind = \"gate\"\n"
        #expect(problems(Self.head + device + none).contains { $0.contains("needs antennas") })
        let twice = one + "[[station.antenna]]\ndevice = \"uhf\"\nport = 1\nside = \"outside\"\n"
        #expect(problems(Self.head + device + twice).contains { $0.contains("stands twice") })
    }

    @Test("Drop-ins extend the file; a broken one spoils all, a missing file is told")
    func dropIns() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder.appending(path: "site.d"), withIntermediateDirectories: true)
        let file = folder.appending(path: "site.toml").path
        try Data(Self.head.utf8).write(to: URL(filePath: file))
        let dropIn = folder.appending(path: "site.d/10-scanner.toml")
        try Data("[[device]]\nname = \"a\"\nprofile = \"x/y\"\n".utf8).write(to: dropIn)
        #expect(try SiteFile.load(path: file).get().devices.map(\.name) == ["a"])
        try Data("[[device]]\nname = 7\n".utf8).write(to: dropIn)
        guard case .failure(let error) = SiteFile.load(path: file) else { return #expect(Bool(false)) }
        #expect(error.problems.contains { $0.file.hasSuffix("10-scanner.toml") && $0.line == 2 })
        guard case .failure(let missing) = SiteFile.load(path: folder.path + "/none.toml") else { return #expect(Bool(false)) }
        #expect(missing.description.contains("No such file"))
    }

    @Test("Random bytes and cut files never trap", arguments: [1, 2, 3] as [UInt64])
    func garbage(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let whole = Array(
            (Self.head + "[[device]]\nname = \"a\"\nprofile = \"x/y\"\n[[station]]\nname=\"b\"\nkind=\"putaway\"\nscanners=[\"a\"]\n").utf8)
        for _ in 0..<300 {
            var bytes = Array(whole.prefix(Int(random.next() % UInt64(whole.count))))
            for _ in 0..<(random.next() % 4) where !bytes.isEmpty {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            _ = SiteFile.parse(String(decoding: bytes, as: UTF8.self), file: "seed \(seed)")
        }
    }
}

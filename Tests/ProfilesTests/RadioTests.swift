import Decoding
import FoundationEssentials
import Profiles
import Readings
import Testing

/// What the site file says of a reader's radio, in the bytes that its profile makes of it.
@Suite("Radio settings")
struct RadioTests {
    private static func steps(_ id: String, _ radio: RadioSettings) throws -> [String: String] {
        let plan = try #require(ShippedProfiles.library[id]).program(radio: radio).plan
        return Dictionary(plan.steps.map { ($0.name, Hex.text($0.send)) }, uniquingKeysWith: { first, _ in first })
    }

    private static func rounds(_ id: String, _ radio: RadioSettings) throws -> SessionPlan.Inventory {
        let profile = try #require(ShippedProfiles.library[id])
        return try #require(profile.program(radio: radio).plan.inventory)
    }

    @Test func withoutSettingsNothingIsWritten() throws {
        for profile in ShippedProfiles.library.profiles where !profile.decoder.hasOwnSession {
            for step in profile.plan.steps {
                // Region and power of the four families.
                switch profile.decoder {
                case .a0: #expect(![0x66, 0x76, 0x78].contains(step.send[3]), "\(profile.id), \(step.name)")
                case .uhfReader18: #expect(![0x22, 0x2F].contains(step.send[2]), "\(profile.id), \(step.name)")
                case .m100: #expect(![0x07, 0xB6].contains(step.send[2]), "\(profile.id), \(step.name)")
                case .mercury: #expect(![0x92, 0x97].contains(step.send[2]), "\(profile.id), \(step.name)")
                default: break
                }
            }
        }
    }

    // Frames of the protocol documents where they print one, else by the protocol's rule.
    @Test func regionAndPowerOfA0() throws {
        let steps = try Self.steps("r2000/a0-uhf", RadioSettings(region: .etsi, power: 3_000))
        #expect(steps["set region"] == "A0060178020006D9")
        #expect(steps["set power"] == "A00401661ED7")
        #expect(try Self.steps("r2000/a0-uhf", RadioSettings(region: .fcc))["set region"] == "A006017801073B9E")
        #expect(try Self.steps("r2000/a0-uhf", RadioSettings(region: .fcc))["set power"] == nil)
    }

    @Test func regionAndPowerOfChafon() throws {
        let steps = try Self.steps("chafon/uhfreader288", RadioSettings(region: .fcc, power: 3_000))
        #expect(steps["region"] == "0600223180E196" && steps["power"] == "05002F1E7234")
        #expect(try Self.steps("chafon/uhfreader18", RadioSettings(region: .etsi))["region"] == "0600224E00E561")
    }

    @Test func regionAndPowerOfM100() throws {
        let steps = try Self.steps("m100/bb", RadioSettings(region: .etsi, power: 2_000))
        #expect(steps["region"] == "BB00070001030B7E" && steps["power"] == "BB00B6000207D08F7E")
        #expect(try Self.steps("r200/aa", RadioSettings(power: 2_600))["power"] == "AA00B600020A28EADD")
    }

    @Test func regionAndPowerOfMercury() throws {
        let steps = try Self.steps("thingmagic/mercury-m6e-nano", RadioSettings(region: .etsi, power: 2_700))
        #expect(steps["region"] == "FF0197084BB5" && steps["power"] == "FF02920A8C4BD5")
        #expect(try Self.steps("thingmagic/mercury-m6e-nano", RadioSettings(region: .fcc, power: 500))["power"] == "FF029201F440AD")
    }

    @Test func aRegionInFlashIsWrittenOnlyWhenItDiffers() throws {
        let plan = try #require(ShippedProfiles.library["r2000/a0-uhf"]).program(radio: RadioSettings(region: .etsi)).plan
        let check = try #require(plan.steps.first { $0.name == "set region" }?.check)
        // ETSI, and a part of its band that somebody chose; not FCC.
        #expect(check.wanted.matches(Hex.bytes("A0 06 01 79 02 00 06 D8") ?? []))
        #expect(check.wanted.matches(Hex.bytes("A0 06 01 79 02 01 05 D8") ?? []))
        #expect(!check.wanted.matches(Hex.bytes("A0 06 01 79 01 07 3B 9D") ?? []))
        // The published answer of a reader set to the European band and 30 dBm.
        let chafon = try #require(ShippedProfiles.library["chafon/uhfreader288"])
        let info = Hex.bytes("11 00 21 00 00 16 0C 03 4E 00 1E 0A 01 00 00 00 E6 51") ?? []
        for (radio, isWanted) in [
            (RadioSettings(region: .etsi, power: 3_000), true), (RadioSettings(region: .fcc, power: 2_900), false),
        ] {
            let steps = try chafon.program(radio: radio).plan.steps
            for name in ["region", "power"] {
                #expect(steps.first { $0.name == name }?.check?.wanted.matches(info) == isWanted, "\(name)")
            }
        }
    }

    @Test func antennasAreChosen() throws {
        // All four: the frame that the protocol's documents print.
        let all = try Self.rounds("r2000/a0-uhf", RadioSettings())
        #expect(all.commands.map { Hex.text($0) } == ["A00D018A00010101020103010001BD"] && all.faultLimit == 4)
        let two = try Self.rounds("r2000/a0-uhf", RadioSettings(antennas: [1, 3]))
        #expect(two.commands.first.map { Array($0[4..<12]) } == [0, 1, 0xFF, 1, 2, 1, 0xFF, 1] && two.faultLimit == 2)
        let chafon = try Self.rounds("chafon/uhfreader288", RadioSettings(antennas: [2, 4]))
        #expect(chafon.commands.map { $0[10] } == [0x81, 0x83] && chafon.antennas == [2, 4] && chafon.selection == nil)
        let portal = try Self.rounds("r2000/a0-uhf", RadioSettings(intent: .portal, antennas: [2, 3]))
        #expect(portal.antennas == [2, 3])
        #expect(try #require(portal.selection).commands.map { Hex.text($0) } == ["A004017401E6", "A004017402E5"])
        #expect(portal.commands.map { Hex.text($0) } == ["A006018B010001CC", "A006018B010001CC"])
    }

    @Test func everyCommandOfEverySettingIsAWholeFrame() throws {
        for profile in ShippedProfiles.library.profiles {
            let powers = profile.radio.power.map { [$0.lowerBound, $0.upperBound, nil] } ?? [nil]
            for region in profile.radio.requiresRegion
                ? profile.radio.regions.keys.map({ $0 }) : profile.radio.regions.keys.map({ $0 }) + [nil]
            {
                for power in powers {
                    for intent in RadioIntent.allCases {
                        let radio = RadioSettings(region: region, power: power, intent: intent, antennas: profile.radio.antennas.suffix(1))
                        let plan = try profile.program(radio: radio).plan
                        let commands =
                            plan.steps.flatMap { [$0.send, $0.check?.send].compactMap(\.self) } + (plan.inventory?.commands ?? [])
                            + (plan.inventory?.selection?.commands ?? []) + plan.stop
                        for command in commands {
                            #expect(profile.decoder.fault(ofFrame: command) == nil, "\(profile.id), \(Hex.text(command))")
                        }
                        if let inventory = plan.inventory {
                            #expect(!inventory.commands.isEmpty)
                            let selects = inventory.selection?.commands
                            #expect(selects == nil || selects?.count == inventory.commands.count)
                            #expect(inventory.antennas.isEmpty || inventory.antennas.count == inventory.commands.count)
                        }
                    }
                }
            }
        }
    }

    @Test(
        arguments: [
            ("r2000/a0-uhf", RadioSettings(region: .japan), "radio.region: the reader cannot be set to japan, only to china, etsi, fcc"),
            ("r2000/a0-uhf", RadioSettings(power: 3_400), "radio.power_dbm: must be between 0 and 33 dBm"),
            ("r2000/a0-uhf", RadioSettings(power: 2_650), "radio.power_dbm: must be a multiple of 1 dBm"),
            ("r2000/a0-uhf", RadioSettings(antennas: [1, 5]), "radio.antennas: there is no antenna 5, only 1, 2, 3, 4"),
            ("r200/aa", RadioSettings(region: .etsi), "radio.region: the profile cannot set the region of this reader"),
            ("m100/bb", RadioSettings(power: -100), "radio.power_dbm: must be between 0 and 26 dBm"),
            (
                "thingmagic/mercury-m6e-nano", RadioSettings(),
                "radio.region: is missing: the reader keeps none, and it must not transmit on a guess"
            ),
            ("zebra/cdc-scanner", RadioSettings(power: 100), "radio.power_dbm: the profile cannot set the power of this reader"),
            ("zebra/cdc-scanner", RadioSettings(antennas: [1]), "radio.antennas: the profile cannot choose antennas of this reader"),
        ] as [(String, RadioSettings, String)])
    func whatAModelCannotDoIsToldBeforeAnythingIsSent(id: String, radio: RadioSettings, problem: String) throws {
        let profile = try #require(ShippedProfiles.library[id])
        #expect(profile.problems(of: radio).map(\.description) == [problem])
        #expect(throws: RadioProblem.self) { try profile.program(radio: radio) }
    }

    // MARK: Mistakes in profiles

    private static let good = """
        id = "acme/one"
        name = "Acme One"
        support = 1

        [transport]
        kind = "serial"
        baud = 9600

        [decoder]
        protocol = "a0"

        [radio]
        power_dbm = [0, 30]
        antennas = [1, 2]

        [radio.regions]
        etsi = "02 00 06"

        [session]
        liveness_ms = 3000

        [[session.step]]
        name = "region"
        send = "A0 06 01 78 {region} {check}"

        [[session.step]]
        name = "power"
        send = "A0 04 01 66 {power_dbm} {check}"

        [session.inventory]
        select = { send = "A0 04 01 74 {antenna} {check}", expect = "A0 04 ?? 74 10 ??", answer = "A0 ?? ?? 74 ..." }
        command = "A0 04 01 89 01 {check}"
        """

    private static func problems(_ old: String, _ new: String) throws -> [String] {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("stockgate-radio-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: "\(directory)/acme/one", withIntermediateDirectories: true)
        try Data((old.isEmpty ? good : good.replacing(old, with: new)).utf8).write(
            to: URL(fileURLWithPath: "\(directory)/acme/one/profile.toml"))
        return ProfileLibrary(directories: [directory]).problems.map { "\($0.line ?? 0) \($0.key): \($0.reason)" }
    }

    @Test func theGoodOneIsRead() throws { #expect(try Self.problems("", "") == []) }

    @Test(arguments: [
        ("{power_dbm}", "{power}", "28 session.step[2].send: nothing can be put in the place of {power}"),
        ("{power_dbm}", "{power_cdbm:be16}", "28 session.step[2].send: its length byte must be 05"),
        ("etsi = \"02 00 06\"", "etsi = \"02 00\"", "24 session.step[1].send: its length byte must be 05"),
        ("etsi = \"02 00 06\"", "mars = \"02 00 06\"", "17 radio.regions.mars: is no region; there are"),
        ("power_dbm = [0, 30]", "power_dbm = [30, 0]", "13 radio.power_dbm: must be the lowest and the highest power"),
        ("power_dbm = [0, 30]\n", "", "27 session.step[2].send: needs power_dbm in [radio]"),
        ("antennas = [1, 2]", "antennas = [1, 1]", "14 radio.antennas: one stands twice"),
        ("antennas = [1, 2]\n", "", "30 session.inventory.select.send: needs antennas in [radio]"),
        ("A0 06 01 78 {region} {check}", "A0 06 01 78 02 00 06 D9", "12 radio: has regions, but no step sets one"),
        ("A0 04 01 66 {power_dbm} {check}", "A0 04 01 66 {antenna} {check}", "28 session.step[2].send: {antenna} may stand in commands"),
        ("select = ", "mode = \"stream\"\nselect = ", "32 session.inventory.select: goes before rounds, not before a stream"),
        (", answer = \"A0 ?? ?? 74 ...\"", "", "31 session.inventory.select.answer: is missing"),
        ("protocol = \"a0\"", "protocol = \"em4100\"", "24 session.step[1].send: em4100 has no check that could be put in"),
    ])
    func aMistakeHasItsPlace(old: String, new: String, problem: String) throws {
        let problems = try Self.problems(old, new)
        #expect(problems.contains { $0.hasPrefix(problem) }, "\(problems)")
    }
}

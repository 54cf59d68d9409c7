import Decoding
import Readings
import Testing

@Suite struct LLRPInventoryPlanTests {
    static var capabilities: LLRPReaderCapabilities {
        var capabilities = LLRPReaderCapabilities()
        capabilities.antennaCount = 4
        capabilities.standard = RadioRegion.fcc.rawValue
        capabilities.isHopping = true
        capabilities.hopTables = [.init(id: 1, frequencies: [902_750, 903_250])]
        // Out of order, and index and power not in step: the index is only a name.
        capabilities.powers = [(7, 3_000), (1, 1_000), (4, 2_000), (5, 2_700)].map { .init(index: $0.0, power: $0.1) }
        capabilities.modes = [
            .init(identifier: 0, miller: 1, bitRate: 640_000, isForDenseReaders: false),
            .init(identifier: 1, miller: 2, bitRate: 640_000, isForDenseReaders: false),
            .init(identifier: 2, miller: 4, bitRate: 274_000, isForDenseReaders: true),
            .init(identifier: 3, miller: 8, bitRate: 170_600, isForDenseReaders: true),
            .init(identifier: 1_000, miller: 4, bitRate: 40_000, isForDenseReaders: true),
        ]
        return capabilities
    }

    static func plan(
        _ radio: RadioSettings, vendor: LLRPSession.Vendor = .none, version: UInt8 = 1, configuration: LLRPSession.Configuration = .init(),
        connected: [UInt16] = [], _ change: (inout LLRPReaderCapabilities) -> Void = { _ in }
    ) throws(LLRPInventoryPlan.Refusal) -> LLRPInventoryPlan {
        var capabilities = Self.capabilities
        change(&capabilities)
        return try LLRPInventoryPlan(
            capabilities, radio: radio, configuration: configuration, vendor: vendor, connected: connected, version: version)
    }

    @Test(arguments: [(3_000, 7), (9_000, 7), (2_999, 5), (2_700, 5), (2_699, 4), (1_999, 1), (1_000, 1)])
    func theHighestPowerThatIsAllowedIsChosen(allowed: Int, index: UInt16) throws {
        #expect(try Self.plan(RadioSettings(region: .fcc, power: allowed)).power?.index == index)
    }

    @Test func aReaderThatIsTooStrongMustNotTransmit() throws {
        #expect(throws: LLRPInventoryPlan.Refusal.power(lowest: 1_000, allowed: 999)) {
            try Self.plan(RadioSettings(region: .fcc, power: 999))
        }
        #expect(
            "\(LLRPInventoryPlan.Refusal.power(lowest: 1_000, allowed: -5))"
                == "the reader's lowest power is 10.00 dBm, the site file allows -0.05 dBm")
        #expect(throws: LLRPInventoryPlan.Refusal.noPowerTable) {
            try Self.plan(RadioSettings(region: .fcc, power: 3_000)) { $0.powers = [] }
        }
        _ = try Self.plan(RadioSettings(region: .fcc)) { $0.powers = [] }
    }

    @Test(arguments: RadioRegion.allCases.filter { $0 != .unspecified })
    func aReaderOfAnotherRegionMustNotTransmit(region: RadioRegion) throws {
        let radio = RadioSettings(region: region)
        _ = try Self.plan(radio) { $0.standard = region.rawValue }
        let other: UInt16 = region == .fcc ? 2 : 1
        #expect(throws: LLRPInventoryPlan.Refusal.region(reader: other, site: region)) { try Self.plan(radio) { $0.standard = other } }
        // A number that no standard of today has is another region too.
        #expect(throws: LLRPInventoryPlan.Refusal.self) { try Self.plan(radio) { $0.standard = 700 } }
    }

    @Test func whatCannotBeCheckedIsSaid() throws {
        #expect(try Self.plan(RadioSettings()).notes == ["region not checked: the site file names none, the reader says fcc"])
    }

    /// A reader that does not say its region may be of any.
    @Test func aReaderWithoutARegionMustNotTransmitWhereTheSiteNamesOne() throws {
        #expect(throws: LLRPInventoryPlan.Refusal.regionUnknown(site: .etsi)) {
            try Self.plan(RadioSettings(region: .etsi)) { $0.standard = 0 }
        }
        #expect(
            "\(LLRPInventoryPlan.Refusal.regionUnknown(site: .etsi))" == "the reader does not say its region, the site file says etsi")
        let known = try Self.plan(RadioSettings(region: .etsi), configuration: .init(unknownRegion: .accept)) { $0.standard = 0 }
        #expect(known.notes == ["region not checked: the reader does not say its own"])
        // Where it says another one, nothing helps.
        #expect(throws: LLRPInventoryPlan.Refusal.self) {
            try Self.plan(RadioSettings(region: .etsi), configuration: .init(unknownRegion: .accept))
        }
        _ = try Self.plan(RadioSettings()) { $0.standard = 0 }
    }

    @Test func antennasAreThoseOfTheSiteOrThoseThatAreThere() throws {
        #expect(try Self.plan(RadioSettings(region: .fcc)).antennas == [])
        #expect(try Self.plan(RadioSettings(region: .fcc), connected: [1, 3]).antennas == [1, 3])
        let named = try Self.plan(RadioSettings(region: .fcc, antennas: [2, 3]), connected: [1, 3])
        #expect(named.antennas == [2, 3])
        #expect(named.notes == ["antenna 2 is not connected"])
        #expect(throws: LLRPInventoryPlan.Refusal.antenna(5, count: 4)) { try Self.plan(RadioSettings(region: .fcc, antennas: [5])) }
    }

    /// A gate's antennas are each served again within 300 ms, and stay no longer than 60 ms; an AISpec for each where the reader can loop.
    @Test(arguments: 2...16)
    func aGateGoesRoundQuickly(count: Int) throws {
        let plan = try Self.plan(RadioSettings(region: .fcc), version: 2, connected: (1...UInt16(count)).map { $0 }) {
            $0.antennaCount = count
        }
        guard case .stays(let milliseconds, loops: true) = plan.rotation else { return #expect(Bool(false), "\(plan.rotation)") }
        #expect(milliseconds >= 20 && milliseconds <= 60)
        if count <= 12 { #expect(Int(milliseconds) * count < 300) }
    }

    @Test func whoGoesRound() throws {
        let radio = RadioSettings(region: .fcc, antennas: [1, 2])
        #expect(try Self.plan(radio).rotation == .reader)
        #expect(try Self.plan(radio, version: 2).rotation == .stays(milliseconds: 60, loops: true))
        #expect(try Self.plan(radio, vendor: .impinj, version: 2).rotation == .reader)
        #expect(try Self.plan(radio, configuration: .init(rotation: .gateway)).rotation == .stays(milliseconds: 60, loops: false))
        #expect(try Self.plan(radio, version: 2, configuration: .init(rotation: .reader)).rotation == .reader)
        #expect(try Self.plan(RadioSettings(region: .fcc, antennas: [1]), version: 2).rotation == .reader)
        let narrow = try Self.plan(radio, version: 2) { $0.maximumSpecsPerROSpec = 2 }
        #expect(narrow.rotation == .reader)
        #expect(narrow.notes.count == 1)
    }

    /// What `docs/llrp.md` says of each intent.
    @Test(arguments: [
        (RadioIntent.gate, UInt8(0), LLRPInventoryPlan.Target.dual, UInt32(1), UInt32(1)), (.cabinet, 1, .single, 3, 2),
        (.portal, 1, .dual, 1_000, 2), (.count, 2, .dual, 1_000, 2),
    ])
    func intents(intent: RadioIntent, session: UInt8, target: LLRPInventoryPlan.Target, impinj: UInt32, other: UInt32) throws {
        let radio = RadioSettings(region: .fcc, intent: intent)
        let plan = try Self.plan(radio)
        #expect(plan.session == session)
        #expect(plan.target == target)
        #expect(plan.mode == other)
        #expect(try Self.plan(radio, vendor: .impinj) { $0.manufacturer = LLRPDefinitions.impinj }.mode == impinj)
        #expect(try Self.plan(radio, configuration: .init(mode: 0)).mode == 0)
        #expect(try Self.plan(radio) { $0.modes = [] }.mode == nil)
    }

    @Test(arguments: RadioIntent.allCases, [LLRPSession.Vendor.none, .impinj, .zebra])
    func theMessageKeepsTheRulesOfTheStandard(intent: RadioIntent, vendor: LLRPSession.Vendor) throws {
        for version: UInt8 in [1, 2] {
            for rotation in LLRPSession.Rotation.allCases {
                for isPlain in [false, true] {
                    let plan = try Self.plan(
                        RadioSettings(region: .fcc, power: 2_500, intent: intent, antennas: [1, 4]), vendor: vendor, version: version,
                        configuration: .init(rotation: rotation, reportEvery: 7))
                    let message = try plan.message(id: 9, version: version, isPlain: isPlain)
                    #expect(message.violations == [])
                    let again = try LLRPMessage(try message.encoded())
                    #expect(again == message)
                    let spec = try #require(again.parameter("ROSpec"))
                    #expect(spec.parameters(named: "AISpec").flatMap { $0.integers("AntennaIDs") ?? [] } == [1, 4])
                    for antennas in spec.parameters(named: "AISpec") {
                        let configuration = antennas.parameter(at: "InventoryParameterSpec", "AntennaConfiguration")
                        let transmitter = try #require(configuration?.parameter("RFTransmitter"))
                        #expect(transmitter.integer("TransmitPower") == 4)
                        #expect(transmitter.integer("HopTableID") == 1)
                        #expect((configuration?.parameter("C1G2InventoryCommand") == nil) == isPlain)
                    }
                    #expect(spec.parameter("ROReportSpec")?.integer("N") == 7)
                }
            }
        }
    }

    @Test func fixedFrequenciesAreNamedByChannel() throws {
        let plan = try Self.plan(RadioSettings(region: .etsi, power: 3_000)) {
            $0.standard = 2
            $0.isHopping = false
            $0.fixedFrequencies = [865_700, 866_300]
        }
        let transmitter = try #require(
            plan.message(id: 1, version: 1).parameter(
                at: "ROSpec", "AISpec", "InventoryParameterSpec", "AntennaConfiguration", "RFTransmitter"))
        #expect(transmitter.integer("HopTableID") == 0)
        #expect(transmitter.integer("ChannelIndex") == 1)
    }
}

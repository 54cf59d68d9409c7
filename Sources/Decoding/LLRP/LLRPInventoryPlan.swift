import Readings

/// How a reader shall take inventory: made from what the site wants and what the reader can, without a connection.
///
/// The reasons for each intent stand in `docs/llrp.md`; the figures come from Gen2's rules for session flags (S0 falls back when the field
/// goes, S1 after 0.5 s to 5 s, S2 never while powered) and from experiments with antenna stays at gates.
public struct LLRPInventoryPlan: Hashable, Sendable {
    /// Why the reader must not transmit.
    public enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
        /// The reader's region is not the one in which it stands.
        case region(reader: UInt16, site: RadioRegion)
        /// The site names a region and the reader does not say its own.
        case regionUnknown(site: RadioRegion)
        /// Even its lowest power is above what the site allows; in hundredths of a dBm.
        case power(lowest: Int, allowed: Int)
        /// The reader says nothing of its powers, so none can be chosen.
        case noPowerTable
        /// A port that it does not have.
        case antenna(UInt8, count: Int)

        public var description: String {
            switch self {
            case .region(let reader, let site):
                "the reader is set to region \(LLRPInventoryPlan.regionName(reader)), the site file says \(site.name)"
            case .regionUnknown(let site): "the reader does not say its region, the site file says \(site.name)"
            case .power(let lowest, let allowed):
                "the reader's lowest power is \(LLRPInventoryPlan.dBm(lowest)), the site file allows \(LLRPInventoryPlan.dBm(allowed))"
            case .noPowerTable: "the site file limits the power, and the reader names no powers"
            case .antenna(let port, let count): "the site file names antenna \(port), the reader has \(count)"
            }
        }
    }

    /// Which of a session's two flag values is asked for.
    public enum Target: Hashable, Sendable {
        /// Only tags whose flag is A; each falls silent once it was read, until its flag falls back.
        case single
        /// A and B in turn: every tag is read in every round.
        case dual
    }

    /// Who goes from antenna to antenna.
    public enum Rotation: Hashable, Sendable {
        /// One AISpec for all of them: the reader goes round by itself.
        case reader
        /// One AISpec each, with a duration; `loops`: a LoopSpec (LLRP 1.1) begins again, otherwise the immediate start trigger does.
        case stays(milliseconds: UInt32, loops: Bool)
    }

    public var roSpecID: UInt32 = 1
    /// Ports counted from 1; empty: all.
    public var antennas: [UInt16]
    /// The Gen2 session, 0...3.
    public var session: UInt8
    public var target: Target
    /// Tags that may be in the field at once: where the reader begins to search.
    public var population: UInt16
    public var rotation: Rotation
    /// The identifier of the air protocol mode; nil: the reader's choice.
    public var mode: UInt32?
    /// nil: as the reader is set.
    public var power: LLRPReaderCapabilities.PowerLevel?
    /// A report after so many reads.
    public var reportEvery: UInt16
    public var vendor: LLRPSession.Vendor
    /// What could not be checked or done, for people.
    public var notes: [String] = []
    var hopTable: UInt16
    var channel: UInt16

    /// - Parameters:
    ///   - connected: the ports at which the reader found an antenna; empty: it does not tell.
    ///   - version: of the protocol, 1 (1.0.1) or 2 (1.1).
    public init(
        _ capabilities: LLRPReaderCapabilities, radio: RadioSettings, configuration: LLRPSession.Configuration = .init(),
        vendor: LLRPSession.Vendor = .none, connected: [UInt16] = [], version: UInt8 = 1
    ) throws(Refusal) {
        let traits = Traits(radio.intent)
        session = traits.session
        target = traits.target
        population = traits.population
        reportEvery = max(1, configuration.reportEvery)
        self.vendor = vendor
        notes = try Self.regionNotes(capabilities, radio, configuration.unknownRegion)
        power = try Self.power(capabilities, radio)
        antennas = try Self.antennas(capabilities, radio, connected, &notes)
        mode = configuration.mode ?? traits.mode(of: capabilities, vendor: vendor)
        // What stands in the other field is passed over by the reader, but some check it.
        hopTable = capabilities.isHopping ? UInt16(capabilities.hopTables.first?.id ?? 1) : 0
        channel = capabilities.isHopping ? 0 : 1
        rotation = .reader
        let stays = antennas.isEmpty ? (1...UInt16(clamping: min(max(1, capabilities.antennaCount), 32))).map { $0 } : antennas
        let isLooping = version >= 2
        let isRoom = capabilities.maximumSpecsPerROSpec == 0 || Int(capabilities.maximumSpecsPerROSpec) > stays.count
        let wanted =
            switch configuration.rotation {
            case .auto: isLooping && vendor == .none
            case .reader: false
            case .gateway: true
            }
        guard stays.count > 1, wanted else { return }
        guard isRoom else {
            notes.append("the reader takes no AISpec for each antenna and goes round by itself")
            return
        }
        antennas = stays
        rotation = .stays(milliseconds: traits.stay(antennas: stays.count), loops: isLooping)
    }

    /// It ends and begins again by itself, so its end is no fault.
    public var restartsItself: Bool { if case .stays(_, loops: false) = rotation { true } else { false } }

    // MARK: What is refused

    private static func regionNotes(
        _ capabilities: LLRPReaderCapabilities, _ radio: RadioSettings, _ unknown: LLRPSession.UnknownRegion
    ) throws(Refusal) -> [String] {
        guard let region = radio.region, region != .unspecified else {
            return ["region not checked: the site file names none, the reader says \(regionName(capabilities.standard))"]
        }
        if capabilities.standard == 0 {
            guard unknown == .accept else { throw .regionUnknown(site: region) }
            return ["region not checked: the reader does not say its own"]
        }
        guard capabilities.standard == region.rawValue else { throw .region(reader: capabilities.standard, site: region) }
        return []
    }

    /// The highest entry that is not above what the site allows.
    private static func power(_ capabilities: LLRPReaderCapabilities, _ radio: RadioSettings) throws(Refusal) -> LLRPReaderCapabilities
        .PowerLevel?
    {
        guard let allowed = radio.power else { return nil }
        guard let lowest = capabilities.powers.min(by: { $0.power < $1.power }) else { throw .noPowerTable }
        let best = capabilities.powers.filter { $0.power <= allowed }.max { ($0.power, $0.index) < ($1.power, $1.index) }
        guard let best else { throw .power(lowest: lowest.power, allowed: allowed) }
        return best
    }

    private static func antennas(
        _ capabilities: LLRPReaderCapabilities, _ radio: RadioSettings, _ connected: [UInt16], _ notes: inout [String]
    ) throws(Refusal) -> [UInt16] {
        if radio.antennas.isEmpty { return connected }
        for port in radio.antennas where port == 0 || Int(port) > max(1, capabilities.antennaCount) {
            throw .antenna(port, count: capabilities.antennaCount)
        }
        if !connected.isEmpty {
            for port in radio.antennas where !connected.contains(UInt16(port)) { notes.append("antenna \(port) is not connected") }
        }
        return radio.antennas.map { UInt16($0) }
    }

    static func dBm(_ hundredths: Int) -> String {
        let magnitude = hundredths.magnitude
        return "\(hundredths < 0 ? "-" : "")\(magnitude / 100).\(magnitude / 10 % 10)\(magnitude % 10) dBm"
    }

    static func regionName(_ standard: UInt16) -> String {
        guard let region = RadioRegion(rawValue: standard) else { return "number \(standard)" }
        return region.name.isEmpty ? "unspecified" : region.name
    }
}

/// What an intent asks of the air.
private struct Traits {
    let session: UInt8
    let target: LLRPInventoryPlan.Target
    let population: UInt16
    /// The longest stay at one antenna, and the longest time until the first is served again, in milliseconds.
    let longestStay: Int
    let returnTime: Int
    /// Impinj's own numbers of its modes, the best first: 0 to 3 fixed, from 1000 on chosen by the reader itself.
    let impinjModes: [UInt32]
    let isDense: Bool

    init(_ intent: RadioIntent) {
        switch intent {
        case .gate: self.init(0, .dual, population: 8, longestStay: 60, returnTime: 260, impinjModes: [1, 1_000], isDense: false)
        case .cabinet: self.init(1, .single, population: 64, longestStay: 500, returnTime: 2_000, impinjModes: [1_002, 3], isDense: true)
        case .portal: self.init(1, .dual, population: 64, longestStay: 120, returnTime: 600, impinjModes: [1_000, 2], isDense: true)
        case .count: self.init(2, .dual, population: 128, longestStay: 500, returnTime: 2_000, impinjModes: [1_002, 1_000], isDense: true)
        }
    }

    private init(
        _ session: UInt8, _ target: LLRPInventoryPlan.Target, population: UInt16, longestStay: Int, returnTime: Int, impinjModes: [UInt32],
        isDense: Bool
    ) {
        self.session = session
        self.target = target
        self.population = population
        self.longestStay = longestStay
        self.returnTime = returnTime
        self.impinjModes = impinjModes
        self.isDense = isDense
    }

    /// All antennas within `returnTime`; at least 20 ms each, in which a few tags can be read at the slowest mode.
    func stay(antennas: Int) -> UInt32 { UInt32(clamping: min(longestStay, max(20, returnTime / max(1, antennas)))) }

    func mode(of capabilities: LLRPReaderCapabilities, vendor: LLRPSession.Vendor) -> UInt32? {
        if capabilities.manufacturer == LLRPDefinitions.impinj {
            return impinjModes.first { wanted in capabilities.modes.contains { $0.identifier == wanted } }
        }
        // Few tags that move: fast, and yet safer than FM0. Many tags: a narrow spectrum and a sturdier subcarrier.
        let order = isDense ? [4, 8, 2, 1] : [2, 4, 1, 8]
        func rank(_ mode: LLRPReaderCapabilities.Mode) -> (Int, Int, Int64, UInt32) {
            let isWrongKind = isDense && !mode.isForDenseReaders ? 1 : 0
            return (isWrongKind, order.firstIndex(of: mode.miller) ?? order.count, -Int64(mode.bitRate), mode.identifier)
        }
        return capabilities.modes.min { rank($0) < rank($1) }?.identifier
    }
}

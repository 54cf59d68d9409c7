/// What an LLRP reader says that it is and can do: GET_READER_CAPABILITIES_RESPONSE (LLRP 1.1, section 10.2).
public struct LLRPReaderCapabilities: Hashable, Sendable {
    /// A row of the table of transmit powers (LLRP 1.1, section 10.2.4.1.1).
    public struct PowerLevel: Hashable, Sendable {
        /// What a command names.
        public var index: UInt16
        /// Hundredths of a dBm at the reader's port.
        public var power: Int

        public init(index: UInt16, power: Int) {
            self.index = index
            self.power = power
        }
    }

    /// The frequencies that a reader hops over, in kHz; channel index 1 is the first.
    public struct HopTable: Hashable, Sendable {
        public var id: UInt8
        public var frequencies: [UInt32]

        public init(id: UInt8, frequencies: [UInt32]) {
            self.id = id
            self.frequencies = frequencies
        }
    }

    /// A row of the table of air protocol modes (LLRP 1.1, section 16.2.1.1.2.1).
    public struct Mode: Hashable, Sendable {
        public var identifier: UInt32
        /// How often a symbol of the tag repeats its subcarrier: 1 (FM0), 2, 4 or 8.
        public var miller: Int
        /// Bits a second from the tag.
        public var bitRate: UInt32
        /// Its spectrum leaves room for readers nearby.
        public var isForDenseReaders: Bool

        public init(identifier: UInt32, miller: Int, bitRate: UInt32, isForDenseReaders: Bool) {
            self.identifier = identifier
            self.miller = miller
            self.bitRate = bitRate
            self.isForDenseReaders = isForDenseReaders
        }
    }

    public var antennaCount = 0
    /// Its times are UTC; otherwise they count from its start.
    public var hasUTCClock = false
    /// IANA's private enterprise number, and the manufacturer's own number of the model.
    public var manufacturer: UInt32 = 0
    public var model: UInt32 = 0
    public var firmware = ""
    public var inputCount = 0
    public var outputCount = 0
    /// 0: as many as memory allows.
    public var maximumROSpecs: UInt32 = 0
    /// 0: as many as memory allows.
    public var maximumSpecsPerROSpec: UInt32 = 0
    /// It can keep events and reports back after a new connection until the client is ready for them.
    public var canHoldReports = false
    /// ISO 3166 number of the country; 0: not said.
    public var country: UInt16 = 0
    /// The communication standard (LLRP 1.1, section 10.2.4.1; `RadioRegion`); 0: not said.
    public var standard: UInt16 = 0
    public var powers: [PowerLevel] = []
    public var isHopping = false
    public var hopTables: [HopTable] = []
    public var fixedFrequencies: [UInt32] = []
    public var modes: [Mode] = []

    /// Rows of any table that are taken.
    static let tableLimit = 1_024

    public init() {}

    /// nil when the message says nothing about the device in general.
    init?(_ message: LLRPMessage) {
        guard let general = message.parameter("GeneralDeviceCapabilities") else { return nil }
        antennaCount = general.integer("MaxNumberOfAntennaSupported") ?? 0
        hasUTCClock = general.isSet("HasUTCClockCapability")
        manufacturer = general.unsigned32("DeviceManufacturerName")
        model = general.unsigned32("ModelName")
        firmware = LLRPSession.printable(general.text("ReaderFirmwareVersion") ?? "")
        let lines = general.parameter("GPIOCapabilities")
        inputCount = lines?.integer("NumGPIs") ?? 0
        outputCount = lines?.integer("NumGPOs") ?? 0
        if let llrp = message.parameter("LLRPCapabilities") {
            maximumROSpecs = llrp.unsigned32("MaxNumROSpecs")
            maximumSpecsPerROSpec = llrp.unsigned32("MaxNumSpecsPerROSpec")
            canHoldReports = llrp.isSet("SupportsEventAndReportHolding")
        }
        guard let regulatory = message.parameter("RegulatoryCapabilities") else { return }
        country = UInt16(clamping: regulatory.integer("CountryCode") ?? 0)
        standard = UInt16(clamping: regulatory.integer("CommunicationsStandard") ?? 0)
        if let band = regulatory.parameter("UHFBandCapabilities") { readBand(band) }
    }

    private mutating func readBand(_ band: LLRPParameter) {
        powers = band.parameters(named: "TransmitPowerLevelTableEntry").prefix(Self.tableLimit).map {
            PowerLevel(index: UInt16(clamping: $0.integer("Index") ?? 0), power: $0.integer("TransmitPowerValue") ?? 0)
        }
        if let frequencies = band.parameter("FrequencyInformation") {
            isHopping = frequencies.isSet("Hopping")
            hopTables = frequencies.parameters(named: "FrequencyHopTable").prefix(64).map {
                HopTable(
                    id: UInt8(clamping: $0.integer("HopTableID") ?? 0),
                    frequencies: Array(($0.integers("Frequency") ?? []).prefix(Self.tableLimit)))
            }
            fixedFrequencies = Array((frequencies.parameter("FixedFrequencyTable")?.integers("Frequency") ?? []).prefix(Self.tableLimit))
        }
        let rows = band.parameters(named: "C1G2UHFRFModeTable").flatMap { $0.parameters(named: "C1G2UHFRFModeTableEntry") }
        modes = rows.prefix(Self.tableLimit).map {
            Mode(
                identifier: $0.unsigned32("ModeIdentifier"), miller: 1 << ($0.integer("MValue").map { min(max($0, 0), 3) } ?? 0),
                bitRate: $0.unsigned32("BDRValue"), isForDenseReaders: $0.word("SpectralMaskIndicator") == "DI")
        }
    }

    /// The frequencies that channel indexes of tag reports name, in kHz.
    public var channels: [UInt32] { isHopping ? hopTables.first?.frequencies ?? [] : fixedFrequencies }

    /// The name of the manufacturer, or its number.
    public var manufacturerName: String {
        switch manufacturer {
        case LLRPDefinitions.impinj: "Impinj"
        case LLRPDefinitions.zebra: "Zebra"
        default: "manufacturer \(manufacturer)"
        }
    }
}

extension LLRPElement {
    func unsigned32(_ field: String) -> UInt32 { UInt32(clamping: integer(field) ?? 0) }
}

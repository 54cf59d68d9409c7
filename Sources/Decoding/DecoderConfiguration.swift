/// A protocol with its parameters, as a device profile names it.
public enum DecoderConfiguration: Hashable, Sendable {
    case a0(A0Protocol.Configuration)
    case uhfReader18(UHFReader18Protocol.Configuration)
    case m100(M100Protocol.Configuration)
    case mercury(MercuryProtocol.Configuration)
    case llrp(LLRPSession.Configuration)
    case em4100(EM4100Protocol.Configuration)
    case pn532(PN532Protocol.Configuration)
    case osdp(OSDPSession.Configuration)
    case scannerLine(ScannerLine.Configuration)
    case keyboardWedge(KeyboardWedge.Configuration)
    case hidPointOfSale(HIDPointOfSale.Configuration)
    case ssi(SSIProtocol.Configuration)
    case gm65(GM65Protocol.Configuration)
    case modbus(ModbusProtocol.Configuration)

    /// The name of the protocol in a profile.
    public enum Name: String, Hashable, Sendable, CaseIterable {
        case a0
        case uhfReader18 = "uhf_reader18"
        case m100
        case mercury
        case llrp
        case em4100
        case pn532
        case osdp
        case scannerLine = "scanner_line"
        case keyboardWedge = "keyboard_wedge"
        case hidPointOfSale = "hid_pos"
        case ssi
        case gm65
        case modbus
    }

    /// A decoder in its first state: one for each time a device is opened. Protocols that negotiate have a session of their own
    /// (`DeviceProgram.makeSession`); their decoder understands what the device reports, for captures and `stockgate decode`.
    public func makeDecoder() -> any Decoder {
        switch self {
        case .a0(let configuration): A0Protocol(configuration)
        case .uhfReader18(let configuration): UHFReader18Protocol(configuration)
        case .m100(let configuration): M100Protocol(configuration)
        case .mercury(let configuration): MercuryProtocol(configuration)
        case .llrp: LLRPReportDecoder()
        case .em4100(let configuration): EM4100Protocol(configuration)
        case .pn532(let configuration): PN532Protocol(configuration)
        case .osdp(let configuration): OSDPDecoder(configuration)
        case .scannerLine(let configuration): ScannerLine(configuration)
        case .keyboardWedge(let configuration): KeyboardWedge(configuration)
        case .hidPointOfSale(let configuration): HIDPointOfSale(configuration)
        case .ssi(let configuration): SSIProtocol(configuration)
        case .gm65(let configuration): GM65Protocol(configuration)
        case .modbus(let configuration): ModbusProtocol(configuration)
        }
    }

    public var name: Name {
        switch self {
        case .a0: .a0
        case .uhfReader18: .uhfReader18
        case .m100: .m100
        case .mercury: .mercury
        case .llrp: .llrp
        case .em4100: .em4100
        case .pn532: .pn532
        case .osdp: .osdp
        case .scannerLine: .scannerLine
        case .keyboardWedge: .keyboardWedge
        case .hidPointOfSale: .hidPointOfSale
        case .ssi: .ssi
        case .gm65: .gm65
        case .modbus: .modbus
        }
    }

    /// The name of the protocol in a profile.
    public var protocolName: String { name.rawValue }

    /// Whether the device answers commands with frames of their own, so that steps of a plan can expect something.
    public var hasAnswers: Bool {
        switch self {
        case .a0, .uhfReader18, .m100, .mercury, .pn532, .ssi, .gm65, .modbus, .hidPointOfSale: true
        case .scannerLine(let configuration): !configuration.answers.isEmpty
        case .llrp, .osdp, .em4100, .keyboardWedge: false
        }
    }

    /// Whether the device can read in rounds that end, so that a plan can have an inventory.
    public var hasRounds: Bool {
        switch self {
        case .scannerLine(let configuration): configuration.endsRounds
        case .ssi, .gm65, .hidPointOfSale: false
        default: hasAnswers
        }
    }

    /// Whether the protocol's own session finds out what to send, so that a plan has feedback at most.
    public var hasOwnSession: Bool {
        switch self {
        case .llrp, .osdp: true
        default: false
        }
    }

    /// Whether frames carry a length or a check, so that foreign bytes give no reading.
    public var isChecked: Bool {
        switch self {
        case .scannerLine, .keyboardWedge, .gm65: false
        default: true
        }
    }

    /// Whether a frame with a wrong check is counted and read all the same.
    public var forgivesWrongChecks: Bool {
        if case .em4100(let configuration) = self { configuration.check == .warn } else { false }
    }

    /// Whether it takes key events, not bytes.
    public var takesKeys: Bool {
        if case .keyboardWedge = self { true } else { false }
    }
}

extension DecoderConfiguration {
    /// What is wrong with a command of a profile; nil: it is a whole frame, or the protocol has none to check.
    public func fault(ofFrame bytes: [UInt8]) -> String? {
        switch self {
        case .a0: A0Protocol.fault(ofFrame: bytes)
        case .pn532: PN532Protocol.fault(ofFrame: bytes)
        case .osdp: OSDPPacket.fault(ofCommand: bytes)
        case .uhfReader18: UHFReader18Protocol.fault(ofFrame: bytes)
        case .m100(let configuration): M100Protocol.fault(ofFrame: bytes, framing: configuration.framing)
        case .mercury: MercuryProtocol.fault(ofFrame: bytes)
        case .ssi: SSIProtocol.fault(ofFrame: bytes)
        case .gm65: GM65Protocol.fault(ofFrame: bytes)
        case .modbus: ModbusRequest.fault(bytes)
        case .llrp: LLRPSession.fault(ofFeedback: bytes)
        default: nil
        }
    }

    /// The check that a command of this protocol carries behind these bytes, its head and everything that the check covers; nil: the
    /// protocol has none.
    public func check(behind bytes: [UInt8]) -> [UInt8]? {
        switch self {
        case .a0: return [Checksum.neg8(bytes)]
        case .uhfReader18:
            let crc = Checksum.crc8408(bytes)
            return [UInt8(crc & 0xFF), UInt8(crc >> 8)]
        case .m100: return [Checksum.sum8(bytes.dropFirst())]
        case .mercury:
            let crc = Checksum.crcMercury(bytes.dropFirst())
            return [UInt8(crc >> 8), UInt8(crc & 0xFF)]
        default: return nil
        }
    }
}

extension DecoderConfiguration {
    /// The same decoder for a keyboard of another layout; nil for a protocol that has no keys.
    public func with(layout: KeyboardLayout) -> DecoderConfiguration? {
        guard case .keyboardWedge(var configuration) = self else { return nil }
        configuration.layout = layout
        return .keyboardWedge(configuration)
    }
}

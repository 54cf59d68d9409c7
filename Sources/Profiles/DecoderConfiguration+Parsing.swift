import Decoding
import Readings

extension DecoderConfiguration {
    init?(_ reader: TOMLTableReader, layouts: [String: KeyboardLayout]) {
        let name = reader.choice("protocol", of: Name.self, isRequired: true)
        // Without a protocol nothing is known about the other keys: saying that all are unknown would hide the one problem.
        guard let name else { return nil }
        defer { reader.finish() }
        switch name {
        case .a0: self = .a0(A0Protocol.Configuration(reader))
        case .uhfReader18: self = .uhfReader18(UHFReader18Protocol.Configuration(reader))
        case .m100: self = .m100(M100Protocol.Configuration(reader))
        case .mercury: self = .mercury(MercuryProtocol.Configuration(reader))
        case .llrp: self = .llrp(LLRPSession.Configuration(reader))
        case .em4100: self = .em4100(EM4100Protocol.Configuration(reader))
        case .pn532: self = .pn532(PN532Protocol.Configuration(reader))
        case .osdp: self = .osdp(OSDPSession.Configuration(reader))
        case .scannerLine: self = .scannerLine(ScannerLine.Configuration(reader))
        case .keyboardWedge:
            guard let configuration = KeyboardWedge.Configuration(reader, layouts: layouts) else { return nil }
            self = .keyboardWedge(configuration)
        case .hidPointOfSale: self = .hidPointOfSale(HIDPointOfSale.Configuration(reader))
        case .ssi: self = .ssi(SSIProtocol.Configuration(reader))
        case .gm65: self = .gm65(GM65Protocol.Configuration(reader))
        case .modbus: self = .modbus(ModbusProtocol.Configuration(reader))
        }
    }
}

/// Layouts of schemes that are seldom on the things of a warehouse: coupons, components, defence and aviation.
extension EPCLayout {
    static func sgcn(_ reader: inout EPCBitReader) throws(EPCRefusal) -> EPCContent {
        let prefix = try Prefix(&reader, totalBits: locationBits)
        let coupon = try prefix.reference(&reader, digits: 12 - prefix.length)
        // A digit 1 stands before the serial component, so that its leading zeros are kept (TDS section 14.5.13).
        let marked = String(try reader.take(41))
        guard marked.utf8.first == 0x31, marked.utf8.count >= 2, marked.utf8.count <= 13,
            let check = CheckDigit.compute(prefix.digits + coupon)
        else { throw .referenceRange }
        let serial = String(marked.dropFirst())
        return EPCContent(
            elements: [GS1Element(.gcn, "\(prefix.digits)\(coupon)\(check)\(serial)")],
            uriName: "sgcn", fields: "\(prefix.digits).\(coupon).\(serial)")
    }

    static func cpi96(_ reader: inout EPCBitReader) throws(EPCRefusal) -> EPCContent {
        let prefix = try Prefix(&reader, totalBits: partBits96)
        let part = String(try reader.take(prefix.referenceBits))
        guard part.utf8.count <= 15 - prefix.length else { throw .referenceRange }
        return cpi(prefix, part: part, serial: String(try reader.take(31)))
    }

    static func cpiVariable(_ reader: inout EPCBitReader) throws(EPCRefusal) -> EPCContent {
        let prefix = try Prefix(&reader, totalBits: partBits96)
        let part = try reader.takeText6(maximum: 30 - prefix.length)
        guard !part.isEmpty else { throw .emptyText }
        let serial = String(try reader.take(40))
        guard serial.utf8.count <= 12 else { throw .referenceRange }
        return cpi(prefix, part: part, serial: serial)
    }

    private static func cpi(_ prefix: Prefix, part: String, serial: String) -> EPCContent {
        EPCContent(
            elements: [GS1Element(.cpid, prefix.digits + part), GS1Element(.cpidSerial, serial)],
            uriName: "cpi", fields: "\(prefix.digits).\(EPCURIText.escaped(part)).\(serial)")
    }

    /// General identifier: manager, object class and serial number, no GS1 key.
    static func gid(_ reader: inout EPCBitReader) throws(EPCRefusal) -> EPCContent {
        let manager = try reader.take(28)
        let objectClass = try reader.take(24)
        let serial = try reader.take(36)
        return EPCContent(uriName: "gid", fields: "\(manager).\(objectClass).\(serial)")
    }

    /// US Department of Defense: CAGE code or DoDAAC in six eight-bit characters, the first a blank for the five of a CAGE code.
    static func usdod(_ reader: inout EPCBitReader) throws(EPCRefusal) -> EPCContent {
        var code: [UInt8] = []
        for position in 0..<6 {
            let unit = UInt8(truncatingIfNeeded: try reader.take(8))
            if position == 0, unit == 0x20 { continue }
            code.append(try agencyCharacter(unit))
        }
        let serial = try reader.take(36)
        return EPCContent(uriName: "usdod", fields: "\(String(decoding: code, as: UTF8.self)).\(serial)")
    }

    /// Aerospace and defence identifier: agency code in six-bit characters, part number and serial number.
    static func adi(_ reader: inout EPCBitReader) throws(EPCRefusal) -> EPCContent {
        var code: [UInt8] = []
        for position in 0..<6 {
            let unit = try reader.takeCharacter6()
            if position == 0, unit == 0x20 { continue }
            code.append(try agencyCharacter(unit))
        }
        let part = try reader.takeText6(maximum: 32)
        let serial = try reader.takeText6(maximum: 30)
        guard !serial.isEmpty, serial != "#" else { throw .emptyText }
        // A number sign may only open the serial number (TDS section 6.3.12).
        guard !part.utf8.contains(0x23), !serial.utf8.dropFirst().contains(0x23) else { throw .characterOutsideSet }
        return EPCContent(
            uriName: "adi",
            fields: "\(String(decoding: code, as: UTF8.self)).\(EPCURIText.escaped(part)).\(EPCURIText.escaped(serial))")
    }

    /// Digits and capital letters without I and O, the characters of CAGE codes and DoDAACs.
    private static func agencyCharacter(_ unit: UInt8) throws(EPCRefusal) -> UInt8 {
        switch unit {
        case 0x49, 0x4F: throw .characterOutsideSet
        case 0x30...0x39, 0x41...0x5A: return unit
        default: throw .characterOutsideSet
        }
    }
}

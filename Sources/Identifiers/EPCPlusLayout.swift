/// The schemes of TDS 2: keys as decimal nibbles with their check digit, no partition, serials in the shortest encoding
/// (TDS 2.3 sections 14.5 and 14.6). The host name of a `++` scheme follows the key and is not part of the identity.
struct EPCPlusLayout {
    private enum Key {
        case datedItem, item, pieces, unit, recipient, provider, location, document, coupon, returnable, asset, part
    }

    private let key: Key
    /// Whether attribute records may follow the key: a host name does instead in `++` schemes.
    private let recordsFollow: Bool

    init?(_ scheme: EPCScheme) {
        switch scheme {
        case .dsgtinPlus, .dsgtinPlusPlus: key = .datedItem
        case .sgtinPlus, .sgtinPlusPlus: key = .item
        case .itipPlus, .itipPlusPlus: key = .pieces
        case .ssccPlus, .ssccPlusPlus: key = .unit
        case .gsrnPlus, .gsrnPlusPlus: key = .recipient
        case .gsrnpPlus, .gsrnpPlusPlus: key = .provider
        case .sglnPlus, .sglnPlusPlus: key = .location
        case .gdtiPlus, .gdtiPlusPlus: key = .document
        case .sgcnPlus, .sgcnPlusPlus: key = .coupon
        case .graiPlus, .graiPlusPlus: key = .returnable
        case .giaiPlus, .giaiPlusPlus: key = .asset
        case .cpiPlus, .cpiPlusPlus: key = .part
        default: return nil
        }
        recordsFollow = !scheme.name.hasSuffix("++")
    }

    func decode(_ reader: inout EPCBitReader) throws(EPCRefusal) -> (UInt8?, EPCContent) {
        let attributes = try reader.take(1) == 1
        let filter = UInt8(truncatingIfNeeded: try reader.take(3))
        var elements = try decodeKey(&reader)
        if attributes, recordsFollow { elements += Self.records(&reader, besides: elements) }
        return (filter, EPCContent(elements: elements))
    }

    private func decodeKey(_ reader: inout EPCBitReader) throws(EPCRefusal) -> [GS1Element] {
        switch key {
        case .datedItem:
            let date = try Self.datedAttribute(&reader)
            return [
                GS1Element(.gtin, try reader.takeDecimalKey(14)), GS1Element(.serial, try EPCPlusText.take(&reader, maximum: 20)), date,
            ]
        case .item:
            return [GS1Element(.gtin, try reader.takeDecimalKey(14)), GS1Element(.serial, try EPCPlusText.take(&reader, maximum: 20))]
        case .pieces:
            let value = try reader.takeDecimalKey(14) + reader.takeDecimal(4)
            return [GS1Element(.itip, value), GS1Element(.serial, try EPCPlusText.take(&reader, maximum: 20))]
        case .unit: return [GS1Element(.sscc, try reader.takeDecimalKey(18))]
        case .recipient: return [GS1Element(.gsrnRecipient, try reader.takeDecimalKey(18))]
        case .provider: return [GS1Element(.gsrnProvider, try reader.takeDecimalKey(18))]
        case .location:
            return [
                GS1Element(.locationGLN, try reader.takeDecimalKey(13)),
                GS1Element(.glnExtension, try EPCPlusText.take(&reader, maximum: 20)),
            ]
        case .document: return [GS1Element(.gdti, try reader.takeDecimalKey(13) + EPCPlusText.take(&reader, maximum: 17))]
        case .coupon: return [GS1Element(.gcn, try reader.takeDecimalKey(13) + EPCPlusText.takeShortNumber(&reader))]
        case .returnable:
            let zero = try reader.takeDecimal(1)
            guard zero == "0" else { throw .referenceRange }
            return [GS1Element(.grai, try "0" + reader.takeDecimalKey(13) + EPCPlusText.take(&reader, maximum: 16))]
        case .asset:
            return [GS1Element(.giai, try EPCPlusText.takeTerminated(&reader, allowed: CharacterSet82.contains))]
        case .part:
            let part = try EPCPlusText.takeTerminated(&reader, allowed: CharacterSet39.contains)
            return [GS1Element(.cpid, part), GS1Element(.cpidSerial, try EPCPlusText.takeShortNumber(&reader))]
        }
    }

    /// The prioritised date of DSGTIN+: kind 4 bits, year 7, month 4, day 5.
    private static func datedAttribute(_ reader: inout EPCBitReader) throws(EPCRefusal) -> GS1Element {
        let kinds: [ApplicationIdentifier] = [
            .productionDate, .packagingDate, .bestBefore, .sellBy, .expiry, .firstFreezeDate, .harvestDate,
        ]
        let kind = Int(truncatingIfNeeded: try reader.take(4))
        guard kind < kinds.count else { throw .encodingMethod }
        return GS1Element(kinds[kind], try date(&reader))
    }

    /// Six digits YYMMDD from 16 bits; day 0 stands for the last day of the month.
    private static func date(_ reader: inout EPCBitReader) throws(EPCRefusal) -> String {
        let year = try reader.take(7)
        let month = try reader.take(4)
        let day = try reader.take(5)
        guard year <= 99, (1...12).contains(month),
            let yearText = DecimalText.padded(UInt128(year), digits: 2), let monthText = DecimalText.padded(UInt128(month), digits: 2),
            let dayText = DecimalText.padded(UInt128(day), digits: 2)
        else { throw .encodingMethod }
        return yearText + monthText + dayText
    }

    /// The attribute records after the key: dates and lot. Stops at the first record of another kind or the filling bits; the
    /// key is not affected.
    private static func records(_ reader: inout EPCBitReader, besides known: [GS1Element]) -> [GS1Element] {
        var elements: [GS1Element] = []
        while reader.remaining >= 8 {
            guard let text = try? reader.takeDecimal(2), let ai = ApplicationIdentifier(text),
                !(known + elements).contains(where: { $0.ai == ai })
            else { break }
            let value: String?
            switch ai {
            case .lot: value = try? EPCPlusText.take(&reader, maximum: 20)
            case .productionDate, .packagingDate, .bestBefore, .sellBy, .expiry: value = try? date(&reader)
            default: value = nil
            }
            guard let value else { break }
            elements.append(GS1Element(ai, value))
        }
        return elements
    }
}

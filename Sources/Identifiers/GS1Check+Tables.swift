extension GS1Check {
    /// The first fault of a value against a code list or a small set.
    func tableFault(in value: [UInt8]) -> GS1FaultPosition? {
        let text = String(decoding: value, as: UTF8.self)
        switch self {
        case .iso3166: return CodeLists.countryNumbers.contains(text) ? nil : GS1FaultPosition(.countryCode)
        case .iso3166999: return text == "999" || CodeLists.countryNumbers.contains(text) ? nil : GS1FaultPosition(.countryCode)
        case .iso3166alpha2: return CodeLists.countryLetters.contains(text) ? nil : GS1FaultPosition(.countryCode)
        case .iso4217: return CodeLists.currencyNumbers.contains(text) ? nil : GS1FaultPosition(.currencyCode)
        // ISO/IEC 5218: unknown, male, female, not applicable.
        case .iso5218: return ["0", "1", "2", "9"].contains(text) ? nil : GS1FaultPosition(.sexCode)
        case .packagetype: return CodeLists.packageTypes.contains(text) ? nil : GS1FaultPosition(.packageType)
        case .mediatype: return isMediaType(value) ? nil : GS1FaultPosition(.mediaType)
        case .importeridx:
            return value.count == 1 && CharacterSet64.contains(value[0]) ? nil : GS1FaultPosition(.invalidCharacter)
        // General Specifications section 3.9.2: 0 face out, 1 face in, 9 undefined.
        case .winding: return ["0", "1", "9"].contains(text) ? nil : GS1FaultPosition(.windingDirection)
        case .latitude: return geographic(value, limit: 1_800_000_000, .latitude)
        case .longitude: return geographic(value, limit: 3_600_000_000, .longitude)
        case .iban: return iban(value)
        default: return nil
        }
    }

    /// AIDC media types: 01 to 10 assigned, 80 to 99 for use within a company.
    private func isMediaType(_ value: [UInt8]) -> Bool {
        guard value.count == 2, let number = Int(digits: value) else { return false }
        return (1...10).contains(number) || number >= 80
    }

    /// Ten digits in units of 10⁻⁷ degrees, counted from the south pole or the meridian 180° west.
    private func geographic(_ value: [UInt8], limit: UInt64, _ fault: GS1Fault) -> GS1FaultPosition? {
        guard value.count == 10 else { return GS1FaultPosition(.wrongLength) }
        if let bad = value.firstIndex(where: { !$0.isASCIIDigit }) { return GS1FaultPosition(.nonDigitCharacter, at: bad) }
        let number = value.reduce(0 as UInt64) { $0 * 10 + UInt64($1 - 0x30) }
        return number <= limit ? nil : GS1FaultPosition(fault)
    }

    /// ISO 13616: country, two check digits and the account, at most 34 characters; remainder 1 modulo 97.
    private func iban(_ value: [UInt8]) -> GS1FaultPosition? {
        guard (5...34).contains(value.count) else { return GS1FaultPosition(.wrongLength) }
        if let bad = value.firstIndex(where: { !$0.isASCIIDigit && !(0x41...0x5A).contains($0) }) {
            return GS1FaultPosition(.invalidCharacter, at: bad)
        }
        guard CodeLists.countryLetters.contains(String(decoding: value[..<2], as: UTF8.self)) else {
            return GS1FaultPosition(.countryCode)
        }
        var remainder = 0
        for unit in value[4...] + value[..<4] {
            let number = unit.isASCIIDigit ? Int(unit) - 0x30 : Int(unit) - 0x41 + 10
            remainder = (remainder * (number > 9 ? 100 : 10) + number) % 97
        }
        return remainder == 1 ? nil : GS1FaultPosition(.bankAccountNumber, at: 2)
    }
}

/// The content checks of AI components, by the names that the GS1 Barcode Syntax Dictionary gives them.
///
/// Coupon codes (AI 8110 and 8112) are not checked.
public enum GS1Check: String, Hashable, Sendable, CaseIterable {
    case csum, csumalpha, gcppos1, gcppos2
    case yymmdd, yymmd0, yyyymmdd, yyyymmd0, hh, mi, ss, hhmi
    case zero, nonzero, nozeroprefix, hasnondigit, yesno, hyphen, pieceoftotal, posinseqslash, pcenc
    case iso3166, iso3166999, iso3166alpha2, iso4217, iso5218
    case packagetype, importeridx, mediatype, winding, latitude, longitude, iban
}

/// What is wrong with the content of a component.
public enum GS1Fault: String, Error, Hashable, Sendable {
    case nonDigitCharacter
    case invalidCharacter
    case invalidPadding
    case wrongLength
    case checkDigit
    case checkCharacterPair
    case companyPrefix
    case month, day, hour, minute, second
    /// A zero was demanded.
    case notZero
    /// A zero is not permitted.
    case zero
    case leadingZero
    case onlyDigits
    case notYesOrNo
    case notHyphen
    case pieceNumber
    case positionInSequence
    case percentSequence
    case countryCode
    case currencyCode
    case sexCode
    case packageType
    case mediaType
    case windingDirection
    case latitude, longitude
    case bankAccountNumber
}

/// A fault and where it is in the component.
struct GS1FaultPosition: Hashable, Sendable {
    let fault: GS1Fault
    /// Characters before the faulty part.
    let offset: Int

    init(_ fault: GS1Fault, at offset: Int = 0) {
        self.fault = fault
        self.offset = offset
    }
}

extension GS1Check {
    /// The first fault of a value; nil when it passes. `referenceYear` decides the century of two-digit years.
    func fault(in value: ArraySlice<UInt8>, referenceYear: Int) -> GS1FaultPosition? {
        let value = Array(value)
        switch self {
        case .csum:
            guard !value.isEmpty else { return GS1FaultPosition(.wrongLength) }
            return nonDigit(value) ?? (CheckDigit.isValid(value) ? nil : GS1FaultPosition(.checkDigit, at: value.count - 1))
        case .csumalpha: return checkPair(value)
        case .gcppos1: return companyPrefix(value[...], offset: 0)
        case .gcppos2: return companyPrefix(value.dropFirst(), offset: 1)
        case .yymmdd: return date(value, yearDigits: 2, permitsDay0: false, referenceYear: referenceYear)
        case .yymmd0: return date(value, yearDigits: 2, permitsDay0: true, referenceYear: referenceYear)
        case .yyyymmdd: return date(value, yearDigits: 4, permitsDay0: false, referenceYear: referenceYear)
        case .yyyymmd0: return date(value, yearDigits: 4, permitsDay0: true, referenceYear: referenceYear)
        case .hh: return twoDigits(value, below: 24, .hour)
        case .mi: return twoDigits(value, below: 60, .minute)
        case .ss: return twoDigits(value, below: 60, .second)
        case .hhmi:
            guard value.count == 4 else { return GS1FaultPosition(.wrongLength) }
            if let fault = nonDigit(value) { return fault }
            if let fault = twoDigits(Array(value[..<2]), below: 24, .hour) { return fault }
            return twoDigits(Array(value[2...]), below: 60, .minute).map { GS1FaultPosition($0.fault, at: $0.offset + 2) }
        case .zero: return value.allSatisfy { $0 == 0x30 } ? nil : GS1FaultPosition(.notZero)
        case .nonzero: return nonDigit(value) ?? (value.allSatisfy { $0 == 0x30 } ? GS1FaultPosition(.zero) : nil)
        case .nozeroprefix: return nonDigit(value) ?? (value.first == 0x30 ? GS1FaultPosition(.leadingZero) : nil)
        case .hasnondigit: return value.allSatisfy(\.isASCIIDigit) ? GS1FaultPosition(.onlyDigits) : nil
        case .yesno: return value == [0x30] || value == [0x31] ? nil : GS1FaultPosition(.notYesOrNo)
        case .hyphen: return value.allSatisfy { $0 == 0x2D } && !value.isEmpty ? nil : GS1FaultPosition(.notHyphen)
        case .pieceoftotal: return pieceOfTotal(value)
        case .posinseqslash: return positionInSequence(value)
        case .pcenc: return percentSequences(value)
        default: return tableFault(in: value)
        }
    }

    private func nonDigit(_ value: [UInt8]) -> GS1FaultPosition? {
        value.firstIndex { !$0.isASCIIDigit }.map { GS1FaultPosition(.nonDigitCharacter, at: $0) }
    }

    private func checkPair(_ value: [UInt8]) -> GS1FaultPosition? {
        guard value.count >= 2, value.count - 2 <= CheckCharacterPair.maximumLength else { return GS1FaultPosition(.wrongLength) }
        if let bad = value.dropLast(2).firstIndex(where: { !CharacterSet82.contains($0) }) {
            return GS1FaultPosition(.invalidCharacter, at: bad)
        }
        return CheckCharacterPair.isValid(value) ? nil : GS1FaultPosition(.checkCharacterPair, at: value.count - 2)
    }

    /// The shortest company prefix has four digits; no list of assigned prefixes is consulted.
    private func companyPrefix(_ value: ArraySlice<UInt8>, offset: Int) -> GS1FaultPosition? {
        guard value.count >= 4 else { return GS1FaultPosition(.wrongLength) }
        for (index, unit) in value.prefix(4).enumerated() where !unit.isASCIIDigit {
            return GS1FaultPosition(.companyPrefix, at: index + offset)
        }
        return nil
    }

    private func twoDigits(_ value: [UInt8], below limit: Int, _ fault: GS1Fault) -> GS1FaultPosition? {
        guard value.count == 2 else { return GS1FaultPosition(.wrongLength) }
        return nonDigit(value) ?? (Int(digits: value) ?? limit < limit ? nil : GS1FaultPosition(fault))
    }

    private func date(_ value: [UInt8], yearDigits: Int, permitsDay0: Bool, referenceYear: Int) -> GS1FaultPosition? {
        guard value.count == yearDigits + 4 else { return GS1FaultPosition(.wrongLength) }
        if let fault = nonDigit(value) { return fault }
        guard let written = Int(digits: value[..<yearDigits]), let month = Int(digits: value[yearDigits..<(yearDigits + 2)]),
            let day = Int(digits: value[(yearDigits + 2)...])
        else { return GS1FaultPosition(.wrongLength) }
        let year = yearDigits == 2 ? GS1Date.fullYear(written, referenceYear: referenceYear) : written
        guard let last = GS1Date.lastDay(year: year, month: month) else { return GS1FaultPosition(.month, at: yearDigits) }
        guard day <= last, day > 0 || permitsDay0 else { return GS1FaultPosition(.day, at: yearDigits + 2) }
        return nil
    }

    /// Piece number and total in two halves of equal length, piece at most total, neither zero.
    private func pieceOfTotal(_ value: [UInt8]) -> GS1FaultPosition? {
        guard !value.isEmpty, value.count % 2 == 0 else { return GS1FaultPosition(.wrongLength) }
        if let fault = nonDigit(value) { return fault }
        let half = value.count / 2
        let piece = Array(value[..<half])
        let total = Array(value[half...])
        if piece.allSatisfy({ $0 == 0x30 }) { return GS1FaultPosition(.pieceNumber) }
        if total.allSatisfy({ $0 == 0x30 }) { return GS1FaultPosition(.pieceNumber, at: half) }
        return total.lexicographicallyPrecedes(piece) ? GS1FaultPosition(.pieceNumber) : nil
    }

    /// `position/end` without leading zeros, position at most end.
    private func positionInSequence(_ value: [UInt8]) -> GS1FaultPosition? {
        let parts = value.split(separator: 0x2F, omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isASCIIDigit) }) else {
            return GS1FaultPosition(.positionInSequence)
        }
        if let zero = parts.first(where: { $0.first == 0x30 }) { return GS1FaultPosition(.leadingZero, at: zero.startIndex) }
        let exceeds =
            parts[0].count > parts[1].count || parts[0].count == parts[1].count && parts[1].lexicographicallyPrecedes(parts[0])
        return exceeds ? GS1FaultPosition(.positionInSequence) : nil
    }

    private func percentSequences(_ value: [UInt8]) -> GS1FaultPosition? {
        var index = 0
        while index < value.count {
            if value[index] == 0x25 {
                guard index + 2 < value.count, HexDigits.value(of: value[index + 1]) != nil, HexDigits.value(of: value[index + 2]) != nil
                else { return GS1FaultPosition(.percentSequence, at: index) }
                index += 2
            }
            index += 1
        }
        return nil
    }
}

extension Int {
    /// The number of up to nine ASCII digits; nil for none, more or another character.
    init?(digits: some Collection<UInt8>) {
        guard (1...9).contains(digits.count), digits.allSatisfy(\.isASCIIDigit) else { return nil }
        self = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}

import Decoding
import Readings

/// What a template is filled with: the site's settings in the bytes of one model.
struct RadioValues: Hashable, Sendable {
    var region: [UInt8]?
    /// Hundredths of a dBm.
    var power: Int?
    /// Ports from 1.
    var antennas: [UInt8] = []
    /// The one port that a command is for.
    var antenna: UInt8?
}

/// A command, or an answer that is expected, with places for the site's settings: `A0 04 01 66 {power_dbm} {check}`.
struct CommandTemplate: Hashable, Sendable {
    enum Part: Hashable, Sendable {
        /// nil: any one byte, in answers.
        case byte(UInt8?)
        case token(Token)
    }

    enum Token: Hashable, Sendable {
        /// The bytes of the region, as the profile's table has them, or the first of them.
        case region(onlyFirst: Bool)
        /// One byte, whole dBm, two's complement.
        case powerWhole
        /// Two bytes, hundredths of a dBm, two's complement.
        case power(isBigEndian: Bool)
        /// The port counted from 0, with an addend: stands for one command for each antenna.
        case antenna(plus: UInt8)
        /// The number of this port counted from 0, or FF where the site leaves it out.
        case antennaIfUsed(UInt8)
        /// The protocol's own check over all bytes before it.
        case check

        init?(_ text: Substring) {
            switch text {
            case "region": self = .region(onlyFirst: false)
            case "region:first": self = .region(onlyFirst: true)
            case "power_dbm": self = .powerWhole
            case "power_cdbm:be16": self = .power(isBigEndian: true)
            case "power_cdbm:le16": self = .power(isBigEndian: false)
            case "antenna": self = .antenna(plus: 0)
            case "check": self = .check
            default:
                if text.hasPrefix("antenna+"), text.utf8.count == 10, let plus = UInt8(text.dropFirst(8), radix: 16) {
                    self = .antenna(plus: plus)
                } else if text.hasPrefix("antenna_"), let port = UInt8(text.dropFirst(8)), (1...64).contains(port) {
                    self = .antennaIfUsed(port)
                } else {
                    return nil
                }
            }
        }
    }

    var parts: [Part]
    /// An answer may go on.
    var allowsMore = false

    /// Why a text is no template.
    enum Flaw: Error, Hashable {
        case notHexadecimal
        case unknownToken(String)
    }

    /// - Parameter isAnswer: `??` and `...` may stand in it, `{check}` may not.
    init(_ text: String, isAnswer: Bool) throws(Flaw) {
        parts = []
        var words = text.split { $0 == " " || $0 == "\n" }
        if isAnswer, words.last == "..." {
            allowsMore = true
            words.removeLast()
        }
        for word in words {
            if word.hasPrefix("{"), word.hasSuffix("}") {
                guard let token = Token(word.dropFirst().dropLast()), !isAnswer || token != .check else {
                    throw .unknownToken(String(word))
                }
                parts.append(.token(token))
            } else if isAnswer, word == "??" {
                parts.append(.byte(nil))
            } else {
                guard let bytes = Hex.bytes(String(word)), parts.count + bytes.count <= 256 else { throw .notHexadecimal }
                parts += bytes.map { .byte($0) }
            }
        }
        if parts.isEmpty { throw .notHexadecimal }
    }

    var tokens: [Token] { parts.compactMap { if case .token(let token) = $0 { token } else { nil } } }

    var usesRegion: Bool { tokens.contains { if case .region = $0 { true } else { false } } }

    var usesPower: Bool { tokens.contains { $0 == .powerWhole || $0 == .power(isBigEndian: true) || $0 == .power(isBigEndian: false) } }

    /// Stands for one command for each antenna.
    var isPerAntenna: Bool { tokens.contains { if case .antenna = $0 { true } else { false } } }

    var usesAntennas: Bool { isPerAntenna || tokens.contains { if case .antennaIfUsed = $0 { true } else { false } } }

    /// The bytes with the settings in their places, nil for any one byte; nil where a setting is missing.
    func filled(_ values: RadioValues, decoder: DecoderConfiguration) -> [UInt8?]? {
        var bytes: [UInt8?] = []
        for part in parts {
            switch part {
            case .byte(let byte): bytes.append(byte)
            case .token(let token):
                guard let value = Self.value(of: token, values, behind: bytes, decoder: decoder) else { return nil }
                bytes += value.map { $0 }
            }
        }
        return bytes
    }

    private static func value(
        of token: Token, _ values: RadioValues, behind bytes: [UInt8?], decoder: DecoderConfiguration
    ) -> [UInt8]? {
        switch token {
        case .region(let onlyFirst): return values.region.map { onlyFirst ? Array($0.prefix(1)) : $0 }
        case .powerWhole: return values.power.map { [UInt8(truncatingIfNeeded: $0 / 100)] }
        case .power(let isBigEndian):
            return values.power.map { power in
                let bytes = [UInt8(truncatingIfNeeded: power >> 8), UInt8(truncatingIfNeeded: power)]
                return isBigEndian ? bytes : bytes.reversed()
            }
        case .antenna(let plus): return values.antenna.map { [$0 &- 1 &+ plus] }
        case .antennaIfUsed(let port): return [values.antennas.contains(port) ? port - 1 : 0xFF]
        case .check: return decoder.check(behind: bytes.compactMap(\.self))
        }
    }

    /// A command; nil where a setting is missing.
    func command(_ values: RadioValues, decoder: DecoderConfiguration) -> [UInt8]? {
        filled(values, decoder: decoder)?.compactMap(\.self)
    }

    /// What is expected; nil where a setting is missing.
    func pattern(_ values: RadioValues, decoder: DecoderConfiguration) -> BytePattern? {
        filled(values, decoder: decoder).map { BytePattern(bytes: $0, allowsMore: allowsMore) }
    }
}

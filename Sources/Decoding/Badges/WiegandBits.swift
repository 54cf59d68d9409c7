import Readings

/// The bits of a card as they go over Wiegand's two wires, from a converter or an OSDP reader.
///
/// HID's 26 (H10301), 34 (H10306) and 37 bits (H10304) begin with an even and end with an odd parity bit; other lengths have no parity
/// that is known.
public struct WiegandBits: Hashable, Sendable {
    /// A credential has at most 32 characters, 16 bytes in hexadecimal.
    public static let longest = 128

    /// 1...`longest` bits in the order in which they were sent.
    public let bits: [Bool]

    public var count: Int { bits.count }

    /// Bits in bytes, the first bit on top of the first byte; the rest of the last byte does not count.
    public init?(leftJustified bytes: some Sequence<UInt8>, count: Int) {
        let bits = Self.bits(of: bytes)
        guard (1...Self.longest).contains(count), bits.count >= count else { return nil }
        self.bits = Array(bits.prefix(count))
    }

    /// A number whose lowest `count` bits are the card. Bits above them do not count: some converters send a sentinel there.
    public init?(rightJustified bytes: some Sequence<UInt8>, count: Int) {
        let bits = Self.bits(of: bytes)
        guard (1...Self.longest).contains(count) else { return nil }
        self.bits = Array(repeating: false, count: max(0, count - bits.count)) + bits.suffix(count)
    }

    /// The characters 0 and 1.
    public init?(digits: some Collection<UInt8>) {
        guard (1...Self.longest).contains(digits.count), digits.allSatisfy({ $0 == 0x30 || $0 == 0x31 }) else { return nil }
        bits = digits.map { $0 == 0x31 }
    }

    private static func bits(of bytes: some Sequence<UInt8>) -> [Bool] {
        bytes.flatMap { byte in (0..<8).map { byte << $0 & 0x80 != 0 } }
    }

    /// A format with parity: even over the first half of the data, odd over the second.
    struct Format: Hashable, Sendable {
        var facilityBits: Int
        var numberBits: Int
        /// How many data bits each parity bit covers; with 37 bits both cover the one in the middle.
        var covered: Int

        init?(bits: Int) {
            switch bits {
            case 26: (facilityBits, numberBits, covered) = (8, 16, 12)
            case 34: (facilityBits, numberBits, covered) = (16, 16, 16)
            case 37: (facilityBits, numberBits, covered) = (16, 19, 18)
            default: return nil
            }
        }
    }

    public enum Outcome: Hashable, Sendable {
        case credential(String)
        case wrongParity
    }

    /// - Parameter checksParity: takes parity off where the length has one; otherwise all bits are the number. A number without a known
    ///   facility is written in hexadecimal where the form asks for one: cut to 24 bits, two cards would be one.
    public func credential(_ form: BadgeForm, checksParity: Bool) -> Outcome {
        guard checksParity, let format = Format(bits: count) else {
            var form = form
            if form.notation == .facilityAndNumber { form.notation = .hexadecimal }
            return .credential(form.text(of: Self.bytes(bits[...])))
        }
        let data = bits.dropFirst().dropLast()
        let isFirstHalfEven = bits.prefix(1 + format.covered).count(where: \.self).isMultiple(of: 2)
        let isSecondHalfOdd = !bits.suffix(1 + format.covered).count(where: \.self).isMultiple(of: 2)
        guard isFirstHalfEven, isSecondHalfOdd else { return .wrongParity }
        guard form.notation == .facilityAndNumber else { return .credential(form.text(of: Self.bytes(data))) }
        // The facility in full: cut to a byte, two cards would be one.
        return .credential(
            BadgeForm.padded("\(Self.value(data.prefix(format.facilityBits)))", 3) + ","
                + BadgeForm.padded("\(Self.value(data.suffix(format.numberBits)))", 5))
    }

    private static func value(_ bits: ArraySlice<Bool>) -> UInt64 { bits.reduce(0) { $0 << 1 | ($1 ? 1 : 0) } }

    /// Right-justified in as many bytes as are needed.
    private static func bytes(_ bits: ArraySlice<Bool>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = bits
        while !rest.isEmpty {
            bytes.append(UInt8(truncatingIfNeeded: value(rest.suffix(8))))
            rest = rest.dropLast(8)
        }
        return bytes.reversed()
    }
}

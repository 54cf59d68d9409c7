import Readings

/// A converter behind a Wiegand reader: a line with the card's 26 bits in hexadecimal. It hears nothing.
public struct WiegandConverter: SimulatedDevice {
    public init() {}

    /// The number is facility and number, as in `31,337`.
    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        guard case .badge(let number) = action, let bits = Self.bits(number) else { return nil }
        return [Array(Hex.text(withUnsafeBytes(of: bits.bigEndian) { Array($0) }).utf8) + [0x0D, 0x0A]]
    }

    /// The 26 bits of H10301, the first on top: even parity over the first 13, facility (8), number (16), odd parity over the last 13.
    static func bits(_ number: String) -> UInt32? {
        let parts = number.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 2, let facility = UInt8(parts[0]), let card = UInt16(parts[1]) else { return nil }
        let data = UInt32(facility) << 16 | UInt32(card)
        let even = UInt32((data >> 12).nonzeroBitCount & 1)
        let odd = UInt32(~(data & 0xFFF).nonzeroBitCount & 1)
        return even << 25 | data << 1 | odd
    }
}

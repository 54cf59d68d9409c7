/// The sums that short serial frames carry. The names are those of the protocol documents; the figures behind them are the
/// values for the ASCII text `123456789`.
enum Checksum {
    /// The sum of the bytes, low eight bits: DD.
    static func sum8(_ bytes: some Sequence<UInt8>) -> UInt8 { bytes.reduce(0, &+) }

    /// The exclusive or of the bytes: 31.
    static func xor8(_ bytes: some Sequence<UInt8>) -> UInt8 { bytes.reduce(0, ^) }

    /// The two's complement of `sum8`, so that the bytes and their check add up to zero: 23.
    static func neg8(_ bytes: some Sequence<UInt8>) -> UInt8 { 0 &- sum8(bytes) }
}

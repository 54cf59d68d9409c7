/// The sums that short serial frames carry. The names are those of the protocol documents; the figures behind them are the
/// values for the ASCII text `123456789`.
enum Checksum {
    /// The sum of the bytes, low eight bits: DD.
    static func sum8(_ bytes: some Sequence<UInt8>) -> UInt8 { bytes.reduce(0, &+) }

    /// The exclusive or of the bytes: 31.
    static func xor8(_ bytes: some Sequence<UInt8>) -> UInt8 { bytes.reduce(0, ^) }

    /// The two's complement of `sum8`, so that the bytes and their check add up to zero: 23.
    static func neg8(_ bytes: some Sequence<UInt8>) -> UInt8 { 0 &- sum8(bytes) }

    /// CRC with the reflected polynomial 8408, beginning with FFFF ("MCRF4XX"): 6F91. UHFReader18 and its kin send the low byte first.
    static func crc8408(_ bytes: some Sequence<UInt8>) -> UInt16 {
        var crc: UInt16 = 0xFFFF
        for byte in bytes {
            // One byte at once without a table: the polynomial has so few terms that the eight steps fold into three shifts.
            var mixed = byte ^ UInt8(truncatingIfNeeded: crc)
            mixed ^= mixed << 4
            let wide = UInt16(mixed)
            crc = (crc >> 8) ^ (wide << 8) ^ (wide << 3) ^ (wide >> 4)
        }
        return crc
    }

    /// The CRC-16 of the Gen2 air interface over PC and EPC: polynomial 1021, beginning with FFFF, inverted at the end: D64E.
    static func crcGen2(_ bytes: some Sequence<UInt8>) -> UInt16 {
        ~crc1021(initial: 0xFFFF, bytes)
    }

    /// The CRC of ThingMagic's modules: polynomial 1021, beginning with FFFF; the bits of the message are shifted in at the low end and
    /// no zeros follow, unlike any CRC of the catalogues: A69D.
    static func crcMercury(_ bytes: some Sequence<UInt8>) -> UInt16 {
        var crc: UInt16 = 0xFFFF
        for byte in bytes { crc = (crc << 8 | UInt16(byte)) ^ remainder(UInt8(truncatingIfNeeded: crc >> 8)) }
        return crc
    }

    /// A byte times x¹⁶ modulo the polynomial 1021.
    private static func remainder(_ byte: UInt8) -> UInt16 {
        let wide = UInt16(byte ^ byte >> 4)
        return (wide << 12) ^ (wide << 5) ^ wide
    }

    /// The two's complement of the 16-bit sum of the bytes.
    static func neg16(_ bytes: some Sequence<UInt8>) -> UInt16 { 0 &- bytes.reduce(UInt16(0)) { $0 &+ UInt16($1) } }

    /// CRC-16/MODBUS: the reflected polynomial A001, beginning with FFFF: 4B37. The low byte is sent first.
    static func crcModbus(_ bytes: some Sequence<UInt8>) -> UInt16 {
        bytes.reduce(UInt16(0xFFFF)) { register, byte in
            (0..<8).reduce(register ^ UInt16(byte)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xA001 }
        }
    }

    /// The CRCs with the polynomial 1021, highest bit first, that differ in where they begin: at zero (XMODEM) 31C3, at 1D0F
    /// (SPI-FUJITSU, which OSDP uses) E5CC, at FFFF (IBM-3740, "CCITT-FALSE") 29B1.
    static func crc1021(initial: UInt16, _ bytes: some Sequence<UInt8>) -> UInt16 {
        var crc = initial
        for byte in bytes { crc = (crc << 8) ^ remainder(UInt8(truncatingIfNeeded: crc >> 8) ^ byte) }
        return crc
    }
}

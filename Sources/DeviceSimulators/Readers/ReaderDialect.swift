import Identifiers
import Readings

/// What a command makes a simulated reader do.
enum ReaderAction: Hashable, Sendable {
    /// Says this and goes on with what it does.
    case answer([[UInt8]])
    /// Reads one round on these antennas for this long; nil: once on each.
    case round(antennas: [UInt8], duration: Instant.Span?)
    /// Reads until it is stopped, after this answer.
    case stream(answer: [[UInt8]])
    /// Stops what it does and says this.
    case stop(answer: [[UInt8]])
}

/// How one family of readers speaks: frames in, frames out. Written from the protocol's description, apart from the decoder that it
/// serves to try.
protocol ReaderDialect: Sendable {
    /// A whole command with a right check; bytes before it are dropped.
    mutating func takeCommand(from buffer: inout [UInt8]) -> [UInt8]?
    mutating func answer(_ command: [UInt8]) -> ReaderAction
    /// Frames for reads of one moment.
    mutating func report(_ reads: [TagRead]) -> [[UInt8]]
    /// Says that a round is over.
    mutating func endOfRound(antennas: [UInt8], reads: Int, duration: Instant.Span) -> [[UInt8]]
    /// What a command asks for, in words.
    func note(_ command: [UInt8]) -> String
    /// What a reader in a stream says when it has read nothing, and how often.
    var signOfLife: (frame: [UInt8], milliseconds: Int64)? { get }
}

extension ReaderDialect {
    mutating func endOfRound(antennas: [UInt8], reads: Int, duration: Instant.Span) -> [[UInt8]] { [] }
    func note(_ command: [UInt8]) -> String { Hex.text(command) }
    var signOfLife: (frame: [UInt8], milliseconds: Int64)? { nil }
}

/// The families that can be simulated, by name.
public enum ReaderKind: String, Hashable, Sendable, CaseIterable {
    case a0
    case a0With8Antennas = "a0-8"
    case uhfReader18 = "uhfreader18"
    case uhfReader288 = "uhfreader288"
    case m100
    case r200
    case mercury

    /// A profile that fits.
    public var profile: String {
        switch self {
        case .a0: "r2000/a0-uhf"
        case .a0With8Antennas: "r2000/a0-uhf-8"
        case .uhfReader18: "chafon/uhfreader18"
        case .uhfReader288: "chafon/uhfreader288"
        case .m100: "m100/bb"
        case .r200: "r200/aa"
        case .mercury: "thingmagic/mercury-m6e-nano"
        }
    }

    /// What it is, for people.
    var summary: String {
        switch self {
        case .a0: "protocol A0, four antennas"
        case .a0With8Antennas: "protocol A0, eight antennas"
        case .uhfReader18: "Chafon UHFReader18"
        case .uhfReader288: "Chafon UHFReader288"
        case .m100: "M100 module"
        case .r200: "R200 module"
        case .mercury: "ThingMagic M6e Nano"
        }
    }

    var dialect: any ReaderDialect {
        switch self {
        case .a0: A0Dialect(antennaCount: 4)
        case .a0With8Antennas: A0Dialect(antennaCount: 8)
        case .uhfReader18: UHFReader18Dialect(has288Layout: false)
        case .uhfReader288: UHFReader18Dialect(has288Layout: true)
        case .m100: M100Dialect(head: 0xBB, end: 0x7E)
        case .r200: M100Dialect(head: 0xAA, end: 0xDD)
        case .mercury: MercuryDialect()
        }
    }
}

/// Sums of the protocols, bit by bit as their documents print them.
enum ReaderSum {
    /// Reflected polynomial 8408, beginning with FFFF.
    static func crc8408(_ bytes: some Sequence<UInt8>) -> UInt16 {
        var crc: UInt16 = 0xFFFF
        for byte in bytes {
            crc ^= UInt16(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x8408 : crc >> 1 }
        }
        return crc
    }

    /// Polynomial 1021, beginning with FFFF, inverted at the end: PC and EPC.
    static func crcGen2(_ bytes: some Sequence<UInt8>) -> UInt16 {
        var crc: UInt16 = 0xFFFF
        for byte in bytes {
            crc ^= UInt16(byte) << 8
            for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
        }
        return ~crc
    }

    /// Polynomial 1021, beginning with FFFF, message bits shifted in at the low end.
    static func crcMercury(_ bytes: some Sequence<UInt8>) -> UInt16 {
        var crc: UInt16 = 0xFFFF
        for byte in bytes {
            for bit in (0..<8).reversed() {
                let isOverflow = crc & 0x8000 != 0
                crc = crc << 1 | UInt16(byte >> UInt8(bit) & 1)
                if isOverflow { crc ^= 0x1021 }
            }
        }
        return crc
    }

    static func sum(_ bytes: some Sequence<UInt8>) -> UInt8 { bytes.reduce(0, &+) }
}

extension TagRead {
    /// PC with the length in words, then the EPC, padded to words.
    var protocolControlAndEPC: [UInt8] {
        let bytes = epc.bytes + (epc.byteCount % 2 == 1 ? [0] : [])
        return [UInt8(truncatingIfNeeded: bytes.count / 2) << 3, 0] + bytes
    }

    /// The same with the CRC behind.
    var backscatter: [UInt8] {
        let bytes = protocolControlAndEPC
        let crc = ReaderSum.crcGen2(bytes)
        return bytes + [UInt8(crc >> 8), UInt8(crc & 0xFF)]
    }

    /// Whole dBm in one signed byte.
    var signedSignal: UInt8 { UInt8(bitPattern: Int8(clamping: Int(rssi) / 100)) }
}

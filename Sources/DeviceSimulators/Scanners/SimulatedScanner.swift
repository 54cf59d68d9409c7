import Readings

/// A scanner as bytes only: what it sends when it is shown a code, and what it answers. Any transport can drive it: a
/// pseudo-terminal, a loopback socket, a test.
///
/// The simulated scanners are written from the descriptions of their protocols, apart from the decoders that they serve to try.
public protocol SimulatedScanner: Sendable {
    /// Bytes came from the host, cut in any way. Returns what the scanner sends at once, one element for each write.
    mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]]
    /// A code is held before the scanner. Returns what it sends at once.
    mutating func scan(_ code: SimulatedCode, at now: Instant) -> [[UInt8]]
    /// When the scanner will do something by itself.
    var nextDeadline: Instant? { get }
    /// Lets time pass; called at `nextDeadline` or later.
    mutating func advance(to now: Instant) -> [[UInt8]]
}

extension SimulatedScanner {
    public var nextDeadline: Instant? { nil }

    public mutating func advance(to now: Instant) -> [[UInt8]] { [] }
}

/// A printed code.
public struct SimulatedCode: Hashable, Sendable {
    public var data: [UInt8]
    /// The AIM identifier of its symbology, such as `]E0`; FNC1 inside the data is GS (1D).
    public var aim: String

    public init(_ text: String, aim: String = "]C0") {
        data = Array(text.utf8)
        self.aim = aim
    }
}

/// Takes lines out of what comes: the text before a CR, an LF or both.
struct CommandLines: Sendable {
    private var held: [UInt8] = []
    /// A longer line is dropped: a device does not keep everything either.
    private static let limit = 1_024

    mutating func take(_ bytes: [UInt8]) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == 0x0D || byte == 0x0A {
                if !held.isEmpty { lines.append(String(decoding: held, as: UTF8.self)) }
                held = []
            } else if held.count < Self.limit {
                held.append(byte)
            }
        }
        return lines
    }
}

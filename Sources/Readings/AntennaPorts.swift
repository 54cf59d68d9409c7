/// A set of antenna ports, 0 to 255.
public struct AntennaPorts: Hashable, Sendable {
    private var bits = SIMD4<UInt64>()

    public init() {}

    public init(_ ports: some Sequence<UInt8>) {
        for port in ports { insert(port) }
    }

    public mutating func insert(_ port: UInt8) {
        bits[Int(port >> 6)] |= 1 << UInt64(port & 63)
    }

    public func contains(_ port: UInt8) -> Bool {
        bits[Int(port >> 6)] & 1 << UInt64(port & 63) != 0
    }

    /// The ports, ascending.
    public var ports: [UInt8] { (UInt8.min...UInt8.max).filter(contains) }
}

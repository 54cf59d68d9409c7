import Readings

/// An EM4100 badge reader as the RDM6300 sends: STX, ten hexadecimal digits, their XOR, ETX. It hears nothing.
public struct EM4100Reader: SimulatedDevice {
    /// CR LF before the end, as the ID-12 sends.
    private let hasLineEnd: Bool

    public init(hasLineEnd: Bool = false) { self.hasLineEnd = hasLineEnd }

    /// The number is the five bytes of the badge as ten hexadecimal digits; any other is no badge of this kind.
    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        guard case .badge(let number) = action, let bytes = Hex.bytes(number), bytes.count == 5 else { return nil }
        return [[0x02] + Array(Hex.text(bytes + [bytes.reduce(0, ^)]).utf8) + (hasLineEnd ? [0x0D, 0x0A] : []) + [0x03]]
    }
}

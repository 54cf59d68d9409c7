import Identifiers
import Readings

/// A simulated device, byte for byte and without a transport: a value that `SimulatedDeviceRunner` drives on a pseudo-terminal or a
/// socket, and a test without either. Written from the protocol's description, apart from the decoder that it serves to try.
///
/// Each element of what a method returns is sent with one write.
public protocol SimulatedDevice: Sendable {
    /// The gateway connected, or this device called it. A pseudo-terminal does not tell.
    mutating func connected(at now: Instant) -> [[UInt8]]
    /// The connection ended.
    mutating func disconnected(at now: Instant)
    /// What a second gateway is told before it is hung up on.
    mutating func refusal(at now: Instant) -> [[UInt8]]
    /// It wants the connection closed.
    var isHangingUp: Bool { get }
    /// The gateway sent bytes, cut anyhow.
    mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]]
    /// When the device does something by itself.
    var nextDeadline: Instant? { get }
    /// Does what is due at `now`.
    mutating func advance(to now: Instant) -> [[UInt8]]
    /// Something happens in front of the device.
    /// - Returns: nil when a device of this kind cannot notice it.
    mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]?
    /// What was asked of it since the last call, in words; a device that has none leaves it to the runner to show the bytes.
    mutating func takeNotes() -> [String]
}

extension SimulatedDevice {
    public mutating func connected(at now: Instant) -> [[UInt8]] { [] }
    public mutating func disconnected(at now: Instant) {}
    public mutating func refusal(at now: Instant) -> [[UInt8]] { [] }
    public var isHangingUp: Bool { false }
    public mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] { [] }
    public var nextDeadline: Instant? { nil }
    public mutating func advance(to now: Instant) -> [[UInt8]] { [] }
    public mutating func takeNotes() -> [String] { [] }
}

/// What can happen in front of a device.
public enum SimulatedAction: Hashable, Sendable {
    /// A tag comes into the field of one antenna, or of all.
    case tag(EPC, antenna: UInt8?)
    case remove(EPC)
    /// A barcode is shown; `]C1` and the like in front of the text is the AIM identifier.
    case scan([UInt8])
    /// A badge is held, by the number that stands on it.
    case badge(String)
    /// Lines count as the gateway counts them for this device.
    case input(line: UInt8, isActive: Bool)

    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case tag, remove, scan, badge, input

        var form: String {
            switch self {
            case .tag: "tag EPC [ANTENNA]"
            case .remove: "remove EPC"
            case .scan: "scan TEXT"
            case .badge: "badge NUMBER"
            case .input: "input LINE on|off"
            }
        }
    }

    public var kind: Kind {
        switch self {
        case .tag: .tag
        case .remove: .remove
        case .scan: .scan
        case .badge: .badge
        case .input: .input
        }
    }
}

/// A line that a person or a script writes to a running simulator.
public enum SimulatorCommand: Hashable, Sendable {
    case action(SimulatedAction)
    /// The device falls silent and hears nothing, or goes on.
    case stall(Bool)
    /// Noise on the line.
    case garbage
    /// The device loses its supply for a moment and forgets everything it was told.
    case restart

    /// The forms for a device that notices these actions, for people.
    public static func forms(_ actions: [SimulatedAction.Kind]) -> [String] {
        actions.map(\.form) + ["stall", "go", "garbage", "restart"]
    }

    /// `\x1D` in the text of a scan stands for the GS1 separator. nil for anything that is none of `forms`.
    public init?(_ line: String) {
        let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard let verb = words.first else { return nil }
        let rest = words.count > 1 ? String(words[1]) : ""
        let more = rest.split(separator: " ").map(String.init)
        switch (verb, more.count) {
        case ("tag", 1...2):
            guard let epc = EPC(hex: more[0]) else { return nil }
            var antenna: UInt8?
            if more.count == 2 {
                guard let port = UInt8(more[1]), port > 0 else { return nil }
                antenna = port
            }
            self = .action(.tag(epc, antenna: antenna))
        case ("remove", 1):
            guard let epc = EPC(hex: more[0]) else { return nil }
            self = .action(.remove(epc))
        case ("scan", 1...): self = .action(.scan(Self.bytes(of: rest)))
        case ("badge", 1): self = .action(.badge(rest))
        case ("input", 2):
            guard let line = UInt8(more[0]), ["on", "off"].contains(more[1]) else { return nil }
            self = .action(.input(line: line, isActive: more[1] == "on"))
        case ("stall", 0): self = .stall(true)
        case ("go", 0): self = .stall(false)
        case ("garbage", 0): self = .garbage
        case ("restart", 0): self = .restart
        default: return nil
        }
    }

    private static func bytes(of text: String) -> [UInt8] {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 0x5C, rest.first == 0x78, let value = Hex.bytes(String(decoding: rest.dropFirst().prefix(2), as: UTF8.self))?.first {
                result.append(value)
                rest = rest.dropFirst(3)
            } else {
                result.append(byte)
            }
        }
        return result
    }
}

import Readings

/// A serial barcode scanner: sends what it is shown, with a carriage return; hears beeps and commands.
public struct LineScanner: SimulatedDevice {
    public init() {}

    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        guard case .scan(let text) = action else { return nil }
        return [text + [0x0D]]
    }
}

/// An EM4100 badge reader as the RDM6300 sends: STX, ten hexadecimal digits, their XOR, ETX. It hears nothing.
public struct EM4100Reader: SimulatedDevice {
    public init() {}

    /// The number is the five bytes of the badge as ten hexadecimal digits; any other is no badge of this kind.
    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        guard case .badge(let number) = action, let bytes = Hex.bytes(number), bytes.count == 5 else { return nil }
        return [[0x02] + Array(Hex.text(bytes + [bytes.reduce(0, ^)]).utf8) + [0x03]]
    }
}

/// A `LineScanner` on a pseudo-terminal.
public final class ScannerSimulator: Sendable {
    public let path: String
    private let terminal: OwnedTerminal

    /// - Throws: `PseudoTerminalError`
    public init(link: String? = nil) throws(PseudoTerminalError) {
        let terminal = try PseudoTerminal(link: link)
        path = terminal.path
        self.terminal = OwnedTerminal(terminal)
    }

    public func scan(_ text: String) {
        var scanner = LineScanner()
        for bytes in scanner.perform(.scan(Array(text.utf8)), at: .zero) ?? [] { terminal.write(bytes) }
    }

    /// What the gateway sent since the last call: beeps and commands.
    public func takeCommands() -> [UInt8] { terminal.read(waiting: 0) }

    public func hangUp() { terminal.hangUp() }
}

/// An `EM4100Reader` on a pseudo-terminal.
public final class BadgeReaderSimulator: Sendable {
    public let path: String
    private let terminal: OwnedTerminal

    /// - Throws: `PseudoTerminalError`
    public init(link: String? = nil) throws(PseudoTerminalError) {
        let terminal = try PseudoTerminal(link: link)
        path = terminal.path
        self.terminal = OwnedTerminal(terminal)
    }

    /// Holds a badge before the reader.
    /// - Parameter number: the five bytes of the badge as ten hexadecimal digits; anything else is ignored.
    public func hold(_ number: String) {
        var reader = EM4100Reader()
        for bytes in reader.perform(.badge(number), at: .zero) ?? [] { terminal.write(bytes) }
    }

    public func hangUp() { terminal.hangUp() }
}

import Readings

/// A serial barcode scanner on a pseudo-terminal: sends what it is shown, with a carriage return.
public final class ScannerSimulator: Sendable {
    public let path: String
    private let terminal: OwnedTerminal

    /// - Throws: `PseudoTerminalError`
    public init(link: String? = nil) throws(PseudoTerminalError) {
        let terminal = try PseudoTerminal(link: link)
        path = terminal.path
        self.terminal = OwnedTerminal(terminal)
    }

    public func scan(_ text: String) { terminal.write(Array(text.utf8) + [0x0D]) }

    /// What the gateway sent since the last call: beeps and commands.
    public func takeCommands() -> [UInt8] { terminal.read(waiting: 0) }

    public func hangUp() { terminal.hangUp() }
}

/// An EM4100 badge reader on a pseudo-terminal, as the RDM6300 sends: STX, ten hexadecimal digits, their XOR, ETX.
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
        guard let bytes = Hex.bytes(number), bytes.count == 5 else { return }
        let check = bytes.reduce(0, ^)
        terminal.write([0x02] + Array(Hex.text(bytes + [check]).utf8) + [0x03])
    }

    public func hangUp() { terminal.hangUp() }
}

import Dispatch
import Synchronization

/// A device on a line of bytes, without a clock: it is given what was sent to it and gives what it answers.
public protocol ByteDevice: Sendable {
    mutating func receive(_ bytes: [UInt8]) -> [UInt8]
}

/// A device on a pseudo-terminal, answering on a thread of its own until it hangs up.
public final class TerminalDevice<Device: ByteDevice>: Sendable {
    public let path: String
    private let terminal: OwnedTerminal
    private let device: Mutex<Device>
    private let isStopped = Atomic(false)

    /// - Parameter delay: milliseconds from a command to its answer.
    /// - Throws: `PseudoTerminalError`
    public init(_ device: Device, link: String? = nil, delay: Int = 5) throws(PseudoTerminalError) {
        let terminal = try PseudoTerminal(link: link)
        path = terminal.path
        self.terminal = OwnedTerminal(terminal)
        self.device = Mutex(device)
        let simulator = self
        DispatchQueue(label: "terminal-device").async { simulator.run(delay: delay) }
    }

    /// Does something to the device; what it says at that is sent.
    public func act(_ action: @Sendable (inout Device) -> [UInt8]) { send(device.withLock { action(&$0) }) }

    /// Asks the device something.
    public func ask<Answer: Sendable>(_ question: @Sendable (borrowing Device) -> Answer) -> Answer { device.withLock { question($0) } }

    public func hangUp() { isStopped.store(true, ordering: .relaxed) }

    private func run(delay: Int) {
        while !isStopped.load(ordering: .relaxed) {
            let bytes = terminal.read(waiting: 100)
            guard !bytes.isEmpty else { continue }
            let answer = device.withLock { $0.receive(bytes) }
            guard !answer.isEmpty else { continue }
            _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(delay))
            send(answer)
        }
        terminal.hangUp()
    }

    private func send(_ bytes: [UInt8]) {
        if !bytes.isEmpty { terminal.write(bytes) }
    }
}

import Devices
import Dispatch
import Readings
import Synchronization

/// A simulated scanner on a pseudo-terminal: answers and repeats on a thread of its own, as the scanner would on a serial line.
public final class ScannerOnTerminal: Sendable {
    public let path: String
    private let terminal: OwnedTerminal
    private let scanner: Mutex<any SimulatedScanner>
    private let isStopped = Atomic(false)

    /// - Parameter link: a path for a symbolic link to the terminal, so that its name stays the same.
    /// - Throws: `PseudoTerminalError`
    public init(_ scanner: any SimulatedScanner, link: String? = nil) throws(PseudoTerminalError) {
        let terminal = try PseudoTerminal(link: link)
        path = terminal.path
        self.terminal = OwnedTerminal(terminal)
        self.scanner = Mutex(scanner)
    }

    /// Begins to answer, until `stop`.
    public func start() {
        let device = self
        DispatchQueue(label: "scanner").async { device.run() }
    }

    /// Pulls the plug.
    public func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Holds a code before the scanner.
    public func scan(_ code: SimulatedCode) {
        scanner.withLock { scanner in
            for bytes in scanner.scan(code, at: BootClock.now()) { terminal.write(bytes) }
        }
    }

    private func run() {
        while !isStopped.load(ordering: .relaxed) {
            let bytes = terminal.read(waiting: 50)
            scanner.withLock { scanner in
                let now = BootClock.now()
                var writes = bytes.isEmpty ? [] : scanner.receive(bytes, at: now)
                if let deadline = scanner.nextDeadline, deadline <= now { writes += scanner.advance(to: now) }
                for bytes in writes { terminal.write(bytes) }
            }
        }
        terminal.hangUp()
    }
}

import Devices
import Dispatch
import Glibc
import Readings
import Simulation
import Synchronization

/// An `A0Reader` on a pseudo-terminal, with a thread of its own, before a gate with people.
public final class A0ReaderSimulator: Sendable {
    public typealias Output = A0Reader.Output

    public let path: String
    private let terminal: OwnedTerminal
    private let reader: Mutex<A0Reader>
    private let isStopped = Atomic(false)

    /// - Parameter dwell: how long the reader listens on one antenna, in milliseconds.
    /// - Throws: `PseudoTerminalError`
    public init(scene: GateScene, link: String? = nil, dwell: Int32 = 30) throws(PseudoTerminalError) {
        let terminal = try PseudoTerminal(link: link)
        path = terminal.path
        self.terminal = OwnedTerminal(terminal)
        reader = Mutex(A0Reader(tags: scene, dwell: .milliseconds(Int64(dwell))))
    }

    /// Begins to answer, on a thread of its own, until `stop`.
    public func start() {
        let simulator = self
        DispatchQueue(label: "a0-reader").async { simulator.run() }
    }

    public func stop() { isStopped.store(true, ordering: .relaxed) }

    public func add(_ walk: GateScene.Walk) {
        reader.withLock { reader in
            guard var scene = reader.tags as? GateScene else { return }
            scene.add(walk)
            reader.tags = scene
        }
    }

    /// What was switched since the last call.
    public func takeOutputs() -> [Output] { reader.withLock { $0.takeOutputs() } }

    private func run() {
        while !isStopped.load(ordering: .relaxed) {
            let deadline = reader.withLock(\.nextDeadline)
            let bytes = terminal.read(waiting: deadline.map { ($0 - BootClock.now()).pollTimeout(atMost: 100) } ?? 100)
            let frames = reader.withLock { reader in
                defer { _ = reader.takeNotes() }
                return bytes.isEmpty ? reader.advance(to: BootClock.now()) : reader.receive(bytes, at: BootClock.now())
            }
            for frame in frames { terminal.write(frame) }
        }
        terminal.hangUp()
    }
}

extension Instant.Span {
    /// Milliseconds for `poll`, rounded up, so that a deadline is not waited for in circles.
    func pollTimeout(atMost limit: Int32) -> Int32 {
        Int32(clamping: max(0, min(Int64(limit), (nanoseconds &+ 999_999) / 1_000_000)))
    }
}

/// A pseudo-terminal that a simulator's thread and its owner share.
final class OwnedTerminal: Sendable {
    private let terminal: Mutex<Held>
    private let descriptor: Int32

    /// `PseudoTerminal` is not Sendable; here it is only ever touched under the lock.
    private struct Held: ~Copyable, @unchecked Sendable {
        let terminal: PseudoTerminal
    }

    init(_ terminal: sending PseudoTerminal) {
        descriptor = terminal.descriptor
        self.terminal = Mutex(Held(terminal: terminal))
    }

    /// Waits outside the lock, so that the owner can write and hang up meanwhile.
    func read(waiting milliseconds: Int32) -> [UInt8] {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, milliseconds) > 0 else { return [] }
        return terminal.withLock { $0.terminal.read(waiting: 0) }
    }

    func write(_ bytes: [UInt8]) { terminal.withLock { _ = $0.terminal.write(bytes) } }

    func hangUp() { terminal.withLock { $0.terminal.hangUp() } }
}

import Devices
import Dispatch
import Readings
import Synchronization

/// A UHF reader of any of the known families on a pseudo-terminal, with tags that lie in its field.
public final class SimulatedReader: Sendable {
    /// How its bytes reach the line.
    public enum Writing: Hashable, Sendable {
        /// Each frame at once in a write of its own.
        case perFrame
        /// What this many milliseconds bring in one write, as a USB converter gathers it.
        case gathered(milliseconds: Int64)
    }

    /// What goes wrong with readers.
    public enum Fault: Hashable, Sendable {
        /// So many bytes that are no frame.
        case garbage(count: Int)
        /// It says nothing and hears nothing for so long.
        case stall(milliseconds: Int64)
        /// It loses power and comes back: what it did and what it does not keep in flash memory is gone.
        case restart
    }

    private struct State: Sendable {
        var machine: ReaderMachine
        var writing: Writing
        /// Waits for the next write.
        var gathered: [UInt8] = []
        var lastWrite = Instant.zero
        var stalledUntil = Instant.zero
        var garbage = 0
    }

    public let kind: ReaderKind
    public let path: String
    private let terminal: OwnedTerminal
    private let state: Mutex<State>
    private let isStopped = Atomic(false)

    /// - Parameter link: a path for a symbolic link to the terminal, so that its name stays.
    /// - Throws: `PseudoTerminalError`
    public init(
        _ kind: ReaderKind, tags: [SimulatedTag] = [], readsPerSecond: Int64 = 100, writing: Writing = .perFrame, link: String? = nil
    ) throws(PseudoTerminalError) {
        let terminal = try PseudoTerminal(link: link)
        self.kind = kind
        path = terminal.path
        self.terminal = OwnedTerminal(terminal)
        state = Mutex(State(machine: ReaderMachine(kind, tags: tags, readsPerSecond: readsPerSecond), writing: writing))
    }

    public func start() {
        let reader = self
        DispatchQueue(label: "simulated-\(kind.rawValue)").async { reader.run() }
    }

    public func stop() { isStopped.store(true, ordering: .relaxed) }

    /// What lies in its field from now on.
    public func setTags(_ tags: [SimulatedTag]) { state.withLock { $0.machine.tags = tags } }

    public func setReadsPerSecond(_ rate: Int64) { state.withLock { $0.machine.readsPerSecond = rate } }

    /// Reads that were reported so far.
    public var reads: UInt64 { state.withLock { $0.machine.reads } }

    public var isReading: Bool { state.withLock { $0.machine.isReading } }

    /// The commands that it understood, the last 1,000.
    public var commands: [[UInt8]] { state.withLock { $0.machine.commands } }

    public func inject(_ fault: Fault) {
        let now = BootClock.now()
        state.withLock { state in
            switch fault {
            case .garbage(let count): state.garbage += max(0, min(count, 4_096))
            case .stall(let milliseconds): state.stalledUntil = now + .milliseconds(milliseconds)
            case .restart:
                state.machine.restart()
                state.gathered = []
            }
        }
    }

    private func run() {
        while !isStopped.load(ordering: .relaxed) {
            let wait = state.withLock { Self.wait($0, at: BootClock.now()) }
            let received = terminal.read(waiting: wait)
            let writes = state.withLock { Self.work(&$0, received, at: BootClock.now()) }
            for bytes in writes { terminal.write(bytes) }
        }
        terminal.hangUp()
    }

    /// Milliseconds until something is due, at most 100, so that it can be stopped.
    private static func wait(_ state: State, at now: Instant) -> Int32 {
        if now < state.stalledUntil { return 20 }
        if state.garbage > 0 { return 0 }
        var due = state.machine.nextDeadline
        if case .gathered(let milliseconds) = state.writing {
            // Nothing is written before, so nothing need be made before.
            let next = state.lastWrite + .milliseconds(milliseconds)
            if !state.gathered.isEmpty { due = next } else if let machine = due { due = max(machine, next) }
        }
        guard let due else { return 100 }
        return Int32(clamping: max(0, min(100, ((due - now).nanoseconds + 999_999) / 1_000_000)))
    }

    private static func work(_ state: inout State, _ received: [UInt8], at now: Instant) -> [[UInt8]] {
        guard now >= state.stalledUntil else { return [] }
        var frames = received.isEmpty ? state.machine.advance(to: now) : state.machine.receive(received, at: now)
        if state.garbage > 0 {
            // Every value occurs, heads of frames among them.
            frames.append((0..<state.garbage).map { UInt8(truncatingIfNeeded: $0 &* 0x9D &+ 0x55) })
            state.garbage = 0
        }
        guard case .gathered(let milliseconds) = state.writing else { return frames }
        state.gathered += frames.joined()
        guard !state.gathered.isEmpty, state.lastWrite + .milliseconds(milliseconds) <= now else { return [] }
        defer { state.gathered = [] }
        state.lastWrite = now
        return [state.gathered]
    }
}

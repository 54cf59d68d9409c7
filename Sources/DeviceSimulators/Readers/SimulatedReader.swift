import Identifiers
import Readings

/// A UHF reader on a serial line: commands in, frames out at their time.
public struct SimulatedReader<Tags: TagSource>: SimulatedDevice {
    public var tags: Tags
    /// Reads that were reported, over all.
    public private(set) var reads: UInt64 = 0
    /// Commands that were understood, the last 1,000.
    public private(set) var commands: [[UInt8]] = []

    private var dialect: any ReaderDialect
    /// How long it listens on one antenna.
    private let dwell: Instant.Span
    private var buffer: [UInt8] = []
    private var notes: [String] = []
    private var work = Work.nothing
    private var nextLook = Instant.zero
    private var lastSaid = Instant.zero

    private enum Work: Hashable, Sendable {
        case nothing
        case round(antennas: [UInt8], turn: Int, end: Instant, reads: Int)
        case stream
    }

    /// Nobody sends a command this long.
    private static var bufferLimit: Int { 4_096 }
    /// A reader that was not driven for longer does not make up for it.
    private static var longestLag: Instant.Span { .seconds(1) }

    public init(_ kind: ReaderKind, tags: Tags, dwell: Instant.Span = .milliseconds(20)) {
        dialect = kind.dialect
        self.tags = tags
        self.dwell = max(dwell, .milliseconds(1))
    }

    public var isReading: Bool { work != .nothing }

    public var nextDeadline: Instant? { work == .nothing ? nil : nextLook }

    public mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] {
        var frames = advance(to: now)
        buffer += bytes
        frames += takeCommands(at: now)
        if buffer.count > Self.bufferLimit { buffer.removeAll() }
        return frames
    }

    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        switch action {
        case .tag(let epc, let antenna): tags.put(epc, antenna: antenna)
        case .remove(let epc): tags.take(epc)
        case .scan, .badge, .input: return nil
        }
        return []
    }

    public mutating func takeNotes() -> [String] {
        defer { notes = [] }
        return notes
    }

    /// Commands that come during a round wait for its end.
    private mutating func takeCommands(at now: Instant) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while true {
            if case .round = work { return frames }
            guard let command = dialect.takeCommand(from: &buffer) else { return frames }
            commands.append(command)
            if commands.count > 1_000 { commands.removeFirst(500) }
            if notes.count < 1_000 { notes.append(dialect.note(command)) }
            frames += begin(dialect.answer(command), at: now)
        }
    }

    private mutating func begin(_ action: ReaderAction, at now: Instant) -> [[UInt8]] {
        nextLook = now + dwell
        lastSaid = now
        switch action {
        case .answer(let frames): return frames
        case .stop(let frames):
            work = .nothing
            return frames
        case .stream(let frames):
            work = .stream
            return frames
        case .round(let antennas, let duration):
            guard !antennas.isEmpty else { return dialect.endOfRound(antennas: [], reads: 0, duration: .zero) }
            let whole = duration ?? Instant.Span(nanoseconds: dwell.nanoseconds * Int64(antennas.count))
            work = .round(antennas: antennas, turn: 0, end: now + whole, reads: 0)
            return []
        }
    }

    public mutating func advance(to now: Instant) -> [[UInt8]] {
        if work != .nothing, nextLook + Self.longestLag < now { nextLook = now }
        var frames: [[UInt8]] = []
        while work != .nothing, nextLook <= now {
            switch work {
            case .nothing: break
            case .round(let antennas, let turn, let end, let count):
                let found = look(antennas[turn % antennas.count], &frames)
                if end <= nextLook {
                    work = .nothing
                    let duration = Instant.Span(nanoseconds: dwell.nanoseconds * Int64(turn + 1))
                    frames += dialect.endOfRound(antennas: antennas, reads: count + found, duration: duration)
                    frames += takeCommands(at: now)
                } else {
                    work = .round(antennas: antennas, turn: turn + 1, end: end, reads: count + found)
                    nextLook = min(nextLook + dwell, end)
                }
            case .stream:
                // Modules that stream have one antenna.
                if look(1, &frames) > 0 { lastSaid = nextLook }
                if let sign = dialect.signOfLife, lastSaid + .milliseconds(sign.milliseconds) <= nextLook {
                    frames.append(sign.frame)
                    lastSaid = nextLook
                }
                nextLook = nextLook + dwell
            }
        }
        return frames
    }

    private mutating func look(_ antenna: UInt8, _ frames: inout [[UInt8]]) -> Int {
        let found = tags.reads(port: antenna, at: nextLook)
        reads &+= UInt64(found.count)
        frames += dialect.report(found)
        return found.count
    }
}

import Identifiers
import Readings

/// A tag that lies in the field of a simulated reader.
public struct SimulatedTag: Hashable, Sendable {
    public var epc: EPC
    /// From 1.
    public var antenna: UInt8
    /// Hundredths of a dBm.
    public var rssi: Int16

    public init(epc: EPC, antenna: UInt8 = 1, rssi: Int16 = -5_500) {
        self.epc = epc
        self.antenna = antenna
        self.rssi = rssi
    }
}

/// A simulated reader without descriptor and clock: commands in, frames out at their time.
public struct ReaderMachine: Sendable {
    public var tags: [SimulatedTag] = []
    /// How often it reads any tag, 1...10000.
    public var readsPerSecond: Int64 {
        didSet { readsPerSecond = min(10_000, max(1, readsPerSecond)) }
    }
    /// Reads that were reported, over all.
    public private(set) var reads: UInt64 = 0
    /// Commands that were understood, the last 1,000.
    public private(set) var commands: [[UInt8]] = []

    private var dialect: any ReaderDialect
    private var buffer: [UInt8] = []
    private var work = Work.nothing
    private var nextRead = Instant.zero
    private var nextTag = 0
    private var lastSaid = Instant.zero

    private enum Work: Hashable, Sendable {
        case nothing
        case round(antennas: [UInt8], end: Instant, reads: Int)
        case stream
    }

    public init(_ kind: ReaderKind, tags: [SimulatedTag] = [], readsPerSecond: Int64 = 100) {
        dialect = kind.dialect
        self.tags = tags
        self.readsPerSecond = min(10_000, max(1, readsPerSecond))
    }

    /// Whether it reads.
    public var isReading: Bool { work != .nothing }

    public var nextDeadline: Instant? {
        switch work {
        case .nothing: nil
        case .round(_, let end, _): tags.isEmpty ? end : min(end, nextRead)
        case .stream:
            [tags.isEmpty ? nil : nextRead, dialect.signOfLife.map { lastSaid + .milliseconds($0.milliseconds) }].compactMap(\.self).min()
        }
    }

    /// Bytes from the gateway. Returns the frames to say now.
    public mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] {
        var frames = advance(to: now)
        buffer += bytes
        while let command = dialect.takeCommand(from: &buffer) {
            commands.append(command)
            if commands.count > 1_000 { commands.removeFirst(500) }
            frames += perform(dialect.answer(command), at: now)
        }
        // Nobody sends a command this long.
        if buffer.count > 1_024 { buffer.removeAll() }
        return frames
    }

    private mutating func perform(_ action: ReaderAction, at now: Instant) -> [[UInt8]] {
        switch action {
        case .answer(let frames): return frames
        case .stop(let frames):
            work = .nothing
            return frames
        case .stream(let frames):
            work = .stream
            begin(at: now)
            return frames
        case .round(let antennas, let milliseconds, let frames):
            work = .round(antennas: antennas, end: now + .milliseconds(milliseconds), reads: 0)
            begin(at: now)
            return frames
        }
    }

    private mutating func begin(at now: Instant) {
        nextRead = now + pause
        lastSaid = now
    }

    private var pause: Instant.Span { Instant.Span(nanoseconds: 1_000_000_000 / readsPerSecond) }

    /// What is to be said until `now`.
    public mutating func advance(to now: Instant) -> [[UInt8]] {
        switch work {
        case .nothing: return []
        case .round(let antennas, let end, let count):
            let found = takeReads(on: antennas, until: min(now, end))
            var frames = dialect.report(found)
            work = .round(antennas: antennas, end: end, reads: count + found.count)
            if end <= now {
                work = .nothing
                frames += dialect.endOfRound(antennas: antennas, reads: count + found.count)
            }
            return frames
        case .stream:
            var frames = dialect.report(takeReads(on: nil, until: now))
            if !frames.isEmpty { lastSaid = now }
            if let sign = dialect.signOfLife, lastSaid + .milliseconds(sign.milliseconds) <= now {
                frames.append(sign.frame)
                lastSaid = now
            }
            return frames
        }
    }

    /// Tags in turn, at the reader's pace; one that no antenna of the round reaches is passed over.
    private mutating func takeReads(on antennas: [UInt8]?, until now: Instant) -> [TagRead] {
        let visible = tags.filter { antennas?.contains($0.antenna) ?? true }
        guard !visible.isEmpty else {
            nextRead = max(nextRead, now + pause)
            return []
        }
        var found: [TagRead] = []
        while nextRead <= now {
            let tag = visible[nextTag % visible.count]
            nextTag = (nextTag + 1) % visible.count
            found.append(TagRead(epc: tag.epc, antenna: tag.antenna, rssi: tag.rssi))
            nextRead = nextRead + pause
        }
        reads &+= UInt64(found.count)
        return found
    }

    /// Loses power and comes back.
    public mutating func restart() {
        work = .nothing
        buffer = []
        dialect.restart()
    }
}

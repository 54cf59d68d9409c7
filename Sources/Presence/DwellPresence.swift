import Identifiers
import Readings

/// Tells when tags come to a place and when they leave it.
///
/// A single unread time for all tags is wrong for most of them: a tag on a person is hidden for a minute while the person sits on it.
/// Each tag's own gaps set its time-out. Nothing departs while a reader that has seen it does not read. A tag that was never seen to
/// move, however often it appears, is not said to arrive.
public struct DwellPresence: Sendable {
    public struct Settings: Hashable, Sendable {
        /// So many reads within `arrivalSpan`, at least `cycle` apart from first to last, begin a stay.
        public var arrivalReads = 3
        public var arrivalSpan: Instant.Span = .seconds(1)
        /// Two reads further apart than this are of two cycles of the reader.
        public var cycle: Instant.Span = .milliseconds(50)
        /// The signal in hundredths of a dBm below which reads are from beyond the place; nil: every read counts.
        public var floor: Int16?
        /// So much above the floor the signal must be on arrival, in hundredths of a dB.
        public var hysteresis: Int16 = 400
        /// The unread time that ends a stay provisionally: `gapFactor` times the tag's mean gap, within these limits. The longest ends
        /// it for good.
        public var shortestTimeout: Instant.Span = .seconds(57)
        public var longestTimeout: Instant.Span = .seconds(180)
        public var gapFactor: Int64 = 15
        /// A shorter stay is a pass.
        public var leastStay: Instant.Span = .seconds(3)
        /// More stays than this within `flipSpan` make a tag unstable.
        public var flips = 3
        public var flipSpan: Instant.Span = .seconds(600)
        /// An unstable tag is believed again after so long without a pause of `steadyPause`.
        public var steadySpan: Instant.Span = .seconds(10)
        public var steadyPause: Instant.Span = .seconds(1)
        /// How long movement is remembered, and an absent tag.
        public var memory: Instant.Span = .seconds(3_600)
        /// The most tags remembered; reads of further ones are counted in `overflow`.
        public var capacity = 65_536

        public init() {}
    }

    struct Tag: Sendable {
        var motion = MotionTest()
        var isPresent = false
        /// Its end was told, provisionally.
        var isFading = false
        /// The stay was told as `arrived`.
        var isTold = false
        var isUnstable = false
        var first: Instant
        var lastStrong: Instant
        var last: Instant
        /// From when silence counts: the last strong read, or later after an outage.
        var quietFrom: Instant
        var lastMoved: Instant?
        var reads = 0
        /// The mean gap in microseconds, weighted towards the newest (1/16 for each), and half a second at first.
        var meanGap: Int64 = 500_000
        /// Reads that may begin a stay: how many, the first, and the sum of their signal.
        var candidateReads = 0
        var candidateFirst: Instant
        var candidateSignal = 0
        /// Without a pause since.
        var steadyFrom: Instant
        /// The ends of the last stays, oldest first.
        var ends: [Instant] = []
        /// Sources that saw it in this stay.
        var sources: UInt64 = 0
        var isSaved = false
        var isChanged = false

        init(at now: Instant) {
            (first, lastStrong, last, quietFrom, candidateFirst, steadyFrom) = (now, now, now, now, now, now)
        }
    }

    let settings: Settings
    var tags: TagTable<Tag>
    /// Sources that do not read, and since when each; a source is one reader or one antenna.
    private var silent: UInt64 = 0
    private var silentSince: [Instant] = Array(repeating: .zero, count: 64)
    private var earliestEnd: Instant?
    private var nextPurge: Instant?
    public private(set) var overflow: UInt64 = 0

    /// - Parameters:
    ///   - rows: what `takeChanges` gave before. Stays go on, their time from `now`; a source that does not read yet at the start
    ///     must be said to be silent before the time goes on.
    ///   - sources: by the number that a source had then, the one it has now; nil: all as they were
    public init(settings: Settings = Settings(), restoring rows: [LearnedState] = [], sources: [Int?]? = nil, at now: Instant = .zero) {
        self.settings = settings
        tags = TagTable(capacity: settings.capacity)
        restore(rows, sources: sources, at: now)
        guard !rows.isEmpty else { return }
        nextPurge = now + settings.memory
        reconsider()
    }

    public var knownTags: Int { tags.entries.count }
    /// Tags whose stay has no end yet, not even a provisional one.
    public var presentTags: Int { tags.entries.reduce(0) { $0 + ($1.value.isPresent && !$1.value.isFading ? 1 : 0) } }

    // MARK: Inputs

    /// Takes a read, in the order of time: of a tag that was read later than that it says nothing new.
    /// - Parameter source: the reader, or the reader's antenna, 0 to 63.
    public mutating func observe(_ read: TagRead, source: Int = 0, at now: Instant) -> [DwellEvent] {
        let settings = settings
        var events: [DwellEvent] = []
        let isSilent = silent & (1 << UInt64(source & 63)) != 0
        let hadRoom = tags.update(read.epc) {
            var tag = Tag(at: now)
            tag.take(read, source: source, at: now, settings: settings, events: &events)
            return tag
        } _: { tag in
            tag.take(read, source: source, at: now, settings: settings, events: &events)
        }
        if !hadRoom { overflow &+= 1 }
        // A read says that its source reads again, whatever was reported.
        if isSilent { sourceChanged(source, isReading: true, at: now) }
        let end = now + settings.shortestTimeout
        earliestEnd = min(earliestEnd ?? end, end)
        if nextPurge == nil { nextPurge = now + settings.memory }
        return events
    }

    /// A reader or an antenna reads, or no longer reads. What it saw cannot depart meanwhile.
    public mutating func sourceChanged(_ source: Int, isReading: Bool, at now: Instant) {
        let bit: UInt64 = 1 << UInt64(source & 63)
        if isReading, silent & bit != 0 {
            silent &= ~bit
            let outage = now - silentSince[source & 63]
            let stillSilent = silent
            tags.updateAll { tag in
                // Of several outages the last to end counts.
                guard tag.sources & bit != 0, tag.sources & stillSilent == 0 else { return }
                tag.quietFrom = min(now, tag.quietFrom + outage)
            }
            reconsider()
        } else if !isReading, silent & bit == 0 {
            silent |= bit
            silentSince[source & 63] = now
        }
    }

    public var nextDeadline: Instant? {
        switch (earliestEnd, nextPurge) {
        case (let end?, let purge?): min(end, purge)
        case (let end, let purge): end ?? purge
        }
    }

    public mutating func advance(to now: Instant) -> [DwellEvent] {
        guard let deadline = nextDeadline, deadline <= now else { return [] }
        let (settings, silent) = (settings, silent)
        var events: [DwellEvent] = []
        tags.updateEach { epc, tag in
            guard tag.isPresent, tag.sources & silent == 0 else { return }
            if !tag.isFading, tag.end(settings) <= now { tag.fade(epc: epc, settings: settings, events: &events) }
            if tag.isFading, tag.end(settings) <= now { tag.finish(epc: epc, settings: settings, events: &events) }
        }
        if let purge = nextPurge, purge <= now {
            let forgotten = tags.remove { !$0.isPresent && $0.last + settings.memory <= now }
            forgottenKeys += forgotten.filter(\.value.isSaved).map(\.epc)
            nextPurge = tags.entries.isEmpty ? nil : now + Instant.Span(nanoseconds: settings.memory.nanoseconds / 4)
        }
        reconsider()
        return events.sorted { ($0.last, $0.epc) < ($1.last, $1.epc) }
    }

    /// Saved tags that were forgotten.
    var forgottenKeys: [EPC] = []

    /// Whether `takeChanges` has something to say though no event told of it.
    public var hasForgotten: Bool { !forgottenKeys.isEmpty }

    private mutating func reconsider() {
        var earliest: Instant?
        for entry in tags.entries where entry.value.isPresent && entry.value.sources & silent == 0 {
            let end = entry.value.end(settings)
            earliest = min(earliest ?? end, end)
        }
        earliestEnd = earliest
    }
}

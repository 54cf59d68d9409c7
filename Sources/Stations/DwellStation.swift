import Identifiers
import Presence
import Readings
import SiteConfiguration

/// A place where things stay, a shelf, a bay or a room: says what came to it and what left it.
public struct DwellStation: Sendable {
    public let name: String
    private var presence: DwellPresence
    private var order = ReadOrder()
    /// The number of each reader, in the order of the site file.
    private let sources: [DeviceIndex: Int]
    /// Their names in this order, when they are to be saved: what was learned names them by number.
    private var readersToSave: LearnedState?
    private var clocks: [DeviceIndex: ReaderOffset] = [:]
    private var readingReaders: Set<DeviceIndex> = []
    private var isPaused = false
    /// Said when a reader fell silent, between two deadlines.
    private var said: [DwellEvent] = []
    private var saidAt: Instant?

    /// - Parameters:
    ///   - index: the place of a device in the site file, by name; devices that are missing there are passed over.
    ///   - learned: what this station handed over before, sorted by name.
    public init(
        name: String, settings: Site.Dwell, index: (String) -> DeviceIndex?, learned: [LearnedState] = [], startingAt start: Instant
    ) {
        self.name = name
        var sources: [DeviceIndex: Int] = [:]
        var names: [String] = []
        for reader in settings.readers.prefix(64) {
            guard let device = index(reader), sources[device] == nil else { continue }
            sources[device] = sources.count
            names.append(reader)
        }
        self.sources = sources
        let readers = LearnedState(name: Self.readers, value: .array(names.map(JSON.string)))
        let saved = learned.first { $0.name == Self.readers }
        if saved != readers { readersToSave = readers }
        let before = saved?.value?.array?.compactMap(\.string)
        let moved = before.map { before in before.map { names.firstIndex(of: $0) } }
        var rules = DwellPresence.Settings()
        rules.floor = settings.floor
        presence = DwellPresence(settings: rules, restoring: learned, sources: moved, at: start)
        for source in sources.values.sorted() { presence.sourceChanged(source, isReading: false, at: start) }
    }

    private static let readers = "readers"

    /// Tags that are there.
    public var presentTags: Int { presence.presentTags }
    public var knownTags: Int { presence.knownTags }

    public mutating func observe(_ readings: ArraySlice<Reading>, from device: DeviceIndex, at now: Instant) {
        guard let source = sources[device], !isPaused else { return }
        var clock = clocks[device] ?? ReaderOffset()
        for reading in readings {
            guard case .tag(let read) = reading else { continue }
            order.take(read, source: source, at: clock.time(of: read.readerTime, at: now))
        }
        clocks[device] = clock
    }

    public mutating func deviceChanged(_ device: DeviceIndex, isReading: Bool, at now: Instant) {
        guard let source = sources[device] else { return }
        if isReading { readingReaders.insert(device) } else { readingReaders.remove(device) }
        guard !isPaused else { return }
        catchUp(to: now)
        presence.sourceChanged(source, isReading: isReading, at: now)
    }

    /// Nothing is read meanwhile, so nothing departs.
    public mutating func pause(_ isPaused: Bool, at now: Instant) {
        guard isPaused != self.isPaused else { return }
        catchUp(to: now)
        self.isPaused = isPaused
        for (device, source) in sources.sorted(by: { $0.value < $1.value }) {
            presence.sourceChanged(source, isReading: !isPaused && readingReaders.contains(device), at: now)
        }
    }

    public var nextDeadline: Instant? {
        [order.nextDeadline, presence.nextDeadline.map { $0 + ReadOrder.patience }, saidAt].compactMap(\.self).min()
    }

    /// Lets time come to `now`: what was read is looked at half a second later.
    public mutating func advance(to now: Instant) -> StationOutput {
        let time = Instant(nanoseconds: now.nanoseconds &- ReadOrder.patience.nanoseconds)
        take(order.release(until: time), until: time)
        var output = StationOutput()
        output.stays = said
        (said, saidAt) = ([], nil)
        if !output.stays.isEmpty || presence.hasForgotten {
            output.learned = presence.takeChanges()
            if let readersToSave { output.learned.append(readersToSave) }
            readersToSave = nil
        }
        return output
    }

    /// Says now what can still be said: the place will not be read any more.
    public mutating func finish(at now: Instant) -> StationOutput {
        catchUp(to: now)
        return advance(to: now)
    }

    /// Takes everything that was read, for readers are about to change.
    private mutating func catchUp(to now: Instant) {
        take(order.release(until: now), until: now)
        if !said.isEmpty { saidAt = now }
    }

    private mutating func take(_ entries: [ReadOrder.Entry], until time: Instant) {
        for entry in entries {
            decide(until: entry.time)
            said += presence.observe(entry.read, source: entry.source, at: entry.time)
        }
        decide(until: time)
    }

    private mutating func decide(until time: Instant) {
        while let deadline = presence.nextDeadline, deadline <= time {
            said += presence.advance(to: deadline)
            guard presence.nextDeadline.map({ $0 > deadline }) ?? true else { return }
        }
    }
}

import Identifiers
import Presence
import Readings
import SiteConfiguration

/// A gate that people walk through with tools: gathers the visits that ended together into one episode and says who took out or
/// brought back what.
public struct GateStation: Sendable {
    public let name: String
    let settings: Site.Gate
    private var presence: GatePresence
    /// The place of each antenna port of each reader among the gate's antennas, by device.
    private let antennas: [DeviceIndex: [UInt8?]]
    private let readers: [DeviceIndex]
    private let readerNames: [DeviceIndex: String]
    private var readingReaders: Set<DeviceIndex> = []
    private var clocks: [DeviceIndex: ReaderOffset] = [:]
    var badges = GateBadges()
    var walks = GateWalks()
    private var late: [DeviceIndex: LateReads] = [:]
    /// What was handed over of late reads: readers send their queue again when the connection broke while they sent it.
    private var toldLate: [DeviceIndex: [EPC: ClosedRange<ReaderTime>]] = [:]
    /// When `advance` must be called next. Stored, not computed: the engine asks after every few bytes, and asking must not copy the gate.
    public private(set) var nextDeadline: Instant?
    /// Reads of antennas that the site file gives no side.
    public private(set) var readsWithoutSide: UInt64 = 0
    /// Late reads that were told before.
    public private(set) var repeatedLateReads: UInt64 = 0

    /// A tag that was seen for longer lies near the gate; where it was seen last says nothing.
    static let longestWalk = Instant.Span.seconds(60)
    /// A read that took longer on its way than this is told as late, unless its tag's visit is open.
    static let longestDelay = Instant.Span.seconds(2)

    /// - Parameters:
    ///   - index: the place of a device in the site file, by name; devices that are missing there are passed over.
    ///   - learned: what this station handed over before, sorted by name.
    public init(
        name: String, settings: Site.Gate, index: (String) -> DeviceIndex?, learned: [LearnedState] = [], startingAt start: Instant
    ) {
        self.name = name
        self.settings = settings
        var antennas: [DeviceIndex: [UInt8?]] = [:]
        var names: [DeviceIndex: String] = [:]
        var placed: [GateAntenna] = []
        let used = Set(settings.antennas.compactMap { index($0.device) }).sorted()
        for (antenna, placement) in zip(settings.antennas, settings.placements).prefix(64) {
            guard let device = index(antenna.device) else { continue }
            antennas[device, default: Array(repeating: nil, count: 256)][Int(antenna.port)] = UInt8(placed.count)
            names[device] = antenna.device
            let reader = used.firstIndex(of: device) ?? 0
            let bias = antenna.bias.map { Double($0) / 100 }
            placed.append(GateAntenna(side: antenna.side, placement: placement, reader: reader, bias: bias))
        }
        self.antennas = antennas
        readers = antennas.keys.sorted()
        readerNames = names
        presence = GatePresence(antennas: placed, settings: .init(quiet: settings.quiet, floor: settings.floor))
        presence.restore(learned, at: start)
    }

    /// Whether this gate is able to see anybody: every one of its readers is shown to be reading.
    public var isReading: Bool { !readers.isEmpty && readingReaders.count == readers.count }

    public var openVisits: Int { presence.openVisits }

    /// Reads weaker than the floor that a walk test found.
    public var readsBelowFloor: UInt64 { presence.readsBelowFloor }

    /// What is odd about the gate itself; antennas are places among those of the site file that a reader was found for.
    public func hints(at now: Instant) -> [GateHint] { presence.hints(at: now) }

    /// `DEVICE:PORT`
    public func name(ofAntenna place: Int) -> String? {
        for reader in readers {
            guard let port = antennas[reader]?.firstIndex(where: { $0.map(Int.init) == place }), let name = readerNames[reader] else {
                continue
            }
            return "\(name):\(port)"
        }
        return nil
    }

    public mutating func observe(_ read: TagRead, from device: DeviceIndex, at now: Instant) {
        observe([.tag(read)][...], from: device, at: now)
    }

    /// Takes a run of reads of one device that arrived together.
    public mutating func observe(_ readings: ArraySlice<Reading>, from device: DeviceIndex, at now: Instant) {
        defer { nextDeadline = dueNext }
        guard let ports = antennas[device] else {
            readsWithoutSide &+= UInt64(readings.count)
            return
        }
        var clock = clocks[device] ?? ReaderOffset()
        for reading in readings {
            guard case .tag(let read) = reading else { continue }
            guard let antenna = ports[Int(read.antenna)] else {
                readsWithoutSide &+= 1
                continue
            }
            take(read, antenna: Int(antenna), from: device, clock: &clock, at: now)
        }
        clocks[device] = clock
    }

    @inline(__always)
    private mutating func take(_ read: TagRead, antenna: Int, from device: DeviceIndex, clock: inout ReaderOffset, at now: Instant) {
        let time = clock.time(of: read.readerTime, at: now)
        if now - time > Self.longestDelay, !presence.hasVisit(of: read.epc, at: time) {
            observeLate(read, from: device, at: now)
        } else {
            presence.observe(read, antenna: antenna, at: time)
        }
    }

    /// Takes a read that the reader had kept while nobody listened: it says nothing about who is in the gate now.
    public mutating func observeLate(_ read: TagRead, from device: DeviceIndex, at now: Instant) {
        guard antennas[device]?[Int(read.antenna)] != nil else {
            readsWithoutSide &+= 1
            return
        }
        if let time = read.readerTime.flatMap(ReaderTime.init(microseconds:)), toldLate[device]?[read.epc]?.contains(time) == true {
            repeatedLateReads &+= 1
            return
        }
        late[device, default: LateReads(at: now)].take(read, at: now)
        nextDeadline = dueNext
    }

    public mutating func badge(_ read: BadgeRead, at now: Instant) {
        badges.take(read.credential, at: now, window: settings.badgeWindow)
    }

    public mutating func deviceChanged(_ device: DeviceIndex, isReading: Bool, at now: Instant) {
        guard readers.contains(device) else { return }
        if isReading { readingReaders.insert(device) } else { readingReaders.remove(device) }
        presence.readerChanged(isReading: self.isReading, at: now)
        nextDeadline = dueNext
    }

    private var dueNext: Instant? {
        var earliest = presence.nextDeadline
        for reads in late.values { earliest = earliest.map { min($0, reads.deadline) } ?? reads.deadline }
        return earliest
    }

    /// Lets time come to `now`.
    /// - Parameter known: what the ledger knows of a tag.
    public mutating func advance(to now: Instant, known: (EPC) -> Known) -> StationOutput {
        var output = StationOutput()
        output.sightings = presence.advance(to: now) { known($0).side }
        propose(output.sightings, known: known, into: &output)
        handOver(into: &output) { $0.deadline <= now }
        output.learned = presence.takeLearned(at: now)
        nextDeadline = dueNext
        return output
    }

    /// Decides now what can still be decided: the gate will not be read any more.
    public mutating func finish(known: (EPC) -> Known) -> StationOutput {
        var output = StationOutput()
        output.sightings = presence.finish()
        propose(output.sightings, known: known, into: &output)
        handOver(into: &output) { _ in true }
        nextDeadline = nil
        return output
    }

    /// Forgets what was seen so far: the station was paused, or goes on after a pause. What a reader had kept stands: it was not of now.
    public mutating func reset(at now: Instant) {
        presence.reset(at: now)
        walks.forgetAll()
        badges = GateBadges()
        nextDeadline = dueNext
    }

    /// Hands over what readers had kept, though the station is paused.
    public mutating func finishLate() -> StationOutput {
        var output = StationOutput()
        handOver(into: &output) { _ in true }
        nextDeadline = dueNext
        return output
    }

    /// Of the tags of more than two full queues only those of the last are remembered.
    private mutating func remember(_ reads: LateReads, of device: DeviceIndex) {
        var told = toldLate[device] ?? [:]
        if told.count > LateReads.maximumTags { told = [:] }
        told.merge(reads.spans) { $0.overlaps($1) ? min($0.lowerBound, $1.lowerBound)...max($0.upperBound, $1.upperBound) : $1 }
        toldLate[device] = told
    }

    private mutating func handOver(into output: inout StationOutput, if isDue: (LateReads) -> Bool) {
        for device in readers {
            guard let reads = late[device], isDue(reads), let name = readerNames[device] else { continue }
            late[device] = nil
            remember(reads, of: device)
            output.lostLateReads &+= reads.lost
            output.proposals += reads.proposals(of: name, at: self.name)
        }
    }

    /// Makes proposals of what was decided.
    private mutating func propose(_ sightings: [Sighting], known: (EPC) -> Known, into output: inout StationOutput) {
        for sighting in sightings { walks.take(sighting, bearer: known(sighting.epc)) }
        output.proposals = walks.proposals(of: name, badges: &badges, window: settings.badgeWindow)
    }
}

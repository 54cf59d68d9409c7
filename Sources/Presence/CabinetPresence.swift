import Identifiers
import Readings

/// Tells what was taken from and put into a cabinet, from the scans after its door was closed.
///
/// Two sets of seen tags are never compared: a tool that is seen in one look of twenty where it lies is not gone when one scan missed
/// it, and a tool in the hand before a closed door is not there because it was seen once. Each tag's rate at its place is learned, by
/// antenna, and the reads of a scan are weighed against it (``CabinetEvidence``). The scan right after closing gives a provisional
/// answer; a second scan, when the person has left, the final one.
///
/// Looks in which the reader was not shown to be reading are no evidence. While it is down nothing is decided.
public struct CabinetPresence: Sendable {
    public struct Settings: Hashable, Sendable {
        /// One cycle of the reader over all its antennas.
        public var look: Instant.Span = .milliseconds(300)
        /// The fewest looks that decide anything.
        public var minimumLooks = 4
        /// The longest that the provisional answer may take from the closing of the door.
        public var answerWithin: Instant.Span = .milliseconds(5_500)
        /// From the closing to the confirming scan, when nobody tells earlier that the person has left; 45 to 90 s.
        public var confirmAfter: Instant.Span = .seconds(50)
        /// Looks of a confirming scan when all is clear (20 s), and at most (60 s). Nobody waits for it, and what is seen in one look of
        /// a hundred takes its time.
        public var confirmLooks = 66
        public var longestConfirmLooks = 200
        /// The most tags it will remember; reads of others are counted in `overflow`.
        public var capacity = 4_096
        /// Tags fixed inside: they show that an antenna works, and are never taken.
        public var referenceTags: Set<EPC> = []

        public init() {}
    }

    enum Phase: Hashable, Sendable {
        case idle
        case open
        case closeScan
        case waiting(confirm: Instant)
        case confirmScan
    }

    struct Tag: Sendable {
        let epc: EPC
        /// As the last final report left it.
        var isInside: Bool
        var probability: Double
        var isOpen = false
        /// What the provisional report of this episode said of it: to be believed when there will be no final one.
        var told: Bool?
        var rates: [CabinetEvidence.Rate] = []
        /// Looks from which `rates` were learned.
        var experience = 0
        /// Antennas that saw it in the current look.
        var seenNow: UInt64 = 0
        /// Looks by antenna, of the scan after closing and of the confirming one.
        var closeSeen: [Int] = []
        var confirmSeen: [Int] = []
        /// What this episode says so far.
        var belief = CabinetBelief()
        var isChanged = false

        /// Whether it stands among the saved rows.
        var isSaved = false

        var isStranger: Bool { !isInside && experience == 0 && told != true }
    }

    let settings: Settings
    private(set) var phase = Phase.idle
    var tags: [Tag] = []
    private var positions: [EPC: Int] = [:]
    /// Ports by their place in all the lists by antenna.
    var antennas: [UInt8] = []
    private var isReading: Bool
    private var brokenAntennas: Set<UInt8> = []

    var episode: UInt64 = 0
    private var actors: [String] = []
    private var hasUnknownActor = false
    private var closed = Instant.zero
    /// Counted looks of the scan after closing and of the confirming one.
    private(set) var closeLooks = 0
    private(set) var confirmLooks = 0
    private var lookEnd: Instant?
    private var lookIsWhole = true
    private var seenInLook: [Int] = []
    var headIsChanged = false
    /// Saved tags that are not kept any more.
    var forgotten: [EPC] = []
    /// Reads of tags for which there was no room.
    public private(set) var overflow: UInt64 = 0

    /// - Parameters:
    ///   - isReading: whether the reader is shown to be reading at the start.
    ///   - rows: what `takeChanges` gave before; an episode that was not finished goes on, as nobody's, when the door is closed.
    public init(settings: Settings = Settings(), isReading: Bool = false, restoring rows: [LearnedState] = []) {
        self.settings = settings
        self.isReading = isReading
        restore(rows)
    }

    // MARK: What is known beforehand

    /// The recorded side of a tag, for one that was handed out or in without the cabinet.
    public mutating func setRecorded(_ epc: EPC, isInside: Bool) {
        guard let position = position(of: epc), phase == .idle || phase == .open else { return }
        guard tags[position].isInside != isInside else { return }
        tags[position].isInside = isInside
        tags[position].probability = isInside ? 0.98 : 0.02
        tags[position].isChanged = true
    }

    public func isInside(_ epc: EPC) -> Bool? { positions[epc].map { tags[$0].isInside } }

    /// Tags that are believed to be inside, without those that are fixed there.
    public var insideTags: Int { tags.count { $0.isInside && !settings.referenceTags.contains($0.epc) } }

    /// Whether the difference of an episode is still to be told for good.
    public var hasEpisode: Bool { phase != .idle }

    /// The number of the episode under way, or of the last one.
    public var currentEpisode: UInt64 { episode }

    /// Gives up the episode under way without a last word: what was told provisionally stands.
    public mutating func abandon() {
        guard phase != .idle else { return }
        settleTold()
        forgetStrangers()
        (phase, lookEnd, headIsChanged) = (.idle, nil, true)
    }

    // MARK: Inputs

    /// The door, or its handle. - Parameter credential: who opened it.
    public mutating func door(isOpen: Bool, by credential: String? = nil, at now: Instant) -> [CabinetOutput] {
        guard isOpen else {
            guard phase == .open else { return [] }
            return startCloseScan(at: now)
        }
        var outputs: [CabinetOutput] = []
        switch phase {
        case .idle: beginEpisode()
        case .open, .closeScan: break
        case .waiting, .confirmScan:
            outputs = finish()
            beginEpisode()
        }
        phase = .open
        lookEnd = nil
        if let credential {
            if !actors.contains(credential) { actors.append(credential) }
        } else {
            hasUnknownActor = true
        }
        headIsChanged = true
        return outputs
    }

    /// Looks for changes without an opening: at commissioning, and after the power was away. Nothing while an episode is open.
    public mutating func check(at now: Instant) -> [CabinetOutput] {
        guard phase == .idle else { return [] }
        beginEpisode()
        hasUnknownActor = true
        return startCloseScan(at: now)
    }

    /// The person is known to have left the door: the confirming scan need not wait.
    public mutating func personLeft(at now: Instant) {
        if case .waiting(let confirm) = phase, now < confirm { phase = .waiting(confirm: now) }
    }

    /// The reader is, or is no longer, shown to be reading.
    public mutating func readerChanged(isReading: Bool, at now: Instant) {
        self.isReading = isReading
        if !isReading { lookIsWhole = false }
    }

    /// An antenna or its cable is, or is no longer, reported broken.
    public mutating func antennaChanged(_ port: UInt8, isWorking: Bool) {
        if isWorking { brokenAntennas.remove(port) } else { brokenAntennas.insert(port) }
    }

    public mutating func observe(_ read: TagRead, at now: Instant) {
        guard lookEnd != nil else { return }
        guard let position = position(of: read.epc) else {
            overflow &+= 1
            return
        }
        if tags[position].seenNow == 0 { seenInLook.append(position) }
        tags[position].seenNow |= 1 << UInt64(antennaPlace(read.antenna))
    }

    public var nextDeadline: Instant? {
        if case .waiting(let confirm) = phase { confirm } else { lookEnd }
    }

    public mutating func advance(to now: Instant) -> [CabinetOutput] {
        var outputs: [CabinetOutput] = []
        while let deadline = nextDeadline, deadline <= now {
            switch phase {
            case .waiting:
                phase = .confirmScan
                startLook(at: deadline)
                outputs.append(.scan(episode: episode, certainty: .final))
            case .closeScan, .confirmScan:
                endLook()
                startLook(at: deadline)
                outputs += evaluate(at: deadline)
            case .idle, .open: lookEnd = nil
            }
        }
        return outputs
    }

    // MARK: Episodes

    private mutating func beginEpisode() {
        episode &+= 1
        actors = []
        hasUnknownActor = false
        headIsChanged = true
    }

    private mutating func startCloseScan(at now: Instant) -> [CabinetOutput] {
        closed = now
        (closeLooks, confirmLooks) = (0, 0)
        for position in tags.indices {
            tags[position].closeSeen = []
            tags[position].confirmSeen = []
            tags[position].belief = CabinetBelief()
        }
        phase = .closeScan
        headIsChanged = true
        startLook(at: now)
        return [.scan(episode: episode, certainty: .provisional)]
    }

    private mutating func evaluate(at now: Instant) -> [CabinetOutput] {
        if phase == .closeScan {
            let isLate = now + settings.look > closed + settings.answerWithin
            guard isLate || closeLooks >= settings.minimumLooks else { return [] }
            let report = makeReport(.provisional)
            guard isLate || (report.undecided.isEmpty && report.unseenTags < 0.2) else { return [] }
            lookEnd = nil
            phase = .waiting(confirm: max(now, closed + settings.confirmAfter))
            headIsChanged = true
            return [.report(report)]
        }
        guard confirmLooks >= settings.confirmLooks else { return [] }
        let isLate = confirmLooks >= settings.longestConfirmLooks
        // Weighing everything at each look would cost more than it tells.
        guard isLate || (confirmLooks - settings.confirmLooks) % 10 == 0 else { return [] }
        let report = makeReport(.final)
        guard isLate || (report.undecided.isEmpty && !report.needsLongScan && report.unseenTags < 0.2) else { return [] }
        return finish(report)
    }

    private mutating func finish(_ ready: CabinetReport? = nil) -> [CabinetOutput] {
        let report = ready ?? makeReport(.final)
        if report.isBlind { settleTold() } else { learn(report) }
        forgetStrangers()
        phase = .idle
        lookEnd = nil
        headIsChanged = true
        return [.report(report)]
    }

    var actor: CabinetReport.Actor {
        if hasUnknownActor || actors.isEmpty { return .unknown }
        return actors.count == 1 ? .one(actors[0]) : .several(actors)
    }

    private func makeReport(_ certainty: Certainty) -> CabinetReport {
        var report = CabinetReport(episode: episode, certainty: certainty, actor: actor, closed: closed)
        weigh(into: &report, closeLooks: closeLooks, confirmLooks: confirmLooks, brokenAntennas: brokenAntennas)
        return report
    }

    // MARK: Looks

    private mutating func startLook(at now: Instant) {
        lookEnd = now + settings.look
        lookIsWhole = isReading
    }

    /// Counts the look that ends, unless the reader was not shown to be reading in it.
    private mutating func endLook() {
        defer { seenInLook.removeAll(keepingCapacity: true) }
        let counts = lookIsWhole && (!seenInLook.isEmpty || !silenceIsSuspect(antenna: nil))
        let isConfirm = phase == .confirmScan
        if counts { if isConfirm { confirmLooks += 1 } else { closeLooks += 1 } }
        for position in seenInLook {
            let seen = tags[position].seenNow
            tags[position].seenNow = 0
            guard counts else { continue }
            if isConfirm { tags[position].confirmSeen.count(seen) } else { tags[position].closeSeen.count(seen) }
        }
    }

    /// The tag's place in `tags`, new for one never seen; nil when there is no room.
    private mutating func position(of epc: EPC) -> Int? {
        if let position = positions[epc] { return position }
        guard tags.count < settings.capacity else { return nil }
        return insert(Tag(epc: epc, isInside: false, probability: 0))
    }

    @discardableResult
    mutating func insert(_ tag: Tag) -> Int {
        positions[tag.epc] = tags.count
        tags.append(tag)
        return tags.count - 1
    }

    /// What the provisional report said of a tag was written down: should there be no final one, it stands.
    public mutating func tell(_ epc: EPC, isInside: Bool) {
        guard hasEpisode, let position = positions[epc] else { return }
        tags[position].told = isInside
        tags[position].isChanged = true
    }

    /// What was said provisionally is the last that is known.
    private mutating func settleTold() {
        for position in tags.indices {
            guard let told = tags[position].told else { continue }
            tags[position].isInside = told
            tags[position].probability = told ? 0.98 : 0.02
            tags[position].told = nil
            tags[position].isChanged = true
        }
    }

    /// Tags that never were inside are not kept: a stranger's, or made up.
    private mutating func forgetStrangers() {
        guard tags.contains(where: \.isStranger) else { return }
        forgotten += tags.filter { $0.isStranger && $0.isSaved }.map(\.epc)
        tags.removeAll(where: \.isStranger)
        positions = [:]
        for (position, tag) in tags.enumerated() { positions[tag.epc] = position }
        seenInLook = []
    }

    /// At most 64 antennas are told apart.
    private mutating func antennaPlace(_ port: UInt8) -> Int {
        if let place = antennas.firstIndex(of: port) { return place }
        guard antennas.count < 64 else { return 63 }
        antennas.append(port)
        headIsChanged = true
        return antennas.count - 1
    }

    mutating func restoreHead(phase: Phase, episode: UInt64, antennas: [UInt8]) {
        self.phase = phase
        self.episode = episode
        self.antennas = antennas
        // Between the last saved word and now anybody may have been there.
        hasUnknownActor = phase != .idle
    }
}

extension [Int] {
    /// One more look for each antenna in the mask.
    fileprivate mutating func count(_ antennas: UInt64) {
        var rest = antennas
        while rest != 0 {
            let antenna = rest.trailingZeroBitCount
            while count <= antenna { append(0) }
            self[antenna] += 1
            rest &= rest - 1
        }
    }
}

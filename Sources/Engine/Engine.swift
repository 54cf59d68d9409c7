import Decoding
import Identifiers
import Ledger
import Readings
import SiteConfiguration
import Stations

/// The way of a reading up to the verdict: bytes → reading → sighting → proposal → verdict, for all devices and stations of a site.
///
/// One value, driven by one loop live and by `Replay` from a capture. Every input carries its time; before an input is taken, all
/// that was due until then is done in the order of its deadlines (`advance`). The same inputs therefore give the same events.
public struct Engine: Sendable {
    public internal(set) var ledger: Ledger
    public internal(set) var devices: [DeviceSlot]
    public internal(set) var gates: [GateStation] = []
    public internal(set) var putaways: [PutawayStation] = []
    public internal(set) var dwells: [DwellStation] = []
    public internal(set) var cabinets: [CabinetStation] = []
    /// Readings and sightings are reported as happenings only while somebody watches.
    public var isWatched = false
    public internal(set) var unrecorded: [Unrecorded] = []
    /// Failed crossings that found no place in `unrecorded`; shown, because each is a loss.
    public internal(set) var lostCrossings: UInt64 = 0
    /// Reads that readers had kept and that are not recorded: of more tags at once than are gathered, or while the store failed for long.
    public internal(set) var lostLateReads: UInt64 = 0
    let site: Site
    var now: Instant
    var wall: WallAnchor?
    /// Anchors that `wall` has replaced, the newest last: what happened before a step of the clock keeps the time of then.
    var earlierWalls: [WallAnchor] = []
    var scratch = SessionOutput()
    var pending: [UInt64: [PendingAnswer]] = [:]
    /// Decisions that are not answered yet.
    var openTickets: Set<UInt64> = []
    /// The ticket that the next decision gets.
    public internal(set) var nextTicket: UInt64
    /// What was learned is saved now and then without a decision, under tickets of its own: a replay may have nothing to save then, and
    /// gives its decisions the same tickets all the same.
    var nextLearningTicket = Self.firstLearningTicket
    static let firstLearningTicket: UInt64 = 1 << 62
    /// Counts the images of the store that were decided on; a commit of an older one must not be stored.
    public internal(set) var generation: UInt64
    /// A commit failed and the image was not loaded again yet: nothing can be decided.
    public internal(set) var isStale = false
    var recentTags = RecentTags()
    /// What is due cannot be said at present: not before this is it tried again.
    var remindersPaused: Instant?
    /// When provisional facts that no station will come back to are made final; nil: there are none.
    var settlingTime: Instant?
    var learning = Learning()
    /// Commands that let somebody in and are on their way to the disk, by ticket.
    var admissions: [UInt64: Admission] = [:]
    /// Decisions shown in maintenance that a later word confirms; the newest last.
    var tested: [TestedDecision] = []
    let gatesByDevice: [[Int]]
    let putawaysByDevice: [[Int]]
    let dwellsByDevice: [[Int]]
    let gatesByBadgeReader: [[Int]]
    let putawaysByBadgeReader: [[Int]]
    /// By what looks into them, and by what watches their doors.
    let cabinetsByDevice: [[Int]]
    let cabinetsByBadgeReader: [[Int]]

    /// Feedback comes after the commit; when that takes longer than this, the person is told that nothing is recorded.
    public static let feedbackDeadline = Instant.Span.seconds(2)
    /// How long after that a person may still stand there to hear that it was recorded after all.
    static let lateFeedback = Instant.Span.seconds(8)
    /// After a start it is so long until what was provisional before is made final: a tag that is seen meanwhile has the newer word.
    public static let settlingDelay = Instant.Span.seconds(5)
    /// Crossings and late reads kept for another try while the store cannot take them.
    public static let maximumUnrecorded = 1_000
    /// Of these, late reads: they must not take the places of crossings.
    static let maximumUnrecordedLate = 40

    /// One device of the site and the session that steers it.
    public struct DeviceSlot: Sendable {
        public let name: String
        /// nil until a profile was found and the device was opened once.
        public internal(set) var session: (any DeviceSteering)?
        /// What the session was made from.
        var program: DeviceProgram?
        public internal(set) var state = DeviceState.absent(reason: "not opened")
        /// What to look at next, should it not do what it should.
        public var advice: DeviceAdvice? {
            guard let session, let program else { return nil }
            return DeviceAdvice(session, program: program)
        }
        /// When the state last changed.
        public internal(set) var since: Instant
        /// When something was read last.
        public internal(set) var lastReading: Instant?
        /// Reads that the reader had kept while nobody listened.
        public internal(set) var lateReads: UInt64 = 0
    }

    struct PendingAnswer: Hashable, Sendable {
        var station: String
        var feedback: Feedback
        var deadline: Instant
        var wasTold = false
        var retry: Unrecorded?

        /// Nobody stands there any more, or ever did.
        static func unheard(at station: String, retry: Unrecorded?) -> PendingAnswer {
            PendingAnswer(station: station, feedback: .accepted, deadline: Instant(nanoseconds: .min / 2), wasTold: true, retry: retry)
        }
    }

    /// Somebody whom a command lets in.
    struct Admission: Hashable, Sendable {
        var station: String
        var party: Proposal.CabinetParty
        var asked: Instant
    }

    /// A proposal whose commit failed, with the time at which it happened.
    public struct Unrecorded: Hashable, Sendable {
        public var proposal: Proposal
        public var time: WallTime
        /// When it was to be decided.
        public var recorded: WallTime
        /// The same by the clock that is never set: what came first is decided first.
        public var since: Instant
        /// The number of the last event that was made of it; 0: it was never decided.
        public var lastSequence: Int64 = 0
    }

    /// - Parameters:
    ///   - generation: that of the engine before, when this one takes over from it.
    ///   - nextTicket: likewise.
    public init(
        site: Site, epoch: UInt64, state: LedgerState = LedgerState(), master: MasterData = MasterData(), startingAt start: Instant,
        generation: UInt64 = 1, nextTicket: UInt64 = 1
    ) {
        self.site = site
        self.nextTicket = nextTicket
        self.generation = generation
        ledger = Ledger(site: site, epoch: epoch, state: state, master: master)
        now = start
        devices = site.devices.map { DeviceSlot(name: $0.name, session: nil, since: start) }
        var gateIndex: [[Int]] = Array(repeating: [], count: site.devices.count)
        var putawayIndex = gateIndex
        var dwellIndex = gateIndex
        var gateBadges = gateIndex
        var putawayBadges = gateIndex
        var cabinetIndex = gateIndex
        var cabinetBadges = gateIndex
        func note(_ names: [String], _ station: Int, in list: inout [[Int]]) {
            for name in Set(names).sorted() { if let index = site.deviceIndex(named: name) { list[Int(index.rawValue)].append(station) } }
        }
        for station in site.stations {
            switch station.kind {
            case .gate(let gate):
                note(gate.antennas.map(\.device), gates.count, in: &gateIndex)
                note(gate.badgeReaders, gates.count, in: &gateBadges)
                gates.append(
                    GateStation(
                        name: station.name, settings: gate, index: site.deviceIndex(named:), learned: state.learned(by: station.name),
                        startingAt: start))
            case .putaway(let putaway):
                note(putaway.scanners, putaways.count, in: &putawayIndex)
                note(putaway.badgeReaders, putaways.count, in: &putawayBadges)
                putaways.append(PutawayStation(name: station.name, settings: putaway))
            case .dwell(let dwell):
                note(dwell.readers, dwells.count, in: &dwellIndex)
                var place = DwellStation(
                    name: station.name, settings: dwell, index: site.deviceIndex(named:), learned: state.learned(by: station.name),
                    startingAt: start)
                place.pause(state.modes[station.name] == .paused, at: start)
                dwells.append(place)
            case .cabinet(let cabinet):
                note(cabinet.readers + [cabinet.door.device], cabinets.count, in: &cabinetIndex)
                note(cabinet.badgeReaders, cabinets.count, in: &cabinetBadges)
                var box = CabinetStation(
                    name: station.name, settings: cabinet, index: site.deviceIndex(named:), learned: state.learned(by: station.name),
                    startingAt: start)
                if state.modes[station.name] == .paused { _ = box.reset(isPaused: true, at: start) }
                cabinets.append(box)
            }
        }
        gatesByDevice = gateIndex
        putawaysByDevice = putawayIndex
        dwellsByDevice = dwellIndex
        gatesByBadgeReader = gateBadges
        putawaysByBadgeReader = putawayBadges
        cabinetsByDevice = cabinetIndex
        cabinetsByBadgeReader = cabinetBadges
        if ledger.hasOrphans { settlingTime = start + Self.settlingDelay }
    }

    /// When `advance` must be called next, at the latest.
    public var nextDeadline: Instant? {
        var earliest: Instant?
        func consider(_ deadline: Instant?) {
            guard let deadline else { return }
            earliest = earliest.map { min($0, deadline) } ?? deadline
        }
        for index in devices.indices { consider(devices[index].session?.nextDeadline) }
        for index in gates.indices { consider(gates[index].nextDeadline) }
        for index in putaways.indices { consider(putaways[index].nextDeadline) }
        for index in dwells.indices { consider(dwells[index].nextDeadline) }
        for index in cabinets.indices { consider(cabinets[index].nextDeadline) }
        consider(settlingTime)
        consider(reminderDeadline)
        consider(learning.deadline)
        for answers in pending.values { for answer in answers where !answer.wasTold { consider(answer.deadline) } }
        return earliest
    }

    /// Lets time come to `now`, stopping at every deadline on the way.
    public mutating func advance(to now: Instant, into output: inout EngineOutput) {
        // A deadline that its owner does not move would stop the loop for ever; no honest run has so many at one instant.
        var remaining = 100_000
        while let deadline = nextDeadline, deadline <= now, remaining > 0 {
            remaining -= 1
            self.now = max(self.now, deadline)
            step(into: &output)
        }
        self.now = max(self.now, now)
    }

    private mutating func step(into output: inout EngineOutput) {
        for index in devices.indices {
            guard let deadline = devices[index].session?.nextDeadline, deadline <= now else { continue }
            devices[index].session?.advance(to: now, into: &scratch)
            drain(DeviceIndex(UInt16(index)), into: &output)
        }
        for index in gates.indices {
            guard let deadline = gates[index].nextDeadline, deadline <= now else { continue }
            let result = gates[index].advance(to: now) { ledger.known($0) }
            take(result, station: gates[index].name, into: &output)
        }
        for index in putaways.indices {
            guard let deadline = putaways[index].nextDeadline, deadline <= now else { continue }
            let result = putaways[index].advance(to: now)
            take(result, station: putaways[index].name, into: &output)
        }
        for index in dwells.indices {
            guard let deadline = dwells[index].nextDeadline, deadline <= now else { continue }
            let result = dwells[index].advance(to: now)
            take(result, station: dwells[index].name, into: &output)
        }
        for index in cabinets.indices {
            guard let deadline = cabinets[index].nextDeadline, deadline <= now else { continue }
            let result = cabinets[index].advance(to: now) { ledger.known($0) }
            take(result, station: cabinets[index].name, into: &output)
        }
        if let time = settlingTime, time <= now { settle(into: &output) }
        if let time = reminderDeadline, time <= now { remind(into: &output) }
        if let deadline = learning.deadline, deadline <= now { saveLearned(into: &output) }
        for ticket in pending.keys.sorted() {
            for index in pending[ticket, default: []].indices {
                guard let answer = pending[ticket]?[index], !answer.wasTold, answer.deadline <= now else { continue }
                pending[ticket]?[index].wasTold = true
                give(.notRecorded, at: answer.station, into: &output)
            }
        }
    }
}

import Identifiers
import Presence
import Readings
import Simulation
import SiteConfiguration
import Stations

/// The gate of this product, driven as the engine drives it: arrivals, badges and reader states in the order of time, deadlines met
/// exactly, and the records moved by what the gate proposes.
struct OurMethod: GateMethod {
    let name: String
    /// Where the gate believes its antennas to be, when they are elsewhere.
    private let believed: GateLayout?
    /// The gate hears when the reader stops and starts.
    private let isToldOutages: Bool

    init(_ name: String = "Stockgate", believing believed: GateLayout? = nil, isToldOutages: Bool = true) {
        self.name = name
        self.believed = believed
        self.isToldOutages = isToldOutages
    }

    func decide(_ run: GateRun) -> [ScoredDecision] {
        var driver = GateDriver(layout: believed ?? run.layout, truth: run.truth)
        var changes = isToldOutages ? run.changes[...] : []
        var badges = run.badges[...]
        func before(_ time: Instant) {
            while true {
                let (change, badge) = (changes.first, badges.first)
                if let change, change.time <= time, badge.map({ change.time <= $0.time }) ?? true {
                    driver.take(change)
                    changes.removeFirst()
                } else if let badge, badge.time <= time {
                    driver.take(badge)
                    badges.removeFirst()
                } else {
                    return
                }
            }
        }
        for timed in run.arrivals {
            before(timed.time)
            driver.take(timed)
        }
        before(Instant(nanoseconds: .max))
        return driver.finished()
    }
}

/// One gate at work, and the last word of each of its decisions.
struct GateDriver {
    private var station: GateStation
    private var records: Records
    private let badges: Set<String>
    private let end: Instant
    /// By tag and visit, in the order of the first word.
    private var order: [Key] = []
    private var words: [Key: Word] = [:]
    /// What stands proposed, by the number of the decision.
    private var proposed: [UInt64: Proposal.Crossing] = [:]
    /// Where the records had a tool before a crossing moved it.
    private var before: [UInt64: [EPC: GateSide?]] = [:]

    private struct Key: Hashable {
        var epc: EPC
        var visit: UInt64
    }

    private struct Word {
        var sighting: Sighting
        /// When a passage was first told, and when the word was final.
        var provisional: Instant?
        var lastReadThen: Instant?
        var final: Instant?
        /// Where the records had the tool when the visit was judged first.
        var recorded: GateSide?
    }

    private static let device = "reader"

    init(layout: GateLayout, truth: Truth) {
        let antennas = layout.antennas.map {
            Site.Gate.Antenna(device: Self.device, port: $0.port, side: $0.side, placement: $0.placement)
        }
        station = GateStation(
            name: truth.station, settings: Site.Gate(antennas: antennas, badgeReaders: ["badge"]),
            index: { $0 == Self.device ? DeviceIndex(0) : nil }, startingAt: .zero)
        station.deviceChanged(DeviceIndex(0), isReading: true, at: .zero)
        records = Records(truth)
        badges = Set(truth.people.map(\.badge))
        end = .zero + truth.duration
    }

    mutating func take(_ change: ReaderChange) {
        advance(to: change.time)
        station.deviceChanged(DeviceIndex(0), isReading: change.isReading, at: change.time)
    }

    mutating func take(_ badge: TimedBadge) {
        advance(to: badge.time)
        station.badge(BadgeRead(credential: badge.credential), at: badge.time)
    }

    mutating func take(_ timed: TimedRead) {
        advance(to: timed.time)
        station.observe(timed.read, from: DeviceIndex(0), at: timed.time)
    }

    private mutating func advance(to now: Instant) {
        while let deadline = station.nextDeadline, deadline <= now {
            let (records, badges) = (records, badges)
            let output = station.advance(to: deadline) { epc in
                if badges.contains(epc.hex) { return .person }
                return records[epc].map { .item(isOut: $0 == .outside) } ?? .nothing
            }
            for sighting in output.sightings { note(sighting, at: deadline) }
            for proposal in output.proposals { note(proposal) }
        }
    }

    private mutating func note(_ sighting: Sighting, at now: Instant) {
        guard sighting.kind != .appeared else { return }
        let key = Key(epc: sighting.epc, visit: sighting.visit)
        if words[key] == nil { order.append(key) }
        var word = words[key] ?? Word(sighting: sighting, recorded: records[sighting.epc])
        word.sighting = sighting
        if case .passed = sighting.kind, word.provisional == nil { (word.provisional, word.lastReadThen) = (now, sighting.last) }
        if sighting.certainty == .final { word.final = now }
        words[key] = word
    }

    /// The records follow what is proposed, as the ledger's do, and go back with what is withdrawn.
    private mutating func note(_ proposal: Proposal) {
        switch proposal.content {
        case .crossing(let crossing):
            guard let decision = crossing.decision else { return }
            withdraw(decision)
            proposed[decision] = crossing
            var former: [EPC: GateSide?] = [:]
            for tag in crossing.tags {
                former[tag.epc] = records[tag.epc]
                records.move(tag.epc, crossing.direction)
            }
            before[decision] = former
        case .retraction(let retraction): withdraw(retraction.decision)
        case .putAway, .unknownCode, .observedLate: break
        }
    }

    private mutating func withdraw(_ decision: UInt64) {
        proposed[decision] = nil
        for (epc, side) in before.removeValue(forKey: decision) ?? [:] { records.put(epc, side) }
    }

    mutating func finished() -> [ScoredDecision] {
        advance(to: end + .seconds(60))
        var carriers: [Key: (direction: Direction, badges: Set<String>)] = [:]
        for crossing in proposed.values {
            let badges = Set(crossing.badgeTags.map(\.epc.hex) + crossing.credentials)
            for tag in crossing.tags { carriers[Key(epc: tag.epc, visit: tag.visit)] = (crossing.direction, badges) }
        }
        return order.compactMap { key in
            guard let word = words[key], records.isTool(key.epc) else { return nil }
            let sighting = word.sighting
            var decision = ScoredDecision(
                epc: key.epc, verdict: .undecided, time: sighting.crossed ?? sighting.last, lastRead: sighting.last,
                provisional: word.provisional, lastReadThen: word.lastReadThen, final: word.final)
            switch sighting.kind {
            case .passed(let direction):
                // What the station does not propose nobody hears of.
                guard let carrier = carriers[key], carrier.direction == direction else { return nil }
                decision.verdict = .passed(direction)
                decision.isAgainstRecord = word.recorded == direction.side
                decision.badge = carrier.badges.count == 1 ? carrier.badges.first : nil
            case .uncertain: break
            case .unknown where sighting.firstSide != sighting.lastSide && word.provisional == nil: break
            case .stayed, .unknown, .appeared:
                // What was never said needs no taking back.
                guard word.provisional != nil else { return nil }
                decision.verdict = .retracted
            }
            return decision
        }
    }
}

import Identifiers
import Presence
import Readings
import Simulation

/// The gate of this product, driven as the engine drives it: reads and reader states in the order of time, deadlines met exactly.
struct OurMethod: GateMethod {
    let name: String

    init(_ name: String = "Stockgate") {
        self.name = name
    }

    func decide(_ run: GateRun) -> [ScoredDecision] {
        var driver = GateDriver(layout: run.layout, truth: run.truth)
        var changes = run.changes[...]
        for timed in run.reads {
            while let change = changes.first, change.time <= timed.time {
                driver.take(change)
                changes.removeFirst()
            }
            driver.take(timed)
        }
        for change in changes { driver.take(change) }
        return driver.finished()
    }
}

/// One gate at work, and the last word of each of its decisions.
struct GateDriver {
    private var presence: GatePresence
    private var records: Records
    private let indices: [UInt8: Int]
    private let badges: Set<String>
    private let end: Instant
    /// By tag and visit, in the order of the first word.
    private var order: [Key] = []
    private var words: [Key: Word] = [:]

    private struct Key: Hashable {
        var epc: EPC
        var visit: UInt64
    }

    private struct Word {
        var sighting: Sighting
        /// When a passage was first told, and when the word was final.
        var provisional: Instant?
        var final: Instant?
        /// Where the records had the tool when the visit was judged first.
        var recorded: GateSide?
    }

    init(layout: GateLayout, truth: Truth) {
        presence = GatePresence(
            antennas: layout.antennas.map { GateAntenna(side: $0.side, placement: $0.placement) }, startingAt: .zero, isReading: true)
        records = Records(truth)
        indices = Dictionary(layout.antennas.enumerated().map { ($1.port, $0) }, uniquingKeysWith: { first, _ in first })
        badges = Set(truth.people.map(\.badge))
        end = .zero + truth.duration
    }

    mutating func take(_ change: ReaderChange) {
        advance(to: change.time)
        presence.readerChanged(isReading: change.isReading, at: change.time)
    }

    mutating func take(_ timed: TimedRead) {
        advance(to: timed.time)
        if let index = indices[timed.read.antenna] { presence.observe(timed.read, antenna: index, at: timed.time) }
    }

    private mutating func advance(to now: Instant) {
        while let deadline = presence.nextDeadline, deadline <= now {
            let records = records
            let sightings = presence.advance(to: deadline) { epc in
                switch records[epc] {
                case .inside?: .inside
                case .outside?: .outside
                case nil: .unknown
                }
            }
            for sighting in sightings { note(sighting, at: deadline) }
        }
    }

    private mutating func note(_ sighting: Sighting, at now: Instant) {
        guard sighting.kind != .appeared else { return }
        let key = Key(epc: sighting.epc, visit: sighting.visit)
        if words[key] == nil { order.append(key) }
        var word = words[key] ?? Word(sighting: sighting, recorded: records[sighting.epc])
        word.sighting = sighting
        if case .passed(let direction) = sighting.kind {
            if word.provisional == nil { word.provisional = now }
            if sighting.certainty == .final { records.move(sighting.epc, direction) }
        }
        if sighting.certainty == .final { word.final = now }
        words[key] = word
    }

    mutating func finished() -> [ScoredDecision] {
        advance(to: end + .seconds(60))
        var carriers: [UInt64: Set<String>] = [:]
        for key in order where badges.contains(key.epc.hex) {
            guard let sighting = words[key]?.sighting, let group = sighting.group, case .passed = sighting.kind else { continue }
            carriers[group, default: []].insert(sighting.epc.hex)
        }
        return order.compactMap { key in
            guard let word = words[key], records.isTool(key.epc) else { return nil }
            let sighting = word.sighting
            var decision = ScoredDecision(
                epc: key.epc, verdict: .undecided, time: sighting.crossed ?? sighting.last, lastRead: sighting.last,
                provisional: word.provisional, final: word.final)
            switch sighting.kind {
            case .passed(let direction):
                decision.verdict = .passed(direction)
                decision.isAgainstRecord = word.recorded == direction.side
                let people = sighting.group.flatMap { carriers[$0] } ?? []
                decision.badge = people.count == 1 ? people.first : nil
            case .uncertain: break
            case .stayed, .unknown, .appeared:
                // What was never said needs no taking back.
                guard word.provisional != nil else { return nil }
                decision.verdict = .retracted
            }
            return decision
        }
    }
}

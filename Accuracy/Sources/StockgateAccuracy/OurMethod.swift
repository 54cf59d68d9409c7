import Identifiers
import Presence
import Readings
import Simulation

/// The gate of this product, driven as the engine drives it: reads and reader states in the order of time, deadlines met exactly.
struct OurMethod: GateMethod {
    let name = "Stockgate"

    func decide(_ run: GateRun) -> [ScoredDecision] {
        let sides = Dictionary(run.layout.antennas.map { ($0.port, $0.side) }, uniquingKeysWith: { first, _ in first })
        var records = Records(run.truth)
        var presence = GatePresence(startingAt: .zero, isReading: true)
        var decisions: [ScoredDecision] = []
        func take(_ sightings: [Sighting], at now: Instant) {
            for sighting in sightings {
                guard case .passed(let direction) = sighting.kind, records.accepts(sighting.epc, direction) else { continue }
                decisions.append(
                    ScoredDecision(
                        epc: sighting.epc, verdict: .passed(direction), time: sighting.last, lastRead: sighting.last, provisional: now,
                        final: now))
            }
        }
        func advance(to now: Instant) {
            while let deadline = presence.nextDeadline, deadline <= now { take(presence.advance(to: deadline), at: deadline) }
        }
        var changes = run.changes[...]
        for timed in run.reads {
            while let change = changes.first, change.time <= timed.time {
                advance(to: change.time)
                presence.readerChanged(isReading: change.isReading, at: change.time)
                changes.removeFirst()
            }
            advance(to: timed.time)
            if let side = sides[timed.read.antenna] { presence.observe(timed.read, side: side, at: timed.time) }
        }
        advance(to: .zero + run.truth.duration)
        return decisions
    }
}

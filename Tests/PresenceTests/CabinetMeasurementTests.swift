import Identifiers
import Readings
import TestSupport
import Testing

@testable import Presence

/// Many closes of made cabinets, against the truth. `STOCKGATE_LONG=1` runs the full number.
@Suite("Cabinet: measured over many closes")
struct CabinetMeasurementTests {
    struct Result {
        var final = CabinetScore()
        var provisional = CabinetScore()
        var provisionalUndecided = 0
        var answers: [Double] = []
        var difference: [Int: CabinetScore] = [:]
    }

    static func run(_ settings: CabinetWorld.Settings, cabinets: Int, closes: Int, seed: UInt64) -> Result {
        var result = Result()
        for cabinet in 0..<cabinets {
            var world = CabinetWorld(settings: settings, seed: seed &+ UInt64(cabinet) &* 7_919)
            var presence = CabinetPresence(isReading: true)
            var now = Instant.zero
            var truth = CabinetWorld.Close()
            var closed = now
            var leaves: Instant?
            var previous: [Int: Set<EPC>] = [:]

            func handle(_ outputs: [CabinetOutput], isCounted: Bool) -> Bool {
                var isFinal = false
                for case .report(let report) in outputs {
                    isFinal = report.certainty == .final
                    guard isCounted else { continue }
                    let (taken, returned) = (report.taken.map(\.epc), report.returned.map(\.epc))
                    if isFinal {
                        result.final.count(truth, taken: taken, returned: returned, items: settings.tools)
                    } else {
                        result.provisional.count(truth, taken: taken, returned: returned, items: settings.tools)
                        result.provisionalUndecided += report.undecided.count
                        result.answers.append(Double((now - closed).milliseconds) / 1_000)
                    }
                }
                return isFinal
            }

            for number in 0...closes {
                if number == 0 {
                    _ = presence.check(at: now)
                } else {
                    truth = world.open()
                    _ = presence.door(isOpen: true, by: "A", at: now)
                    now = now + .seconds(20)
                    _ = presence.door(isOpen: false, at: now)
                    leaves = now + .seconds(5 + Int64(Int.random(in: 0...35, using: &world.random)))
                }
                closed = now
                var rounds = 0
                var isFinal = false
                var sets: [Int: Set<EPC>] = [:]
                while !isFinal {
                    if let at = leaves, now >= at {
                        world.leave()
                        leaves = nil
                    }
                    // Between the scans nothing happens: jump to the next deadline.
                    if let deadline = presence.nextDeadline, deadline > now + .seconds(1), rounds >= 33 * settings.antennas {
                        if leaves == nil || deadline >= leaves! { world.leave(); leaves = nil }
                        now = deadline
                        isFinal = handle(presence.advance(to: now), isCounted: number > 0)
                        continue
                    }
                    let antenna = rounds % settings.antennas
                    let seen = world.round(antenna: antenna)
                    for (duration, looks) in [(1, 3), (3, 10), (10, 33)] where rounds < looks * settings.antennas {
                        sets[duration, default: []].formUnion(seen)
                    }
                    for epc in seen { presence.observe(TagRead(epc: epc, antenna: UInt8(antenna + 1)), at: now) }
                    rounds += 1
                    now = now + .milliseconds(300 / Int64(settings.antennas))
                    isFinal = handle(presence.advance(to: now), isCounted: number > 0)
                }
                for (duration, set) in sets {
                    if let before = previous[duration], number > 0 {
                        result.difference[duration, default: .init()].count(
                            truth, taken: before.subtracting(set).sorted(), returned: set.subtracting(before).sorted(),
                            items: settings.tools)
                    }
                    previous[duration] = set
                }
            }
        }
        return result
    }

    @Test("One cabinet of 30 openings: nearly all right, and each answer within 6 s")
    func few() {
        let result = Self.run(.init(), cabinets: 1, closes: 30, seed: 5)
        Self.report("bad spots 0.002", result)
        #expect(result.final.closes == 30)
        #expect(result.final.closesRight >= 28)
        #expect(result.answers.max()! <= 6)
    }

    @Test(
        "2,500 closes are entirely right in 97 of 100 at 0.2 % bad spots, and the answer comes within 6 s",
        .enabled(if: LongRuns.areAsked, "STOCKGATE_LONG is not set"), arguments: [0.0, 0.002, 0.01])
    func many(badSpots: Double) {
        let result = Self.run(.init(badSpots: badSpots), cabinets: 25, closes: 100, seed: 5)
        Self.report("bad spots \(badSpots)", result)
        #expect(result.answers.max()! <= 6)
        if badSpots <= 0.002 { #expect(result.final.closesRight * 100 >= result.final.closes * 97) }
    }

    /// Hopping alone costs nothing. Where every tag's margin shifts at every opening, one of 120 that lies at the edge falls out of
    /// reach at one opening in twenty or so, and nothing read tells it from one that was taken: 97 % is promised for places that
    /// stay as they were.
    @Test(
        "The same with channel hopping, and with margins that shift by 1.5 dB at each opening",
        .enabled(if: LongRuns.areAsked, "STOCKGATE_LONG is not set"), arguments: [(0.0, 97), (1.5, 90)])
    func stirred(stir: Double, percent: Int) {
        let result = Self.run(.init(stir: stir, hop: 2), cabinets: 10, closes: 100, seed: 99)
        Self.report("bad spots 0.002, stir \(stir) dB, hop 2 dB", result)
        #expect(result.final.closesRight * 100 >= result.final.closes * percent)
    }

    static func report(_ name: String, _ result: Result) {
        let answers = result.answers.sorted()
        print("cabinet, \(name):")
        print("  final        \(result.final.text)")
        print("  provisional  \(result.provisional.text), undecided \(result.provisionalUndecided)")
        print("  answer after p50 \(answers[answers.count / 2]) s, p95 \(answers[answers.count * 95 / 100]) s, longest \(answers.last!) s")
        for (duration, score) in result.difference.sorted(by: { $0.key < $1.key }) {
            print("  set difference \(duration) s  \(score.text)")
        }
    }
}

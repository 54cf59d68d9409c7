import Identifiers
import Readings
import Testing

@testable import Presence

@Suite("Tags that lie near the gate")
struct ResidentsTests {
    private let tag = EPC(hex: "3476451FD4000000000003E9")!

    /// After so many visits of a second, one a minute; how many of them are worth a write.
    private func residents(after visits: Int) -> (residents: Residents, writes: Int, now: Instant) {
        var residents = Residents()
        var writes = 0
        var now = Instant.zero
        for visit in 0..<visits {
            now = .zero + .seconds(Int64(visit) * 60)
            residents.stayed(tag, from: now, to: now + .seconds(1))
            writes += residents.takeChanged(at: now + .seconds(1)).count
        }
        return (residents, writes, now + .seconds(1))
    }

    @Test("The longer a tag lies there the more must speak for a crossing: twice as long, half the odds")
    func penalty() {
        func penalty(_ visits: Int) -> Double {
            let (residents, _, now) = residents(after: visits)
            return residents.penalty(of: tag, at: now)
        }
        #expect(penalty(0) == 0)
        #expect(penalty(1) > 2.2 && penalty(2) > penalty(1))
        #expect(penalty(3) == 5.4 && penalty(20) == 5.4)
        // ln 2
        #expect((penalty(80) - penalty(40) - 0.693).magnitude < 0.001)
        #expect(penalty(10_000) == 8)
    }

    @Test("It is forgotten after ten minutes, and at once when it went through")
    func forgotten() {
        var scene = residents(after: 100)
        #expect(scene.residents.penalty(of: tag, at: scene.now + .seconds(601)) == 0)
        scene.residents.crossed(tag)
        #expect(scene.residents.penalty(of: tag, at: scene.now) == 0)
        let changed = scene.residents.takeChanged(at: scene.now)
        #expect(changed == [tag])
    }

    @Test("A tag that lies there for a day costs few writes")
    func writes() {
        #expect(residents(after: 1_440).writes < 16)
    }
}

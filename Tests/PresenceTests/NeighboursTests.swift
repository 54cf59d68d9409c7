import TestSupport
import Testing

@testable import Presence

@Suite("Neighbours: who moved together")
struct NeighboursTests {
    private func judgement(_ random: inout SeededGenerator) -> Judgement {
        var judgement = Judgement()
        judgement.reads = Int(random.next() % 4)
        judgement.firstStep = 1_000_000_000 + Int(random.next() % 200)
        judgement.lastStep = judgement.firstStep + Int(random.next() % 120)
        func somewhere() -> Double { Double(random.next() % 1_000) / 1_000 * Double(judgement.lastStep - judgement.firstStep) }
        judgement.centroid = somewhere()
        (judgement.stepsInside, judgement.stepsOutside) = (Int(random.next() % 3), Int(random.next() % 3))
        (judgement.centroidInside, judgement.centroidOutside) = (somewhere(), somewhere())
        return judgement
    }

    @Test("The same companions as by comparing everybody with everybody", arguments: [1, 2, 3] as [UInt64])
    func sameAsAll(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let all = (0..<200).map { _ in judgement(&random) }
        let neighbours = Neighbours(all.enumerated().map { ($0.offset, $0.element) })
        var found = 0
        for (place, one) in all.enumerated() {
            let expected = all.indices.filter {
                $0 != place && one.reads > 0 && all[$0].reads > 0 && one.isTogether(with: all[$0])
            }
            #expect(neighbours.companions(of: one, except: place) == expected, "seed \(seed), \(place)")
            found += expected.count
        }
        #expect(found > 40)
    }

    @Test("Of thousands that come at once each has the nearest 256")
    func flood() {
        var one = Judgement()
        (one.reads, one.lastStep) = (3, 20)
        let all = (0..<5_000).map { number in
            var other = one
            other.centroid = 10 + Double(number % 100) / 1_000
            return other
        }
        let neighbours = Neighbours(all.enumerated().map { ($0.offset, $0.element) })
        let companions = neighbours.companions(of: all[50], except: 50)
        #expect(companions.count == 256 && companions == companions.sorted() && !companions.contains(50))
        #expect(companions.allSatisfy { abs($0 % 100 - 50) <= 3 })
    }

    @Test("Who has no reads has nobody")
    func nobody() {
        #expect(Neighbours([(0, Judgement())]).companions(of: Judgement()).isEmpty)
    }
}

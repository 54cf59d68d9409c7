import Identifiers
import Readings
import Testing

@testable import Stations

private let drill = EPC(hex: "3476451FD40000000000162E")!
private let saw = EPC(hex: "3476451FD40000000000162F")!
private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

/// What becomes of sightings in the order in which a gate's presence says them.
@Suite("Gate station: one word after the other")
struct GateWalksTests {
    private struct Bench {
        var walks = GateWalks()
        var badges = GateBadges()
        var said: [Proposal] = []

        /// A walk of 2 s that ends at `last`.
        mutating func see(
            _ epc: EPC, visit: UInt64, _ kind: Sighting.Kind, _ certainty: Certainty, group: UInt64 = 1, last: Int64,
            as bearer: Known = .item(isOut: false)
        ) {
            walks.take(
                Sighting(
                    epc: epc, visit: visit, certainty: certainty, kind: kind, group: group, first: at(last - 2_000), last: at(last),
                    inside: .init(reads: 20), outside: .init(reads: 20), firstSide: .inside, lastSide: .outside,
                    crossed: kind.word.hasPrefix("passed") ? at(last - 1_000) : nil), bearer: bearer)
            said = walks.proposals(of: "gate", badges: &badges, window: .seconds(15))
        }

        var crossings: [Proposal.Crossing] {
            said.compactMap { if case .crossing(let crossing) = $0.content { crossing } else { nil } }
        }

        var withdrawn: [UInt64] {
            said.compactMap { if case .retraction(let retraction) = $0.content { retraction.decision } else { nil } }
        }
    }

    @Test("What is final is not said again while others of its group are still on the way, whoever's badge is seen meanwhile")
    func finalOnce() {
        var bench = Bench()
        bench.see(drill, visit: 1, .passed(.in), .provisional, last: 3_000)
        bench.see(saw, visit: 2, .passed(.out), .provisional, last: 4_200)
        let back = bench.crossings
        bench.see(drill, visit: 1, .passed(.in), .final, last: 3_000)
        #expect(bench.crossings.map(\.direction) == [.in])
        #expect(bench.crossings.first?.certainty == .final)
        let person = EPC(hex: "2D76451FD4499602D2000000")!
        bench.see(person, visit: 3, .passed(.out), .provisional, last: 4_100, as: .person)
        #expect(!bench.crossings.contains { $0.tags.map(\.epc).contains(drill) })
        bench.see(saw, visit: 2, .passed(.out), .final, last: 4_200)
        #expect(bench.crossings.map { $0.tags.map(\.epc) } == [[saw]])
        #expect(bench.crossings.first?.decision == back.first?.decision)
        #expect(bench.withdrawn.isEmpty)
    }

    @Test(
        "A tag that is bound to something else between the two words: what was said of the tool is withdrawn",
        arguments: [
            Known.product, .location, .person,
        ])
    func rebound(to bearer: Known) {
        var bench = Bench()
        bench.see(drill, visit: 1, .passed(.out), .provisional, last: 3_000)
        let decision = bench.crossings.first?.decision
        bench.see(drill, visit: 1, .passed(.out), .final, last: 3_000, as: bearer)
        #expect(bench.crossings.isEmpty)
        #expect(bench.withdrawn == [decision])
    }

    @Test("A badge that served what did not happen serves what happens then")
    func released() {
        var bench = Bench()
        bench.badges.take("77", at: at(1_000), window: .seconds(15))
        bench.see(drill, visit: 1, .passed(.out), .provisional, last: 5_000)
        #expect(bench.crossings.first?.credentials == ["77"])
        bench.see(drill, visit: 1, .stayed, .final, last: 9_000)
        #expect(bench.withdrawn.count == 1)
        bench.see(drill, visit: 2, .passed(.out), .provisional, group: 2, last: 14_000)
        #expect(bench.crossings.first?.credentials == ["77"])
    }

    @Test("Who went without a badge may hold it within 3 s; later it is the next person's")
    func tooLate() {
        var bench = Bench()
        bench.see(drill, visit: 1, .passed(.out), .provisional, last: 5_000)
        bench.badges.take("next", at: at(8_100), window: .seconds(15))
        bench.see(drill, visit: 1, .passed(.out), .final, last: 5_000)
        #expect(bench.crossings.first?.credentials == [])
        bench.see(saw, visit: 2, .passed(.out), .provisional, group: 2, last: 11_000)
        #expect(bench.crossings.first?.credentials == ["next"])
    }

    @Test("The newest badge is never the one that finds no place")
    func manyBadges() {
        var badges = GateBadges()
        for number in 0...GateBadges.maximum { badges.take("\(number)", at: at(1_000 + Int64(number)), window: .seconds(15)) }
        let used = badges.use(firstEnd: at(2_000), crossed: at(2_000), last: at(2_000), direction: .out, window: .seconds(15))
        #expect(used.count == GateBadges.maximum)
        #expect(used.last == "\(GateBadges.maximum)")
    }
}

import Identifiers
import Readings
import SiteConfiguration
import Testing

@testable import Stations

private let tool = EPC(hex: "3476451FD40000000000162E")!
private let other = EPC(hex: "3476451FD40000000000162F")!
private let badgeTag = EPC(hex: "2D76451FD4499602D2000000")!
private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

@Suite("Gate station: episodes from sightings")
struct GateStationTests {
    private func gate() -> GateStation {
        var gate = GateStation(
            name: "gate",
            settings: .init(
                antennas: [.init(device: "uhf", port: 1, side: .inside), .init(device: "uhf", port: 2, side: .outside)],
                badgeReaders: ["badge"]),
            index: { $0 == "uhf" ? DeviceIndex(0) : nil }, startingAt: .zero)
        gate.deviceChanged(DeviceIndex(0), isReading: true, at: .zero)
        return gate
    }

    private func walk(_ gate: inout GateStation, _ epc: EPC, from start: Int64, ports: [UInt8], reads: Int = 6) {
        for (leg, port) in ports.enumerated() {
            for read in 0..<reads {
                gate.observe(TagRead(epc: epc, antenna: port), from: DeviceIndex(0), at: at(start + Int64(leg * reads + read) * 50))
            }
        }
    }

    private func proposals(_ gate: inout GateStation, known: (EPC) -> Known = { _ in .item(isOut: false) }) -> [Proposal] {
        var proposals: [Proposal] = []
        while let deadline = gate.nextDeadline { proposals += gate.advance(to: deadline, known: known).proposals }
        return proposals
    }

    private func crossing(_ proposal: Proposal?) -> Proposal.Crossing? {
        if case .crossing(let crossing) = proposal?.content { crossing } else { nil }
    }

    @Test("Tools that went together with a badge are one proposal")
    func group() {
        var gate = gate()
        gate.badge(BadgeRead(credential: "77"), at: at(500))
        walk(&gate, tool, from: 1_000, ports: [1, 2])
        walk(&gate, other, from: 1_200, ports: [1, 2])
        let proposals = proposals(&gate)
        #expect(proposals.count == 1)
        let crossing = crossing(proposals.first)
        #expect(crossing?.direction == .out)
        #expect(crossing?.tags.map(\.epc) == [tool, other])
        #expect(crossing?.credentials == ["77"])
    }

    @Test("Two walks apart are two proposals, and a badge serves only the first")
    func badgeServesOneWalk() {
        var gate = gate()
        gate.badge(BadgeRead(credential: "77"), at: at(500))
        walk(&gate, tool, from: 1_000, ports: [1, 2])
        let first = proposals(&gate)
        walk(&gate, other, from: 8_000, ports: [1, 2])
        let second = proposals(&gate)
        #expect(crossing(first.first)?.credentials == ["77"])
        #expect(crossing(second.first)?.credentials == [])
    }

    @Test("A badge held up after the walk counts while the walk is open; an old one does not")
    func badgeWindow() {
        var gate = gate()
        walk(&gate, tool, from: 1_000, ports: [1, 2])
        gate.badge(BadgeRead(credential: "late"), at: at(2_500))
        #expect(crossing(proposals(&gate).first)?.credentials == ["late"])
        gate.badge(BadgeRead(credential: "old"), at: at(10_000))
        walk(&gate, other, from: 31_000, ports: [1, 2])
        #expect(crossing(proposals(&gate).first)?.credentials == [])
    }

    @Test("A tag of a person is the badge, not a tool")
    func badgeTags() {
        var gate = gate()
        walk(&gate, tool, from: 1_000, ports: [1, 2])
        walk(&gate, badgeTag, from: 1_000, ports: [1, 2])
        let crossing = crossing(proposals(&gate) { $0 == badgeTag ? .person : .item(isOut: false) }.first)
        #expect(crossing?.tags.map(\.epc) == [tool])
        #expect(crossing?.badgeTags.map(\.epc) == [badgeTag])
    }

    @Test("A crossing against the recorded state needs strong evidence")
    func stateCheck() {
        var weak = gate()
        walk(&weak, tool, from: 1_000, ports: [1, 2], reads: 3)
        #expect(proposals(&weak) { _ in .item(isOut: true) }.isEmpty)
        #expect(weak.weakContradictions == 1)
        var strong = gate()
        walk(&strong, tool, from: 1_000, ports: [1, 2], reads: 4)
        #expect(proposals(&strong) { _ in .item(isOut: true) }.count == 1)
    }

    @Test("Out and in at the same time are two proposals")
    func opposite() {
        var gate = gate()
        walk(&gate, tool, from: 1_000, ports: [1, 2])
        walk(&gate, other, from: 1_000, ports: [2, 1])
        let directions = proposals(&gate) { $0 == other ? .item(isOut: true) : .item(isOut: false) }.compactMap { crossing($0)?.direction }
        #expect(directions == [.out, .in])
    }

    @Test("A reader that falls silent in the middle of a walk leaves an uncertain passage, never a loan")
    func outage() {
        var gate = gate()
        walk(&gate, tool, from: 1_000, ports: [1, 2])
        walk(&gate, other, from: 1_000, ports: [1])
        gate.deviceChanged(DeviceIndex(0), isReading: false, at: at(1_700))
        let proposals = proposals(&gate)
        #expect(crossing(proposals.first)?.tags == [])
        #expect(crossing(proposals.first)?.uncertain.map(\.epc) == [tool])
    }

    @Test("A tag that hangs near the gate for minutes does not borrow in the name of who passed long before")
    func residentTag() {
        var gate = gate()
        for time in stride(from: Int64(0), to: 70_000, by: 1_000) {
            gate.observe(TagRead(epc: tool, antenna: 1), from: DeviceIndex(0), at: at(time))
        }
        gate.badge(BadgeRead(credential: "77"), at: at(10_000))
        walk(&gate, tool, from: 70_000, ports: [1, 2])
        #expect(crossing(proposals(&gate).first)?.credentials == [])
    }

    @Test("Who walks has their own badge, not that of the next person who holds one already")
    func nextPerson() {
        var gate = gate()
        gate.badge(BadgeRead(credential: "li"), at: at(900))
        walk(&gate, tool, from: 1_000, ports: [1, 2])
        gate.badge(BadgeRead(credential: "han"), at: at(3_000))
        var found: [Proposal.Crossing] = []
        while let deadline = gate.nextDeadline, deadline <= at(4_700) {
            found += gate.advance(to: deadline) { _ in .item(isOut: false) }.proposals.compactMap(crossing)
        }
        walk(&gate, other, from: 4_700, ports: [1, 2])
        found += proposals(&gate).compactMap(crossing)
        #expect(found.map(\.credentials) == [["li"], ["han"]])
    }

    @Test("A badge left over from somebody who took nothing does not beat the carrier's own, held right after the walk")
    func leftOverBadge() {
        var gate = gate()
        gate.badge(BadgeRead(credential: "left over"), at: at(0))
        walk(&gate, tool, from: 10_000, ports: [1, 2])
        gate.badge(BadgeRead(credential: "own"), at: at(11_200))
        #expect(crossing(proposals(&gate).first)?.credentials == ["left over", "own"])
    }

    @Test("Two people whose walks overlap are both named, however far apart their badges")
    func overlappingWalks() {
        var gate = gate()
        gate.badge(BadgeRead(credential: "a"), at: at(0))
        walk(&gate, tool, from: 13_400, ports: [1, 2])
        gate.badge(BadgeRead(credential: "b"), at: at(13_500))
        walk(&gate, other, from: 14_100, ports: [1, 1, 2])
        #expect(crossing(proposals(&gate).first)?.credentials == ["a", "b"])
    }

    @Test("Who only brings something back leaves the badge of the next person alone")
    func returnKeepsBadge() {
        var gate = gate()
        walk(&gate, tool, from: 1_000, ports: [2, 1])
        gate.badge(BadgeRead(credential: "han"), at: at(3_500))
        while let deadline = gate.nextDeadline, deadline <= at(5_000) { _ = gate.advance(to: deadline) { _ in .item(isOut: true) } }
        walk(&gate, other, from: 5_000, ports: [1, 2])
        #expect(crossing(proposals(&gate) { _ in .item(isOut: false) }.last)?.credentials == ["han"])
    }

    @Test("With one of two readers down, what the other sees pass is uncertain, not forgotten")
    func oneOfTwoReaders() {
        var gate = GateStation(
            name: "gate",
            settings: .init(
                antennas: [
                    .init(device: "a", port: 1, side: .inside), .init(device: "a", port: 2, side: .outside),
                    .init(device: "b", port: 1, side: .inside),
                ]), index: { $0 == "a" ? DeviceIndex(0) : DeviceIndex(1) }, startingAt: .zero)
        gate.deviceChanged(DeviceIndex(0), isReading: true, at: .zero)
        gate.deviceChanged(DeviceIndex(1), isReading: true, at: .zero)
        gate.deviceChanged(DeviceIndex(1), isReading: false, at: at(1_000))
        #expect(!gate.isReading)
        walk(&gate, tool, from: 30_000, ports: [1, 2])
        let crossing = crossing(proposals(&gate).first)
        #expect(crossing?.tags == [])
        #expect(crossing?.uncertain.map(\.epc) == [tool])
    }

    @Test("A gate that must end says what it can of walks under way")
    func finish() {
        var gate = gate()
        walk(&gate, tool, from: 1_000, ports: [1, 2])
        walk(&gate, other, from: 1_000, ports: [1])
        let output = gate.finish { _ in .item(isOut: false) }
        #expect(crossing(output.proposals.first)?.uncertain.map(\.epc) == [tool])
        #expect(gate.nextDeadline == nil)
    }

    @Test("Antennas without a side are counted")
    func strangePort() {
        var gate = gate()
        gate.observe(TagRead(epc: tool, antenna: 9), from: DeviceIndex(0), at: at(0))
        gate.observe([Reading.tag(TagRead(epc: tool, antenna: 0))][...], from: DeviceIndex(0), at: at(0))
        gate.observe([Reading.tag(TagRead(epc: tool, antenna: 1))][...], from: DeviceIndex(5), at: at(0))
        #expect(gate.readsWithoutSide == 3)
    }
}

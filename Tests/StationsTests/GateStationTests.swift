import Identifiers
import Readings
import SiteConfiguration
import TestSupport
import Testing

@testable import Stations

private let tool = EPC(hex: "3476451FD40000000000162E")!
private let other = EPC(hex: "3476451FD40000000000162F")!
private let badgeTag = EPC(hex: "2D76451FD4499602D2000000")!
private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

@Suite("Gate station: episodes from sightings")
struct GateStationTests {
    private func gate(_ geometry: Site.Gate.Geometry = .angled) -> GateStation {
        var gate = GateStation(
            name: "gate",
            settings: .init(
                antennas: [.init(device: "uhf", port: 1, side: .inside), .init(device: "uhf", port: 2, side: .outside)],
                badgeReaders: ["badge"], geometry: geometry),
            index: { $0 == "uhf" ? DeviceIndex(0) : nil }, startingAt: .zero)
        gate.deviceChanged(DeviceIndex(0), isReading: true, at: .zero)
        return gate
    }

    /// Somebody walks past the antennas for 1.8 s; ports [1, 2]: out, [2, 1]: in, [1]: comes near inside and is heard there only.
    private func walk(_ gate: inout GateStation, _ epc: EPC, from start: Int64, ports: [UInt8]) {
        let ends = ports == [2, 1] ? (1.4, -1.4) : (-1.4, ports.contains(2) ? 1.4 : -0.5)
        let path = [(milliseconds: start, x: ends.0), (milliseconds: start + 1_800, x: ends.1)]
        for read in WalkedReads.along(path, antennas: [-0.6, 0.6]) where ports.contains(UInt8(read.antenna + 1)) {
            let tag = TagRead(epc: epc, antenna: UInt8(read.antenna + 1), rssi: read.rssi)
            gate.observe(tag, from: DeviceIndex(0), at: at(read.milliseconds))
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
        #expect(proposals.count == 2)
        let crossing = crossing(proposals.first)
        #expect(crossing?.certainty == .provisional)
        #expect(self.crossing(proposals.last)?.certainty == .final)
        #expect(self.crossing(proposals.last)?.decision == crossing?.decision)
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

    @Test("A clear crossing against the recorded state is proposed as it was seen")
    func stateCheck() {
        var gate = gate(.pedestal)
        // Each antenna hears it well in its turn, for 1.9 s.
        for read in Int64(0)..<60 {
            let (port, nearest): (UInt8, Int64) = read % 2 == 0 ? (1, 24) : (2, 36)
            let distance = abs(read - nearest)
            guard distance < 24 else { continue }
            let tag = TagRead(epc: tool, antenna: port, rssi: Int16(-4_800 - 70 * distance))
            gate.observe(tag, from: DeviceIndex(0), at: at(1_000 + read * 40))
        }
        let proposals = proposals(&gate) { _ in .item(isOut: true) }
        #expect(proposals.compactMap { crossing($0)?.direction } == [.out, .out])
    }

    @Test("Who comes back at once has taken nothing: the crossing is withdrawn")
    func withdrawn() {
        var gate = gate()
        walk(&gate, tool, from: 1_000, ports: [1, 2])
        var found: [Proposal] = []
        while let deadline = gate.nextDeadline, deadline <= at(5_500) {
            found += gate.advance(to: deadline) { _ in .item(isOut: false) }.proposals
        }
        walk(&gate, tool, from: 5_500, ports: [2, 1])
        found += proposals(&gate) { _ in .item(isOut: true) }
        #expect(found.count == 2)
        let decision = crossing(found.first)?.decision
        #expect(decision != nil)
        if case .retraction(let retraction) = found.last?.content {
            #expect(retraction.decision == decision)
        } else {
            Issue.record("not withdrawn: \(found)")
        }
    }

    @Test("Two people right behind each other have what they carry")
    func bearers() {
        let (second, third) = (EPC(hex: "2D76451FD4499602D2000001")!, EPC(hex: "3476451FD400000000001630")!)
        var gate = gate()
        for (tag, start) in [(badgeTag, 1_050), (tool, 1_000), (second, 1_950), (other, 1_900), (third, 1_980)] {
            walk(&gate, tag, from: Int64(start), ports: [1, 2])
        }
        let found = proposals(&gate) { [badgeTag, second].contains($0) ? .person : .item(isOut: false) }.compactMap(crossing)
        let final = found.filter { $0.certainty == .final }
        #expect(final.map { $0.tags.map(\.epc) } == [[tool], [other, third]])
        #expect(final.map { $0.badgeTags.map(\.epc) } == [[badgeTag], [second]])
    }

    @Test("A badge on the chest is heard before the tool on the back, and is its bearer's all the same")
    func chestAndBack() {
        var gate = gate()
        walk(&gate, badgeTag, from: 1_000, ports: [1, 2])
        walk(&gate, tool, from: 1_600, ports: [1, 2])
        let found = proposals(&gate) { $0 == badgeTag ? .person : .item(isOut: false) }.compactMap(crossing)
        #expect(found.allSatisfy { $0.badgeTags.map(\.epc) == [badgeTag] })
        #expect(found.last?.tags.map(\.epc) == [tool])
        #expect(Set(found.map(\.decision)).count == 1)
    }

    @Test("Who goes the other way, or comes long after, carried nothing of it; a badge glimpsed for a moment at the right time did")
    func otherBearers() {
        for (start, ports, isBearer) in [
            (Int64(1_000), [UInt8(2), 1], false), (4_500, [1, 2], false), (1_000, [1, 2], true), (1_000, [1], true),
        ] {
            var gate = gate()
            walk(&gate, tool, from: 1_000, ports: [1, 2])
            walk(&gate, badgeTag, from: start, ports: ports)
            let found = proposals(&gate) { $0 == badgeTag ? .person : .item(isOut: false) }.compactMap(crossing)
            #expect(found.last { $0.certainty == .final }?.badgeTags.isEmpty == !isBearer, "\(start) \(ports)")
        }
    }

    @Test("Two bearers who fit a tool equally well are both named")
    func tie() {
        let second = EPC(hex: "2D76451FD4499602D2000001")!
        var gate = gate()
        for (tag, start) in [(badgeTag, 1_000), (tool, 1_100), (second, 1_000)] { walk(&gate, tag, from: Int64(start), ports: [1, 2]) }
        let found = proposals(&gate) { [badgeTag, second].contains($0) ? .person : .item(isOut: false) }.compactMap(crossing)
        #expect(found.last?.badgeTags.map(\.epc) == [badgeTag, second])
    }

    @Test("A read that comes late belongs to its visit while that is open, and is told as late otherwise")
    func lateReads() {
        var gate = gate()
        let base: UInt64 = 1_700_000_000_000_000
        func read(_ milliseconds: Int64, port: UInt8, delay: Int64) {
            let time = base + UInt64(milliseconds) * 1_000
            gate.observe(
                TagRead(epc: tool, antenna: port, rssi: -5_500, readerTime: time), from: DeviceIndex(0), at: at(milliseconds + delay))
        }
        read(1_000, port: 1, delay: 5)
        read(1_200, port: 1, delay: 5)
        read(1_100, port: 2, delay: 3_000)
        #expect(gate.openVisits == 1)
        var output = StationOutput()
        while let deadline = gate.nextDeadline { output = gate.advance(to: deadline) { _ in .item(isOut: false) } }
        #expect(output.sightings.first?.outside.reads == 1)
        read(20_000, port: 1, delay: 4_000)
        #expect(gate.openVisits == 0)
        let told = proposals(&gate)
        if case .observedLate(let late) = told.first?.content { #expect(late.tags.map(\.epc) == [tool]) } else { Issue.record("\(told)") }
    }

    @Test("Out and in at the same time are two proposals")
    func opposite() {
        var gate = gate()
        walk(&gate, tool, from: 1_000, ports: [1, 2])
        walk(&gate, other, from: 1_000, ports: [2, 1])
        let directions = proposals(&gate) { $0 == other ? .item(isOut: true) : .item(isOut: false) }.compactMap { crossing($0)?.direction }
        #expect(directions.count == 4)
        #expect(Set(directions) == [.out, .in])
    }

    @Test("A reader that falls silent in the middle of a walk leaves an uncertain passage, never a loan")
    func outage() {
        var gate = gate()
        walk(&gate, tool, from: 1_000, ports: [1, 2])
        walk(&gate, other, from: 1_000, ports: [1])
        gate.deviceChanged(DeviceIndex(0), isReading: false, at: at(2_900))
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
        #expect(proposals(&gate).allSatisfy { crossing($0)?.credentials.contains("77") != true })
    }

    @Test("Who walks has their own badge, not that of the next person who holds one already")
    func nextPerson() {
        var gate = gate()
        gate.badge(BadgeRead(credential: "li"), at: at(900))
        walk(&gate, tool, from: 1_000, ports: [1, 2])
        gate.badge(BadgeRead(credential: "han"), at: at(4_500))
        var found: [Proposal.Crossing] = []
        while let deadline = gate.nextDeadline, deadline <= at(6_500) {
            found += gate.advance(to: deadline) { _ in .item(isOut: false) }.proposals.compactMap(crossing)
        }
        walk(&gate, other, from: 6_500, ports: [1, 2])
        found += proposals(&gate).compactMap(crossing)
        #expect(found.map { $0.tags.map(\.epc) } == [[tool], [tool], [other], [other]])
        #expect(found.map(\.credentials) == [["li"], ["li"], ["han"], ["han"]])
    }

    @Test("A badge left over from somebody who took nothing does not beat the carrier's own, held right after the walk")
    func leftOverBadge() {
        var gate = gate()
        gate.badge(BadgeRead(credential: "left over"), at: at(0))
        walk(&gate, tool, from: 10_000, ports: [1, 2])
        gate.badge(BadgeRead(credential: "own"), at: at(12_400))
        #expect(crossing(proposals(&gate).first)?.credentials == ["left over", "own"])
    }

    @Test("Two people whose walks overlap are both named, however far apart their badges")
    func overlappingWalks() {
        var gate = gate()
        gate.badge(BadgeRead(credential: "a"), at: at(1_000))
        walk(&gate, tool, from: 13_400, ports: [1, 2])
        gate.badge(BadgeRead(credential: "b"), at: at(13_500))
        walk(&gate, other, from: 14_100, ports: [1, 2])
        let found = proposals(&gate).compactMap(crossing)
        #expect(found.count == 4)
        #expect(found.allSatisfy { $0.credentials == ["a", "b"] })
    }

    @Test("Who only brings something back leaves the badge of the next person alone")
    func returnKeepsBadge() {
        var gate = gate()
        walk(&gate, tool, from: 1_000, ports: [2, 1])
        gate.badge(BadgeRead(credential: "han"), at: at(4_500))
        while let deadline = gate.nextDeadline, deadline <= at(6_000) { _ = gate.advance(to: deadline) { _ in .item(isOut: true) } }
        walk(&gate, other, from: 6_000, ports: [1, 2])
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

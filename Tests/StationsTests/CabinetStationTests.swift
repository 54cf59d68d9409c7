import Presence
import Readings
import SiteConfiguration
import Testing

@testable import Stations

/// What a whole gateway hardly ever meets; the rest stands in the table of `EngineTests`.
@Suite("Cabinet: odd moments")
struct CabinetStationTests {
    private static let reader = DeviceIndex(0)
    private static let contact = DeviceIndex(1)

    private static func cabinet(learned: [LearnedState] = [], startingAt start: Instant = .zero) -> CabinetStation {
        let settings = Site.Cabinet(
            antennas: [.init(device: "uhf")], badgeReaders: ["badge"], door: .init(device: "door", input: 0, open: .active),
            lock: .init(device: "lock"))
        let index = ["uhf": reader, "door": contact]
        var cabinet = CabinetStation(name: "cab", settings: settings, index: { index[$0] }, learned: learned, startingAt: start)
        for device in [reader, contact] { _ = cabinet.deviceChanged(device, isReading: true, at: start) }
        return cabinet
    }

    private static func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    private static func door(_ cabinet: inout CabinetStation, isOpen: Bool, at now: Instant) -> [Proposal.CabinetDoor] {
        cabinet.input(.init(line: 0, isActive: isOpen), from: contact, at: now).proposals.compactMap {
            if case .cabinetDoor(let door) = $0.content { door } else { nil }
        }
    }

    private static func refusals(_ output: StationOutput) -> [Proposal.CabinetRefusal] {
        output.proposals.compactMap { if case .cabinetRefusal(let refusal) = $0.content { refusal } else { nil } }
    }

    @Test("A contact that tells nothing until the door is open: whoever held a badge may have opened it, and so may anybody")
    func firstWordOfTheDoor() {
        var cabinet = Self.cabinet()
        #expect(cabinet.badge("11", .allowed(person: "li"), at: Self.at(1)).unlocks)
        let doors = Self.door(&cabinet, isOpen: true, at: Self.at(2))
        #expect(doors == [.init(.opened, reason: .unwatched, party: .init(people: ["li"], hasStranger: true))])
    }

    @Test("Made-up badges fill neither memory nor log")
    func manyBadges() {
        var cabinet = Self.cabinet()
        _ = Self.door(&cabinet, isOpen: false, at: .zero)
        var told = 0
        for number in 0..<1_000 { told += Self.refusals(cabinet.badge("\(number)", .unknown, at: Self.at(1))).count }
        #expect(told == CabinetStation.maximumRefusals)
        #expect(cabinet.refusals.count == CabinetStation.maximumRefusals)
        #expect(Self.refusals(cabinet.badge("1", .unknown, at: Self.at(61))).count == 1)
    }

    @Test("What a recording begins with is understood, and what nobody wrote is passed over")
    func refusalsOfARecording() {
        var live = Self.cabinet()
        _ = live.badge("31", .refused(person: "wu", rule: "blocked"), at: Self.at(10))
        var replayed = Self.cabinet(learned: live.startRows(at: Self.at(30)), startingAt: Self.at(0))
        // 20 s of 60 were over when it began.
        #expect(Self.refusals(replayed.badge("31", .refused(person: "wu", rule: "blocked"), at: Self.at(39))).isEmpty)
        #expect(
            Self.refusals(replayed.badge("31", .refused(person: "wu", rule: "blocked"), at: Self.at(40)))
                == [.init(person: "wu", reason: "blocked")])
        let hostile: [JSON] = [
            .null, 3, ["x"], [["31"]], [["31", -1]], [["31", .integer(.max)]], [["31", 1, 2]], [[31, 1]],
            .array(Array(repeating: ["31", 1], count: 10_000)),
        ]
        for value in hostile {
            let cabinet = Self.cabinet(learned: [LearnedState(name: CabinetStation.refusalsRow, value: value)])
            #expect(cabinet.refusals.count <= CabinetStation.maximumRefusals)
        }
    }

    @Test("Who was there stands in the saved row, with the command that let them in")
    func savedParty() {
        let party = Proposal.CabinetParty(
            people: ["li"], witness: "han", hasStranger: true, admission: .init(client: "uid:0 (root)", note: "filter change"))
        #expect(Proposal.CabinetParty(json: party.json) == party)
        #expect(Proposal.CabinetParty(json: .null) == Proposal.CabinetParty())
    }
}

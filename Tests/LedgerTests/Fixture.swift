import Identifiers
import Readings
import SiteConfiguration

@testable import Ledger

/// A small store with two people, some tools and shelves.
struct Fixture {
    static let drill = EPC(hex: "3476451FD400000000000001")!
    static let saw = EPC(hex: "3476451FD400000000000002")!
    static let meter = EPC(hex: "3476451FD400000000000003")!
    static let stranger = EPC(hex: "3476451FD4000000000000FF")!
    static let badgeTag = EPC(hex: "2D76451FD4499602D2000000")!
    static let liLei = PersonKey("p-li")!
    static let hanMei = PersonKey("p-han")!
    static let blocked = PersonKey("p-blocked")!
    /// 2026-11-21 10:00 in Shanghai.
    static let now = WallTime(rfc3339: "2026-11-21T10:00:00+08:00")!

    static var master: MasterData {
        var master = MasterData()
        master.version = 7
        for (key, name, isBlocked) in [(liLei, "李雷", false), (hanMei, "Han Mei", false), (blocked, "Blocked", true)] {
            master.people[key] = Person(key: key, number: nil, name: name, isBlocked: isBlocked, quota: nil)
        }
        for (key, itemClass) in [("DRILL-01", "power"), ("SAW-01", "power"), ("METER-01", "measuring")] {
            let key = ItemKey(key)!
            master.items[key] = Item(key: key, name: key.text, itemClass: itemClass, dueDays: nil, uri: nil)
        }
        master.tags = [
            drill: .item(ItemKey("DRILL-01")!), saw: .item(ItemKey("SAW-01")!), meter: .item(ItemKey("METER-01")!),
            badgeTag: .person(hanMei),
        ]
        master.credentials = ["1001": liLei, "1002": hanMei, "1003": blocked]
        let bolt = ProductKey("BOLT-M8")!
        master.products[bolt] = Product(key: bolt, name: "Bolt M8", gtin: "09506000134352")
        let shelf = LocationKey("A-01")!
        master.locations[shelf] = Location(key: shelf, name: "Shelf A 01", uri: "https://id.gs1.org/414/9521141123454/254/A-01")
        master.codes = [
            "A-01": .location(shelf), "DRILL-01": .item(ItemKey("DRILL-01")!), "https://id.gs1.org/01/09506000134352": .product(bolt),
        ]
        return master
    }

    static func site(_ policy: LoanPolicy = LoanPolicy()) -> Site {
        Site(
            gateway: .init(code: "CRIB1", site: "Works", uriPrefix: "https://example.com/sg"),
            stations: [
                .init(name: "gate", location: "A-01", kind: .gate(.init(antennas: []))),
                .init(name: "bench", kind: .putaway(.init(scanners: ["s"]))),
            ], policy: policy)
    }

    static func ledger(_ policy: LoanPolicy = LoanPolicy(), master: MasterData = master) -> Ledger {
        Ledger(site: site(policy), epoch: 0x0123_4567_89AB_CDEF, master: master)
    }

    static func sighting(_ epc: EPC, _ direction: Direction) -> Sighting {
        Sighting(
            epc: epc, kind: .passed(direction), first: .zero, last: Instant(nanoseconds: 1_500_000_000),
            inside: .init(reads: 9, strongest: -5_500),
            outside: .init(reads: 7, strongest: -6_000), firstSide: direction == .out ? .inside : .outside,
            lastSide: direction == .out ? .outside : .inside)
    }

    static func crossing(_ direction: Direction, _ tags: [EPC], badges: [String] = [], badgeTags: [EPC] = []) -> Proposal {
        Proposal(
            station: "gate",
            content: .crossing(
                .init(
                    direction: direction, tags: tags.map { sighting($0, direction) }, badgeTags: badgeTags.map { sighting($0, direction) },
                    credentials: badges)))
    }

    /// One word about a decision of the gate.
    static func word(
        _ decision: UInt64, _ certainty: Certainty, _ direction: Direction, _ tags: [EPC], badges: [String] = [], uncertain: [EPC] = []
    ) -> Proposal {
        Proposal(
            station: "gate",
            content: .crossing(
                .init(
                    direction: direction, certainty: certainty, decision: decision, tags: tags.map { sighting($0, direction) },
                    credentials: badges, uncertain: uncertain.map { sighting($0, direction) })))
    }

    static func retraction(_ decision: UInt64) -> Proposal {
        Proposal(station: "gate", content: .retraction(.init(decision: decision)))
    }

    static func putAway(_ item: String, _ location: String, badge: String? = nil, aim: String? = nil) -> Proposal {
        Proposal(
            station: "bench",
            content: .putAway(
                .init(
                    item: Scan(data: Array(item.utf8), symbology: aim.flatMap(AIMIdentifier.init)),
                    location: Scan(data: Array(location.utf8)),
                    credential: badge)))
    }
}

extension Ledger {
    /// Plans and commits.
    mutating func decide(_ proposal: Proposal, at time: WallTime = Fixture.now) -> Decision { commit(plan(proposal, at: time)) }
}

extension Event {
    /// `loan.checked_out DRILL-01 p-li` or `exception.raised no_badge`.
    var summary: String {
        switch body {
        case .checkedOut(let checkout): "\(body.type) \(checkout.item) \(checkout.person)\(checkout.permit.map { " by \($0)" } ?? "")"
        case .returned(let returned): "\(body.type) \(returned.item) \(returned.borrower)"
        case .putAway(let putAway): "\(body.type) \(putAway.subject.path) \(putAway.location)"
        case .exceptionRaised(let raised):
            "\(body.type) \(raised.kind.rawValue) \(raised.items.map(\.text).joined(separator: ",")) \(raised.candidates.map(\.text).joined(separator: ","))"
        case .crossingRetracted(let retraction): "\(body.type) (\(event(retraction.fact.body).summary))"
        default: body.type
        }
    }

    private func event(_ body: Body) -> Event {
        var event = self
        event.body = body
        return event
    }

    /// `~loan.checked_out DRILL-01 p-li` for a provisional one, `… <1` for one that corrects event 1.
    var word: String { (certainty == .provisional ? "~" : "") + summary + (corrects.map { " <\($0)" } ?? "") }
}

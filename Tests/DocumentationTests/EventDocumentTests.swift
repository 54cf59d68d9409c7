import Foundation
import Identifiers
import Readings
import SiteConfiguration
import Testing

@testable import Ledger

/// `docs/events.md` and the code say the same.
@Suite("The document of events")
struct EventDocumentTests {
    /// A member of a table: its name, and whether it is always there.
    private struct Member: Hashable {
        var name: String
        var isAlwaysThere: Bool
    }

    private static func members(_ rows: [[String]]) -> Set<Member> {
        Set(rows.flatMap { row in Document.codes(in: row[0]).map { Member(name: $0, isAlwaysThere: row[2] == "R") } })
    }

    private static func names(_ members: Set<Member>) -> Set<String> { Set(members.map(\.name)) }

    /// The names of all members at every depth, `stock.item`; what stands in lists is not looked into.
    private static func paths(_ json: JSON, below prefix: String = "") -> Set<String> {
        var paths: Set<String> = []
        for (name, value) in json.object ?? [:] {
            paths.insert(prefix + name)
            paths.formUnion(Self.paths(value, below: "\(prefix)\(name)."))
        }
        return paths
    }

    /// The section of each type, in the order of the document.
    private static func sections() throws -> [(types: [String], section: Document.Section)] {
        try Document("docs/events.md").sections.map { ($0.codes, $0) }.filter { !$0.0.isEmpty && $0.0.allSatisfy { $0.contains(".") } }
    }

    // MARK: Samples

    private static let time = WallTime(milliseconds: 1_795_250_327_224, offsetMinutes: 480, quality: .synchronised)
    private static let bootTime = WallTime(
        milliseconds: time.milliseconds, offsetMinutes: 480, quality: .synchronised, boot: BootTime(boot: 1, milliseconds: 1))
    private static let epc = EPC(hex: "3476451FD4000000000003E9")!
    private static let loan = LoanNumber(gateway: "CRIB1", epoch: 1, counter: 42)
    private static let item = ItemKey("DRILL-01")!
    private static let person = PersonKey("p-1")!
    private static let location = LocationKey("A-01")!
    private static let product = ProductKey("BOLT-M8")!

    private static let openLoan = Loan(number: loan, item: item, person: person, since: time, due: time, opened: 1)

    private static let readerTime = ReaderTime(microseconds: 1_795_250_327_224_001)

    private static func late(_ bearer: Bearer) -> Event.ObservedLate {
        .init(epc: epc, bearer: bearer, device: "uhf", antennas: AntennaPorts([1]), reads: 1, first: readerTime, last: readerTime)
    }

    private static func flagged(_ reason: Event.Flag.Reason, _ figures: JSON) -> Event.Body {
        .flagged(.init(loan: loan, item: item, borrower: person, reason: reason, figures: figures))
    }

    private static func request(isFull: Bool) -> PermitRequest {
        let day = isFull ? CivilDate("2026-11-30") : nil
        let permit = Permit(
            key: PermitKey("P-1")!, person: person, items: isFull ? [item] : [], classes: isFull ? ["meter"] : [], quantity: 1, from: day,
            until: day, due: day, purpose: isFull ? "hall 3" : nil)
        return PermitRequest(permit: permit, levels: 1, requestedBy: "uid:0 (root)", since: time)
    }

    /// For every type what it has with all members and with none that may be missing.
    private static let bodies: [Event.Body] = [
        .checkedOut(.init(loan: loan, item: item, epc: epc, person: person, permit: PermitKey("P-1"), due: time, condition: .uninspected)),
        .checkedOut(.init(loan: loan, item: item, epc: nil, person: person, permit: nil, due: time)),
        .returned(.init(loan: loan, item: item, epc: epc, borrower: person, mustBeInspected: true)),
        .returned(.init(loan: loan, item: item, epc: nil, borrower: person)),
        .reminded(.init(loan: loan, items: [item], borrower: person, step: .dueSoon, to: [.borrower], due: time)),
        .renewed(.init(loan: loan, item: item, borrower: person, due: time, count: 1)),
        .transferred(
            .init(loan: loan, item: item, fromLoan: loan, from: person, person: person, permit: PermitKey("P-1"), due: time)),
        .transferred(.init(loan: loan, item: item, fromLoan: loan, from: person, person: person, permit: nil, due: time)),
        .inspected(
            .init(
                item: item, result: .incomplete, loan: loan, borrower: person, missing: [item], photo: "1.jpg", note: "!",
                responsible: person)),
        .inspected(.init(item: item, result: .fine, loan: nil, borrower: nil, missing: [], photo: nil, note: nil, responsible: nil)),
        .lost(.init(loan: loan, item: item, borrower: person, note: "!")),
        .lost(.init(loan: loan, item: item, borrower: person, note: nil)),
        flagged(.hour, ["hour": 3, "near": 1, "loans": 120]), flagged(.rate, ["loans": 13, "bound": 12, "months": 6]),
        flagged(.sameTwoPeople, ["person": "p-2", "times": 4]),
        .found(item: item), .maintenanceDue(.init(item: item, uses: 50, hours: 212)), .serviced(item: item, note: ""),
        .permitRequested(request(isFull: true)), .permitRequested(request(isFull: false)),
        .permitApproved(permit: PermitKey("P-1")!, level: 1, levels: 2), .permitRejected(permit: PermitKey("P-1")!, note: ""),
        .permitWithdrawn(permit: PermitKey("P-1")!, note: ""),
        .putAway(.init(subject: .item(item), quantity: 1, location: location, locationURI: "urn:x", from: location)),
        .putAway(.init(subject: .product(product, lot: "L"), quantity: 1, location: location, locationURI: "urn:x", from: nil)),
        .consumed(.init(subject: .product(product, lot: "L"), quantity: 1, location: location, locationURI: "urn:x", person: person)),
        .consumed(.init(subject: .product(product, lot: nil), quantity: 1, location: location, locationURI: "urn:x", person: nil)),
        .cabinetOpened(.init(people: [person], reason: .command, client: "uid:0 (root)", note: "!")),
        .cabinetUnlocked(.init(person: person, note: "!")), .cabinetUnlocked(.init(person: nil, note: "!")),
        .cabinetRefused(.init(person: person, reason: "blocked")), .cabinetRefused(.init(person: nil, reason: "unknown_badge")),
        .cabinetOpened(.init(people: [person], reason: .badge)), .cabinetClosed(.init(people: [person], reason: .badge, milliseconds: 1)),
        .cabinetClosed(.init(people: [], reason: .forced, milliseconds: nil)),
        .exceptionRaised(
            .init(
                number: 1, kind: .noBadge, items: [item], epcs: [epc], candidates: [person], loan: loan, code: "?", direction: .out,
                owner: "storekeeper",
                deadline: time)),
        .exceptionRaised(
            .init(
                kind: .noBadge, items: [], epcs: [], candidates: [], loan: nil, code: nil, direction: nil, owner: "storekeeper",
                deadline: time)),
        .crossingRetracted(
            .init(fact: .returned(.init(loan: loan, item: item, epc: epc, borrower: person)), time: time, reopened: openLoan, replacedBy: 2)
        ),
        .crossingRetracted(
            .init(
                fact: .checkedOut(.init(loan: loan, item: item, epc: epc, person: person, permit: nil, due: time)),
                time: WallTime(milliseconds: time.milliseconds, offsetMinutes: time.offsetMinutes, quality: .unknown))),
        .exceptionAssigned(exception: 1, owner: "shift-lead"), .exceptionResolved(exception: 1, resolution: "lost", note: ""),
        .tagBound(epc: epc, bearer: .item(item)), .tagBound(epc: epc, bearer: .person(person)),
        .tagBound(epc: epc, bearer: .product(product)),
        .tagBound(epc: epc, bearer: .location(location)),
        .tagUnbound(epc: epc, bearer: .item(item)), .tagUnbound(epc: epc, bearer: .person(person)),
        .tagUnbound(epc: epc, bearer: .product(product)),
        .tagUnbound(epc: epc, bearer: .location(location)),
        .observedLate(late(.item(item))), .observedLate(late(.product(product))),
        .observedLate(late(.location(location))),
        .observedLate(.init(epc: epc, bearer: nil, device: "uhf", antennas: AntennaPorts([1]), reads: 1, first: nil, last: nil)),
        .stationModeChanged(.paused), .masterApplied(version: 1, digest: "", rows: 1),
        .clockCorrected(.init(boot: 1, first: 1, shift: 1, offset: 1, was: .unknown)),
        .clockCorrected(.init(boot: 1, first: 1, shift: 1, offset: 1, was: .unknown, isEstimate: true)),
    ]

    private static func event(_ body: Event.Body, isFull: Bool = true) -> Event {
        Event(
            sequence: 1, time: isFull ? bootTime : time, recorded: isFull ? time : nil, station: isFull ? "gate" : nil,
            episode: isFull ? "gate/1" : nil,
            actor: .gateway, subjects: [],
            place: isFull ? "urn:x" : nil, certainty: .final, corrects: isFull ? 1 : nil, masterVersion: 1, body: body, evidence: .null)
    }

    // MARK: Tests

    @Test("The types are those of the code, in its order")
    func types() throws {
        #expect(try Self.sections().flatMap(\.types) == Event.Body.types)
        #expect(Set(Self.bodies.map(\.type)) == Set(Event.Body.types))
    }

    @Test("The envelope has the members of the document")
    func envelope() throws {
        let section = try #require(Document("docs/events.md").section("Envelope"))
        let documented = Self.members(section.rows)
        func written(_ isFull: Bool) -> Set<String> {
            let json = Self.event(Self.bodies[0], isFull: isFull).json(identity: EventIdentity(prefix: 1), previousHash: "")
            return Set((json.object ?? [:]).keys)
        }
        #expect(Self.names(documented) == written(true))
        #expect(Self.names(documented.filter(\.isAlwaysThere)) == written(false))
    }

    @Test("Each type has the data members of the document", arguments: Event.Body.types)
    func data(type: String) throws {
        let section = try #require(try Self.sections().first { $0.types.contains(type) }).section
        let documented = Self.members(section.rows)
        // What a withdrawal repeats is described where it belongs.
        let nested = type == "crossing.retracted" ? ["data.", "reopened."] : []
        let samples = Self.bodies.filter { $0.type == type }.map { body in
            Self.paths(body.json).filter { path in !nested.contains { path.hasPrefix($0) } }
        }
        let first = try #require(samples.first)
        #expect(Self.names(documented) == samples.reduce(into: []) { $0.formUnion($1) })
        #expect(Self.names(documented.filter(\.isAlwaysThere)) == samples.reduce(into: first) { $0.formIntersection($1) })
    }

    @Test("The kinds of exceptions are those of the code, in its order")
    func kinds() throws {
        let section = try #require(try Self.sections().first { $0.types == ["exception.raised"] }).section
        let rows = try #require(section.tables.last)
        #expect(rows.flatMap { Document.codes(in: $0[0]) } == ExceptionKind.allCases.map(\.rawValue))
    }

    @Test("Examples are what the code writes", arguments: Event.Body.types)
    func examples(type: String) throws {
        let section = try #require(try Self.sections().first { $0.types.contains(type) }).section
        let texts = section.blocks.filter { $0.language == "json" }.flatMap {
            $0.text.split(separator: "\n{").map { $0.hasPrefix("{") ? $0 : "{" + $0 }
        }
        let examples = try texts.map { try JSON(parsing: String($0)) }.filter { $0["type"]?.string == type }
        #expect(examples.count == 1)
        for json in examples {
            let event = try Event(json: json)
            #expect(event.body.type == type)
            let digits = json["id"]?.string?.filter { $0 != "-" }.prefix(16) ?? ""
            let high = try #require(UInt64(digits, radix: 16))
            let identity = EventIdentity(prefix: (high >> 16) << 12 | high & 0xFFF)
            // Everything that is in the example comes back, and nothing else.
            #expect(event.json(identity: identity, previousHash: json["prev"]?.string ?? "") == json)
        }
    }

    @Test("Evidence has the members of the document")
    func evidence() throws {
        let section = try #require(Document("docs/events.md").section("Evidence"))
        var documented: Set<String> = []
        for row in section.rows { documented.formUnion(Document.codes(in: row[0])) }
        var written: Set<String> = ["cut"]
        for event in try EvidenceScene.events() {
            // The figures of a rule are described with the rules.
            written.formUnion(Self.paths(event.evidence).filter { !$0.hasPrefix("facts.") })
            #expect(event.evidence.canonicalBytes.count <= Event.maximumEvidenceBytes)
        }
        #expect(documented == written)
    }
}

/// Decisions of every kind that carry evidence, made by the rules themselves.
private enum EvidenceScene {
    static func events() throws -> [Event] {
        let tool = EPC(hex: "3476451FD400000000000001")!
        let other = EPC(hex: "3476451FD400000000000002")!
        let rows = [
            MasterRow(set: .people, id: "1", body: ["key": "p-li", "name": "Li"]),
            MasterRow(set: .credentials, id: "77", body: ["person": "p-li"]),
            MasterRow(set: .items, id: "DRILL", body: ["name": "Drill"]), MasterRow(set: .tags, id: tool.hex, body: ["item": "DRILL"]),
            MasterRow(set: .codes, id: "DRILL", body: ["item": "DRILL"]),
            MasterRow(set: .locations, id: "A-01", body: ["name": "Shelf", "code": "SHELF"]),
        ]
        let site = Site(
            gateway: .init(code: "CRIB1", site: "Works"),
            stations: [.init(name: "cab", location: "CAB-1", kind: .cabinet(.init(antennas: [], door: .init(device: "door"))))])
        let ledger = Ledger(site: site, epoch: 1, master: try MasterData().applying(rows))
        func sighting(_ epc: EPC, _ kind: Sighting.Kind) -> Sighting {
            Sighting(
                epc: epc, kind: kind, first: .zero, last: Instant(nanoseconds: 1_000_000), inside: .init(reads: 4, strongest: -5_000),
                outside: .init(reads: 4, strongest: -5_000), firstSide: .inside, lastSide: .outside, odds: 3_141, threshold: 847,
                grounds: Sighting.Ground.Name.allCases.map { .init($0, -1) }, isDegraded: true)
        }
        func scan(_ text: String) -> Scan { Scan(data: Array(text.utf8), symbology: AIMIdentifier("]Q3")) }
        let contents: [Proposal.Content] = [
            .crossing(.init(direction: .out, tags: [sighting(tool, .passed(.out))], credentials: ["77"])),
            .crossing(.init(direction: .out, tags: [sighting(tool, .passed(.out)), sighting(other, .passed(.out))])),
            .crossing(.init(direction: .out, tags: [], uncertain: [sighting(tool, .unknown)])),
            .crossing(.init(direction: .in, tags: [sighting(tool, .passed(.in))])),
            .putAway(.init(item: scan("DRILL"), location: scan("SHELF"))), .unknownCode(scan("?")),
            .cabinetDoor(.init(.opened, reason: .forced, party: .init(hasStranger: true))),
            .cabinetDoor(.init(.leftOpen(after: .seconds(60)), reason: .forced)),
        ]
        var shelved = ledger
        _ = shelved.commit(
            shelved.plan(
                Proposal(station: "gate", content: contents[4]), at: WallTime(milliseconds: 0, offsetMinutes: 0, quality: .unknown)))
        var added = sighting(tool, .passed(.in))
        added.looks = .init(inside: 999, seen: 4, of: 4, wasOpenBefore: true)
        let misplaced = Proposal(
            station: "cab",
            content: .cabinet(
                .init(certainty: .final, decision: 2, taken: [], added: [added], party: .init(people: ["p-li"]), isInterrupted: true)))
        let time = WallTime(milliseconds: 1_795_250_327_224, offsetMinutes: 480, quality: .synchronised)
        let refused = try ledger.plan(.reportDeadLetter(destination: "epcis", sequence: 1, reason: "no"), by: "gateway", at: time)
        let distrusted = try ledger.plan(.reportRefusedMaster(source: "erp"), by: "gateway", at: time)
        var settled = ledger
        let provisional = Proposal(
            station: "gate",
            content: .crossing(
                .init(direction: .out, certainty: .provisional, decision: 1, tags: [sighting(tool, .passed(.out))], credentials: ["77"])))
        _ = settled.commit(settled.plan(provisional, at: time))
        settled.abandon(station: nil)
        return try settled.settleOrphans(at: time).events + byRulesAndByHand(rows, contents, at: time)
            + contents.flatMap { ledger.plan(Proposal(station: "gate", content: $0), at: time).events } + refused.events
            + shelved.plan(misplaced, at: time).events
            + distrusted.events
            + (try ledger.plan(
                .reportRecovery(missing: "4-5", last: 3, setAside: "damaged", reason: "no", known: 5, acknowledged: ["erp": 5]),
                by: "gateway",
                at: time)).events
    }

    /// A walk that breaks rules, and what people do about loans.
    private static func byRulesAndByHand(_ rows: [MasterRow], _ contents: [Proposal.Content], at time: WallTime) throws -> [Event] {
        let policy = LoanPolicy(withoutPermit: .flag, hours: OpeningHours("mon 00:00-00:01"))
        let site = Site(gateway: .init(code: "CRIB1", site: "Works"), policy: policy)
        let fresh = Ledger(site: site, epoch: 1, master: try MasterData().applying(rows))
        var lent = fresh
        let walk = lent.commit(lent.plan(Proposal(station: "gate", content: contents[0]), at: time)).events
        let loan = try #require(lent.state.loans.values.first?.number)
        var unclear = fresh
        let raised = unclear.commit(unclear.plan(Proposal(station: "gate", content: contents[1]), at: time)).events
        // The first is about a tag that nobody knows.
        let number = try #require(raised.last?.sequence)
        let item = try #require(ItemKey("DRILL"))
        let person = try #require(PersonKey("p-li"))
        let commands: [(Ledger, LoanCommand)] = [
            (lent, .void(loan: loan, item: nil, note: "wrong")), (lent, .takeBack(loan: loan, item: nil)),
            (unclear, .correct(exception: number, person: person, note: "")), (fresh, .request(.init(person: person, items: [item]))),
        ]
        return try commands.reduce(into: walk + raised) { events, step in
            events += try step.0.plan(.loan(step.1), by: "uid:0 (root)", at: time).events
        }
    }
}

import Identifiers
import Ledger
import Readings
import SiteConfiguration
import Testing

@testable import Upstream

/// What people put right by hand, as the ledger says it and EPCIS declares it.
@Suite struct CorrectionTests {
    /// A crib with a gate, and the log of it.
    private struct Crib {
        var ledger: Ledger
        var log: [StoredEvent] = []
        var now = WallTime(rfc3339: "2026-11-21T10:00:00.000+08:00")!

        private static let identity = SampleEvents.identity
        private static let tags = ["DRILL": "3476451FD400000000000001", "SAW": "3476451FD400000000000002"]

        init() throws {
            var rows = Self.tags.flatMap { item, epc in
                [
                    MasterRow(
                        set: .items, id: item, body: ["name": .string(item), "uri": .string("https://id.gs1.org/8004/9521141\(item)")]),
                    MasterRow(set: .tags, id: epc, body: ["item": .string(item)]),
                ]
            }
            for (number, key) in [("1001", "p-li"), ("1002", "p-han"), ("1003", "p-zhao")] {
                rows.append(MasterRow(set: .people, id: number, body: ["key": .string(key), "name": .string(key)]))
                rows.append(MasterRow(set: .credentials, id: number, body: ["person": .string(key)]))
            }
            rows.append(
                MasterRow(set: .locations, id: "A-01", body: ["name": "A", "uri": "https://id.gs1.org/414/9521141123454/254/A-01"]))
            let site = Site(
                gateway: .init(code: "CRIB1", site: "Works", uriPrefix: "https://gateway.example.com"),
                stations: [.init(name: "gate", location: "A-01", kind: .gate(.init(antennas: [])))])
            ledger = Ledger(site: site, epoch: 0x0123_4567_89AB_CDEF, master: try MasterData().applying(rows))
        }

        mutating func walk(_ direction: Direction, _ items: [String], badge: String? = nil, after minutes: Int64 = 60) {
            now.milliseconds += minutes * 60_000
            let tags = items.compactMap { Self.tags[$0].flatMap(EPC.init(hex:)) }.map { epc in
                Sighting(
                    epc: epc, kind: .passed(direction), first: .zero, last: Instant(nanoseconds: 1_500_000_000),
                    inside: .init(reads: 9, strongest: -5_500), outside: .init(reads: 7, strongest: -6_000),
                    firstSide: direction == .out ? .inside : .outside, lastSide: direction == .out ? .outside : .inside)
            }
            let crossing = Proposal.Crossing(direction: direction, tags: tags, credentials: badge.map { [$0] } ?? [])
            take(ledger.plan(Proposal(station: "gate", content: .crossing(crossing)), at: now))
        }

        mutating func say(_ command: LoanCommand, after minutes: Int64 = 60) throws {
            now.milliseconds += minutes * 60_000
            take(try ledger.plan(.loan(command), by: "uid:1000 (anna)", at: now))
        }

        private mutating func take(_ plan: Plan) {
            log += ledger.commit(plan).events.map {
                $0.unsealed(identity: Self.identity).sealed(previousHash: String(repeating: "0", count: 64))
            }
        }

        func loan(of item: String) -> Loan? { ItemKey(item).flatMap { ledger.state.loans[$0] } }

        var types: [String] { log.compactMap { try? $0.json()["type"]?.string } }

        /// The event with a number, as a repository gets it.
        /// - Parameter hasLog: whether the log still has what it corrects.
        func mapped(_ number: Int64, hasLog: Bool = true, cbvOnly: Bool = false) throws -> [String: JSON] {
            let mapping = EPCISMapping(uriPrefix: "https://gateway.example.com", gatewayCode: "CRIB1", usesOnlyCBV: cbvOnly)
            var event = try OutgoingEvent(log[Int(number) - 1])
            var corrections = ClockCorrections()
            if hasLog { event.corrected = try corrections.corrected(by: event, in: MemoryLog(log)) }
            guard case .event(let json) = mapping.map(event) else { throw DeliveryError.refused("\(number) is not mapped") }
            return try #require(json.object)
        }

        /// Whether one event is another, word for word, with a declaration that it did not happen.
        func expect(_ number: Int64, declares original: Int64, hasLog: Bool = true, but missing: Set<String> = []) throws {
            var (wrong, right) = (try mapped(number, hasLog: hasLog), try mapped(original))
            #expect(wrong["errorDeclaration"]?["reason"] == "did_not_occur")
            #expect(wrong["errorDeclaration"]?["declarationTime"]?.string == (try log[Int(number) - 1].json()["time"]?.string))
            for member in missing.union(["errorDeclaration"]) { (wrong[member], right[member]) = (nil, nil) }
            #expect(wrong == right)
        }
    }

    private static let item = ItemKey("DRILL")!

    @Test func aTransferThatWasAMistake() throws {
        var crib = try Crib()
        crib.walk(.out, ["DRILL"], badge: "1001")
        let before = try #require(crib.loan(of: "DRILL"))
        try crib.say(.transfer(item: Self.item, to: PersonKey("p-han")!))
        // What has another due time since is declared as it was sent.
        let transferred = try #require(crib.loan(of: "DRILL"))
        try crib.say(.renew(loan: transferred.number, item: nil))
        try crib.say(.void(loan: transferred.number, item: nil, note: "wrong badge"))
        #expect(crib.types == ["loan.checked_out", "loan.transferred", "loan.renewed", "crossing.retracted"])
        try crib.expect(4, declares: 2)
        try crib.expect(4, declares: 2, hasLog: false, but: ["stockgate:due"])
        let party = try crib.mapped(4)["sourceList"]
        #expect(party == [["type": "possessing_party", "source": "https://gateway.example.com/person/p-li"]])
        // It is the first borrower's again, as upstream now believes.
        #expect(crib.loan(of: "DRILL") == before)
        // And of that loan the same can be said.
        try crib.say(.void(loan: before.number, item: nil, note: ""))
        try crib.expect(5, declares: 1)
        #expect(crib.ledger.state.loans.isEmpty)
    }

    @Test func aLoanOfWhichAPartIsBack() throws {
        var crib = try Crib()
        crib.walk(.out, ["DRILL", "SAW"], badge: "1001")
        crib.walk(.in, ["SAW"])
        let number = try #require(crib.loan(of: "DRILL")?.number)
        try crib.say(.void(loan: number, item: nil, note: ""))
        #expect(crib.types == ["loan.checked_out", "loan.checked_out", "loan.returned", "crossing.retracted"])
        let original = try #require(crib.log.first { try $0.json()["data"]?["item"] == "DRILL" }?.sequence)
        try crib.expect(4, declares: original)
        try crib.expect(4, declares: original, hasLog: false)
    }

    @Test func somebodySaysWhoItWas() throws {
        var crib = try Crib()
        crib.walk(.out, ["DRILL"])
        let walked = crib.now
        try crib.say(.correct(exception: 1, person: PersonKey("p-zhao")!, note: "his"))
        #expect(crib.types == ["exception.raised", "loan.checked_out", "exception.resolved"])
        let checkout = try crib.mapped(2)
        #expect(checkout["eventTime"]?.string == walked.rfc3339 && checkout["errorDeclaration"] == nil)
        #expect(checkout["readPoint"] == ["id": "https://id.gs1.org/414/9521141123454/254/A-01"])
        #expect(checkout["destinationList"] == [["type": "possessing_party", "destination": "https://gateway.example.com/person/p-zhao"]])
        try crib.say(.void(loan: try #require(crib.loan(of: "DRILL")?.number), item: nil, note: "nor his"))
        try crib.expect(4, declares: 2)
        try crib.expect(4, declares: 2, hasLog: false)
    }

    /// What was found belongs to the loan that it came back from.
    @Test func anInspectionNamesItsLoan() throws {
        var crib = try Crib()
        crib.walk(.out, ["DRILL"], badge: "1001")
        let number = try #require(crib.loan(of: "DRILL")?.number)
        crib.walk(.in, ["DRILL"])
        try crib.say(.inspect(.init(item: Self.item, result: .damaged)))
        #expect(try crib.mapped(3)["bizTransactionList"] == crib.mapped(1)["bizTransactionList"])
        #expect(try crib.mapped(3)["bizTransactionList"]?.array?.first?["bizTransaction"]?.string?.hasSuffix(number.description) == true)
    }

    @Test(.enabled(if: EPCISServer.vectors != nil, "STOCKGATE_VECTORS is not set"), arguments: [false, true])
    func theStandardsSchemaTakesThem(cbvOnly: Bool) throws {
        var crib = try Crib()
        crib.walk(.out, ["DRILL", "SAW"], badge: "1001")
        crib.walk(.in, ["SAW"])
        try crib.say(.inspect(.init(item: ItemKey("SAW")!, result: .incomplete)))
        try crib.say(.transfer(item: Self.item, to: PersonKey("p-han")!))
        try crib.say(.void(loan: try #require(crib.loan(of: "DRILL")?.number), item: nil, note: ""))
        try crib.say(.lost(item: Self.item, note: ""))
        crib.walk(.in, ["DRILL"])
        crib.walk(.out, ["SAW"])
        let exception = try #require(crib.ledger.state.exceptions.keys.max())
        try crib.say(.correct(exception: exception, person: PersonKey("p-zhao")!, note: ""))
        try crib.say(.void(loan: try #require(crib.loan(of: "SAW")?.number), item: nil, note: ""))

        let server = try EPCISServer(arguments: ["--require-validation"])
        let destination = try EPCISDestination(
            .init(url: server.url, usesOnlyCBV: cbvOnly),
            mapping: EPCISMapping(uriPrefix: "https://gateway.example.com", gatewayCode: "CRIB1", usesOnlyCBV: cbvOnly), batch: 500,
            stopSignal: StopSignal())
        let log = MemoryLog(crib.log)
        let loop = DeliveryLoop(
            name: "epcis", types: [], batch: 500, log: log, destination: destination, stopSignal: StopSignal(),
            backOff: BackOff(base: 1, maximum: 5))
        try loop.start()
        #expect(log.wait { $0.cursor == Int64(crib.log.count) }, "\(loop.status())")
        loop.stop(milliseconds: 10_000)
        #expect(log.snapshot.deadLetters.isEmpty)
        let report = try server.report()
        #expect(report.isValidating && report.problems == [])
        var expected: [String] = []
        for stored in crib.log {
            let json = try stored.json()
            switch json["type"]?.string {
            case "crossing.retracted": expected.append(SampleEvents.urn(json["corrects"]?.integer ?? 0) + "#error")
            case "exception.raised", "exception.resolved": continue
            default: expected.append(SampleEvents.urn(stored.sequence))
            }
        }
        #expect(report.events == expected)
        #expect(expected.count { $0.hasSuffix("#error") } == 2)
    }
}

import Readings
import SiteConfiguration
import Testing

@testable import Ledger

/// What a recovery could not save is told in the log.
@Suite struct RecoveryTests {
    private static let time = WallTime(milliseconds: 1_795_248_930_123, offsetMinutes: 480, quality: .synchronised)

    private func report(_ folder: String, _ acknowledged: [String: Int64] = [:], reason: String = "a page") -> Command {
        .reportRecovery(missing: "11-?", last: 10, setAside: folder, reason: reason, known: 15, acknowledged: acknowledged)
    }

    /// The second recovery misses the same numbers: both are told, each once.
    @Test func eachRecoveryIsToldOnce() throws {
        var ledger = Ledger(site: Site(gateway: .init(code: "CRIB1", site: "Works")), epoch: 1)
        for folder in ["damaged-20261122T081500Z", "damaged-20261123T081500Z"] {
            let plan = try ledger.plan(report(folder, ["erp": 14]), by: "gateway", at: Self.time)
            #expect(plan.events.count == 1)
            guard case .exceptionRaised(let raised) = plan.events.first?.body else { return #expect(Bool(false)) }
            #expect(raised.kind == .recordsLost)
            #expect(raised.code == "11-? \(folder)")
            #expect(plan.events.first?.evidence["acknowledged"] == ["erp 14"])
            #expect(plan.events.first?.evidence["known"] == 15)
            _ = ledger.commit(plan)
            #expect(try ledger.plan(report(folder), by: "gateway", at: Self.time).events.isEmpty)
        }
    }

    /// However many destinations there are and whatever was wrong, nothing else is cut away.
    @Test func evidenceHasRoom() throws {
        let ledger = Ledger(site: Site(gateway: .init(code: "CRIB1", site: "Works")), epoch: 1)
        let many = Dictionary(uniqueKeysWithValues: (0..<50).map { ("destination-\($0)-of-the-works", Int64.max) })
        let command = report("damaged-20261122T081500Z", many, reason: String(repeating: "x", count: 1_000))
        #expect(Command(json: command.json) == command)
        let evidence = try #require(try ledger.plan(command, by: "gateway", at: Self.time).events.first?.evidence)
        #expect(evidence.canonicalBytes.count <= Event.maximumEvidenceBytes)
        #expect(evidence["cut"] == nil)
        #expect((evidence["acknowledged"]?.array?.count ?? 0) > 1)
    }
}

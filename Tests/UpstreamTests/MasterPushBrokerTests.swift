import Foundation
import Ledger
import Readings
import SiteConfiguration
import Synchronization
import Testing
import Upstream

/// Against Mosquitto, with a sender written apart from the gateway's code.
@Suite(.enabled(if: Mosquitto.isInstalled, "skipped: mosquitto is not installed"))
struct MasterPushBrokerTests {
    typealias Shelf = MasterPullTests.Shelf

    static let own = "\(MQTTReceiver.base)/master/erp"
    static let shared = "stockgate/1/Plant%202%2C%20tool%20crib/master/erp"

    private func start(
        _ broker: Mosquitto, _ shelf: Shelf, patience: Int64 = MasterPush.patience, _ change: (inout Site.Broker) -> Void = { _ in }
    ) throws -> MasterPush {
        var configuration = Site.Broker(host: "127.0.0.1", port: UInt16(broker.port), timeoutSeconds: 5)
        change(&configuration)
        let push = MasterPush(
            name: "erp", configuration, gateway: MQTTDestinationTests.gateway, intake: shelf, patience: patience, random: { 0 },
            onChange: { _ in shelf.signal() })
        try push.start()
        return push
    }

    private func publish(_ sender: MQTTReceiver, _ topic: String, _ text: String, retain: Bool = false) throws {
        try sender.publish(topic, text.utf8.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined(), retain: retain)
    }

    private func states(_ sender: MQTTReceiver) throws -> [JSON] { try sender.report()["states"]?.array ?? [] }

    @Test(
        "What is retained, what is published now, and what was published while the line was down", arguments: Site.Broker.Version.allCases)
    func course(version: Site.Broker.Version) throws {
        let broker = try Mosquitto()
        let sender = try MQTTReceiver(broker)
        let shelf = Shelf()
        try publish(sender, Self.shared, MasterPushTests.snapshot("c1", ["A", "B"]), retain: true)
        var push = try start(broker, shelf) { $0.version = version }
        try shelf.wait("the retained snapshot") { $0.cursor == "c1" }
        try publish(sender, Self.own, MasterPushTests.change("c1", "c2", [MasterPullTests.item("C")]))
        try shelf.wait("the change") { $0.cursor == "c2" }
        #expect(push.stop())
        try publish(sender, Self.own, MasterPushTests.change("c2", "c3", [MasterPullTests.item("D")]))
        try publish(sender, Self.shared, MasterPushTests.change("c3", "c4", [MasterPullTests.item("E")]))
        push = try start(broker, shelf) { $0.version = version }
        defer { push.stop() }
        try shelf.wait("what was published meanwhile") { $0.cursor == "c4" }
        #expect(shelf.state.withLock { $0.rows.keys.sorted() } == ["A", "B", "C", "D", "E"].map { "items \($0)" })
        // Over 3.1.1 the retained snapshot comes once more, and is known.
        #expect(
            try sender.wait { report in
                let last = report["retained"]?["\(Self.own)/state"]
                return last?["cursor"] == "c4" && (version == .v5 || last?["batch"] == "c1" && last?["result"] == "known")
            })
        // A gap is told to the sender, who sends everything.
        try publish(sender, Self.own, MasterPushTests.change("c8", "c9", [MasterPullTests.item("Z")]))
        #expect(try sender.wait { $0["states"]?.array?.last?["needs"] == "snapshot" })
        #expect(push.status().state == .refused)
        try publish(sender, Self.own, MasterPushTests.snapshot("c9", ["Z"]))
        try shelf.wait("everything") { $0.cursor == "c9" }
        #expect(try sender.wait { $0["states"]?.array?.last?["result"] == "applied" })
        #expect(push.status().state == .current && push.status().lastError == nil)
        #expect(shelf.state.withLock { $0.rows.keys.sorted() } == ["items Z"])
        #expect(try sender.report()["problems"] == [])
    }

    /// Nothing but the missing PUBACK makes Mosquitto send a message again that it does not retain.
    @Test("What is not stored is not acknowledged", arguments: Site.Broker.Version.allCases, [false, true])
    func withheld(version: Site.Broker.Version, isEncrypted: Bool) throws {
        let authority = try CertificateAuthority()
        let server = try authority.issue("server")
        let mine = try authority.issue("gateway")
        let broker = try Mosquitto(
            isEncrypted
                ? [
                    "cafile \(authority.certificate)", "certfile \(server.certificate)", "keyfile \(server.key)",
                    "require_certificate true",
                ]
                : [])
        let sender = try MQTTReceiver(
            broker, isEncrypted ? ["--ca", authority.certificate, "--certificate", mine.certificate, "--key", mine.key] : [])
        let shelf = Shelf()
        let push = try start(broker, shelf, patience: 0) { configuration in
            configuration.version = version
            if isEncrypted {
                configuration.tls = .init(
                    authorityFile: authority.certificate, certificateFile: mine.certificate, keyFile: mine.key)
            }
        }
        defer { push.stop() }
        #expect(try sender.wait { $0["states"]?.array?.isEmpty == false })
        shelf.state.withLock { $0.failures = 3 }
        try publish(sender, Self.own, MasterPushTests.snapshot("c1", ["A"]))
        try publish(sender, Self.own, MasterPushTests.change("c1", "c2", [MasterPullTests.item("B")]))
        try shelf.wait("both") { state in
            push.askNow()
            return state.cursor == "c2"
        }
        #expect(shelf.state.withLock { $0.batches.map(\.cursor) } == ["c1", "c2"] && shelf.state.withLock(\.failures) == 0)
        #expect(shelf.state.withLock(\.refusals) == 0)
        // Once acknowledged it does not come again. The answer goes the way of the PUBACK.
        #expect(try sender.wait { $0["states"]?.array?.last?["cursor"] == "c2" })
        let count = try states(sender).count
        #expect(push.stop())
        let next = try start(broker, shelf, patience: 0) {
            $0.version = version
            if isEncrypted {
                $0.tls = .init(authorityFile: authority.certificate, certificateFile: mine.certificate, keyFile: mine.key)
            }
        }
        defer { next.stop() }
        #expect(try sender.wait { $0["states"]?.array?.dropFirst(count).contains { $0["result"] == "waiting" } == true })
        try publish(sender, Self.own, MasterPushTests.change("c2", "c3", []))
        try shelf.wait("the next") { $0.cursor == "c3" }
        #expect(shelf.state.withLock { $0.batches.map(\.cursor) } == ["c1", "c2", "c3"])
        #expect(try states(sender).dropFirst(count).allSatisfy { $0["result"] != "known" })
    }

    @Test("A broker that is killed forgets, and is told the state anew; a wrong password needs a person")
    func trouble() throws {
        let broker = try Mosquitto(users: ["gateway": "right", "erp": "secret"])
        let sender = try MQTTReceiver(broker, ["--user", "erp", "--password", "secret"])
        let folder = try TemporaryFolder()
        let file = folder.path + "/password"
        try "wrong\n".write(toFile: file, atomically: true, encoding: .utf8)
        let shelf = Shelf()
        let push = try start(broker, shelf) { ($0.user, $0.passwordFile) = ("gateway", file) }
        defer { push.stop() }
        try shelf.wait("the refusal") { _ in push.status().state == .refused }
        #expect(push.status().lastError?.contains("the broker refuses the connection") == true)
        // The file is looked at every second.
        try "right\n".write(toFile: file, atomically: true, encoding: .utf8)
        try shelf.wait("the connection") { _ in push.status().state == .current }
        try publish(sender, Self.own, MasterPushTests.snapshot("c1", ["A"]))
        #expect(try sender.wait { $0["states"]?.array?.last?["cursor"] == "c1" })
        broker.stop()
        try shelf.wait("the loss") { _ in push.status().state == .backingOff }
        let count = try states(sender).count
        try broker.start()
        push.askNow()
        // Mosquitto without persistence has forgotten the retained state; the gateway says it again.
        #expect(try sender.wait { $0["states"]?.array?.dropFirst(count).contains { $0["cursor"] == "c1" } == true })
        try publish(sender, Self.own, MasterPushTests.change("c1", "c2", [MasterPullTests.item("B")]))
        try shelf.wait("the change") { $0.cursor == "c2" }
    }
}

import Foundation
import Ledger
import Readings
import SiteConfiguration
import TestSupport
import Testing
import Upstream

/// A queue of a million events is delivered fast enough and in flat memory. `make long` runs it, optimised; STOCKGATE_QUEUE is another length.
@Suite(.enabled(if: LongRuns.areAsked, "skipped: STOCKGATE_LONG is not set"), .serialized)
struct CatchUpTests {
    static let queue = ProcessInfo.processInfo.environment["STOCKGATE_QUEUE"].flatMap { Int64($0) } ?? 1_000_000
    private static let gateway = Site.Gateway(code: "CRIB1", site: MQTTReceiver.site, uriPrefix: "https://gateway.example.com")
    /// How much larger the process may be at the end than after the first tenth, in KiB.
    private static let growth = 10 * 1_024

    private func measure(_ what: String, _ kind: Site.Destination.Kind, batch: Int, atLeast bar: Double) throws {
        let log = EndlessLog(count: Self.queue)
        let loop = try DeliveryLoop(Site.Destination(name: "hub", kind: kind, batch: batch), of: Self.gateway, log: log)
        let start = ContinuousClock.now
        try loop.start()
        #expect(log.wait(for: Self.queue / 10, seconds: 600))
        let early = Self.residentKiB
        #expect(log.wait(for: Self.queue, seconds: 3_600))
        let taken = start.duration(to: .now)
        let late = Self.residentKiB
        #expect(loop.stop())
        #expect(log.deadLetters == 0)
        let rate = Double(Self.queue) / (Double(taken.components.seconds) + Double(taken.components.attoseconds) / 1e18)
        print("catch-up \(what): \(Self.queue) events, \(Int(rate)) events/s; resident \(early) KiB after a tenth, \(late) KiB at the end")
        #expect(rate >= bar, "\(what)")
        #expect(late - early <= Self.growth, "\(what)")
    }

    private static var residentKiB: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }

    @Test(.enabled(if: Mosquitto.isInstalled, "skipped: mosquitto is not installed"), arguments: Site.Destination.MQTT.ReceiptKind.allCases)
    func toMosquitto(receipt: Site.Destination.MQTT.ReceiptKind) throws {
        let broker = try Mosquitto()
        let receiver = try MQTTReceiver(broker, behaviour: ["count_only": true])
        let mqtt = Site.Destination.MQTT(host: "127.0.0.1", port: UInt16(broker.port), receipt: receipt)
        try measure("to Mosquitto, receipt = \(receipt.rawValue)", .mqtt(mqtt), batch: 2_000, atLeast: 5_000)
        #expect(try receiver.wait(120) { $0["high"]?.integer == Self.queue })
        let report = try receiver.report()
        #expect(report["gaps"] == 0 && report["problems"] == [])
        print("  came twice: \(report["duplicates"] ?? 0), without the one before: \(report["early"] ?? 0)")
    }

    /// A destination that has nothing to catch up on hears of a new event as soon as ever, while another one sends a long queue.
    @Test(.enabled(if: Mosquitto.isInstalled, "skipped: mosquitto is not installed")) func newEventsKeepTheirLatency() throws {
        let broker = try Mosquitto()
        let receiver = try MQTTReceiver(broker, behaviour: ["count_only": true])
        let hook = try WebhookReceiver(["count_only": true])
        let live = LiveLog()
        let loop = try DeliveryLoop(
            Site.Destination(name: "live", kind: .webhook(.init(url: hook.url)), batch: 500), of: Self.gateway, log: live)
        try loop.start()
        let alone = live.feed(loop, count: 400)
        let mqtt = Site.Destination.MQTT(host: "127.0.0.1", port: UInt16(broker.port))
        let queue = EndlessLog(count: 10_000_000)
        let catchUp = try DeliveryLoop(Site.Destination(name: "hub", kind: .mqtt(mqtt), batch: 2_000), of: Self.gateway, log: queue)
        try catchUp.start()
        #expect(queue.wait(for: 2_000, seconds: 60))
        let before = queue.position
        let start = ContinuousClock.now
        let beside = live.feed(loop, count: 2_000)
        let rate = Double(queue.position - before) / (start.duration(to: .now) / .seconds(1))
        print("latency of new events: alone \(alone.text); beside a catch-up of \(Int(rate)) events/s \(beside.text)")
        #expect(catchUp.stop() && loop.stop())
        #expect(rate >= 1_000, "there was no catch-up: the test shows nothing")
        // A person at a gate notices a quarter of a second.
        #expect(beside.p99 < 250)
        #expect(try hook.count("stored") == 2_400)
        #expect(try receiver.report()["gaps"] == 0)
    }

    @Test func toEPCIS() throws {
        let server = try EPCISServer(behaviour: ["count_only": true], arguments: ["--no-validate"])
        try measure("to EPCIS", .epcis(.init(url: server.url)), batch: 500, atLeast: 2_000)
        let report = try server.report()
        #expect(report.json["high"]?.integer == Self.queue && report.problems.isEmpty)
    }

    @Test func byHTTPOverALongWay() throws {
        let receiver = try WebhookReceiver(["count_only": true])
        let port = try #require(receiver.url.split(separator: ":").last?.prefix { $0.isNumber })
        let proxy = try Counterpart("delay_proxy.py", ["--target", "\(port)", "--delay-ms", "50"])
        let hook = Site.Destination.Webhook(url: "http://127.0.0.1:\(proxy.firstLine)/hook")
        try measure("by HTTP, 100 ms there and back", .webhook(hook), batch: 1_000, atLeast: 4_000)
        #expect(try receiver.count("stored") == Self.queue)
        #expect(try receiver.report()["problems"] == [])
    }

    @Test(.enabled(if: PostgreSQLServer.tools != nil, "skipped: PostgreSQL is not installed")) func toPostgreSQL() throws {
        let server = try PostgreSQLServer()
        let connection = "host=\(server.socketFolder) port=\(server.port) user=owner dbname=postgres"
        try measure("to PostgreSQL", .postgresql(.init(connection: connection)), batch: 500, atLeast: 2_000)
        #expect(try server.query("SELECT count(*), max(seq) FROM stockgate_event") == ["\(Self.queue)|\(Self.queue)"])
    }
}

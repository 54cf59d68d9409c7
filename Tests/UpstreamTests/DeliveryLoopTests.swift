import Foundation
import Ledger
import Readings
import SiteConfiguration
import Synchronization
import Testing
import Upstream

@Suite struct DeliveryLoopTests {
    private static let gateway = Site.Gateway(code: "CRIB1", site: "test", uriPrefix: "https://gateway.example.com")

    private func loop(
        _ log: MemoryLog, url: String, batch: Int = 50, types: [String] = [], timeout: Int = 10,
        onChange: @escaping @Sendable (DeliveryStatus) -> Void = { _ in }
    ) throws -> DeliveryLoop {
        let stopSignal = StopSignal()
        let destination = try EPCISDestination(
            .init(url: url, timeoutSeconds: timeout),
            mapping: EPCISMapping(uriPrefix: Self.gateway.uriPrefix, gatewayCode: "CRIB1", usesOnlyCBV: false), batch: batch,
            stopSignal: stopSignal)
        return DeliveryLoop(
            name: "hub", types: types, batch: batch, log: log, destination: destination, stopSignal: stopSignal,
            backOff: BackOff(base: 20, maximum: 100), onChange: onChange)
    }

    private func urns(_ numbers: some Sequence<Int64>) -> [String] { numbers.map(SampleEvents.urn) }

    @Test func deliversInOrderAndMovesOverWhatIsNotWanted() throws {
        let server = try EPCISServer()
        let log = MemoryLog([
            SampleEvents.modeChange(1), SampleEvents.checkout(2), SampleEvents.exception(3),
            SampleEvents.event(4, type: "loan.checked_out", data: [:], subject: [], certainty: "provisional"), SampleEvents.giveBack(5),
            SampleEvents.modeChange(6),
        ])
        let loop = try loop(log, url: server.url, batch: 4)
        try loop.start()
        #expect(log.wait { $0.cursor == 6 })
        log.append((7...9).map { SampleEvents.checkout($0) })
        loop.wake()
        #expect(log.wait { $0.cursor == 9 })
        #expect(try server.report().events == urns([2, 5, 7, 8, 9]))
        #expect(loop.stop())
        let status = loop.status()
        #expect(status.state == .ended && status.cursor == 9 && status.pending == 0)
        #expect(status.counters.delivered == 5 && status.counters.passedOver == 4 && status.counters.deadLetters == 0)
        #expect(log.snapshot.acknowledgements == log.snapshot.acknowledgements.sorted())
    }

    @Test func beginsAtTheCursor() throws {
        let server = try EPCISServer()
        let log = MemoryLog((1...10).map { SampleEvents.checkout($0) }, cursor: 7)
        let loop = try loop(log, url: server.url)
        try loop.start()
        #expect(log.wait { $0.cursor == 10 })
        #expect(try server.report().events == urns(8...10))
        #expect(loop.stop())
    }

    @Test func theServerIsDownAndComesBack() throws {
        let first = try EPCISServer()
        let port = first.port
        first.stop()
        let changes = Mutex<[DeliveryStatus]>([])
        let log = MemoryLog((1...120).map { SampleEvents.checkout($0) })
        let loop = try loop(log, url: "http://127.0.0.1:\(port)") { status in changes.withLock { $0.append(status) } }
        try loop.start()
        // Some failures: every attempt reads the log.
        #expect(log.wait { $0.reads >= 4 })
        let status = loop.status()
        #expect(status.pending == 120 && status.oldest == "2026-11-20T09:15:30.123+01:00")
        #expect(status.lastError?.contains("127.0.0.1") == true)
        let server = try EPCISServer(port: port)
        #expect(log.wait { $0.cursor == 120 })
        #expect(try server.report().events == urns(1...120))
        #expect(loop.stop())
        // One notice of trouble and one of recovery, however often it was tried.
        #expect(changes.withLock { $0.map { $0.state == .backingOff } } == [true, false])
        #expect(loop.status().lastError == nil)
        #expect(loop.status().counters.failures >= 3)
    }

    @Test func troubleInTheMiddle() throws {
        let server = try EPCISServer(behaviour: ["lose_answers": 3, "duplicates": "fail"])
        let log = MemoryLog((1...300).map { SampleEvents.checkout($0) })
        let loop = try loop(log, url: server.url)
        try loop.start()
        #expect(log.wait { $0.cursor >= 50 })
        try server.control(["status": 503, "times": 3])
        #expect(log.wait { $0.cursor >= 200 })
        try server.control(["lose_answers": 2])
        #expect(log.wait { $0.cursor == 300 })
        #expect(try server.report().events == urns(1...300))
        #expect(log.snapshot.deadLetters.isEmpty)
        #expect(loop.stop())
    }

    @Test func aPoisonEventBecomesADeadLetterAndTheRestGoesOn() throws {
        let server = try EPCISServer(behaviour: ["poison": [.string(SampleEvents.id(33))]])
        var events = (1...60).map { SampleEvents.checkout($0) }
        events[44].bytes = Array("not JSON".utf8)
        let log = MemoryLog(events)
        let loop = try loop(log, url: server.url)
        try loop.start()
        #expect(log.wait { $0.cursor == 60 })
        #expect(log.snapshot.deadLetters.keys.sorted() == [33, 45])
        #expect(log.snapshot.deadLetters[33] == "ValidationException: not valid")
        #expect(try server.report().events == urns((1...60).filter { $0 != 33 && $0 != 45 }))
        #expect(loop.stop())
        #expect(loop.status().counters.deadLetters == 2)
    }

    @Test func theLogFails() throws {
        let server = try EPCISServer(behaviour: ["duplicates": "fail"])
        let log = MemoryLog((1...10).map { SampleEvents.checkout($0) })
        log.failNext(5)
        let loop = try loop(log, url: server.url, batch: 5)
        try loop.start()
        #expect(log.wait { $0.cursor == 5 || $0.cursor == 10 })
        log.failNext(3)
        log.append([SampleEvents.checkout(11)])
        loop.wake()
        #expect(log.wait { $0.cursor == 11 })
        #expect(try server.report().events == urns(1...11))
        #expect(loop.stop())
    }

    @Test func aRefusalWaitsForAPerson() throws {
        let server = try EPCISServer(behaviour: ["status": 401])
        let refused = DispatchSemaphore(value: 0)
        let log = MemoryLog([SampleEvents.checkout(1)])
        let loop = try loop(log, url: server.url) { if $0.state == .refused { refused.signal() } }
        try loop.start()
        refused.wait()
        log.append([SampleEvents.checkout(2)])
        loop.wake()
        #expect(loop.status().state == .refused)
        #expect(try server.report().count("requests") == 1)
        #expect(loop.status().json["pending"] == 2)
        try server.control(["status": .null])
        // The wait begins after the notice; a request to try again that came before would be lost.
        while !log.wait(seconds: 0.05, until: { $0.cursor == 2 }) { loop.retryNow() }
        #expect(try server.report().events == urns(1...2))
        #expect(loop.stop())
    }

    @Test func stopsWithinASecondWhileTheServerHangs() throws {
        let server = try EPCISServer(behaviour: ["hang": true])
        let log = MemoryLog([SampleEvents.checkout(1)])
        let loop = try loop(log, url: server.url, timeout: 600)
        try loop.start()
        while loop.status().state != .sending {}
        while try server.report().count("requests") == 0 {}
        let clock = ContinuousClock()
        let taken = clock.measure { #expect(loop.stop(milliseconds: 1_000)) }
        #expect(taken < .seconds(1))
        #expect(log.snapshot.cursor == 0)
        #expect(loop.status().state == .ended)
    }

    @Test(arguments: ["job", "backOff", "idle", "neverStarted"]) func stopsAnywhere(_ place: String) throws {
        let server = try EPCISServer(behaviour: place == "job" ? ["polls": 100_000] : [:])
        let log = MemoryLog(place == "idle" ? [] : [SampleEvents.checkout(1)])
        let stopSignal = StopSignal()
        let url = place == "backOff" ? "http://127.0.0.1:1" : server.url
        let destination = try EPCISDestination(
            .init(url: url), mapping: EPCISMapping(uriPrefix: "https://x.example", gatewayCode: "C1", usesOnlyCBV: false), batch: 10,
            stopSignal: stopSignal)
        let failed = DispatchSemaphore(value: 0)
        let loop = DeliveryLoop(
            name: "hub", batch: 10, log: log, destination: destination, stopSignal: stopSignal, backOff: BackOff(base: 300_000),
            random: { 0.99 }, onChange: { _ in failed.signal() })
        if place != "neverStarted" { try loop.start() }
        switch place {
        case "job": while try server.report().count("polls") < 12 {}
        case "backOff": failed.wait()
        case "idle": #expect(log.wait { $0.reads > 0 })
        default: break
        }
        let taken = ContinuousClock().measure { #expect(loop.stop(milliseconds: 1_000)) }
        #expect(taken < .milliseconds(500))
    }

    @Test func fromTheSiteFile() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/out.ndjson"
        let log = MemoryLog((1...100).map { SampleEvents.checkout($0) } + [SampleEvents.modeChange(101)])
        let loop = try DeliveryLoop(
            Site.Destination(name: "copy", kind: .file(.init(path: path)), types: ["*"], batch: 30), of: Self.gateway, log: log)
        try loop.start()
        #expect(log.wait { $0.cursor == 101 })
        #expect(loop.stop())
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.map(String.init) == log.snapshot.events.map { String(decoding: $0.bytes, as: UTF8.self) })
        #expect(throws: DeliveryError.self) {
            try DeliveryLoop(Site.Destination(name: "x", kind: .epcis(.init(url: "gopher://x"))), of: Self.gateway, log: log)
        }
    }

    /// Run with STOCKGATE_MEASURE=1 and `-c release`; prints what a queue of 50,000 events takes over loopback.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["STOCKGATE_MEASURE"] != nil, "a measurement"), arguments: [0, 100] as [Int64])
    func catchUp(delayMilliseconds: Int64) throws {
        let server = try EPCISServer(behaviour: ["delay_ms": .integer(delayMilliseconds)], arguments: ["--no-validate"])
        for batch in [500, 1_000, 2_000] {
            let count: Int64 = delayMilliseconds == 0 ? 50_000 : 20_000
            let base = Int64(batch) * 1_000_000
            let log = MemoryLog((1...count).map { SampleEvents.checkout(base + $0) }, cursor: base)
            let loop = try loop(log, url: server.url, batch: batch)
            let taken = try ContinuousClock().measure {
                try loop.start()
                #expect(log.wait(seconds: 300) { $0.cursor == base + count })
            }
            loop.stop()
            let seconds = Double(taken.components.seconds) + Double(taken.components.attoseconds) / 1e18
            print("catch-up: batch \(batch), answers after \(delayMilliseconds) ms: \(Int(Double(count) / seconds)) events/s")
        }
    }
}

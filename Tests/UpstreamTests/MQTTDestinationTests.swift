import Foundation
import Ledger
import Readings
import SiteConfiguration
import Synchronization
import Testing
import Upstream

@Suite(.enabled(if: Mosquitto.isInstalled, "skipped: mosquitto is not installed"))
struct MQTTDestinationTests {
    static let gateway = Site.Gateway(code: "CRIB1", site: MQTTReceiver.site, uriPrefix: "https://gateway.example.com")

    /// A destination that is stopped at the end of the test.
    final class Running {
        let destination: MQTTDestination
        let board = DeviceStateBoard()
        private let stopSignal = StopSignal()

        init(_ broker: Mosquitto, _ change: (inout Site.Destination.MQTT) -> Void = { _ in }) throws {
            var configuration = Site.Destination.MQTT(host: "127.0.0.1", port: UInt16(broker.port), timeoutSeconds: 3)
            change(&configuration)
            destination = try MQTTDestination(
                configuration, name: "hub", gateway: MQTTDestinationTests.gateway, board: board, stopSignal: stopSignal)
        }

        deinit {
            stop()
        }

        func stop() { stopSignal.request() }
    }

    private func checkouts(_ numbers: ClosedRange<Int64>) throws -> [OutgoingEvent] {
        try SampleEvents.following(numbers.map { SampleEvents.checkout($0) })
    }

    private func ids(_ numbers: some Sequence<Int64>) -> [String] { numbers.map(SampleEvents.id) }

    private func failure(_ running: Running) throws -> (isRefused: Bool, reason: String) {
        let error = try #require(throws: DeliveryError.self) { try running.destination.deliver(checkouts(1...3)) }
        if case .refused(let reason) = error { return (true, reason) }
        return (false, error.description)
    }

    @Test(arguments: Site.Destination.MQTT.Version.allCases, [Site.Destination.MQTT.Format.json, .cloudevents])
    func deliversWithApplicationReceipts(version: Site.Destination.MQTT.Version, format: Site.Destination.MQTT.Format) throws {
        let broker = try Mosquitto()
        let receiver = try MQTTReceiver(broker, format: format.rawValue)
        let running = try Running(broker) { ($0.version, $0.format) = (version, format) }
        running.board.update("gate-1", ["state": "connected"])
        #expect(try running.destination.deliver(checkouts(1...1_000)) == Receipt(upTo: 1_000, delivered: 1_000))
        running.board.update("gate-1", ["state": "absent"])
        #expect(try receiver.wait { $0["retained"]?["\(MQTTReceiver.base)/device/gate-1"]?["state"] == "absent" })
        #expect(try receiver.events() == ids(1...1_000))
        let report = try receiver.report()
        #expect(report["problems"] == [] && report["duplicates"] == 0 && report["gaps"] == 0)
        #expect(report["retained"]?["\(MQTTReceiver.base)/state"]?["state"] == "online")
        running.stop()
        #expect(try receiver.wait { $0["retained"]?["\(MQTTReceiver.base)/state"]?["state"] == "offline" })
    }

    @Test(arguments: Site.Destination.MQTT.Version.allCases) func theBrokersAnswerAsReceipt(version: Site.Destination.MQTT.Version) throws {
        let broker = try Mosquitto()
        let running = try Running(broker) { ($0.version, $0.receipt) = (version, .broker) }
        if version == .v5 {
            // MQTT 5 tells when nobody would get it.
            let (isRefused, reason) = try failure(running)
            #expect(!isRefused && reason.contains("nobody is subscribed"), "\(reason)")
        }
        let receiver = try MQTTReceiver(broker, behaviour: ["receipts": false])
        #expect(try running.destination.deliver(checkouts(1...500)) == Receipt(upTo: 500, delivered: 500))
        #expect(try receiver.wait { $0["events"]?.array?.count == 500 })
    }

    @Test func onlyAReceiptOfThisGatewayAndEpochSettles() throws {
        let broker = try Mosquitto()
        let epoch = JSON.string(try checkouts(1...1)[0].origin)
        let receiver = try MQTTReceiver(
            broker,
            behaviour: [
                "receipts": false,
                "before": [
                    ["gateway": "OTHER", "epoch": epoch, "upto": 10], ["gateway": "CRIB1", "epoch": "8000000000000000", "upto": 10],
                    ["gateway": "CRIB1", "upto": 10], "nonsense",
                ],
            ])
        let running = try Running(broker) { $0.timeoutSeconds = 1 }
        let (isRefused, reason) = try failure(running)
        #expect(!isRefused && reason.contains("no receipt from the receiver within 1 s"), "\(reason)")
        // Three events of two came, and one of them was rejected.
        try receiver.control(["receipts": true, "rejected": [2]])
        let receipt = try running.destination.deliver(checkouts(1...3))
        #expect(receipt == Receipt(upTo: 3, delivered: 2, rejections: [.init(sequence: 2, reason: "E1: told to")]))
        #expect(try receiver.events() == ids(1...3))
    }

    /// The broker is killed again and again; nothing is lost, and what comes twice has the same id.
    @Test func theBrokerIsKilledInTheMiddle() throws {
        let broker = try Mosquitto()
        let receiver = try MQTTReceiver(broker)
        let log = MemoryLog((1...3_000).map { SampleEvents.checkout($0) })
        let stopSignal = StopSignal()
        let destination = try MQTTDestination(
            .init(host: "127.0.0.1", port: UInt16(broker.port), timeoutSeconds: 2), name: "hub", gateway: Self.gateway,
            board: DeviceStateBoard(), stopSignal: stopSignal)
        let loop = DeliveryLoop(
            name: "hub", batch: 100, log: log, destination: destination, stopSignal: stopSignal, backOff: BackOff(base: 20, maximum: 200))
        try loop.start()
        for step in 1...3 as ClosedRange<Int64> {
            #expect(log.wait { $0.cursor >= step * 500 })
            broker.stop()
            try broker.start()
        }
        #expect(log.wait(seconds: 60) { $0.cursor == 3_000 })
        #expect(loop.stop())
        #expect(try receiver.events() == ids(1...3_000))
        #expect(try receiver.report()["gaps"] == 0)
    }

    /// A broker throws away what does not fit into its queue, after it has acknowledged it.
    @Test(arguments: [([String](), 1_000), (["max_queued_messages 40", "max_inflight_messages 10"], 400)])
    func aSlowReceiverAndAQueueThatOverflows(queues: [String], window: Int) throws {
        let broker = try Mosquitto(queues: queues)
        let receiver = try MQTTReceiver(broker, behaviour: ["slow_ms": 2])
        let log = MemoryLog((1...1_500).map { $0 % 3 == 0 ? SampleEvents.modeChange($0) : SampleEvents.checkout($0) })
        let stopSignal = StopSignal()
        let destination = try MQTTDestination(
            .init(host: "127.0.0.1", port: UInt16(broker.port), window: window, timeoutSeconds: 5), name: "hub", gateway: Self.gateway,
            board: DeviceStateBoard(), stopSignal: stopSignal)
        let loop = DeliveryLoop(name: "hub", batch: 2_000, log: log, destination: destination, stopSignal: stopSignal)
        try loop.start()
        #expect(log.wait(seconds: 90) { $0.cursor == 1_500 })
        #expect(loop.stop())
        #expect(try receiver.events() == ids((1...1_500).filter { $0 % 3 != 0 }))
        let report = try receiver.report()
        #expect(report["problems"] == [])
        print("slow receiver, queue \(queues): \(report["early"] ?? 0) messages after a lost one, \(report["duplicates"] ?? 0) twice")
        if !queues.isEmpty { #expect(report["early"]?.integer ?? 0 > 0, "nothing was lost: the test shows nothing") }
    }

    /// What a receiver has lost after it confirmed it is sent again from the log.
    @Test func aReceiverThatWasRestored() throws {
        let broker = try Mosquitto()
        let receiver = try MQTTReceiver(broker, behaviour: ["high": 20])
        let log = MemoryLog((1...50).map { SampleEvents.checkout($0) }, cursor: 45)
        let stopSignal = StopSignal()
        let destination = try MQTTDestination(
            .init(host: "127.0.0.1", port: UInt16(broker.port), timeoutSeconds: 1), name: "hub", gateway: Self.gateway,
            board: DeviceStateBoard(), stopSignal: stopSignal)
        let words = Mutex<[String]>([])
        let loop = DeliveryLoop(
            name: "hub", batch: 100, log: log, destination: destination, stopSignal: stopSignal,
            onChange: { status in if let error = status.lastError { words.withLock { $0.append(error) } } })
        try loop.start()
        #expect(log.wait { $0.cursor == 50 })
        #expect(loop.stop())
        #expect(try receiver.events() == ids(21...50))
        let said = words.withLock { $0 }
        #expect(said.count == 1 && said[0].contains("up to 20, up to 45 they were settled"), "\(said)")
    }

    @Test func passwordsAreCheckedAndRenewed() throws {
        let broker = try Mosquitto(users: ["gateway": "right", "receiver": "secret"])
        let receiver = try MQTTReceiver(broker, ["--user", "receiver", "--password", "secret"])
        let folder = try TemporaryFolder()
        let file = folder.path + "/password"
        let running = try Running(broker) { ($0.user, $0.passwordFile) = ("gateway", file) }
        let missing = try failure(running)
        #expect(missing.isRefused && missing.reason.contains("password file \(file)"), "\(missing.reason)")
        try "wrong\n".write(toFile: file, atomically: true, encoding: .utf8)
        let wrong = try failure(running)
        #expect(wrong.isRefused && wrong.reason.contains("the broker refuses the connection"), "\(wrong.reason)")
        try "right\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try running.destination.deliver(checkouts(1...3)).delivered == 3)
        #expect(try receiver.events() == ids(1...3))
    }

    @Test func nobodyIsThere() throws {
        let broker = try Mosquitto()
        broker.stop()
        let (isRefused, reason) = try failure(Running(broker))
        #expect(!isRefused && reason.contains("127.0.0.1:\(broker.port)"), "\(reason)")
    }

    @Test func stopsAtOnce() throws {
        let broker = try Mosquitto()
        let receiver = try MQTTReceiver(broker, behaviour: ["receipts": false])
        let running = try Running(broker) { $0.timeoutSeconds = 600 }
        let ended = DispatchSemaphore(value: 0)
        let destination = running.destination
        let events = try checkouts(1...3)
        Thread.detachNewThread {
            #expect(throws: DeliveryError.stopped) { try destination.deliver(events) }
            ended.signal()
        }
        #expect(try receiver.wait { $0["events"]?.array?.count == 3 })
        running.stop()
        #expect(ended.wait(timeout: .now() + 1) == .success)
    }

    // MARK: TLS

    private func tlsBroker(_ server: CertificateAuthority.Issued, _ authority: CertificateAuthority) throws -> Mosquitto {
        try Mosquitto([
            "cafile \(authority.certificate)", "certfile \(server.certificate)", "keyfile \(server.key)", "require_certificate true",
        ])
    }

    @Test func clientCertificateAndRevocationWithoutARestart() throws {
        let authority = try CertificateAuthority()
        let (server, mine) = (try authority.issue("server"), try authority.issue("gateway"))
        try authority.publishList()
        let broker = try tlsBroker(server, authority)
        let receiver = try MQTTReceiver(
            broker, ["--ca", authority.certificate, "--certificate", mine.certificate, "--key", mine.key])
        let running = try Running(broker) {
            $0.tls = .init(
                authorityFile: authority.certificate, certificateFile: mine.certificate, keyFile: mine.key, revocationFile: authority.list)
        }
        #expect(try running.destination.deliver(checkouts(1...100)).delivered == 100)
        try authority.revoke(server)
        try authority.publishList()
        // The session looks at its files every second.
        var revoked = (isRefused: false, reason: "")
        for _ in 0..<100 where !revoked.isRefused {
            do {
                _ = try running.destination.deliver(checkouts(1...3))
                usleep(50_000)
            } catch DeliveryError.refused(let reason) { revoked = (true, reason) } catch DeliveryError.retryable {}
        }
        #expect(revoked.reason.contains("was revoked by its authority (\(authority.list))"), "\(revoked.reason)")
        #expect(try receiver.events() == ids(1...100))
    }

    @Test(arguments: [
        ("authority", "was not issued by an authority in"), ("old", "has expired"), ("name", "not made out to 127.0.0.1"),
        ("client", "certificate_file and key_file are not set"), ("list", "holds no list of the authority"), ("missing", "cannot be read"),
        ("key", "cannot be used as our certificate"),
    ])
    func whatIsWrongIsRefusedAndSaid(_ fault: String, _ part: String) throws {
        let (authority, other) = (try CertificateAuthority(), try CertificateAuthority("other"))
        try other.publishList()
        let mine = try authority.issue("gateway")
        let server = try authority.issue("server", names: fault == "name" ? "DNS:elsewhere" : "IP:127.0.0.1", fault == "old" ? .past : .now)
        let broker = try tlsBroker(server, authority)
        let running = try Running(broker) { configuration in
            var tls = Site.Destination.TLS(
                authorityFile: authority.certificate, certificateFile: mine.certificate, keyFile: mine.key)
            switch fault {
            case "authority": tls.authorityFile = other.certificate
            case "client": (tls.certificateFile, tls.keyFile) = (nil, nil)
            case "list": tls.revocationFile = other.list
            case "missing": tls.authorityFile = "/nowhere/ca.pem"
            case "key": tls.keyFile = server.key
            default: break
            }
            configuration.tls = tls
        }
        let (isRefused, reason) = try failure(running)
        #expect(isRefused && reason.contains(part), "\(reason)")
    }

    // MARK: Sparkplug B

    @Test(arguments: Site.Destination.MQTT.ReceiptKind.allCases) func sparkplug(receipt: Site.Destination.MQTT.ReceiptKind) throws {
        let broker = try Mosquitto()
        let receiver = try MQTTReceiver(broker, format: "sparkplug")
        let running = try Running(broker) { ($0.format, $0.receipt) = (.sparkplug, receipt) }
        #expect(try running.destination.deliver(checkouts(1...300)) == Receipt(upTo: 300, delivered: 300))
        let node = "spBv1.0/Plant%202%2C%20tool%20crib"
        #expect(try receiver.wait { $0["sparkplug"]?.array?.count == 301 })
        let messages = try #require(try receiver.report()["sparkplug"]?.array)
        let birth = try #require(messages.first)
        #expect(birth["topic"]?.string == "\(node)/NBIRTH/CRIB1" && birth["seq"] == 0 && birth["qos"] == 0)
        #expect(
            birth["metrics"]?.object?.keys.sorted() == [
                "Event/After", "Event/Body", "Event/Sequence", "Event/Type", "Node Control/Rebirth", "bdSeq",
            ])
        #expect(birth["metrics"]?["Event/Type"] == ["value": .null, "datatype": 12, "null": true, "historical": false])
        for (position, message) in messages.enumerated().dropFirst() {
            #expect(message["topic"]?.string == "\(node)/NDATA/CRIB1")
            #expect(message["seq"]?.integer == Int64(position % 256))
            #expect(message["qos"]?.integer == (receipt == .broker ? 1 : 0))
            #expect(message["metrics"]?["Event/Sequence"]?["value"]?.integer == Int64(position))
            #expect(message["metrics"]?["Event/After"]?["value"]?.integer == Int64(position) - 1)
        }
        // payload {metrics {name: "Node Control/Rebirth", datatype: 11, boolean_value: true}}
        let name = Array("Node Control/Rebirth".utf8)
        let metric = [0x0A, UInt8(name.count)] + name + [0x20, 11, 0x70, 1]
        let hex = ([0x12, UInt8(metric.count)] + metric).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        try receiver.publish("\(node)/NCMD/CRIB1", hex)
        #expect(
            try receiver.wait {
                $0["sparkplug"]?.array?.contains { $0["topic"]?.string?.contains("/NBIRTH/") == true && $0 != birth } == true
            })
        #expect(try running.destination.deliver(checkouts(301...301)).delivered == 1)
        #expect(try receiver.wait { $0["sparkplug"]?.array?.last?["seq"] == 1 })
        running.stop()
        #expect(try receiver.wait { $0["sparkplug"]?.array?.last?["topic"]?.string == "\(node)/NDEATH/CRIB1" })
        let death = try #require(try receiver.report()["sparkplug"]?.array?.last)
        #expect(death["seq"] == .null && death["metrics"]?["bdSeq"]?["value"] == birth["metrics"]?["bdSeq"]?["value"])
    }
}

import Foundation
import Ledger
import Readings
import SiteConfiguration
import TestSupport
import Testing
import Upstream

/// A broker and a receiver in memory that lose connections, messages, answers and receipts, and repeat what they said. Messages get lost
/// after they were acknowledged too.
private final class FaultyBroker: @unchecked Sendable {
    // Everything is touched with the lock held.
    private let lock = NSLock()
    private var generator: SeededGenerator
    private(set) var stored: [String] = []
    private var high: Int64 = 0
    private var receipts: [[UInt8]] = []
    private var isCalm = false
    private(set) var births = 0

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    /// From now on everything works.
    func calm() { lock.withLock { isCalm = true } }

    var events: [String] { lock.withLock { stored } }

    /// What a message brings about, in order.
    func take(_ message: MQTTMessage, _ identifier: Int32) -> [MQTTLinkEvent] {
        lock.withLock {
            guard message.topic.contains("/event/") else {
                births += message.topic.hasSuffix("/state") ? 1 : 0
                return [.acknowledged(identifier, .taken)]
            }
            var events: [MQTTLinkEvent] = []
            let lost = MQTTLinkEvent.lost(.retryable("told to"))
            if chance(50) { return [lost] }
            if chance(25) { return [.acknowledged(identifier, .taken)] }
            let json = (try? JSON(parsing: message.payload)) ?? .null
            let (sequence, id) = (json["event"]?["seq"]?.integer ?? 0, json["event"]?["id"]?.string ?? "")
            if let after = json["after"]?.integer, after <= high, high < sequence {
                stored.append(id)
                high = sequence
            }
            if !chance(200) { events.append(.acknowledged(identifier, .taken)) }
            if chance(60) { return events + [lost] }
            let epoch = id.filter { $0 != "-" }.prefix(16)
            let receipt = Array(#"{"gateway":"CRIB1","epoch":"\#(epoch)","upto":\#(high)}"#.utf8)
            receipts.append(receipt)
            if isCalm || !chance(3) { events.append(said(receipt)) }
            if chance(5), let old = receipts.randomElement(using: &generator) { events.append(said(old)) }
            if chance(10) { events.append(said(Array(#"{"gateway":"CRIB1","epoch":"8000","upto":1000000}"#.utf8))) }
            return events
        }
    }

    private func said(_ payload: [UInt8]) -> MQTTLinkEvent {
        .received(topic: "stockgate/1/test/CRIB1/receipt/hub", payload: payload)
    }

    private func chance(_ one: Int) -> Bool { !isCalm && Int.random(in: 0..<one, using: &generator) == 0 }
}

private final class FaultyLink: MQTTLink, @unchecked Sendable {
    // Touched with the lock held.
    private let lock = NSLock()
    private var handler: (@Sendable (MQTTLinkEvent) -> Void)?
    private var identifier: Int32 = 0
    private let broker: FaultyBroker

    init(_ broker: FaultyBroker) { self.broker = broker }

    func open(_ handler: @escaping @Sendable (MQTTLinkEvent) -> Void) throws(DeliveryError) {
        lock.withLock { self.handler = handler }
        handler(.connected)
    }

    func subscribe(_ topic: String) throws(DeliveryError) {
        #expect(topic == "stockgate/1/test/CRIB1/receipt/hub")
        lock.withLock { handler }?(.subscribed)
    }

    func publish(_ message: MQTTMessage) throws(MQTTPublishError) -> Int32 {
        let (known, number) = lock.withLock {
            // Reused, as the numbers of packets are.
            identifier = identifier % 20 + 1
            return (handler, identifier)
        }
        guard let handler = known else { throw .notConnected("told to") }
        for event in broker.take(message, number) {
            if case .lost = event { lock.withLock { self.handler = nil } }
            handler(event)
        }
        return number
    }

    func close() { lock.withLock { handler = nil } }

    func drop() { close() }
}

private struct FaultyLinkMaker: MQTTLinkMaker {
    var broker: FaultyBroker

    func link(will: MQTTMessage?) throws(DeliveryError) -> any MQTTLink { FaultyLink(broker) }
}

@Suite struct MQTTFaultTests {
    /// Nothing lost, nothing doubled, the order kept, whatever the broker does.
    @Test(arguments: 1...12 as ClosedRange<UInt64>) func applicationReceiptsHold(seed: UInt64) throws {
        let broker = FaultyBroker(seed: seed)
        // Every fifth is of a type that is not delivered, so that numbers alone say nothing.
        let wanted = (1...500 as ClosedRange<Int64>).filter { $0 % 5 != 0 }
        let log = MemoryLog((1...500).map { $0 % 5 == 0 ? SampleEvents.modeChange($0) : SampleEvents.checkout($0) })
        let stopSignal = StopSignal()
        let destination = try MQTTDestination(
            .init(host: "broker.invalid", port: 1_883, window: 15, timeoutSeconds: 1), name: "hub",
            gateway: Site.Gateway(code: "CRIB1", site: "test"), board: DeviceStateBoard(), stopSignal: stopSignal,
            linkMaker: FaultyLinkMaker(broker: broker))
        let loop = DeliveryLoop(
            name: "hub", batch: 40, log: log, destination: destination, stopSignal: stopSignal, backOff: BackOff(base: 1, maximum: 2))
        try loop.start()
        #expect(log.wait(seconds: 120) { $0.cursor >= 450 }, "seed \(seed)")
        broker.calm()
        #expect(log.wait(seconds: 20) { $0.cursor == 500 }, "seed \(seed)")
        #expect(loop.stop())
        #expect(broker.events == wanted.map(SampleEvents.id), "seed \(seed)")
        #expect(broker.births > 1)
        #expect(log.snapshot.deadLetters.isEmpty)
    }
}

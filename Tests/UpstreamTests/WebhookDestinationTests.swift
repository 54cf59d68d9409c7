import Foundation
import HTTPClient
import Ledger
import Readings
import SiteConfiguration
import Testing

@testable import Upstream

/// Runs `Tests/counterparts/webhook_receiver.py`, which reads events with the package cloudevents.
final class WebhookReceiver {
    private let counterpart: Counterpart
    private let connection: HTTPConnection
    let url: String

    init(_ behaviour: JSON = [:], port: UInt16 = 0) throws {
        counterpart = try Counterpart("webhook_receiver.py", ["--behaviour", behaviour.canonicalText, "--port", "\(port)"])
        let port = try #require(Int(counterpart.firstLine), "the counterpart did not start: see its message above")
        url = "http://127.0.0.1:\(port)/hook"
        connection = try HTTPConnection()
    }

    func stop() { counterpart.stop() }

    private var control: String { url.replacingOccurrences(of: "/hook", with: "/control") }

    func control(_ changes: JSON) throws {
        #expect(try connection.perform(HTTPRequest("POST", control, body: changes.canonicalBytes)).status == 200)
    }

    func report() throws -> JSON { try JSON(parsing: connection.perform(HTTPRequest("GET", control)).body) }

    func events() throws -> [String] { try report()["events"]?.array?.compactMap(\.string) ?? [] }

    func count(_ name: String) throws -> Int64 { try report()["counts"]?[name]?.integer ?? -1 }
}

@Suite struct WebhookDestinationTests {
    private func destination(
        _ receiver: WebhookReceiver, single: Bool = false, secretFile: String? = nil, batch: Int = 500
    ) throws -> WebhookDestination {
        try WebhookDestination(
            .init(url: receiver.url, secretFile: secretFile, isSingle: single, timeoutSeconds: 10),
            uriPrefix: "https://gateway.example.com", gatewayCode: "CRIB1", batch: batch, stopSignal: StopSignal())
    }

    private func checkouts(_ numbers: ClosedRange<Int64>) throws -> [OutgoingEvent] {
        try SampleEvents.outgoing(numbers.map { SampleEvents.checkout($0) })
    }

    private func ids(_ numbers: some Sequence<Int64>) -> [String] { numbers.map(SampleEvents.id) }

    @Test(arguments: [false, true]) func everyEventIsACloudEvent(single: Bool) throws {
        let receiver = try WebhookReceiver()
        let events = [
            SampleEvents.checkout(1), SampleEvents.giveBack(2), SampleEvents.putAwayItem(3), SampleEvents.putAwayLot(4),
            SampleEvents.exception(5), SampleEvents.modeChange(6), try SampleEvents.retraction(7, of: 1),
        ]
        #expect(
            try destination(receiver, single: single).deliver(SampleEvents.outgoing(events)) == Receipt(upTo: 7, delivered: 7))
        #expect(try receiver.events() == ids(1...7))
        #expect(try receiver.report()["problems"] == [])
        #expect(try receiver.count(single ? "singles" : "batches") == (single ? 7 : 1))
        #expect(try receiver.count(single ? "batches" : "singles") == 0)
        let headers = try receiver.report()["last_headers"]
        #expect(headers?["webhook-id"]?.string == (single ? SampleEvents.id(7) : "\(SampleEvents.id(1))_\(SampleEvents.id(7))"))
        #expect(headers?["webhook-signature"] == nil)
    }

    @Test func signsWithEverySecret() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/secret"
        let (old, new) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + Data((0..<64).map { UInt8($0) }).base64EncodedString())
        let receiver = try WebhookReceiver(["secrets": [.string(old)]])
        let destination = try destination(receiver, secretFile: file)
        let missing = #expect(throws: DeliveryError.self) { try destination.deliver(checkouts(1...2)) }
        #expect(missing?.description.contains("secret file \(file)") == true)
        try (new + "\n").write(toFile: file, atomically: true, encoding: .utf8)
        let wrong = #expect(throws: DeliveryError.self) { try destination.deliver(checkouts(1...2)) }
        #expect(wrong?.description.contains("401 no signature is right") == true, "\(String(describing: wrong))")
        // While the secret is replaced both hold, here and at the receiver.
        try "\(new)\n\(old)\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try destination.deliver(checkouts(1...2)).delivered == 2)
        try receiver.control(["secrets": [.string(new)]])
        #expect(try destination.deliver(checkouts(3...4)).delivered == 2)
        #expect(try receiver.events() == ids(1...4))
        for bad in ["", "secret", "whsec_AAAA", "whsec_!!!!"] {
            try bad.write(toFile: file, atomically: true, encoding: .utf8)
            #expect(throws: DeliveryError.self) { try destination.deliver(checkouts(5...5)) }
        }
    }

    /// Key, message and signature of the Standard Webhooks specification's example libraries.
    @Test func knownSignature() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/secret"
        try "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".write(toFile: file, atomically: true, encoding: .utf8)
        let signature = try WebhookSignature(secretFile: file)
        #expect(
            signature.value(id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8))
                == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test(arguments: ["limit", "byte_limit"]) func tooLargeIsHalved(_ limit: String) throws {
        let receiver = try WebhookReceiver(.object([limit: limit == "limit" ? 7 : 6_000]))
        #expect(try destination(receiver).deliver(checkouts(1...100)) == Receipt(upTo: 100, delivered: 100))
        #expect(try receiver.events() == ids(1...100))
    }

    @Test func thePoisonEventIsFoundAndTheRestGoesOn() throws {
        let receiver = try WebhookReceiver(["poison": [.string(SampleEvents.id(33)), .string(SampleEvents.id(34))]])
        let receipt = try destination(receiver).deliver(checkouts(1...100))
        #expect(receipt.upTo == 100 && receipt.delivered == 98)
        #expect(receipt.rejections == [.init(sequence: 33, reason: "400 not valid"), .init(sequence: 34, reason: "400 not valid")])
        #expect(try receiver.events() == ids((1...100).filter { $0 != 33 && $0 != 34 }))
    }

    @Test func aLostAnswerMakesNoDouble() throws {
        let receiver = try WebhookReceiver(["lose_answers": 1, "known": "conflict"])
        let destination = try destination(receiver)
        #expect(throws: DeliveryError.self) { try destination.deliver(checkouts(1...20)) }
        let receipt = try destination.deliverInParts(checkouts(1...20))
        #expect(receipt.upTo == 20 && receipt.duplicates == 20)
        #expect(try receiver.events() == ids(1...20))
    }

    @Test(arguments: [(429, 7, true), (503, 7, true), (401, 7, false), (404, 7, false), (410, 7, false)] as [(Int64, Int64, Bool)])
    func statuses(_ status: Int64, _ seconds: Int64, _ isRetryable: Bool) throws {
        let receiver = try WebhookReceiver(["status": .integer(status), "times": 1, "retry_after": .integer(seconds)])
        let destination = try destination(receiver)
        let error = try #require(throws: DeliveryError.self) { try destination.deliver(checkouts(1...3)) }
        switch error {
        case .retryable(_, let after): #expect(isRetryable && after == seconds * 1_000)
        default: #expect(!isRetryable)
        }
        #expect(try destination.deliverInParts(checkouts(1...3)).upTo == 3)
    }

    @Test func aReceiverThatTakesNothingKeepsItsQueue() throws {
        let receiver = try WebhookReceiver(["status": 400])
        let destination = try destination(receiver)
        let receipt = try destination.deliver(checkouts(1...50))
        #expect(receipt.upTo == 20 && receipt.rejections.count == 20)
        let error = try #require(throws: DeliveryError.self) { try destination.deliver(checkouts(21...50)) }
        #expect(error.description.contains("refused the last 20 events"))
    }
}

import Ledger
import Readings
import Testing

@testable import Upstream

/// Two destinations of one gateway publish on the same topics; only what names its own concerns a receiver.
@Suite struct MQTTMessageTests {
    private func format(_ cloudEvents: CloudEventMapping?) -> MQTTPlainFormat {
        MQTTPlainFormat(
            topics: MQTTTopics(site: "s", gatewayCode: "CRIB1", destination: "hub"), gatewayCode: "CRIB1", site: "s",
            destination: "hub \"1\"",
            cloudEvents: cloudEvents)
    }

    @Test func theEnvelopeHasTheStoredBytes() throws {
        let stored = SampleEvents.checkout(45)
        var event = try OutgoingEvent(stored)
        event.after = 41
        let payload = format(nil).message(of: event, order: 1, milliseconds: 0).payload
        #expect(payload == Array(#"{"after":41,"destination":"hub \"1\"","event":"#.utf8) + stored.bytes + Array("}".utf8))
        #expect(try JSON(parsing: payload).canonicalBytes == payload)
    }

    @Test func aCloudEventHasTwoMoreAttributes() throws {
        let mapping = CloudEventMapping(uriPrefix: "https://x.example", gatewayCode: "CRIB1")
        var event = try OutgoingEvent(SampleEvents.checkout(45))
        event.after = 41
        let message = try JSON(parsing: format(mapping).message(of: event, order: 1, milliseconds: 0).payload)
        #expect(message["after"] == "0000000000000000041" && message["destination"] == #"hub "1""#)
        // Webhooks have answers and need neither.
        let hook = try JSON(parsing: mapping.bytes(of: event))
        #expect(hook["after"] == nil && hook["destination"] == nil && hook["sequence"] == "0000000000000000045")
    }
}

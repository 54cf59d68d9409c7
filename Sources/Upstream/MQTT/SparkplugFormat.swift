import Readings
import SiteConfiguration

/// Sparkplug B 3.0: the gateway is an edge node, and every event an NDATA with four metrics.
struct SparkplugFormat: MQTTFormat {
    private let group: String
    private let node: String
    /// NDATA has QoS 0 by the standard. Where the broker's PUBACK is the receipt there must be one, so QoS 1 then.
    private let quality: Int32

    init(site: String, gatewayCode: String, receipt: Site.Destination.MQTT.ReceiptKind) {
        group = PercentEncoding.encoded(site)
        node = PercentEncoding.encoded(gatewayCode)
        quality = receipt == .broker ? 1 : 0
    }

    /// An event older than this, in milliseconds, was not sent when it happened.
    private static let historicalAge: Int64 = 60_000

    var subscription: String? { topic("NCMD") }

    func will(connection: UInt64) -> MQTTMessage {
        MQTTMessage(
            topic: topic("NDEATH"), payload: SparkplugPayload(metrics: [.init("bdSeq", .long(connection % 256))]).bytes)
    }

    func birth(connection: UInt64, milliseconds: Int64) -> MQTTMessage {
        let payload = SparkplugPayload(
            timestamp: milliseconds,
            metrics: [
                .init("bdSeq", .long(connection % 256), timestamp: milliseconds),
                .init("Node Control/Rebirth", .boolean(false), timestamp: milliseconds),
                .init("Event/Sequence", .null(.int64), timestamp: milliseconds),
                .init("Event/After", .null(.int64), timestamp: milliseconds),
                .init("Event/Type", .null(.string), timestamp: milliseconds),
                .init("Event/Body", .null(.string), timestamp: milliseconds),
            ], order: 0)
        return MQTTMessage(topic: topic("NBIRTH"), payload: payload.bytes, quality: 0)
    }

    func asksForBirth(_ payload: [UInt8]) -> Bool { SparkplugPayload.isTrue("Node Control/Rebirth", in: payload) }

    func message(of event: OutgoingEvent, order: UInt64, milliseconds: Int64) -> MQTTMessage {
        let time = WallTime(rfc3339: event.time)?.milliseconds ?? milliseconds
        let isHistorical = milliseconds - time > Self.historicalAge
        let payload = SparkplugPayload(
            timestamp: milliseconds,
            metrics: [
                .init("Event/Sequence", .long(UInt64(bitPattern: event.sequence)), timestamp: time, isHistorical: isHistorical),
                .init("Event/After", .long(UInt64(bitPattern: event.after)), timestamp: time, isHistorical: isHistorical),
                .init("Event/Type", .string(Array(event.type.utf8)), timestamp: time, isHistorical: isHistorical),
                .init("Event/Body", .string(event.bytes), timestamp: time, isHistorical: isHistorical),
            ], order: order % 256)
        return MQTTMessage(topic: topic("NDATA"), payload: payload.bytes, quality: quality)
    }

    func message(ofDevice name: String, state: JSON) -> MQTTMessage? { nil }

    private func topic(_ kind: String) -> String { "spBv1.0/\(group)/\(kind)/\(node)" }
}

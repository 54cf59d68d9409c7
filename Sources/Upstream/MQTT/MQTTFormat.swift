import Readings

/// How events, the gateway's own state and its devices become messages.
protocol MQTTFormat: Sendable {
    /// What the broker publishes when it loses us.
    /// - Parameter connection: counts the connections.
    func will(connection: UInt64) -> MQTTMessage
    /// Said when the connection is there, and again when somebody asks.
    func birth(connection: UInt64, milliseconds: Int64) -> MQTTMessage
    /// Besides the receipt topic.
    var subscription: String? { get }
    /// Whether a message on the subscription asks for the birth again.
    func asksForBirth(_ payload: [UInt8]) -> Bool
    /// - Parameters:
    ///   - order: counts the messages of this connection after its birth.
    ///   - milliseconds: the present time, since 1970.
    func message(of event: OutgoingEvent, order: UInt64, milliseconds: Int64) -> MQTTMessage
    /// nil: this format has no place for it.
    func message(ofDevice name: String, state: JSON) -> MQTTMessage?
}

/// The stored events in an envelope or CloudEvents, one a message.
struct MQTTPlainFormat: MQTTFormat {
    let topics: MQTTTopics
    let gatewayCode: String
    let site: String
    /// Stands in every message: destinations that get different types publish on the same topics, and what comes before an event for one
    /// of them says nothing to the receiver of another.
    let destination: String
    /// nil: the stored bytes, with the number of the event before.
    let cloudEvents: CloudEventMapping?

    var subscription: String? { nil }

    func will(connection: UInt64) -> MQTTMessage {
        state("offline", ["connection": .integer(Int64(clamping: connection))])
    }

    func birth(connection: UInt64, milliseconds: Int64) -> MQTTMessage {
        state("online", ["connection": .integer(Int64(clamping: connection)), "since_ms": .integer(milliseconds)])
    }

    func asksForBirth(_ payload: [UInt8]) -> Bool { false }

    func message(of event: OutgoingEvent, order: UInt64, milliseconds: Int64) -> MQTTMessage {
        guard let cloudEvents else {
            return MQTTMessage(topic: topics.event(event.type), payload: envelope(of: event), contentType: "application/json")
        }
        return MQTTMessage(
            topic: topics.event(event.type), payload: cloudEvents.bytes(of: event, for: destination),
            contentType: CloudEventMapping.mediaType)
    }

    /// The stored bytes stand in it as they are, and the whole is canonical too.
    private func envelope(of event: OutgoingEvent) -> [UInt8] {
        let head = JSON.object(["after": .integer(event.after), "destination": .string(destination)])
        return head.canonicalBytes.dropLast() + Array(#","event":"#.utf8) + event.bytes + [0x7D]
    }

    func message(ofDevice name: String, state: JSON) -> MQTTMessage? {
        MQTTMessage(topic: topics.device(name), payload: state.canonicalBytes, isRetained: true, contentType: "application/json")
    }

    private func state(_ word: String, _ more: [String: JSON]) -> MQTTMessage {
        let members: [String: JSON] = ["gateway": .string(gatewayCode), "site": .string(site), "state": .string(word)]
        return MQTTMessage(
            topic: topics.state, payload: JSON.object(members.merging(more) { $1 }).canonicalBytes, isRetained: true,
            contentType: "application/json")
    }
}

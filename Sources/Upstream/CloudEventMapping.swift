import Readings

/// Wraps events as CloudEvents 1.0 in the structured JSON form. docs/upstream.md has the table.
struct CloudEventMapping: Hashable, Sendable {
    /// CloudEvents 1.0 JSON event format, sections 2 and 4.
    static let mediaType = "application/cloudevents+json"
    static let batchMediaType = "application/cloudevents-batch+json"

    private let source: String
    private let gatewayCode: String

    /// - Parameter uriPrefix: of the gateway, without a slash at its end.
    init(uriPrefix: String, gatewayCode: String) {
        source = "\(uriPrefix)/gateway/\(gatewayCode)"
        self.gatewayCode = gatewayCode
    }

    /// The event in canonical form. Its data are the stored bytes, which are in canonical form already.
    /// - Parameter destination: says which event came before it for this one; nil where answers tell what has arrived.
    func bytes(of event: OutgoingEvent, for destination: String? = nil) -> [UInt8] {
        let attributes = JSON.compact([
            "after": destination.map { _ in .string(padded(event.after)) },
            "datacontenttype": "application/json",
            "destination": destination.map(JSON.string),
            "epoch": .string(event.origin),
            "gateway": .string(gatewayCode),
            "id": .string(event.id),
            // Of the extension "sequence": compared as a text, so of one length.
            "sequence": .string(padded(event.sequence)),
            "source": .string(source),
            "specversion": "1.0",
            "subject": event.json["subject"]?.array?.first,
            "time": .string(event.time),
            "type": .string("stockgate.\(event.type)"),
        ])
        return Array(#"{"data":"#.utf8) + event.bytes + [0x2C] + attributes.canonicalBytes.dropFirst()
    }

    private func padded(_ sequence: Int64) -> String {
        let digits = String(sequence)
        return String(repeating: "0", count: max(0, 19 - digits.utf8.count)) + digits
    }
}

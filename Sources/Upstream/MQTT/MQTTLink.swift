/// One connection to a broker. It is made, opened once, used by several threads, and closed; a new connection is a new link.
public protocol MQTTLink: Sendable {
    /// Begins to connect. What happens is told to the handler, on any thread; `.lost` is the last.
    func open(_ handler: @escaping @Sendable (MQTTLinkEvent) -> Void) throws(DeliveryError)
    /// With QoS 1.
    func subscribe(_ topic: String) throws(DeliveryError)
    /// Gives a message to the connection; `.acknowledged` with the number that is returned may be told before it returns.
    func publish(_ message: MQTTMessage) throws(MQTTPublishError) -> Int32
    /// Ends the connection in good order, so that the broker does not publish the will. Does not wait.
    func close()
    /// Ends the connection without a word. Called by the handler of a message, it keeps that message from being acknowledged: a broker
    /// that remembers us sends it again. No message is told after it. Does not wait.
    func drop()
}

/// Makes the link of every new connection.
public protocol MQTTLinkMaker: Sendable {
    /// - Parameter will: what the broker publishes when it loses us; nil: nothing.
    func link(will: MQTTMessage?) throws(DeliveryError) -> any MQTTLink
}

public struct MQTTMessage: Hashable, Sendable {
    public var topic: String
    public var payload: [UInt8]
    /// 0 or 1.
    public var quality: Int32
    public var isRetained: Bool
    /// A property of MQTT 5.
    public var contentType: String?

    public init(topic: String, payload: [UInt8], quality: Int32 = 1, isRetained: Bool = false, contentType: String? = nil) {
        self.topic = topic
        self.payload = payload
        self.quality = quality
        self.isRetained = isRetained
        self.contentType = contentType
    }
}

public enum MQTTLinkEvent: Sendable {
    case connected
    case subscribed
    /// The broker has a message of QoS 1, or one of QoS 0 was written to the connection.
    case acknowledged(Int32, MQTTAnswer)
    /// It is acknowledged to the broker when the handler has returned, not before.
    /// - isRetained: the broker kept it for those who subscribe; otherwise it was published for us.
    case received(topic: String, payload: [UInt8], isRetained: Bool = false)
    /// A message that is too large to be taken: it is acknowledged and thrown away.
    case oversized(topic: String, bytes: Int)
    case lost(DeliveryError)
}

public enum MQTTAnswer: Hashable, Sendable {
    case taken
    /// MQTT 5 only: nobody is subscribed, so the broker has dropped it.
    case nobodyListens
    /// This message can never be taken: too large, or not what it should be.
    case rejected(String)
    /// Will pass: a quota is used up.
    case busy(String)
    /// The broker does not let us publish there.
    case forbidden(String)

    /// A reason code of a PUBACK: MQTT 5, section 3.4.2.1.
    init(reason: Int32, text: String) {
        switch reason {
        case 0x10: self = .nobodyListens
        case ..<0x80: self = .taken
        case 0x87, 0x90: self = .forbidden(text)
        case 0x95, 0x99: self = .rejected(text)
        default: self = .busy(text)
        }
    }
}

public enum MQTTPublishError: Error, Hashable, Sendable {
    /// The connection is gone.
    case notConnected(String)
    /// Larger than the broker takes.
    case tooLarge
}

import CMosquitto
import Glibc
import HTTPClient
import Readings
import SiteConfiguration

/// A connection through libmosquitto, driven by a thread of its own.
///
/// The library's own reconnecting is not used: it would send what it queued while it was away. A connection that is lost takes its queue
/// with it, and the log is the only queue.
final class MosquittoLink: MQTTLink, @unchecked Sendable {
    // `handle` is set once and made for use by several threads; it lives as long as this object, which the thread holds. `box` is
    // released after `handle`.
    private let handle: OpaquePointer
    private let box: Unmanaged<CallbackBox>
    private let broker: Site.Broker
    private let session: MQTTSessionKind
    private let tls: TLSClient?
    private let place: String

    /// Bytes of a message that is taken; MQTT itself allows four times as many.
    static let maximumPayload = 64 << 20
    /// How long a broker is asked to remember us, in seconds: 30 days. MQTT 3.1.1 has no such number.
    private static let sessionExpiry: UInt32 = 30 * 86_400

    /// - Throws: `DeliveryError.refused` when a file is missing or cannot be used.
    init(_ broker: Site.Broker, clientID: String, session: MQTTSessionKind, will: MQTTMessage?) throws(DeliveryError) {
        _ = Self.library
        self.broker = broker
        self.session = session
        place = "\(broker.host):\(broker.port)"
        tls = if let files = broker.tls?.files { try TLSClient(files, host: broker.host) } else { nil }
        box = Unmanaged.passRetained(CallbackBox())
        guard let handle = mosquitto_new(clientID, session != .kept, box.toOpaque()) else {
            box.release()
            throw .refused("libmosquitto takes no client id \"\(printable(clientID))\"")
        }
        self.handle = handle
        mosquitto_threaded_set(handle, true)
        mosquitto_int_option(
            handle, MOSQ_OPT_PROTOCOL_VERSION, broker.version == .v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311)
        switch session {
        case .clean(let window): mosquitto_int_option(handle, MOSQ_OPT_SEND_MAXIMUM, Int32(window))
        // One message at a time: what is not acknowledged comes again, and the fewer the better.
        case .kept: mosquitto_int_option(handle, MOSQ_OPT_RECEIVE_MAXIMUM, 1)
        }
        mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1)
        if let tls {
            mosquitto_void_option(handle, MOSQ_OPT_SSL_CTX, tls.context)
            // Otherwise the library would lay its own settings over ours.
            mosquitto_int_option(handle, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0)
        }
        if let will {
            mosquitto_will_set(handle, will.topic, Int32(will.payload.count), will.payload, will.quality, will.isRetained)
        }
        if let user = broker.user {
            let password: String? =
                if let file = broker.passwordFile { try SecretFile.word(in: file, what: "password") } else { nil }
            mosquitto_username_pw_set(handle, user, password)
        }
        mosquitto_connect_v5_callback_set(handle, onConnect)
        mosquitto_publish_v5_callback_set(handle, onPublish)
        mosquitto_subscribe_callback_set(handle, onSubscribe)
        mosquitto_message_callback_set(handle, onMessage)
        mosquitto_disconnect_v5_callback_set(handle, onDisconnect)
        mosquitto_log_callback_set(handle, onLog)
    }

    deinit {
        mosquitto_destroy(handle)
        box.release()
    }

    /// `mosquitto_lib_init` is the one call that may not be made by two threads at once.
    private static let library: Int32 = mosquitto_lib_init()

    func open(_ handler: @escaping @Sendable (MQTTLinkEvent) -> Void) throws(DeliveryError) {
        box.takeUnretainedValue().state.update { $0.handler = handler }
        let started = startDetachedThread { [self] in run() }
        guard started == 0 else {
            box.takeUnretainedValue().state.update { $0.handler = nil }
            throw .retryable("no thread for \(place), errno \(started)")
        }
    }

    func subscribe(_ topic: String) throws(DeliveryError) {
        // With MQTT 5 a session that lives on gets what is retained once, not at every connection.
        let options = broker.version == .v5 ? Int32(MQTT_SUB_OPT_SEND_RETAIN_NEW.rawValue) : 0
        let code = mosquitto_subscribe_v5(handle, nil, topic, 1, options, nil)
        guard code == MOSQ_ERR_SUCCESS.code else { throw .retryable("\(place): \(Self.text(code))") }
    }

    func publish(_ message: MQTTMessage) throws(MQTTPublishError) -> Int32 {
        var properties: OpaquePointer?
        defer { mosquitto_property_free_all(&properties) }
        if broker.version == .v5, let type = message.contentType {
            mosquitto_property_add_string(&properties, Int32(MQTT_PROP_CONTENT_TYPE.rawValue), type)
        }
        var identifier: Int32 = 0
        let code = mosquitto_publish_v5(
            handle, &identifier, message.topic, Int32(clamping: message.payload.count), message.payload, message.quality,
            message.isRetained, properties)
        switch code {
        case MOSQ_ERR_SUCCESS.code: return identifier
        case MOSQ_ERR_PAYLOAD_SIZE.code, MOSQ_ERR_OVERSIZE_PACKET.code: throw .tooLarge
        // The library may have queued it all the same; the queue goes with this connection.
        default: throw .notConnected(Self.text(code))
        }
    }

    func close() {
        box.takeUnretainedValue().state.update { $0.isClosing = true }
        mosquitto_disconnect(handle)
    }

    /// What the library has to say, the PUBACK of the message being handled among it, waits for the link's thread, which then finds the
    /// socket shut.
    func drop() {
        box.takeUnretainedValue().state.update { $0.isDropped = true }
        let socket = mosquitto_socket(handle)
        if socket >= 0 { shutdown(socket, Int32(SHUT_RDWR)) }
    }

    private func connect() -> Int32 {
        var properties: OpaquePointer?
        defer { mosquitto_property_free_all(&properties) }
        if session == .kept, broker.version == .v5 {
            mosquitto_property_add_int32(&properties, Int32(MQTT_PROP_SESSION_EXPIRY_INTERVAL.rawValue), Self.sessionExpiry)
        }
        // A message may take long to be handled, and the library is silent meanwhile.
        let keepAlive: Int32 = session == .kept ? 60 : 30
        return mosquitto_connect_bind_v5(handle, broker.host, Int32(broker.port), keepAlive, nil, properties)
    }

    private func run() {
        var code = connect()
        var number = errno
        let box = box.takeUnretainedValue()
        while code == MOSQ_ERR_SUCCESS.code, !box.state.read(\.isOver) {
            code = mosquitto_loop(handle, 500, 1)
            number = errno
        }
        let (handler, refusal, log) = box.state.update { state in
            defer { state.handler = nil }
            return (state.handler, state.refusal, state.log)
        }
        handler?(.lost(refusal ?? reason(code, number, log)))
    }

    private func reason(_ code: Int32, _ number: Int32, _ log: String) -> DeliveryError {
        if let problem = tls?.problem { return .tls(problem, at: place) }
        if let files = broker.tls?.files, let problem = TLSProblem(alertIn: log, files: files) { return .tls(problem, at: place) }
        let words = code == MOSQ_ERR_ERRNO.code ? "\(String(cString: strerror(number))) (errno \(number))" : Self.text(code)
        return .retryable("\(place): \(words)\(log.isEmpty ? "" : "; \(log)")")
    }

    private static func text(_ code: Int32) -> String { String(cString: mosquitto_strerror(code)) }
}

/// What a broker keeps for us while we are away.
enum MQTTSessionKind: Hashable, Sendable {
    /// Nothing: for publishing, with a bound of messages on their way without an answer.
    case clean(window: Int)
    /// Subscriptions, and what is published to them.
    case kept
}

struct MosquittoLinkMaker: MQTTLinkMaker {
    var broker: Site.Broker
    var clientID: String
    var session: MQTTSessionKind

    func link(will: MQTTMessage?) throws(DeliveryError) -> any MQTTLink {
        try MosquittoLink(broker, clientID: clientID, session: session, will: will)
    }
}

/// What libmosquitto's callbacks reach. A lock of pthreads, which the thread sanitizer sees.
private final class CallbackBox: Sendable {
    struct State: Sendable {
        var handler: (@Sendable (MQTTLinkEvent) -> Void)?
        /// Why the broker did not want us.
        var refusal: DeliveryError?
        /// The library's latest words about an error.
        var log = ""
        var isConnected = false
        var isClosing = false
        var isDown = false
        /// Who closes before the broker has answered says nothing more: a CONNECT that comes late would throw out the connection that was
        /// made since, for both have one client id.
        var isOver: Bool { isClosing && (isDown || !isConnected) }
        /// The library may hold messages that it has read and not told yet.
        var isDropped = false
    }

    let state = Guarded(State())

    func tell(_ event: MQTTLinkEvent) {
        state.read(\.handler)?(event)
    }

    static func of(_ context: UnsafeMutableRawPointer?) -> CallbackBox? {
        context.map { Unmanaged<CallbackBox>.fromOpaque($0).takeUnretainedValue() }
    }
}

// Called by libmosquitto on the link's thread, so they must be no closures that inherit an actor.

private nonisolated func onConnect(
    _ handle: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ reason: Int32, _ flags: Int32, _ properties: OpaquePointer?
) {
    guard let box = CallbackBox.of(context) else { return }
    guard reason != 0 else {
        box.state.update { $0.isConnected = true }
        return box.tell(.connected)
    }
    // MQTT 3.1.1 has codes up to 5, MQTT 5 those from 128.
    let text = String(cString: reason < 0x80 ? mosquitto_connack_string(reason) : mosquitto_reason_string(reason))
    let words = "the broker refuses the connection: \(text)"
    let isPassing = [3, 0x80, 0x88, 0x89, 0x97, 0x9F].contains(reason)
    box.state.update { $0.refusal = isPassing ? .retryable(words) : .refused(words) }
}

private nonisolated func onPublish(
    _ handle: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ identifier: Int32, _ reason: Int32, _ properties: OpaquePointer?
) {
    let text = reason == 0 ? "" : String(cString: mosquitto_reason_string(reason))
    CallbackBox.of(context)?.tell(.acknowledged(identifier, MQTTAnswer(reason: reason, text: text)))
}

private nonisolated func onSubscribe(
    _ handle: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ identifier: Int32, _ count: Int32,
    _ granted: UnsafePointer<Int32>?
) {
    guard let box = CallbackBox.of(context) else { return }
    if count > 0, let granted, granted[0] >= 0x80 {
        box.state.update { $0.refusal = .refused("the broker does not let us subscribe") }
        mosquitto_disconnect(handle)
    } else {
        box.tell(.subscribed)
    }
}

private nonisolated func onMessage(
    _ handle: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ message: UnsafePointer<mosquitto_message>?
) {
    guard let message = message?.pointee, let topic = message.topic else { return }
    guard let box = CallbackBox.of(context), !box.state.read(\.isDropped) else { return }
    let (name, length) = (String(cString: topic), Int(message.payloadlen))
    guard length <= MosquittoLink.maximumPayload else {
        return box.tell(.oversized(topic: name, bytes: length))
    }
    let payload = message.payload.map { Array(UnsafeRawBufferPointer(start: $0, count: length)) } ?? []
    box.tell(.received(topic: name, payload: payload, isRetained: message.retain))
}

private nonisolated func onDisconnect(
    _ handle: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ reason: Int32, _ properties: OpaquePointer?
) {
    CallbackBox.of(context)?.state.update { $0.isDown = true }
}

private nonisolated func onLog(
    _ handle: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ level: Int32, _ text: UnsafePointer<CChar>?
) {
    guard level == MOSQ_LOG_ERR || level == MOSQ_LOG_WARNING, let text else { return }
    let words = printable(String(cString: text))
    CallbackBox.of(context)?.state.update { $0.log = words }
}

extension mosq_err_t {
    /// The enumeration has negative members; calls return plain integers.
    fileprivate var code: Int32 { Int32(rawValue) }
}

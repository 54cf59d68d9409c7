import Glibc
import HTTPClient
import SiteConfiguration

/// Publishes events to a broker with QoS 1, one a message, several on their way at a time.
///
/// With `receipt = application` only the receiver's message on the receipt topic settles an event; with `broker` the PUBACK does, which
/// promises less: a broker may lose what it has acknowledged.
public final class MQTTDestination: Destination {
    private let session: MQTTSession
    private let receiptKind: Site.Destination.MQTT.ReceiptKind
    private let pace: Guarded<MQTTPace>
    private let timeoutMilliseconds: Int64
    private let place: String

    /// - Parameters:
    ///   - name: of the destination: the last level of the receipt topic.
    ///   - board: what is shown of the devices.
    ///   - stateDirectory: where the number of connections is kept; nil: nowhere.
    ///   - linkMaker: makes connections; nil: through libmosquitto.
    /// - Throws: `DeliveryError` when no thread can be had.
    public init(
        _ configuration: Site.Destination.MQTT, name: String, gateway: Site.Gateway, board: DeviceStateBoard, stopSignal: StopSignal,
        stateDirectory: String? = nil, linkMaker: (any MQTTLinkMaker)? = nil
    ) throws(DeliveryError) {
        let topics = MQTTTopics(site: gateway.site, gatewayCode: gateway.code, destination: name)
        let format: any MQTTFormat =
            switch configuration.format {
            case .json: MQTTPlainFormat(topics: topics, gatewayCode: gateway.code, site: gateway.site, destination: name, cloudEvents: nil)
            case .cloudevents:
                MQTTPlainFormat(
                    topics: topics, gatewayCode: gateway.code, site: gateway.site, destination: name,
                    cloudEvents: CloudEventMapping(uriPrefix: gateway.uriPrefix, gatewayCode: gateway.code))
            case .sparkplug: SparkplugFormat(site: gateway.site, gatewayCode: gateway.code, receipt: configuration.receipt)
            }
        let clientID = configuration.clientID ?? "stockgate-\(gateway.code)-\(name)"
        receiptKind = configuration.receipt
        pace = Guarded(MQTTPace(window: configuration.window))
        timeoutMilliseconds = Int64(max(1, min(3_600, configuration.timeoutSeconds))) * 1_000
        place = "\(configuration.host):\(configuration.port)"
        session = try MQTTSession(
            format: format, gatewayCode: gateway.code, receiptTopic: configuration.receipt == .application ? topics.receipt : nil,
            files: (configuration.tls?.files.all ?? []) + [configuration.passwordFile].compactMap { $0 }, board: board,
            timeoutMilliseconds: timeoutMilliseconds, stopSignal: stopSignal,
            linkMaker: linkMaker
                ?? MosquittoLinkMaker(broker: configuration.broker, clientID: clientID, session: .clean(window: configuration.window)),
            counter: MQTTConnectionCounter(directory: stateDirectory, destination: name))
    }

    public var needsPredecessors: Bool { true }
    public var tellsPeople: Bool { true }

    public func deliver(_ batch: [OutgoingEvent]) throws(DeliveryError) -> Receipt {
        guard let first = batch.first else { return Receipt(upTo: 0) }
        let connection = try session.ready(origin: first.origin, above: first.sequence - 1)
        var attempt = MQTTAttempt(
            batch, receiptKind: receiptKind, pace: pace.read { $0 }, timeout: timeoutMilliseconds, place: place, at: now)
        defer { pace.update { $0 = attempt.pace } }
        while true {
            switch attempt.next(at: now) {
            case .publish(let event): publish(event, connection, &attempt)
            case .wait(let end):
                let news = session.news(connection: connection, milliseconds: end - now)
                attempt.take(news.answers, news.receipts, at: now)
                if let error = news.end { attempt.fail(error) }
            case .end: return try attempt.result()
            }
        }
    }

    private func publish(_ event: OutgoingEvent, _ connection: UInt64, _ attempt: inout MQTTAttempt) {
        do throws(MQTTPublishError) {
            try session.publish(event, connection: connection)
            attempt.published(event.sequence)
        } catch {
            switch error {
            case .tooLarge: attempt.tooLarge(event.sequence, at: now)
            case .notConnected(let reason): attempt.fail(.retryable("\(place): \(reason)"))
            }
        }
    }

    /// Monotonic, in milliseconds.
    private var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}

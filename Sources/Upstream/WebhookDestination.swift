import Glibc
import HTTPClient
import SiteConfiguration
import Synchronization

/// Posts events as CloudEvents 1.0, in batches or one by one, signed by the Standard Webhooks scheme.
///
/// The receipt is a 2xx answer. A batch that is refused is taken apart into halves until the event is found that the receiver will never
/// take; 409 to one event alone means that the receiver has it.
public final class WebhookDestination: Destination {
    private let sender: HTTPSender
    private let url: String
    private let isSingle: Bool
    private let secretFile: String?
    private let mapping: CloudEventMapping
    private let sizer: Mutex<BatchSizer>

    /// - Throws: `DeliveryError.refused` for a URL that is not http or https.
    public init(
        _ configuration: Site.Destination.Webhook, uriPrefix: String, gatewayCode: String, batch: Int, stopSignal: StopSignal
    ) throws(DeliveryError) {
        sender = try HTTPSender(
            url: configuration.url, tokenFile: configuration.tokenFile, tls: configuration.tls, proxy: configuration.proxy,
            timeoutSeconds: configuration.timeoutSeconds, stopSignal: stopSignal)
        url = configuration.url
        isSingle = configuration.isSingle
        secretFile = configuration.secretFile
        mapping = CloudEventMapping(uriPrefix: uriPrefix, gatewayCode: gatewayCode)
        sizer = Mutex(BatchSizer(most: configuration.isSingle ? 1 : batch))
    }

    public var tellsPeople: Bool { true }

    public func deliver(_ batch: [OutgoingEvent]) throws(DeliveryError) -> Receipt {
        // Held for as long as the delivery takes: there is one at a time.
        let result = sizer.withLock { sizer in
            Result { () throws(DeliveryError) in try deliver(batch, &sizer) }
        }
        return try result.get()
    }

    private struct Prepared {
        var event: OutgoingEvent
        var bytes: [UInt8]
    }

    private func deliver(_ batch: [OutgoingEvent], _ sizer: inout BatchSizer) throws(DeliveryError) -> Receipt {
        // Read for every delivery, so that a new secret needs no restart.
        let signature: WebhookSignature? = if let secretFile { try WebhookSignature(secretFile: secretFile) } else { nil }
        var receipt = Receipt(upTo: (batch.first?.sequence ?? 1) - 1)
        var queue = batch.map { Prepared(event: $0, bytes: mapping.bytes(of: $0)) }[...]
        do {
            while !queue.isEmpty {
                let chunk = queue.prefix(sizer.count(of: queue.lazy.map(\.bytes.count)))
                switch try post(chunk, signature, &sizer) {
                case .stored:
                    receipt.delivered += chunk.count
                    sizer.succeeded(chunk.count)
                case .tooLarge where chunk.count > 1:
                    sizer.tooLarge(chunk.count, next: chunk.count)
                    continue
                case .known where chunk.count > 1, .refused where chunk.count > 1:
                    sizer.failed(chunk.count)
                    continue
                case .known:
                    receipt.duplicates += 1
                    sizer.succeeded(1)
                case .tooLarge(let reason), .refused(let reason):
                    try sizer.reject(chunk.first?.event.sequence ?? 0, reason, &receipt)
                }
                receipt.upTo = chunk.last?.event.sequence ?? receipt.upTo
                queue = queue.dropFirst(chunk.count)
            }
        } catch {
            if receipt.upTo < (batch.first?.sequence ?? 0) { throw error }
        }
        return receipt
    }

    private enum Answer {
        case stored
        case known
        case tooLarge(String)
        case refused(String)
    }

    private func post(
        _ chunk: ArraySlice<Prepared>, _ signature: WebhookSignature?, _ sizer: inout BatchSizer
    ) throws(DeliveryError) -> Answer {
        let body: [UInt8] = isSingle ? chunk.first?.bytes ?? [] : [0x5B] + chunk.map(\.bytes).joined(separator: [0x2C]) + [0x5D]
        var request = HTTPRequest("POST", url, body: body)
        request.headers.append(
            .init("Content-Type", "\(isSingle ? CloudEventMapping.mediaType : CloudEventMapping.batchMediaType); charset=utf-8"))
        // The same events have the same id whenever they are sent, so that a receiver can drop a repetition without looking into it.
        let id = [chunk.first?.event.id, chunk.count > 1 ? chunk.last?.event.id : nil].compactMap { $0 }.joined(separator: "_")
        request.headers.append(.init("webhook-id", id))
        if let signature {
            let timestamp = Int64(time(nil))
            request.headers.append(.init("webhook-timestamp", "\(timestamp)"))
            request.headers.append(.init("webhook-signature", signature.value(id: id, timestamp: timestamp, body: body)))
        }
        do throws(DeliveryError) {
            let response = try sender.send(request)
            switch response.status {
            case 200...299: return .stored
            case 409: return .known
            case 413: return .tooLarge("413 \(sender.problem(response))")
            case 400, 422: return .refused("\(response.status) \(sender.problem(response))")
            default: throw sender.failure(response, "POST \(HTTPError.withoutSecrets(url))")
            }
        } catch {
            sizer.failed(chunk.count)
            throw error
        }
    }
}

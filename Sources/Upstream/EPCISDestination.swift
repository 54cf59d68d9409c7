import HTTPClient
import Readings
import SiteConfiguration
import Synchronization

/// Delivers events as EPCIS 2.0 documents to a capture interface.
///
/// A batch goes to `POST /capture`, and its receipt is the finished capture job. Whatever a server refuses as a whole is taken apart:
/// a document into halves, and the events of a failed job, or of a document of one, to `POST /events` one by one. There 409 means
/// that the server has the event, and 400 that it never will. All is safe to repeat, because each event carries its own `eventID`.
public final class EPCISDestination: Destination {
    /// How long a capture job is followed before the thread does something else, in milliseconds.
    static let jobPatience: Int64 = 60_000

    private let client: EPCISClient
    private let mapping: EPCISMapping
    private let stopSignal: StopSignal
    private let memory: Mutex<Memory>

    /// - Throws: `DeliveryError.refused` for a URL that is not http or https.
    public init(
        _ configuration: Site.Destination.EPCIS, mapping: EPCISMapping, batch: Int, stopSignal: StopSignal
    ) throws(DeliveryError) {
        client = EPCISClient(
            sender: try HTTPSender(
                url: configuration.url, tokenFile: configuration.tokenFile, tls: configuration.tls, proxy: configuration.proxy,
                timeoutSeconds: configuration.timeoutSeconds, stopSignal: stopSignal),
            url: HTTPSender.withoutSlash(configuration.url))
        self.mapping = mapping
        self.stopSignal = stopSignal
        memory = Mutex(Memory(sizer: BatchSizer(most: batch)))
    }

    /// An EPCIS repository keeps `eventTime` as it is captured.
    public var needsTime: Bool { true }

    public func deliver(_ batch: [OutgoingEvent]) throws(DeliveryError) -> Receipt {
        // Held for as long as the delivery takes: there is one at a time.
        let result = memory.withLock { memory in
            var attempt = Attempt(batch, client: client, mapping: mapping, stopSignal: stopSignal, memory: memory)
            let result = Result { () throws(DeliveryError) in try attempt.run() }
            memory = attempt.memory
            return result
        }
        return try result.get()
    }

    /// What is remembered from one delivery to the next.
    struct Memory: Sendable {
        var sizer: BatchSizer
        var unfinished: UnfinishedJob?
        /// Up to here events were sent without an answer: the server may have them.
        var unansweredUpTo: Int64 = 0
    }

    /// A capture job whose end was not seen: asked for again before its events are sent again.
    struct UnfinishedJob: Sendable {
        var first: Int64
        var last: Int64
        var location: String
    }
}

extension EPCISDestination {
    /// One call of `deliver`.
    private struct Attempt {
        var memory: Memory
        private let client: EPCISClient
        private let mapping: EPCISMapping
        private let stopSignal: StopSignal
        private let last: Int64
        private var queue: ArraySlice<Prepared>
        private var receipt: Receipt
        private var passedOver: [Int64] = []
        private var unmappable: [Receipt.Rejection] = []

        private struct Prepared {
            var sequence: Int64
            var time: String
            var json: JSON
            var bytes: [UInt8]

            /// It has the id of the event that it declares to be wrong: "known" is not said of it.
            var isCorrection: Bool { json["errorDeclaration"] != nil }
        }

        init(_ batch: [OutgoingEvent], client: EPCISClient, mapping: EPCISMapping, stopSignal: StopSignal, memory: Memory) {
            self.memory = memory
            self.client = client
            self.mapping = mapping
            self.stopSignal = stopSignal
            last = batch.last?.sequence ?? 0
            receipt = Receipt(upTo: (batch.first?.sequence ?? 1) - 1)
            var prepared: [Prepared] = []
            prepared.reserveCapacity(batch.count)
            for event in batch {
                switch mapping.map(event) {
                case .event(let json):
                    prepared.append(Prepared(sequence: event.sequence, time: event.time, json: json, bytes: json.canonicalBytes))
                case .noMeaning: passedOver.append(event.sequence)
                case .unmappable(let reason): unmappable.append(.init(sequence: event.sequence, reason: reason))
                }
            }
            queue = prepared[...]
        }

        mutating func run() throws(DeliveryError) -> Receipt {
            let before = receipt.upTo
            var failure: DeliveryError?
            do {
                try resume()
                while !queue.isEmpty { try deliverNext() }
            } catch {
                failure = error
            }
            // What stands between settled events is settled with them.
            receipt.upTo = queue.first.map { $0.sequence - 1 } ?? last
            if let failure, receipt.upTo <= before { throw failure }
            receipt.passedOver = passedOver.count { $0 <= receipt.upTo }
            receipt.rejections += unmappable.filter { $0.sequence <= receipt.upTo }
            receipt.rejections.sort { $0.sequence < $1.sequence }
            return receipt
        }

        private mutating func resume() throws(DeliveryError) {
            guard let job = memory.unfinished else { return }
            guard queue.first?.sequence == job.first, let end = queue.firstIndex(where: { $0.sequence == job.last }) else {
                memory.unfinished = nil
                return
            }
            try follow(job, queue[...end])
        }

        private mutating func deliverNext() throws(DeliveryError) {
            let chunk = nextChunk()
            let (answer, limits) = try capture(chunk)
            memory.sizer.serverTakes(events: limits.events, bytes: limits.bytes)
            switch answer {
            case .stored: settle(chunk)
            case .accepted(let job?):
                guard let first = chunk.first, let last = chunk.last else { return }
                try follow(UnfinishedJob(first: first.sequence, last: last.sequence, location: job), chunk)
            // Accepted is no receipt, and there is nowhere to ask for one.
            case .accepted(nil): try deliverAlone(chunk, mayBeThere: true)
            case .tooLarge where chunk.count > 1: memory.sizer.tooLarge(chunk.count, next: nextChunk().count)
            case .refused where chunk.count > 1: memory.sizer.failed(chunk.count)
            case .tooLarge, .refused: try deliverAlone(chunk)
            }
        }

        private mutating func capture(_ chunk: ArraySlice<Prepared>) throws(DeliveryError) -> (
            EPCISClient.CaptureAnswer, EPCISClient.Limits
        ) {
            var mayBeThere = false
            do {
                let answer = try client.capture(document(of: chunk), mayBeThere: &mayBeThere)
                if mayBeThere { remember(chunk) }
                return answer
            } catch {
                // A slow link or a struggling server may manage a smaller one.
                memory.sizer.failed(chunk.count)
                remember(chunk)
                throw error
            }
        }

        private mutating func remember(_ unanswered: ArraySlice<Prepared>) {
            memory.unansweredUpTo = max(memory.unansweredUpTo, unanswered.last?.sequence ?? 0)
        }

        /// A correction goes alone: of a document with others nobody could tell whether the server has it or takes none.
        private func nextChunk() -> ArraySlice<Prepared> {
            let chunk = queue.prefix(memory.sizer.count(of: queue.lazy.map(\.bytes.count)))
            guard let correction = chunk.firstIndex(where: \.isCorrection) else { return chunk }
            return chunk.prefix(max(1, correction - chunk.startIndex))
        }

        private mutating func settle(_ chunk: ArraySlice<Prepared>) {
            receipt.delivered += chunk.count
            memory.sizer.succeeded(chunk.count)
            queue = queue.dropFirst(chunk.count)
        }

        private mutating func follow(_ job: UnfinishedJob, _ chunk: ArraySlice<Prepared>) throws(DeliveryError) {
            memory.unfinished = job
            var addresses = client.addresses(ofJob: job.location)[...]
            var pause: Int64 = 10
            var waited: Int64 = 0
            while let address = addresses.first {
                switch try client.job(at: address) {
                case .finished:
                    memory.unfinished = nil
                    return settle(chunk)
                case .failed:
                    memory.unfinished = nil
                    return try deliverAlone(chunk)
                case .unknown: addresses = addresses.dropFirst()
                case .running:
                    guard waited < EPCISDestination.jobPatience else {
                        throw .retryable("the capture job \(printable(address)) is still running")
                    }
                    guard stopSignal.sleep(milliseconds: pause) else { throw .stopped }
                    waited += pause
                    pause = min(pause * 2, 2_000)
                }
            }
            // No job, no receipt.
            memory.unfinished = nil
            try deliverAlone(chunk, mayBeThere: true)
        }

        /// - Parameter mayBeThere: whether the server has taken them already, and only gave no receipt.
        private mutating func deliverAlone(_ chunk: ArraySlice<Prepared>, mayBeThere: Bool = false) throws(DeliveryError) {
            for event in chunk {
                guard var members = event.json.object else { continue }
                members["@context"] = mapping.context
                var mayBeThere = mayBeThere || event.sequence <= memory.unansweredUpTo
                let answer: EPCISClient.EventAnswer
                do { answer = try client.store(JSON.object(members).canonicalBytes, mayBeThere: &mayBeThere) } catch {
                    remember([event])
                    throw error
                }
                switch answer {
                case .stored:
                    receipt.delivered += 1
                    memory.sizer.succeeded(1)
                case .known where event.isCorrection && !mayBeThere:
                    receipt.rejections.append(.init(sequence: event.sequence, reason: "409: takes no correction of an event that it has"))
                case .known:
                    receipt.duplicates += 1
                    memory.sizer.succeeded(1)
                case .refused(let reason):
                    try memory.sizer.reject(event.sequence, reason, &receipt)
                }
                queue = queue.dropFirst()
            }
        }

        /// The document in canonical form, put together from events that are in canonical form already. Its date is that of its last
        /// event, so that the same events are the same bytes whenever they are sent.
        private func document(of chunk: ArraySlice<Prepared>) -> [UInt8] {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(chunk.reduce(512) { $0 + $1.bytes.count + 1 })
            bytes += #"{"@context":"#.utf8
            bytes += mapping.context.canonicalBytes
            bytes += #","creationDate":"#.utf8
            bytes += JSON.string(chunk.last?.time ?? "").canonicalBytes
            bytes += #","epcisBody":{"eventList":["#.utf8
            for (position, event) in chunk.enumerated() {
                if position > 0 { bytes.append(0x2C) }
                bytes += event.bytes
            }
            bytes += #"]},"schemaVersion":"2.0","type":"EPCISDocument"}"#.utf8
            return bytes
        }
    }
}

import Glibc
import HTTPClient
import Ledger
import Readings
import SiteConfiguration
import Synchronization

/// Master data that upstream publishes over MQTT: one message is one batch.
///
/// The broker remembers the subscription, so that what is published while the line is down comes later. A message is acknowledged when it
/// has been taken in with its cursor, or refused for good; what the store cannot take is not acknowledged and comes again.
public final class MasterPush: MasterSource {
    /// How long a message is held while the store cannot take it, in milliseconds; then the connection is dropped, and the broker sends the
    /// message again. Below the time after which a broker takes us for dead: one and a half keep-alives.
    public static let patience: Int64 = 30_000
    /// Reasons told to the sender.
    static let maximumReasons = 20

    public let name: String
    private let topics: MQTTMasterTopics
    private let gateway: Site.Gateway
    private let intake: any MasterIntake
    private let patience: Int64
    private let random: @Sendable () -> Double
    private let onChange: @Sendable (SourceStatus) -> Void
    private let connector: MQTTConnector
    private let stopSignal = StopSignal()
    private let shared = Guarded(Shared())
    /// Held while a message is handled: a link that was given up may still be busy with one when its successor gets the next.
    private let turn = Mutex(())

    struct Shared: Sendable {
        var isStarted = false
        var isStopping = false
        var isConnected = false
        /// Why there is no connection.
        var absence: DeliveryError?
        /// Why the last message was not taken in, until one is.
        var refusal: String?
        /// Why the store cannot take the message that is being handled.
        var obstacle: String?
        var isTaking = false
        var answer = Answer(word: .waiting)
        var cursor: String?
        var batches: Int64 = 0
        /// `CLOCK_BOOTTIME`, in milliseconds.
        var currentAt: Int64?
        /// What was said last of the state, so that it is said once.
        var told: SourceStatus.State?
    }

    /// - Parameters:
    ///   - patience: see `MasterPush.patience`.
    ///   - onChange: called on a thread of the connection when master data cease to come, are refused, or come again.
    ///   - linkMaker: makes connections; nil: through libmosquitto.
    public init(
        name: String, _ broker: Site.Broker, gateway: Site.Gateway, intake: any MasterIntake, patience: Int64 = MasterPush.patience,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        onChange: @escaping @Sendable (SourceStatus) -> Void = { _ in }, linkMaker: (any MQTTLinkMaker)? = nil
    ) {
        self.name = name
        self.gateway = gateway
        self.intake = intake
        self.patience = patience
        self.random = random
        self.onChange = onChange
        topics = MQTTMasterTopics(site: gateway.site, gatewayCode: gateway.code, source: name)
        let clientID = broker.clientID ?? "stockgate-source-\(gateway.code)-\(name)"
        connector = MQTTConnector(
            files: (broker.tls?.files.all ?? []) + [broker.passwordFile].compactMap { $0 },
            timeoutMilliseconds: Int64(max(1, min(3_600, broker.timeoutSeconds))) * 1_000,
            linkMaker: linkMaker ?? MosquittoLinkMaker(broker: broker, clientID: clientID, session: .kept))
        stopSignal.onRequest { [shared] in shared.update { $0.isStopping = true } }
    }

    public func start() throws(DeliveryError) {
        let isFirst = shared.update { shared in
            defer { shared.isStarted = true }
            return !shared.isStarted
        }
        guard isFirst else { return }
        try connector.start(self, stopSignal: stopSignal)
    }

    /// Connects now, should a back-off be running.
    public func askNow() { connector.ask() }

    @discardableResult
    public func stop(milliseconds: Int64) -> Bool {
        stopSignal.request()
        return !shared.read(\.isStarted) || connector.awaitEnd(milliseconds: milliseconds)
    }

    public func status() -> SourceStatus { shared.read { $0.status(name) } }

    // MARK: What the sender is told

    struct Answer: Hashable, Sendable {
        enum Word: String {
            /// Nothing came since the gateway started.
            case waiting
            /// Taken in, and on the disk.
            case applied
            /// Not new: this gateway has been there.
            case known
            /// Nothing of it was taken in.
            case refused
            /// The store cannot take it at present; it is tried again.
            case notStored = "not_stored"
        }

        var word: Word
        /// Of the batch that it is about; nil where that cannot be told.
        var batch: String?
        var reasons: [String] = []
        var needsSnapshot = false
    }

    private func answer(_ answer: Answer, cursor: String?, over link: any MQTTLink) {
        shared.update { shared in
            shared.answer = answer
            shared.cursor = cursor
            if answer.word != .notStored { (shared.isTaking, shared.obstacle) = (false, nil) }
        }
        tellIfChanged()
        publish(answer, cursor: cursor, over: link)
    }

    private func publish(_ answer: Answer, cursor: String?, over link: any MQTTLink) {
        var members: [String: JSON] = [
            "gateway": .string(gateway.code), "site": .string(gateway.site), "source": .string(name),
            "cursor": cursor.map { .string($0) } ?? .null, "result": .string(answer.word.rawValue), "time_ms": .integer(wallMilliseconds()),
        ]
        if let batch = answer.batch { members["batch"] = .string(batch) }
        if !answer.reasons.isEmpty { members["reasons"] = .array(answer.reasons.prefix(Self.maximumReasons).map { .string($0) }) }
        if answer.needsSnapshot { members["needs"] = "snapshot" }
        // A connection that is lost meanwhile tells it when it is there again.
        _ = try? link.publish(
            MQTTMessage(
                topic: topics.state, payload: JSON.object(members).canonicalBytes, isRetained: true, contentType: "application/json"))
    }

    private func tellIfChanged() {
        let news = shared.update { shared -> SourceStatus? in
            let status = shared.status(name)
            let isGood = status.state == .current || status.state == .asking
            guard isGood ? shared.told != nil : shared.told != status.state else { return nil }
            shared.told = isGood ? nil : status.state
            return status
        }
        if let news, news.state != .ended { onChange(news) }
    }
}

extension MasterPush: MQTTConnectorUser {
    var subscriptions: [String] { [topics.own, topics.shared] }

    func will(of connection: UInt64) -> MQTTMessage? { nil }

    func begins(_ connection: UInt64) {}

    func take(_ event: MQTTLinkEvent, of connection: UInt64, over link: any MQTTLink) {
        switch event {
        case .received(let topic, let payload, let isRetained):
            // An empty message is how a retained one is taken back.
            guard subscriptions.contains(topic), !payload.isEmpty else { return }
            turn.withLock { _ in handle(payload, isRetained: isRetained, over: link) }
        case .oversized(let topic, let bytes):
            guard subscriptions.contains(topic) else { return }
            let reason = "a message may have \(MosquittoLink.maximumPayload >> 20) MiB, and one came with \(bytes >> 20)"
            turn.withLock { _ in refuse([reason], batch: nil, over: link) }
        case .acknowledged(_, .forbidden(let reason)):
            shared.update { $0.obstacle = "the broker does not let us publish \(topics.state): \(reason)" }
        case .connected, .subscribed, .acknowledged, .lost: break
        }
    }

    func connected(_ connection: UInt64, over link: any MQTTLink) throws(DeliveryError) {
        // In turn, so that a message that is being handled has the last word.
        let greeted = turn.withLock { _ in
            Result { () throws(MasterIntakeError) in
                let cursor = try intake.cursor(of: name)
                let answer = shared.update { shared in
                    (shared.isConnected, shared.absence, shared.cursor) = (true, nil, cursor)
                    return shared.answer
                }
                tellIfChanged()
                publish(answer, cursor: cursor, over: link)
            }
        }
        if case .failure(let error) = greeted { throw .retryable(error.description) }
    }

    func attend(_ connection: UInt64, over link: any MQTTLink) throws(DeliveryError) {}

    func farewell(_ connection: UInt64, over link: any MQTTLink) {}

    func disconnected(_ error: DeliveryError?) {
        shared.update { shared in
            shared.isConnected = false
            shared.absence = error
        }
        if error != nil { tellIfChanged() }
    }
}

// MARK: - A message

extension MasterPush {
    private func handle(_ payload: [UInt8], isRetained: Bool, over link: any MQTTLink) {
        let batch: MasterBatch
        do throws(MasterBatchError) {
            var reader = MasterBatchReader()
            _ = reader.take(payload)
            batch = try reader.finish()
        } catch {
            switch error {
            case .incomplete: refuse(["the message \(error)"], batch: nil, over: link)
            case .malformed(let problems): refuse(problems, batch: nil, over: link)
            }
            return
        }
        shared.update { $0.isTaking = true }
        var backOff = BackOff()
        let end = bootMilliseconds() + patience
        while true {
            do throws(MasterIntakeError) {
                return try settle(batch, isRetained: isRetained, over: link)
            } catch {
                // What is refused was said.
                guard case .notStored(let reason) = error else { return }
                let isFirst = shared.update { shared in
                    defer { shared.obstacle = reason }
                    return shared.obstacle == nil
                }
                if isFirst {
                    answer(Answer(word: .notStored, batch: batch.cursor, reasons: [reason]), cursor: presentCursor, over: link)
                }
                let pause = max(0, min(backOff.failed(random: random()), end - bootMilliseconds()))
                let isStopping = shared.wait(milliseconds: pause, until: \.isStopping)
                if isStopping || bootMilliseconds() >= end {
                    shared.update { $0.isTaking = false }
                    return link.drop()
                }
            }
        }
    }

    /// Takes a batch in, or finds that it is known or does not fit.
    private func settle(_ batch: MasterBatch, isRetained: Bool, over link: any MQTTLink) throws(MasterIntakeError) {
        let cursor = try intake.cursor(of: name)
        if try isKnown(batch, at: cursor, isRetained: isRetained) {
            if batch.cursor == cursor {
                shared.update { $0.currentAt = bootMilliseconds() }
                intake.reportComplete(from: name)
            }
            return answer(Answer(word: .known, batch: batch.cursor), cursor: cursor, over: link)
        }
        // It begins elsewhere than we stand: what lies between would be missing for ever.
        if batch.snapshot.isEmpty, batch.since != cursor {
            let (here, there) = (printable(cursor ?? "nothing"), printable(batch.since ?? "nothing"))
            let reason = "changes since \(there) do not fit: this gateway is at \(here) and needs a snapshot, or the changes since then"
            return refuse([reason], batch: batch.cursor, needsSnapshot: true, over: link)
        }
        do throws(MasterIntakeError) {
            let isChange = try intake.take(batch, from: name)
            shared.update { shared in
                shared.refusal = nil
                shared.currentAt = bootMilliseconds()
                if isChange { shared.batches += 1 }
            }
            if !batch.hasMore { intake.reportComplete(from: name) }
            answer(Answer(word: .applied, batch: batch.cursor), cursor: batch.cursor, over: link)
        } catch {
            if case .refused(let reason) = error { refuse([reason], batch: batch.cursor, over: link) }
            throw error
        }
    }

    /// Brokers repeat what they are not sure of, and hand out what they retain at every subscription: neither may bring back what was.
    private func isKnown(_ batch: MasterBatch, at cursor: String?, isRetained: Bool) throws(MasterIntakeError) -> Bool {
        if batch.snapshot.isEmpty, batch.since == cursor { return false }
        // A snapshot that is published once more may have been put right.
        if batch.cursor == cursor { return batch.snapshot.isEmpty || isRetained }
        return try intake.hasPassed(batch.cursor, of: name)
    }

    /// As far as the store can tell: a message may come before the connection has been greeted.
    private var presentCursor: String? {
        do throws(MasterIntakeError) { return try intake.cursor(of: name) } catch { return shared.read(\.cursor) }
    }

    private func refuse(_ reasons: [String], batch: String?, needsSnapshot: Bool = false, over link: any MQTTLink) {
        let reason = reasons.prefix(5).joined(separator: "; ")
        shared.update { $0.refusal = reason }
        intake.reportRefusal(from: name)
        let cursor = presentCursor
        answer(Answer(word: .refused, batch: batch, reasons: reasons, needsSnapshot: needsSnapshot), cursor: cursor, over: link)
    }
}

extension MasterPush.Shared {
    fileprivate func status(_ name: String) -> SourceStatus {
        var status = SourceStatus(name: name, state: .asking)
        (status.cursor, status.batches) = (cursor, batches)
        status.age = currentAt.map { bootMilliseconds() - $0 }
        if !isStarted || isStopping {
            status.state = .ended
        } else if let absence {
            if case .refused = absence { status.state = .refused } else { status.state = .backingOff }
            status.lastError = absence.description
        } else if let obstacle, isTaking {
            (status.state, status.lastError) = (.backingOff, obstacle)
        } else if let refusal {
            (status.state, status.lastError) = (.refused, refusal)
        } else {
            status.state = isConnected && !isTaking ? .current : .asking
            status.lastError = obstacle
        }
        return status
    }
}

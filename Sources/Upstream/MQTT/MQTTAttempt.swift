import SiteConfiguration

/// One call of `deliver`: which events are published, and how far each of them is. It neither waits nor knows a clock or a connection;
/// whoever drives it does what it answers.
///
/// Every event says which one came before it, and a receiver takes it only when it has that one. So with application receipts, when a
/// message is lost on the way, what follows is lost with it, and everything is published again from the first event without a receipt
/// (go-back-N).
struct MQTTAttempt {
    enum Next {
        case publish(OutgoingEvent)
        /// For answers and receipts, in milliseconds of the driver's clock.
        case wait(until: Int64)
        /// `result` says what came of it.
        case end
    }

    /// How long a receiver that repeats itself is given to say something new before events are published again, in milliseconds. Doubles
    /// each time that it does not help.
    private static let patience: Int64 = 100

    private let events: [OutgoingEvent]
    private let receiptKind: Site.Destination.MQTT.ReceiptKind
    private let timeout: Int64
    private let place: String
    private(set) var pace: MQTTPace

    /// From the first on.
    private var settled = 0
    /// The next to be published.
    private var position = 0
    /// Everything before it was published at least once.
    private var furthest = 0
    /// Numbers without the broker's answer.
    private var waiting: Set<Int64> = []
    /// Numbers that the broker has.
    private var answered: Set<Int64> = []
    /// Numbers that the broker had nobody for.
    private var unheard: Set<Int64> = []
    private var refusedByBroker: [Int64: String] = [:]
    private var refusedByReceiver: [Int64: String] = [:]
    /// What the receiver said last.
    private var said: Int64?
    /// The receiver said nothing new although events are on their way.
    private var isInDoubt = false
    private var patience = Self.patience
    private var patientUntil: Int64
    private var deadline: Int64
    private var failure: DeliveryError?

    /// - Parameters:
    ///   - batch: events, ascending, at least one. Only those of the first one's origin are delivered: a receipt is about one epoch.
    ///   - timeout: without progress, in milliseconds.
    ///   - place: of the broker, for reasons.
    init(
        _ batch: [OutgoingEvent], receiptKind: Site.Destination.MQTT.ReceiptKind, pace: MQTTPace, timeout: Int64, place: String,
        at now: Int64
    ) {
        let origin = batch.first?.origin
        events = Array(batch.prefix { $0.origin == origin })
        self.receiptKind = receiptKind
        self.pace = pace
        self.timeout = timeout
        self.place = place
        patientUntil = now + Self.patience
        deadline = now + timeout
    }

    /// What to do now.
    mutating func next(at now: Int64) -> Next {
        guard failure == nil, settled < events.count else { return .end }
        if isInDoubt, now >= patientUntil { goBack(at: now) }
        if now >= deadline {
            failure = silence
            return .end
        }
        if let event = toPublish { return .publish(event) }
        return .wait(until: isInDoubt ? min(deadline, patientUntil) : deadline)
    }

    private var toPublish: OutgoingEvent? {
        let onTheirWay = receiptKind == .application ? position - settled : waiting.count
        guard position < events.count, onTheirWay < pace.window else { return nil }
        var event = events[position]
        event.after = number(before: position)
        return event
    }

    /// What the broker refused never came to the receiver.
    private func number(before position: Int) -> Int64 {
        events[..<position].last { refusedByBroker[$0.sequence] == nil }?.sequence ?? base
    }

    /// The event before the first one.
    private var base: Int64 { events.first?.after ?? 0 }

    mutating func published(_ sequence: Int64) {
        waiting.insert(sequence)
        unheard.remove(sequence)
        position += 1
        furthest = max(furthest, position)
    }

    /// The connection does not take a message of that size.
    mutating func tooLarge(_ sequence: Int64, at now: Int64) {
        refusedByBroker[sequence] = "larger than the broker takes"
        position += 1
        furthest = max(furthest, position)
        settle(upTo: nil, at: now)
    }

    mutating func fail(_ error: DeliveryError) {
        failure = error
    }

    mutating func take(_ answers: [Int64: MQTTAnswer], _ news: MQTTReceiptBook.News?, at now: Int64) {
        for (sequence, answer) in answers {
            // Late answers of the last delivery come here too.
            guard waiting.remove(sequence) != nil else { continue }
            switch answer {
            case .taken: answered.insert(sequence)
            case .rejected(let reason): refusedByBroker[sequence] = "the broker: \(reason)"
            case .nobodyListens:
                unheard.insert(sequence)
                failure = .retryable("\(place): nobody is subscribed, so the broker drops the events")
            case .busy(let reason): failure = .retryable("\(place): \(reason)")
            case .forbidden(let reason): failure = .refused("\(place): the broker does not let us publish: \(reason)")
            }
        }
        let before = settled
        if let news {
            said = news.latest
            refusedByReceiver.merge(news.rejected) { $1 }
        }
        settle(upTo: news?.highest, at: now)
        guard let news, let highest = news.highest, highest >= level, news.isRepeated || settled == before else { return }
        isInDoubt = true
    }

    /// The number that the receiver is known to have.
    private var level: Int64 { number(before: settled) }

    /// Settles what was published at most, whatever number the receiver names.
    private mutating func settle(upTo sequence: Int64?, at now: Int64) {
        let before = settled
        while settled < furthest {
            let next = events[settled].sequence
            guard !unheard.contains(next) else { break }
            let isThere =
                switch receiptKind {
                case .application: sequence.map { next <= $0 } ?? false
                case .broker: answered.contains(next)
                }
            guard isThere || refusedByBroker[next] != nil else { break }
            settled += 1
        }
        guard settled > before else { return }
        position = max(position, settled)
        pace.settled(settled - before)
        isInDoubt = false
        patience = Self.patience
        patientUntil = now + patience
        deadline = now + timeout
    }

    private mutating func goBack(at now: Int64) {
        position = settled
        isInDoubt = false
        patience = min(timeout, patience * 2)
        patientUntil = now + patience
        pace.wentBack()
    }

    private var silence: DeliveryError {
        let seconds = timeout / 1_000
        if receiptKind == .application, settled == 0, let said, said < base {
            return .behind(
                upTo: max(0, said),
                "\(place): the receiver says that it has the events up to \(said), up to \(base) they were settled: it has lost some, or gets "
                    + "more types than before. What the log has after \(said) is sent again")
        }
        guard waiting.isEmpty else { return .retryable("\(place): no PUBACK within \(seconds) s") }
        return .retryable("\(place): no receipt from the receiver within \(seconds) s")
    }

    /// What became of the batch; after `.end`.
    mutating func result() throws(DeliveryError) -> Receipt {
        var receipt = Receipt(upTo: (events.first?.sequence ?? 1) - 1)
        for event in events.prefix(settled) {
            if let reason = refusedByBroker[event.sequence] ?? refusedByReceiver[event.sequence] {
                guard pace.mayReject() else {
                    guard receipt.delivered + receipt.rejections.count > 0 else {
                        throw .refused("\(place): the last \(MQTTPace.refusalsInARow) events were refused, now: \(reason)")
                    }
                    return receipt
                }
                receipt.rejections.append(.init(sequence: event.sequence, reason: reason))
            } else {
                pace.delivered()
                receipt.delivered += 1
            }
            receipt.upTo = event.sequence
        }
        if settled == 0 { throw failure ?? .retryable("\(place): nothing was settled") }
        return receipt
    }
}

/// What one delivery leaves to the next: how many events may be on their way, and how many were refused in a row.
struct MQTTPace: Hashable, Sendable {
    /// Events refused in a row before the receiver, not the event, is taken to be wrong.
    static let refusalsInARow = BatchSizer.refusalsInARow
    private static let smallest = 8

    private let most: Int
    /// Events without a receipt at a time. Less when they have to be published again: a queue that is full in the broker gets no emptier
    /// by more of the same.
    private(set) var window: Int
    private var refusedInARow = 0

    init(window: Int) {
        most = max(1, min(1_000, window))
        self.window = most
    }

    mutating func wentBack() { window = max(min(most, Self.smallest), window / 2) }

    mutating func settled(_ count: Int) { window = min(most, window + max(1, count / 8)) }

    mutating func delivered() { refusedInARow = 0 }

    /// - Returns: false when the queue would be emptied into the dead letters.
    mutating func mayReject() -> Bool {
        guard refusedInARow < Self.refusalsInARow else { return false }
        refusedInARow += 1
        return true
    }
}

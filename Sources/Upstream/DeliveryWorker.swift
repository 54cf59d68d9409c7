import Ledger
import Readings

/// Delivers the event log to one destination, one step at a time. It neither waits nor knows a thread or a clock: whoever drives it
/// does what it answers.
///
/// The cursor moves on a receipt only, so an event may be sent twice but is never left out.
struct DeliveryWorker {
    /// How long a destination that refused everything is left alone, in milliseconds.
    static let refusedRetry: Int64 = 300_000
    /// How long a destination that needs right times waits for the clock to be set, in milliseconds since the event.
    static let clockPatience: Int64 = 900_000
    /// How often it looks meanwhile, in milliseconds.
    static let clockRetry: Int64 = 10_000

    /// What to do before the next step.
    enum Next: Hashable, Sendable {
        /// Nothing: there may be more to deliver.
        case again
        /// Wait until events were committed since this step began.
        case waitForEvents
        /// Wait so long, in milliseconds, or until somebody asks to try again.
        case pause(milliseconds: Int64)
        /// The destination was told to stop: no further step.
        case stop
    }

    private(set) var status: DeliveryStatus
    private let name: String
    private let filter: EventFilter
    private let batch: Int
    private let log: any EventLog
    private let destination: any Destination
    private let reminders: ReminderBoard?
    private var backOff: BackOff
    /// Settled up to here; nil: the log has not been asked yet.
    private var position: Int64?
    private var acknowledged: Int64 = 0
    /// What is being waited out; nil: all is well.
    private var trouble: DeliveryStatus.State?
    private var corrections = ClockCorrections()
    /// Reminders above `position` that were not true when they would have been sent. They stay so: one that came back behind events
    /// that were sent meanwhile would be out of order.
    private var outdated: Set<Int64> = []
    /// The last event up to `position` that the destination has; nil: not looked for yet.
    private var predecessor: Predecessor?

    private struct Predecessor {
        /// 0: there is none.
        var sequence: Int64 = 0
        var origin = ""
    }

    /// - Parameters:
    ///   - batch: events in one delivery, 1...10,000; others are clamped.
    ///   - reminders: what is still true; nil: everything is.
    init(
        name: String, filter: EventFilter, batch: Int, log: any EventLog, destination: any Destination, reminders: ReminderBoard? = nil,
        backOff: BackOff
    ) {
        self.reminders = destination.tellsPeople ? reminders : nil
        self.name = name
        self.filter = filter
        self.batch = max(1, min(10_000, batch))
        self.log = log
        self.destination = destination
        self.backOff = backOff
        status = DeliveryStatus(destination: name, state: .ended, cursor: 0, counters: DeliveryStatus.Counters())
    }

    /// Delivers the next batch, if there is one.
    /// - Parameters:
    ///   - random: 0 up to but not including 1, for the jitter of a wait.
    ///   - publish: is called whenever the status has changed, also before the destination is waited for.
    /// - Returns: what to do next, and whether deliveries began to fail, were refused or succeed again with this step.
    mutating func step(random: () -> Double, publish: (DeliveryStatus) -> Void) -> (next: Next, isNews: Bool) {
        defer { publish(status) }
        do {
            let next = try deliverBatch(publish)
            return (next, recovered())
        } catch DeliveryError.stopped {
            return (.stop, false)
        } catch DeliveryError.refused(let reason) {
            return pause(state: .refused, reason: reason, milliseconds: Self.refusedRetry)
        } catch DeliveryError.behind(let upTo, let reason) {
            position = position.map { min($0, upTo) }
            predecessor = nil
            return pause(state: .backingOff, reason: reason, milliseconds: backOff.failed(random: random()))
        } catch DeliveryError.retryable(let reason, let requested) {
            return pause(state: .backingOff, reason: reason, milliseconds: backOff.failed(random: random(), requested: requested))
        } catch {
            return pause(state: .backingOff, reason: "\(error)", milliseconds: backOff.failed(random: random()))
        }
    }

    private mutating func deliverBatch(_ publish: (DeliveryStatus) -> Void) throws -> Next {
        let position = try begin(publish)
        var stored = try log.events(after: position, limit: batch)
        guard !stored.isEmpty else {
            status.state = .idle
            status.oldest = nil
            return .waitForEvents
        }
        try checkBeginning(of: stored, after: position)

        var outgoing: [OutgoingEvent] = []
        var previous = try destination.needsPredecessors ? predecessor(upTo: position) : nil
        var rejections: [Receipt.Rejection] = []
        for (place, written) in stored.enumerated() {
            var event: OutgoingEvent
            do throws(UnreadableEvent) { event = try OutgoingEvent(written) } catch {
                rejections.append(.init(sequence: written.sequence, reason: error.reason))
                continue
            }
            guard isWanted(event), try !isOutdated(event) else { continue }
            if destination.needsTime, event.isOfUnknownTime {
                if let shift = try corrections.shift(of: event, in: log) {
                    event.shift = shift
                } else if mayBecomeKnown(event) {
                    stored.removeSubrange(place...)
                    break
                }
            }
            if destination.needsTime { event.corrected = try corrections.corrected(by: event, in: log) }
            if let known = previous {
                event.after = known.origin == event.origin ? known.sequence : 0
                previous = Predecessor(sequence: event.sequence, origin: event.origin)
            }
            outgoing.append(event)
        }
        guard let last = stored.last else {
            status.state = .holding
            return .pause(milliseconds: Self.clockRetry)
        }
        var receipt = Receipt(upTo: last.sequence)
        if let first = outgoing.first, let lastOutgoing = outgoing.last {
            status.state = .sending
            status.oldest = first.time
            publish(status)
            receipt = try destination.deliver(outgoing)
            // The types that are not wanted after the last wanted one are settled with it.
            if receipt.upTo >= lastOutgoing.sequence { receipt.upTo = last.sequence }
        }
        receipt.rejections += rejections.filter { $0.sequence <= receipt.upTo }
        guard receipt.upTo > position else { throw DeliveryError.retryable("the destination settled nothing") }
        try settle(receipt, of: stored, outgoing)
        return .again
    }

    /// A dead letter raises an exception; delivered to the destination that refused the event it might be refused in turn, without end.
    private func isWanted(_ event: OutgoingEvent) -> Bool {
        guard filter.passes(type: event.type, isFinal: event.isFinal) else { return false }
        guard event.type == "exception.raised", let data = event.json["data"],
            data["kind"]?.string == ExceptionKind.deliveryRefused.rawValue, let code = data["code"]?.string
        else { return true }
        return !code.hasPrefix(name + "/")
    }

    /// Asked at every delivery anew, for what waited is true until it is sent.
    private mutating func isOutdated(_ event: OutgoingEvent) throws(DeliveryError) -> Bool {
        guard let reminders, let reminder = event.reminder else { return false }
        if outdated.contains(event.sequence) { return true }
        guard reminders.hasCome(to: event.sequence) else { throw .retryable("the gateway is being started") }
        guard reminders.itemsStillOut(of: reminder).isEmpty else { return false }
        outdated.insert(event.sequence)
        return true
    }

    /// The last event up to a number that this destination was to get. A reminder may have been passed over, which nobody knows any more
    /// after a start; to name one before it is always right, for up to `position` the destination has everything.
    private mutating func predecessor(upTo position: Int64) throws(EventLogError) -> Predecessor {
        if let predecessor { return predecessor }
        var found = Predecessor()
        var end = position
        // So many events stay in the log whatever is archived.
        while end > max(0, position - 10_000), found.sequence == 0 {
            let start = max(0, end - 500)
            let events = try log.events(after: start, limit: Int(end - start))
            for stored in events.reversed() where stored.sequence <= end {
                guard let event = try? OutgoingEvent(stored), isWanted(event), reminders == nil || event.reminder == nil else { continue }
                found = Predecessor(sequence: event.sequence, origin: event.origin)
                break
            }
            end = start
        }
        predecessor = found
        return found
    }

    /// A receiver that has lost what it confirmed is sent again what the log has, and nothing is skipped when the log has it no more.
    private func checkBeginning(of stored: [StoredEvent], after position: Int64) throws(DeliveryError) {
        guard position < acknowledged, let first = stored.first, first.sequence > position + 1 else { return }
        throw .refused(
            "the receiver has the events up to \(position) only, up to \(acknowledged) they were settled, and the log begins at "
                + "\(first.sequence): bring it what the archive has and set its number to \(acknowledged), or give the destination another "
                + "name to begin with what the log has")
    }

    /// Whether the machine may still learn what time it was.
    private func mayBecomeKnown(_ event: OutgoingEvent) -> Bool {
        guard let then = event.boot, let now = log.bootTime(), then.boot == now.boot else { return false }
        return now.milliseconds - then.milliseconds < Self.clockPatience
    }

    /// Asks the log where this destination stands, the first time, and acknowledges what is left over when the log failed after a
    /// delivery.
    private mutating func begin(_ publish: (DeliveryStatus) -> Void) throws(EventLogError) -> Int64 {
        if let position {
            try acknowledge(position)
            return position
        }
        let position = try log.cursor(of: name)
        acknowledged = position
        self.position = position
        status.cursor = position
        publish(status)
        return position
    }

    private mutating func settle(_ receipt: Receipt, of stored: [StoredEvent], _ outgoing: [OutgoingEvent]) throws(EventLogError) {
        for rejection in receipt.rejections {
            try log.deadLetter(name, sequence: rejection.sequence, reason: rejection.reason)
        }
        position = receipt.upTo
        let rejected = Set(receipt.rejections.map(\.sequence))
        if predecessor != nil, let last = outgoing.last(where: { $0.sequence <= receipt.upTo && !rejected.contains($0.sequence) }) {
            predecessor = Predecessor(sequence: last.sequence, origin: last.origin)
        }
        let settled = stored.count { $0.sequence <= receipt.upTo }
        status.cursor = receipt.upTo
        status.counters.delivered += Int64(receipt.delivered)
        status.counters.duplicates += Int64(receipt.duplicates)
        status.counters.deadLetters += Int64(receipt.rejections.count)
        let outdated = outdated.count { $0 <= receipt.upTo } + receipt.outdated
        self.outdated = self.outdated.filter { $0 > receipt.upTo }
        status.counters.outdated += Int64(outdated)
        status.counters.withoutAddress += Int64(receipt.withoutAddress)
        status.counters.passedOver += Int64(
            settled - receipt.delivered - receipt.duplicates - receipt.rejections.count - outdated)
        try acknowledge(receipt.upTo)
    }

    private mutating func acknowledge(_ position: Int64) throws(EventLogError) {
        guard acknowledged < position else { return }
        try log.acknowledge(name, upTo: position)
        acknowledged = position
    }

    private mutating func recovered() -> Bool {
        backOff.succeeded()
        status.lastError = nil
        status.retryIn = nil
        defer { trouble = nil }
        return trouble != nil
    }

    private mutating func pause(state: DeliveryStatus.State, reason: String, milliseconds: Int64) -> (next: Next, isNews: Bool) {
        status.state = state
        status.lastError = printable(reason)
        status.retryIn = milliseconds
        status.counters.failures += 1
        defer { trouble = state }
        return (.pause(milliseconds: milliseconds), trouble != state)
    }
}

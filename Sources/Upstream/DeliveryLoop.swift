import Glibc
import Ledger
import Readings

/// Delivers the event log to one destination, in order, on a thread of its own.
///
/// The cursor moves on a receipt only, so an event may be sent twice but is never left out.
public final class DeliveryLoop: Sendable {
    /// How long a destination that refused everything is left alone, in milliseconds.
    public static let refusedRetry: Int64 = 300_000

    public let name: String
    private let filter: EventFilter
    private let batch: Int
    private let log: any EventLog
    private let destination: any Destination
    private let stopSignal: StopSignal
    private let backOff: BackOff
    private let random: @Sendable () -> Double
    private let onChange: @Sendable (DeliveryStatus) -> Void
    private let shared: Guarded<Shared>

    private struct Shared: Sendable {
        var isStarted = false
        var hasEnded = false
        var isWoken = false
        var isToRetry = false
        var isStopping = false
        var status: DeliveryStatus
    }

    /// - Parameters:
    ///   - types: see `EventFilter`; `certainty` likewise.
    ///   - batch: events in one delivery, 1...10,000; others are clamped.
    ///   - stopSignal: the one that the destination was made with, so that a request under way ends too.
    ///   - random: 0 up to but not including 1, for the jitter.
    ///   - onChange: called on the delivery thread when deliveries begin to fail, are refused, or succeed again: one log line each.
    public init(
        name: String, types: [String] = [], certainty: Certainty = .final, batch: Int, log: any EventLog, destination: any Destination,
        stopSignal: StopSignal,
        backOff: BackOff = BackOff(), random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        onChange: @escaping @Sendable (DeliveryStatus) -> Void = { _ in }
    ) {
        self.name = name
        filter = EventFilter(types: types, certainty: certainty)
        self.batch = max(1, min(10_000, batch))
        self.log = log
        self.destination = destination
        self.stopSignal = stopSignal
        self.backOff = backOff
        self.random = random
        self.onChange = onChange
        shared = Guarded(
            Shared(status: DeliveryStatus(destination: name, state: .ended, cursor: 0, counters: DeliveryStatus.Counters())))
        stopSignal.onRequest { [shared] in shared.update { $0.isStopping = true } }
    }

    /// Starts the thread. Later calls do nothing.
    /// - Throws: `DeliveryError` when the system gives no thread.
    public func start() throws(DeliveryError) {
        let isFirst = shared.update { shared in
            defer { shared.isStarted = true }
            return !shared.isStarted
        }
        guard isFirst else { return }
        let box = Unmanaged.passRetained(self)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { pthread_attr_destroy(&attributes) }
        var thread = pthread_t()
        let result = pthread_create(&thread, &attributes, deliveryThread, box.toOpaque())
        guard result == 0 else {
            box.release()
            shared.update { $0.hasEnded = true }
            throw .retryable("destination \(name): no thread, errno \(result)")
        }
    }

    /// Events were committed. Cheap, never blocks on the network; has no effect on a back-off.
    public func wake() {
        shared.update { $0.isWoken = true }
    }

    /// Ends a back-off: the link came up, or somebody asked.
    public func retryNow() {
        shared.update { $0.isToRetry = true }
    }

    /// Requests the stop and waits for the thread to end.
    /// - Returns: false when it had not ended after `milliseconds`.
    @discardableResult
    public func stop(milliseconds: Int64 = 2_000) -> Bool {
        stopSignal.request()
        return shared.wait(milliseconds: milliseconds) { !$0.isStarted || $0.hasEnded }
    }

    /// May be called from any thread; asks the log for its last number.
    public func status() -> DeliveryStatus {
        var status = shared.read(\.status)
        if let last = try? log.lastSequence() { status.pending = max(0, last - status.cursor) }
        return status
    }

    fileprivate func run() {
        var worker = Worker(backOff: backOff)
        while !isStopping {
            switch attempt(&worker) {
            case .progress:
                recovered(&worker)
            case .nothingToDo:
                recovered(&worker)
                shared.wait(milliseconds: nil) { $0.isWoken || $0.isStopping }
            case .failed(.stopped):
                shared.wait(milliseconds: nil, until: \.isStopping)
            case .failed(.retryable(let reason, let requested)):
                let wait = worker.backOff.failed(random: random(), requested: requested)
                pause(&worker, state: .backingOff, reason: reason, milliseconds: wait)
            case .failed(.refused(let reason)):
                pause(&worker, state: .refused, reason: reason, milliseconds: Self.refusedRetry)
            }
        }
        shared.update { shared in
            shared.status.state = .ended
            shared.hasEnded = true
        }
    }

    private var isStopping: Bool { shared.read(\.isStopping) }

    /// What only the delivery thread knows.
    private struct Worker {
        var backOff: BackOff
        /// Settled up to here; nil: the log has not been asked yet.
        var position: Int64?
        var acknowledged: Int64 = 0
        /// What is being waited out; nil: all is well.
        var trouble: DeliveryStatus.State?
    }

    private enum Outcome {
        case progress
        case nothingToDo
        case failed(DeliveryError)
    }

    private func attempt(_ worker: inout Worker) -> Outcome {
        do {
            return try step(&worker) ? .progress : .nothingToDo
        } catch let error as DeliveryError {
            return .failed(error)
        } catch {
            return .failed(.retryable("\(error)"))
        }
    }

    /// - Returns: false when there was nothing to deliver.
    private func step(_ worker: inout Worker) throws -> Bool {
        var position: Int64
        if let known = worker.position {
            position = known
        } else {
            position = try log.cursor(of: name)
            worker.acknowledged = position
            worker.position = position
            shared.update { $0.status.cursor = position }
        }
        // Left over when the log failed after a delivery.
        try acknowledge(position, &worker)

        // Before reading, so that a commit during the read is not overlooked.
        shared.update { $0.isWoken = false }
        let stored = try log.events(after: position, limit: batch)
        guard let last = stored.last else {
            shared.update { shared in
                shared.status.state = .idle
                shared.status.oldest = nil
            }
            return false
        }

        var outgoing: [OutgoingEvent] = []
        var rejections: [Receipt.Rejection] = []
        for event in stored {
            do throws(UnreadableEvent) {
                let event = try OutgoingEvent(event)
                if filter.passes(type: event.type, isFinal: event.isFinal) { outgoing.append(event) }
            } catch {
                rejections.append(.init(sequence: event.sequence, reason: error.reason))
            }
        }
        var receipt = Receipt(upTo: last.sequence)
        if let first = outgoing.first, let lastOutgoing = outgoing.last {
            shared.update { shared in
                shared.status.state = .sending
                shared.status.oldest = first.time
            }
            receipt = try destination.deliver(outgoing)
            // The types that are not wanted after the last wanted one are settled with it.
            if receipt.upTo >= lastOutgoing.sequence { receipt.upTo = last.sequence }
        }
        receipt.rejections += rejections.filter { $0.sequence <= receipt.upTo }
        guard receipt.upTo > position else { throw DeliveryError.retryable("the destination settled nothing") }
        for rejection in receipt.rejections {
            try log.deadLetter(name, sequence: rejection.sequence, reason: rejection.reason)
        }
        position = receipt.upTo
        worker.position = position
        let settled = stored.count { $0.sequence <= position }
        shared.update { shared in
            shared.status.cursor = position
            shared.status.counters.delivered += Int64(receipt.delivered)
            shared.status.counters.duplicates += Int64(receipt.duplicates)
            shared.status.counters.deadLetters += Int64(receipt.rejections.count)
            shared.status.counters.passedOver += Int64(settled - receipt.delivered - receipt.duplicates - receipt.rejections.count)
        }
        try acknowledge(position, &worker)
        return true
    }

    private func acknowledge(_ position: Int64, _ worker: inout Worker) throws(EventLogError) {
        guard worker.acknowledged < position else { return }
        try log.acknowledge(name, upTo: position)
        worker.acknowledged = position
    }

    private func recovered(_ worker: inout Worker) {
        worker.backOff.succeeded()
        shared.update { shared in
            shared.status.lastError = nil
            shared.status.retryIn = nil
        }
        guard worker.trouble != nil else { return }
        worker.trouble = nil
        onChange(status())
    }

    private func pause(_ worker: inout Worker, state: DeliveryStatus.State, reason: String, milliseconds: Int64) {
        shared.update { shared in
            shared.status.state = state
            shared.status.lastError = printable(reason)
            shared.status.retryIn = milliseconds
            shared.status.counters.failures += 1
            shared.isToRetry = false
        }
        if worker.trouble != state {
            worker.trouble = state
            onChange(status())
        }
        shared.wait(milliseconds: milliseconds) { $0.isToRetry || $0.isStopping }
    }
}

/// Called by the system, so it must be no closure that inherits an actor.
private nonisolated func deliveryThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    // Signals are the main thread's.
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, nil)
    Unmanaged<DeliveryLoop>.fromOpaque(context).takeRetainedValue().run()
    return nil
}

import Ledger
import Readings

/// Delivers the event log to one destination, in order, on a thread of its own: the thread drives a `DeliveryWorker`.
public final class DeliveryLoop: Sendable {
    /// How long a destination that refused everything is left alone, in milliseconds.
    public static let refusedRetry: Int64 = DeliveryWorker.refusedRetry

    public let name: String
    private let filter: EventFilter
    private let batch: Int
    private let log: any EventLog
    private let destination: any Destination
    private let reminders: ReminderBoard?
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
    ///   - reminders: which reminders are still true; nil: all of them.
    ///   - stopSignal: the one that the destination was made with, so that a request under way ends too.
    ///   - random: 0 up to but not including 1, for the jitter.
    ///   - onChange: called on the delivery thread when deliveries begin to fail, are refused, or succeed again: one log line each.
    public init(
        name: String, types: [String] = [], certainty: Certainty = .final, batch: Int, log: any EventLog, destination: any Destination,
        reminders: ReminderBoard? = nil, stopSignal: StopSignal,
        backOff: BackOff = BackOff(), random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        onChange: @escaping @Sendable (DeliveryStatus) -> Void = { _ in }
    ) {
        self.name = name
        filter = EventFilter(types: types, certainty: certainty)
        self.batch = batch
        self.log = log
        self.destination = destination
        self.reminders = reminders
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
        let result = startDetachedThread { [self] in run() }
        guard result == 0 else {
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

    private func run() {
        var worker = DeliveryWorker(
            name: name, filter: filter, batch: batch, log: log, destination: destination, reminders: reminders, backOff: backOff)
        while !shared.read(\.isStopping) {
            // Before the worker reads the log, so that a commit during the read is not overlooked.
            shared.update { $0.isWoken = false }
            let (next, isNews) = worker.step(random: random) { status in shared.update { $0.status = status } }
            // A request to try again that came before the failure is answered by it.
            if case .pause = next { shared.update { $0.isToRetry = false } }
            if isNews { onChange(status()) }
            switch next {
            case .again: break
            case .waitForEvents: shared.wait(milliseconds: nil) { $0.isWoken || $0.isStopping }
            case .pause(let milliseconds): shared.wait(milliseconds: milliseconds) { $0.isToRetry || $0.isStopping }
            case .stop: shared.wait(milliseconds: nil, until: \.isStopping)
            }
        }
        shared.update { shared in
            shared.status.state = .ended
            shared.hasEnded = true
        }
    }
}

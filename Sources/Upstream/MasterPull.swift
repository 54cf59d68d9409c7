import HTTPClient
import Ledger
import Readings
import SiteConfiguration

/// Asks upstream for changes of master data, on a thread of its own.
public final class MasterPull: MasterSource {
    /// How long a source that sent something wrong is left alone, in milliseconds.
    public static let refusedRetry: Int64 = 300_000
    /// Batches taken in a row before others get their turn: a sender that always has more must not be believed for ever.
    static let batchesInARow = 10_000
    /// For a whole answer, in milliseconds: a first snapshot over a slow line.
    static let answerPatience = 1_800_000

    public let name: String
    private let configuration: Site.Source.Pull
    private let intake: any MasterIntake
    private let sender: HTTPSender
    private let stopSignal: StopSignal
    private let random: @Sendable () -> Double
    private let onChange: @Sendable (SourceStatus) -> Void
    private let shared: Guarded<Shared>

    private struct Shared: Sendable {
        var isStarted = false
        var hasEnded = false
        var isStopping = false
        var isToAsk = false
        var status: SourceStatus
        /// `CLOCK_BOOTTIME`, in milliseconds.
        var currentAt: Int64?
    }

    /// - Parameter onChange: called on the pulling thread when asking begins to fail, is refused, or succeeds again.
    /// - Throws: `DeliveryError.refused` for a URL that is not http or https.
    public init(
        name: String, _ configuration: Site.Source.Pull, intake: any MasterIntake,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        onChange: @escaping @Sendable (SourceStatus) -> Void = { _ in }
    ) throws(DeliveryError) {
        self.name = name
        self.configuration = configuration
        self.intake = intake
        self.random = random
        self.onChange = onChange
        let stopSignal = StopSignal()
        self.stopSignal = stopSignal
        sender = try HTTPSender(
            url: configuration.url, tokenFile: configuration.tokenFile, tls: configuration.tls, proxy: configuration.proxy,
            timeoutSeconds: configuration.timeoutSeconds, stopSignal: stopSignal)
        shared = Guarded(Shared(status: SourceStatus(name: name, state: .ended)))
        stopSignal.onRequest { [shared] in shared.update { $0.isStopping = true } }
    }

    public func start() throws(DeliveryError) {
        let isFirst = shared.update { shared in
            defer { shared.isStarted = true }
            return !shared.isStarted
        }
        guard isFirst else { return }
        let result = startDetachedThread { [self] in run() }
        guard result == 0 else {
            shared.update { $0.hasEnded = true }
            throw .retryable("source \(name): no thread, errno \(result)")
        }
    }

    /// Asks now: somebody wants to know, or the link came up.
    public func askNow() {
        shared.update { $0.isToAsk = true }
    }

    @discardableResult
    public func stop(milliseconds: Int64) -> Bool {
        stopSignal.request()
        return shared.wait(milliseconds: milliseconds) { !$0.isStarted || $0.hasEnded }
    }

    public func status() -> SourceStatus {
        shared.read { shared in
            var status = shared.status
            status.age = shared.currentAt.map { bootMilliseconds() - $0 }
            return status
        }
    }

    private func run() {
        var backOff = BackOff()
        var trouble: SourceStatus.State?
        while !shared.read(\.isStopping) {
            let wait: Int64
            do throws(DeliveryError) {
                if try ask() { intake.reportComplete(from: name) }
                backOff.succeeded()
                shared.update { shared in
                    shared.status.state = .current
                    shared.status.lastError = nil
                    shared.status.retryIn = nil
                    shared.currentAt = bootMilliseconds()
                }
                if trouble != nil { onChange(status()) }
                trouble = nil
                wait = Int64(configuration.intervalSeconds) * 1_000
            } catch {
                guard error != .stopped else { break }
                let state: SourceStatus.State
                switch error {
                case .refused: (state, wait) = (.refused, Self.refusedRetry)
                case .retryable(_, let requested): (state, wait) = (.backingOff, backOff.failed(random: random(), requested: requested))
                // Receivers are behind, servers are not.
                case .stopped, .behind: (state, wait) = (.ended, 0)
                }
                shared.update { shared in
                    shared.status.state = state
                    shared.status.lastError = error.description
                    shared.status.retryIn = wait
                }
                if trouble != state { onChange(status()) }
                trouble = state
            }
            shared.wait(milliseconds: wait) { $0.isToAsk || $0.isStopping }
            shared.update { $0.isToAsk = false }
        }
        shared.update { shared in
            shared.status.state = .ended
            shared.hasEnded = true
        }
    }

    /// Asks until the source has no more.
    /// - Returns: whether it said so; false for one that always has more.
    private func ask() throws(DeliveryError) -> Bool {
        var cursor: String?
        do throws(MasterIntakeError) { cursor = try intake.cursor(of: name) } catch { throw .retryable(error.description) }
        for _ in 0..<Self.batchesInARow {
            shared.update { [cursor] shared in
                shared.status.state = .asking
                shared.status.cursor = cursor
            }
            guard let batch = try changes(since: cursor) else { return true }
            // It begins elsewhere than we stand: what lies between would be missing for ever.
            if batch.snapshot.isEmpty, let since = batch.since, since != cursor {
                throw .refused(
                    "the source was asked for changes since \(printable(cursor ?? "nothing")) and sent those since \(printable(since))")
            }
            if !batch.rows.isEmpty || !batch.snapshot.isEmpty || batch.cursor != cursor { try take(batch) }
            guard batch.hasMore, batch.cursor != cursor else { return !batch.hasMore }
            cursor = batch.cursor
        }
        return false
    }

    private func take(_ batch: MasterBatch) throws(DeliveryError) {
        do throws(MasterIntakeError) {
            let isChange = try intake.take(batch, from: name)
            shared.update { shared in
                shared.status.cursor = batch.cursor
                if isChange { shared.status.batches += 1 }
            }
        } catch {
            switch error {
            case .notStored(let reason): throw .retryable(reason)
            case .refused(let reason):
                intake.reportRefusal(from: name)
                throw .refused(reason)
            }
        }
    }

    /// - Returns: nil when nothing is new.
    private func changes(since cursor: String?) throws(DeliveryError) -> MasterBatch? {
        let base = HTTPSender.withoutSlash(configuration.url) + "/changes"
        let url = cursor.map { "\(base)?since=\(PercentEncoding.encoded($0))" } ?? base
        var reader = MasterBatchReader()
        let request = HTTPRequest("GET", url, headers: [.init("Accept", "application/x-ndjson")])
        let response = try sender.stream(request, patience: Self.answerPatience) { reader.take($0) }
        switch response.status {
        case 204, 304: return nil
        case 200:
            let batch: MasterBatch
            do throws(MasterBatchError) { batch = try reader.finish() } catch {
                switch error {
                case .incomplete: throw .retryable("GET \(base): the answer \(error)")
                case .malformed:
                    intake.reportRefusal(from: name)
                    throw .refused("GET \(base): \(error)")
                }
            }
            // Changes to what? What was deleted while the cursor was forgotten would stay for ever.
            guard cursor != nil || !batch.snapshot.isEmpty else {
                intake.reportRefusal(from: name)
                throw .refused("GET \(base): the source was asked for everything and sent no snapshot")
            }
            return batch
        // The source has forgotten what it told us: everything once more.
        case 410 where cursor != nil: return try changes(since: nil)
        default: throw sender.failure(response, "GET \(base)")
        }
    }
}

import Ledger
import Readings
import Synchronization
import Testing

@testable import Upstream

/// What the worker says of every event: which one came before it for this destination.
@Suite struct PredecessorTests {
    /// Takes everything and notes what it was given: number and the number before.
    private final class Taker: Destination {
        struct State {
            var seen: [[Int64]] = []
            /// Answers of the next deliveries, instead of taking all.
            var answers: [Result<Receipt, DeliveryError>] = []
        }

        let state = Mutex(State())
        let needsPredecessors = true

        func deliver(_ batch: [OutgoingEvent]) throws(DeliveryError) -> Receipt {
            let answer = state.withLock { state in
                state.seen += batch.map { [$0.sequence, $0.after] }
                return state.answers.isEmpty ? nil : state.answers.removeFirst()
            }
            return try answer?.get() ?? Receipt(upTo: batch.last?.sequence ?? 0, delivered: batch.count)
        }

        func look() -> [[Int64]] {
            state.withLock { state in
                defer { state.seen = [] }
                return state.seen
            }
        }
    }

    private let taker = Taker()

    private func worker(_ log: MemoryLog, batch: Int = 100, types: [String] = []) -> DeliveryWorker {
        DeliveryWorker(
            name: "hub", filter: EventFilter(types: types), batch: batch, log: log, destination: taker,
            backOff: BackOff(base: 1, maximum: 1))
    }

    private func run(_ worker: inout DeliveryWorker, _ log: MemoryLog) {
        while case .again = worker.step(random: { 0.5 }, publish: { _ in }).next {}
    }

    @Test func eachNamesTheOneBefore() throws {
        let log = MemoryLog((1...9).map { $0 % 3 == 0 ? SampleEvents.modeChange($0) : SampleEvents.checkout($0) })
        var worker = worker(log, batch: 4)
        run(&worker, log)
        #expect(taker.look() == [[1, 0], [2, 1], [4, 2], [5, 4], [7, 5], [8, 7]])
        #expect(log.snapshot.cursor == 9)
        // After a restart the cursor stands on an event that the destination never got.
        log.append([SampleEvents.checkout(10)])
        worker = self.worker(log)
        run(&worker, log)
        #expect(taker.look() == [[10, 8]])
    }

    /// Numbers go on in a new epoch, and a receiver has none of it yet.
    @Test func theFirstOfAnEpochHasNoneBeforeIt() throws {
        let other = EventIdentity(prefix: 0x0FED_CBA9_8765_4321)
        let later = (4...5 as ClosedRange<Int64>).map {
            SampleEvents.event($0, type: "loan.checked_out", data: [:], subject: [], identity: other)
        }
        let log = MemoryLog((1...3).map { SampleEvents.checkout($0) } + later)
        var worker = worker(log)
        run(&worker, log)
        #expect(taker.look() == [[1, 0], [2, 1], [3, 2], [4, 0], [5, 4]])
        log.append([SampleEvents.event(6, type: "loan.checked_out", data: [:], subject: [], identity: other)])
        worker = self.worker(log)
        run(&worker, log)
        #expect(taker.look() == [[6, 5]])
    }

    @Test func whatWasRefusedIsNobodysPredecessor() throws {
        let log = MemoryLog((1...4).map { SampleEvents.checkout($0) })
        taker.state.withLock {
            $0.answers = [.success(Receipt(upTo: 2, delivered: 1, rejections: [.init(sequence: 2, reason: "no")]))]
        }
        var worker = worker(log)
        run(&worker, log)
        #expect(taker.look() == [[1, 0], [2, 1], [3, 2], [4, 3], [3, 1], [4, 3]])
    }

    @Test func aReceiverThatIsBehindIsSentWhatTheLogHas() throws {
        let log = MemoryLog((1...10).map { SampleEvents.checkout($0) }, cursor: 8)
        taker.state.withLock { $0.answers = [.failure(.behind(upTo: 5, "told to"))] }
        var worker = worker(log)
        #expect(worker.step(random: { 0.5 }, publish: { _ in }).isNews)
        #expect(worker.status.lastError == "told to" && worker.status.state == .backingOff)
        #expect(taker.look() == [[9, 8], [10, 9]])
        run(&worker, log)
        #expect(taker.look() == [[6, 5], [7, 6], [8, 7], [9, 8], [10, 9]])
        // The cursor does not go back.
        #expect(log.snapshot.acknowledgements == [10])
    }

    @Test func whatTheLogHasNoMoreIsNotSkipped() throws {
        let log = MemoryLog((7...10).map { SampleEvents.checkout($0) }, cursor: 8)
        taker.state.withLock { $0.answers = [.failure(.behind(upTo: 5, "told to"))] }
        var worker = worker(log)
        _ = worker.step(random: { 0.5 }, publish: { _ in })
        _ = taker.look()
        _ = worker.step(random: { 0.5 }, publish: { _ in })
        #expect(worker.status.state == .refused)
        let words = try #require(worker.status.lastError)
        #expect(words.contains("up to 5 only, up to 8 they were settled, and the log begins at 7"), "\(words)")
        #expect(taker.look().isEmpty && log.snapshot.acknowledgements.isEmpty)
    }

    /// A dead letter raises an exception, and that is an event. Refused in turn it would raise the next one, without end.
    @Test func deadLettersOfADestinationStayAwayFromIt() throws {
        func refusal(_ sequence: Int64, _ code: String) -> StoredEvent {
            SampleEvents.event(
                sequence, type: "exception.raised", data: ["kind": "delivery_refused", "code": .string(code), "owner": "storekeeper"],
                subject: [])
        }
        let log = MemoryLog([
            SampleEvents.exception(1), refusal(2, "hub/1"), refusal(3, "hub2/1"), refusal(4, "warehouse/9"), SampleEvents.checkout(5),
        ])
        var worker = worker(log)
        run(&worker, log)
        #expect(taker.look() == [[1, 0], [3, 1], [4, 3], [5, 4]])
        #expect(worker.status.counters.passedOver == 1 && worker.status.counters.delivered == 4)
    }
}

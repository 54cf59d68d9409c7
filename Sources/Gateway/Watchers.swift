import Ledger
import Readings
import Synchronization

/// Who watches the gateway live. A watcher that does not keep up loses the oldest lines and is told how many.
final class Watchers: Sendable {
    private struct State {
        var next: UInt64 = 0
        var lines: [UInt64: AsyncStream<JSON>.Continuation] = [:]
        var events: [UInt64: AsyncStream<StoredEvent>.Continuation] = [:]
        var isFinished = false
    }

    private let state = Mutex(State())

    static let bufferedLines = 10_000

    var isEmpty: Bool { state.withLock { $0.lines.isEmpty } }

    /// Live happenings, until the stream is dropped.
    func watch(ended: @escaping @Sendable () -> Void) -> AsyncStream<JSON> {
        let (stream, continuation) = AsyncStream.makeStream(of: JSON.self, bufferingPolicy: .bufferingNewest(Self.bufferedLines))
        let number = state.withLock { state in
            state.next += 1
            if !state.isFinished { state.lines[state.next] = continuation }
            return state.isFinished ? nil : state.next
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { $0.lines[number] = nil }
            ended()
        }
        return stream
    }

    /// New events, until the stream is dropped. Nothing is left out: who falls behind is ended and reads on from the log.
    func follow() -> AsyncStream<StoredEvent> {
        let (stream, continuation) = AsyncStream.makeStream(of: StoredEvent.self, bufferingPolicy: .bufferingOldest(Self.bufferedLines))
        let number = state.withLock { state in
            state.next += 1
            if !state.isFinished { state.events[state.next] = continuation }
            return state.isFinished ? nil : state.next
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in _ = self?.state.withLock { $0.events.removeValue(forKey: number) } }
        return stream
    }

    func tell(_ line: JSON) {
        for continuation in state.withLock({ Array($0.lines.values) }) { continuation.yield(line) }
    }

    func tell(events: [StoredEvent]) {
        for continuation in state.withLock({ Array($0.events.values) }) {
            for event in events {
                if case .dropped = continuation.yield(event) {
                    continuation.finish()
                    break
                }
            }
        }
    }

    func finish() {
        let (lines, events) = state.withLock { state in
            state.isFinished = true
            defer { (state.lines, state.events) = ([:], [:]) }
            return (Array(state.lines.values), Array(state.events.values))
        }
        for continuation in lines { continuation.finish() }
        for continuation in events { continuation.finish() }
    }
}

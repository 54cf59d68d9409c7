import Ledger
import Readings
import Synchronization

/// Who watches the gateway live. A watcher that does not keep up loses the oldest lines and is told how many.
final class Watchers: Sendable {
    private struct State {
        var next: UInt64 = 0
        var lines: [UInt64: Line] = [:]
        var events: [UInt64: AsyncStream<StoredEvent>.Continuation] = [:]
        var isFinished = false
    }

    private struct Line {
        var continuation: AsyncStream<JSON>.Continuation
        /// Lines lost since it was last told so.
        var dropped: Int64 = 0
    }

    private let state = Mutex(State())

    static let bufferedLines = 10_000

    var isEmpty: Bool { state.withLock { $0.lines.isEmpty } }

    /// Live happenings, until the stream is dropped.
    func watch(ended: @escaping @Sendable () -> Void) -> AsyncStream<JSON> {
        let (stream, continuation) = AsyncStream.makeStream(of: JSON.self, bufferingPolicy: .bufferingNewest(Self.bufferedLines))
        let number = state.withLock { state in
            state.next += 1
            if !state.isFinished { state.lines[state.next] = Line(continuation: continuation) }
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
        // Yielding never waits and never calls back, so it may happen under the lock.
        state.withLock { state in
            for number in state.lines.keys {
                guard let watcher = state.lines[number] else { continue }
                switch watcher.continuation.yield(line) {
                case .dropped: state.lines[number]?.dropped += 1
                case .enqueued(let remaining) where watcher.dropped > 0 && remaining > 0:
                    // Only once there is room: the notice must not push out a line itself.
                    watcher.continuation.yield(["kind": "dropped", "count": .integer(watcher.dropped)])
                    state.lines[number]?.dropped = 0
                default: break
                }
            }
        }
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
            return (state.lines.values.map(\.continuation), Array(state.events.values))
        }
        for continuation in lines { continuation.finish() }
        for continuation in events { continuation.finish() }
    }
}

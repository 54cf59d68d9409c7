import Readings
import Synchronization

/// Between the gateway, which must never wait for a watcher, and a watcher's connection, which may be slow.
///
/// Holds a bounded number of happenings. When it is full, readings go first, because there are thousands a second of them and a decision
/// is what a person waits for. What was dropped is counted, and told as a `dropped` line once there is room.
final class WatchRelay: Sendable {
    private struct State {
        var lines: [JSON] = []
        var dropped: Int64 = 0
    }

    /// Happenings of all kinds that are kept; readings take at most half of it.
    static let capacity = 4_096

    private let state = Mutex(State())
    /// One signal, or several in one, for every time that something was offered.
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init() {
        (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func offer(_ happening: JSON) {
        state.withLock { state in
            let bound = happening["kind"] == "reading" ? Self.capacity / 2 : Self.capacity
            if state.lines.count < bound { state.lines.append(happening) } else { state.dropped += 1 }
        }
        signal.yield()
    }

    func take() -> [JSON] {
        state.withLock { state in
            var lines = state.lines
            if state.dropped > 0 { lines.append(["kind": "dropped", "count": .integer(state.dropped)]) }
            state = State()
            return lines
        }
    }

    func finish() { signal.finish() }
}

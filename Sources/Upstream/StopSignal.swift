/// Tells a delivery thread and whatever it is blocked in that it is to end. Once requested it stays so.
public final class StopSignal: Sendable {
    private struct State: Sendable {
        var isRequested = false
        var handlers: [@Sendable () -> Void] = []
    }

    private let state = Guarded(State())

    public init() {}

    public var isRequested: Bool { state.read(\.isRequested) }

    public func request() {
        let handlers = state.update { state in
            state.isRequested = true
            defer { state.handlers = [] }
            return state.handlers
        }
        for handler in handlers { handler() }
    }

    /// Calls the handler when a stop is requested, on the thread that requests it; at once if that has happened.
    public func onRequest(_ handler: @escaping @Sendable () -> Void) {
        let isLate = state.update { state in
            if !state.isRequested { state.handlers.append(handler) }
            return state.isRequested
        }
        if isLate { handler() }
    }

    /// Sleeps, but no longer than until a stop is requested.
    /// - Returns: false when a stop was requested.
    @discardableResult
    public func sleep(milliseconds: Int64) -> Bool {
        !state.wait(milliseconds: milliseconds, until: \.isRequested)
    }
}

import Readings

/// The latest state of every device, for destinations that show it. May be used from any thread.
public final class DeviceStateBoard: Sendable {
    private struct State: Sendable {
        var devices: [String: JSON] = [:]
        var observers: [@Sendable () -> Void] = []
    }

    private let state = Guarded(State())

    public init() {}

    public var devices: [String: JSON] { state.read(\.devices) }

    public func update(_ device: String, _ json: JSON) {
        let observers = state.update { state in
            guard state.devices[device] != json else { return [@Sendable () -> Void]() }
            state.devices[device] = json
            return state.observers
        }
        for observer in observers { observer() }
    }

    /// Calls the observer after every change, on the thread that made it.
    func onChange(_ observer: @escaping @Sendable () -> Void) {
        state.update { $0.observers.append(observer) }
    }
}

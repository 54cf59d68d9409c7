import DeviceSimulators
import Readings

/// A device behind a converter that gathers what some time brings and passes it on in one write, as USB converters do.
struct GatheredWrites<Device: SimulatedDevice>: SimulatedDevice {
    var device: Device
    private let interval: Instant.Span
    private var gathered: [UInt8] = []
    private var lastWrite = Instant.zero

    init(_ device: Device, interval: Instant.Span) {
        self.device = device
        self.interval = interval
    }

    var nextDeadline: Instant? {
        let next = lastWrite + interval
        // Nothing is passed on before, so nothing need be made before.
        return gathered.isEmpty ? device.nextDeadline.map { max($0, next) } : next
    }

    mutating func connected(at now: Instant) -> [[UInt8]] { pass(device.connected(at: now), at: now) }

    mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] { pass(device.receive(bytes, at: now), at: now) }

    mutating func advance(to now: Instant) -> [[UInt8]] { pass(device.advance(to: now), at: now) }

    mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        device.perform(action, at: now).map { pass($0, at: now) }
    }

    mutating func takeNotes() -> [String] { device.takeNotes() }

    private mutating func pass(_ frames: [[UInt8]], at now: Instant) -> [[UInt8]] {
        gathered += frames.joined()
        guard !gathered.isEmpty, lastWrite + interval <= now else { return [] }
        defer { gathered = [] }
        lastWrite = now
        return [gathered]
    }
}

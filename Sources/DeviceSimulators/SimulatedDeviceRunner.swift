import Devices
import Dispatch
import Glibc
import NIOConcurrencyHelpers
import Readings
import Simulation

/// Runs one simulated device on a pseudo-terminal or a socket: turn by turn on the thread of its owner, or on a thread of its own
/// after `start`.
public final class SimulatedDeviceRunner<Device: SimulatedDevice>: Sendable {
    /// What to write into a site file: a path, or `host:port`.
    public let address: String
    private let shared: NIOLockedValueBox<Shared>
    private let ended = DispatchSemaphore(value: 0)

    fileprivate struct Shared: @unchecked Sendable {
        var device: Device
        /// As it was delivered, for a restart.
        let original: Device
        // The class is not Sendable; it is only ever touched under the lock.
        let link: SimulatedLink
        var random: SplitMix64
        var isStalled = false
        var isStarted = false
        var isStopped = false
        /// The tags and inputs that are to be there again after a restart.
        var lying: [SimulatedAction] = []
        var last: (text: String, count: Int)?
        var events: [SimulatedDeviceEvent] = []
    }

    /// How long a change from outside may wait for the thread.
    private static var longestWait: Int32 { 20 }
    private static var garbageLength: Int { 64 }

    /// - Parameter seed: makes the garbage.
    /// - Throws: `PseudoTerminalError` or `SimulatedLinkError`
    public init(_ device: Device, at place: SimulatedPlace = .pseudoTerminal(), seed: UInt64 = 1) throws {
        let link = try SimulatedLink(place)
        address = link.address
        shared = NIOLockedValueBox(Shared(device: device, original: device, link: link, random: SplitMix64(state: seed)))
    }

    // MARK: Its thread

    /// Works on a thread of its own until `stop`.
    public func start() {
        shared.withLockedValue { $0.isStarted = true }
        let runner = self
        DispatchQueue(label: "simulated-device").async {
            while !runner.shared.withLockedValue({ $0.isStopped }) { _ = runner.turn() }
            runner.shared.withLockedValue { $0.link.close() }
            runner.ended.signal()
        }
    }

    /// Pulls the plug; it is pulled when this returns, whoever calls it and how often.
    public func stop() {
        let isRunning = shared.withLockedValue { shared in
            shared.isStopped = true
            if !shared.isStarted { shared.link.close() }
            return shared.isStarted
        }
        guard isRunning else { return }
        ended.wait()
        // For the next one who waits.
        ended.signal()
    }

    // MARK: Turn by turn

    /// Waits for one thing to happen, for a short time at most, and does what is due.
    /// - Parameter other: a descriptor that ends the wait too when it can be read.
    public func turn(orReadable other: Int32? = nil) -> [SimulatedDeviceEvent] {
        let (descriptors, deadline) = shared.withLockedValue { ($0.link.descriptors, $0.isStalled ? nil : $0.device.nextDeadline) }
        var requests = (descriptors + (other.map { [$0] } ?? [])).map {
            pollfd(fd: $0, events: Int16(POLLIN) | SimulatedLink.endOfStream, revents: 0)
        }
        let wait = deadline.map { ($0 - BootClock.now()).pollTimeout(atMost: Self.longestWait) }
        poll(&requests, nfds_t(requests.count), wait ?? Self.longestWait)
        return shared.withLockedValue { shared in
            let now = BootClock.now()
            for arrival in shared.link.receive(at: now) { shared.take(arrival, at: now) }
            if !shared.isStalled, let deadline = shared.device.nextDeadline, deadline <= now {
                let frames = shared.device.advance(to: now)
                shared.send(frames, at: now)
            }
            return shared.takeEvents()
        }
    }

    /// Does what a line says.
    public func obey(_ line: String) -> [SimulatedDeviceEvent] {
        shared.withLockedValue { shared in
            shared.tellAsked()
            let now = BootClock.now()
            switch SimulatorCommand(line) {
            case .action(let action)?:
                guard shared.perform(action, at: now) else {
                    shared.events.append(.cannot(line))
                    return shared.takeEvents()
                }
            case .stall(let isStalled)?: shared.isStalled = isStalled
            case .garbage?: shared.send([(0..<Self.garbageLength).map { _ in UInt8(truncatingIfNeeded: shared.random.next()) }], at: now)
            case .restart?: shared.restart(at: now)
            case nil:
                shared.events.append(.notUnderstood(line))
                return shared.takeEvents()
            }
            shared.events.append(.obeyed(line))
            return shared.takeEvents()
        }
    }

    /// Something happens in front of the device.
    /// - Returns: false when a device of this kind cannot notice it.
    @discardableResult
    public func perform(_ action: SimulatedAction) -> Bool { shared.withLockedValue { $0.perform(action, at: BootClock.now()) } }

    /// The connection is cut, as by a cable.
    public func hangUp() { shared.withLockedValue { $0.drop(at: BootClock.now()) } }

    /// For so long after the end of a connection the port refuses the next one.
    public func refuseAfterConnections(for time: Instant.Span) { shared.withLockedValue { $0.link.refusalAfterConnection = time } }

    /// The device as it is now.
    public var device: Device { shared.withLockedValue { $0.device } }

    /// Does something to the device; what that makes it say is sent.
    public func change(_ body: @Sendable (inout Device, Instant) -> [[UInt8]]) {
        shared.withLockedValue { shared in
            let now = BootClock.now()
            let frames = body(&shared.device, now)
            shared.send(frames, at: now)
        }
    }
}

extension SimulatedDeviceRunner.Shared {
    mutating func take(_ arrival: SimulatedLink.Arrival, at now: Instant) {
        switch arrival {
        case .connected:
            tellAsked()
            events.append(.connected)
            let frames = device.connected(at: now)
            send(frames, at: now)
        case .disconnected:
            tellAsked()
            events.append(.disconnected)
            device.disconnected(at: now)
        case .another: link.refuse(device.refusal(at: now))
        case .bytes(let bytes):
            // A device that hangs hears nothing.
            guard !isStalled else { return }
            let frames = device.receive(bytes, at: now)
            let notes = device.takeNotes()
            for note in notes.isEmpty ? [Hex.text(bytes)] : notes { tell(note) }
            send(frames, at: now)
        }
    }

    mutating func perform(_ action: SimulatedAction, at now: Instant) -> Bool {
        guard let frames = device.perform(action, at: now) else { return false }
        remember(action)
        send(frames, at: now)
        return true
    }

    mutating func send(_ frames: [[UInt8]], at now: Instant) {
        guard !isStalled else { return }
        var isThere = link.isConnected
        for frame in frames where isThere { isThere = link.send(frame) }
        if link.isNetwork, !isThere || device.isHangingUp { drop(at: now) }
    }

    mutating func drop(at now: Instant) {
        guard link.drop() else { return }
        tellAsked()
        events.append(.disconnected)
        device.disconnected(at: now)
    }

    mutating func restart(at now: Instant) {
        drop(at: now)
        device = original
        isStalled = false
        for action in lying { _ = device.perform(action, at: now) }
    }

    private mutating func remember(_ action: SimulatedAction) {
        switch action {
        case .tag(let epc, _), .remove(let epc):
            lying.removeAll { if case .tag(epc, _) = $0 { true } else if case .remove(epc) = $0 { true } else { false } }
            lying.append(action)
        case .input(let line, _):
            lying.removeAll { if case .input(line, _) = $0 { true } else { false } }
            lying.append(action)
        case .scan, .badge: break
        }
    }

    /// The same again is counted: a reader is asked for a round thirty times a second.
    private mutating func tell(_ note: String) {
        if let last, last.text == note {
            self.last = (note, last.count + 1)
        } else {
            tellAsked()
            events.append(.asked(note, count: 1))
            last = (note, 1)
        }
    }

    mutating func tellAsked() {
        if let last, last.count > 1 { events.append(.asked(last.text, count: last.count)) }
        last = nil
    }

    mutating func takeEvents() -> [SimulatedDeviceEvent] {
        defer { events = [] }
        return events
    }
}

/// What happened to a simulated device.
public enum SimulatedDeviceEvent: Hashable, Sendable {
    case connected
    case disconnected
    /// The gateway asked for something; `count`: so often in a row.
    case asked(String, count: Int)
    /// A line of text was obeyed.
    case obeyed(String)
    /// A line of text that says nothing to this kind of device, or nothing at all.
    case notUnderstood(String)
    case cannot(String)
}

extension Instant.Span {
    /// Milliseconds for `poll`, rounded up, so that a deadline is not waited for in circles.
    func pollTimeout(atMost limit: Int32) -> Int32 {
        Int32(clamping: max(0, min(Int64(limit), (nanoseconds &+ 999_999) / 1_000_000)))
    }
}

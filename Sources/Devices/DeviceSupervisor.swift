import NIOCore
import NIOPosix
import Readings

/// Keeps the devices of the site open: does what `SupervisionState` decides.
///
/// Confined to its event loop, like all its connections; call everything on it.
public final class DeviceSupervisor {
    public let loop: any EventLoop
    public weak var delegate: (any DeviceSupervisorDelegate)?

    private var state: SupervisionState
    private let links: DeviceLinks
    private var connections: [UInt64: SupervisedConnection] = [:]
    private var openAttempts: [DeviceIndex: UInt64] = [:]
    private var queue: [SupervisionState.Action] = []
    private var isDraining = false
    private var timer: Scheduled<Void>?
    private var timerDeadline: Instant?
    private var quiescence: EventLoopPromise<Void>?

    /// - Parameter pool: runs what blocks: opening, setting up and the last close of a device. It must outlive the supervisor.
    public init(
        loop: any EventLoop, devices: [SupervisedDevice], pool: NIOThreadPool = .singleton, delegate: (any DeviceSupervisorDelegate)? = nil
    ) {
        self.loop = loop
        links = DeviceLinks(loop: loop, pool: pool)
        self.delegate = delegate
        state = SupervisionState(devices: devices, now: BootClock.now())
    }

    /// How every device is doing, in the order of the configuration.
    public var statuses: [DeviceStatus] {
        state.statuses.enumerated().map { index, status in
            let link = openAttempts[DeviceIndex(UInt16(truncatingIfNeeded: index))].flatMap { connections[$0]?.connection }
            var status = status
            status.deviceName = link?.deviceName
            status.notes = link?.notes ?? []
            return status
        }
    }

    public func start() { perform { $0.start(now: $1) } }

    public func nodeAppeared(_ node: DeviceNode) { perform { $0.nodeAppeared(node, now: $1) } }

    public func nodeDisappeared(_ node: DeviceNode) { perform { $0.nodeDisappeared(node, now: $1) } }

    /// The device is open but does not do its work: closes it and opens it again after the usual pause.
    public func restart(_ device: DeviceIndex, reason: String) { perform { $0.restart(device, reason: reason, now: $1) } }

    /// Takes a new list of devices; those with the same name and revision stay open under their new number. A device that is no
    /// longer in the list is closed without a word to the delegate, who has just been told by whoever calls this.
    public func reconfigure(_ devices: [SupervisedDevice]) {
        perform {
            let actions = $0.reconfigure(devices, now: $1)
            openAttempts.removeAll()
            for (attempt, connection) in connections {
                connection.device = $0.device(of: attempt)
                if let device = connection.device { openAttempts[device] = attempt }
            }
            return actions
        }
    }

    /// Hands bytes to a device without waiting.
    /// - Returns: false when they were dropped, because the device is not open or does not take what it was sent.
    @discardableResult
    public func write(_ bytes: [UInt8], to device: DeviceIndex) -> Bool {
        loop.preconditionInEventLoop()
        return openAttempts[device].flatMap { connections[$0] }?.connection.write(bytes) ?? false
    }

    /// Closes all devices.
    /// - Parameter limit: how long to wait for a driver that does not let go.
    /// - Returns: succeeds when every device is released, or when the time is over.
    public func shutdown(limit: TimeAmount = .seconds(5)) -> EventLoopFuture<Void> {
        loop.preconditionInEventLoop()
        if let quiescence { return quiescence.futureResult }
        let promise = loop.makePromise(of: Void.self)
        quiescence = promise
        let deadline = loop.assumeIsolated().scheduleTask(in: limit) { promise.succeed() }
        promise.futureResult.whenComplete { _ in deadline.cancel() }
        perform { $0.shutdown(now: $1) }
        return promise.futureResult
    }

    /// A callback for `DeviceMonitor.start` that brings its events here.
    public func nodeEvents() -> @Sendable (DeviceMonitor.Event) -> Void {
        let supervisor = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        return { event in
            loop.execute {
                switch event {
                case .appeared(let node): supervisor.value.nodeAppeared(node)
                case .disappeared(let node): supervisor.value.nodeDisappeared(node)
                case .enumerated, .unavailable: break
                }
            }
        }
    }

    // MARK: - Doing

    /// Lets the state decide, then does what it decided. What the delegate does in its callbacks is queued behind that.
    private func perform(_ decide: (inout SupervisionState, Instant) -> [SupervisionState.Action]) {
        loop.preconditionInEventLoop()
        queue += decide(&state, BootClock.now())
        guard !isDraining else { return }
        isDraining = true
        while !queue.isEmpty {
            let batch = queue
            queue.removeAll()
            for action in batch { carryOut(action) }
        }
        isDraining = false
        armTimer()
        if state.isQuiescent { quiescence?.succeed() }
    }

    private func carryOut(_ action: SupervisionState.Action) {
        switch action {
        case .open(let attempt, _, let path, let transport):
            // The state may have moved on since: the number is asked for now.
            let connection = SupervisedConnection(
                links.makeLink(path: path, transport: transport), attempt: attempt, supervisor: self)
            connection.device = state.device(of: attempt)
            connections[attempt] = connection
            if let device = connection.device { openAttempts[device] = attempt }
            connection.connection.open()
        case .close(let attempt, let reason):
            connections[attempt]?.connection.close(reason: reason)
        case .announceOpened(let device, let match, let path):
            delegate?.supervisor(self, opened: device, as: match, path: path, at: BootClock.now())
        case .announceClosed(let device, let reason):
            delegate?.supervisor(self, closed: device, reason: reason, at: BootClock.now())
        case .changed(let device):
            if let status = state.status(of: device) { delegate?.supervisor(self, device: device, is: status) }
        }
    }

    private func armTimer() {
        let deadline = state.nextDeadline
        guard deadline != timerDeadline else { return }
        timer?.cancel()
        timerDeadline = deadline
        timer = deadline.map { deadline in
            loop.assumeIsolated().scheduleTask(in: .nanoseconds(max(0, (deadline - BootClock.now()).nanoseconds))) {
                self.timerDeadline = nil
                self.perform { $0.advance(to: max($1, deadline)) }
            }
        }
    }

    // MARK: - What connections tell

    fileprivate func opened(_ attempt: UInt64, takenAt: Instant?) { perform { $0.opened(attempt, takenAt: takenAt, now: $1) } }

    fileprivate func failed(_ connection: SupervisedConnection, _ error: DeviceError) {
        forget(connection)
        perform { $0.failed(connection.attempt, error: error.description, now: $1) }
    }

    fileprivate func closed(_ attempt: UInt64, _ end: ConnectionEnd) {
        let isFault = if case .failed = end { true } else { false }
        perform { $0.closed(attempt, reason: end.description, isFault: isFault, now: $1) }
    }

    fileprivate func released(_ connection: SupervisedConnection) {
        forget(connection)
        perform { $0.released(connection.attempt, now: $1) }
    }

    private func forget(_ connection: SupervisedConnection) {
        connections[connection.attempt] = nil
        if let device = connection.device, openAttempts[device] == connection.attempt { openAttempts[device] = nil }
    }
}

/// A link with the number of its attempt and of its device.
private final class SupervisedConnection: DeviceConnectionDelegate {
    let connection: any DeviceLink
    let attempt: UInt64
    /// nil when the device is no longer configured: nobody is told what it still says.
    var device: DeviceIndex?
    private unowned let supervisor: DeviceSupervisor

    init(_ connection: any DeviceLink, attempt: UInt64, supervisor: DeviceSupervisor) {
        self.connection = connection
        self.attempt = attempt
        self.supervisor = supervisor
        connection.delegate = self
    }

    func connectionOpened(_ connection: any DeviceLink, at now: Instant) { supervisor.opened(attempt, takenAt: connection.takenAt) }

    func connection(_ connection: any DeviceLink, failedToOpen error: DeviceError, at now: Instant) { supervisor.failed(self, error) }

    func connection(_ connection: any DeviceLink, received bytes: UnsafeRawBufferPointer, at now: Instant) {
        if let device { supervisor.delegate?.supervisor(supervisor, device: device, received: bytes, at: now) }
    }

    func connection(_ connection: any DeviceLink, key code: UInt16, value: Int32, at now: Instant) {
        if let device { supervisor.delegate?.supervisor(supervisor, device: device, key: code, value: value, at: now) }
    }

    func connectionOverran(_ connection: any DeviceLink, at now: Instant) {
        if let device { supervisor.delegate?.supervisor(supervisor, overran: device, at: now) }
    }

    func connection(_ connection: any DeviceLink, droppedWrite count: Int) {
        if let device { supervisor.delegate?.supervisor(supervisor, device: device, droppedWrite: count) }
    }

    func connectionClosed(_ connection: any DeviceLink, end: ConnectionEnd, at now: Instant) { supervisor.closed(attempt, end) }

    func connectionReleased(_ connection: any DeviceLink, at now: Instant) { supervisor.released(self) }
}

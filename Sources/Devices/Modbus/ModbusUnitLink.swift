import NIOCore
import Readings

/// The link to one unit of a Modbus bus. It is open from its first answer on; what it receives are frames of its bus, what is written
/// to it are requests, function first.
public final class ModbusUnitLink: DeviceLink {
    /// Requests that may wait for a slow bus.
    public static let maximumPending = ModbusSchedule.commandLimit

    public let path: String
    public let unit: ModbusUnit
    public let loop: any EventLoop
    public weak var delegate: (any DeviceConnectionDelegate)?

    private enum Stage {
        case idle
        case opening(ModbusBus, UInt64)
        case open(ModbusBus, UInt64)
        case closing
        case finished
    }

    private let buses: ModbusBuses
    private var stage = Stage.idle
    /// Requests without an answer yet.
    private var pending = 0

    init(path: String, unit: ModbusUnit, buses: ModbusBuses, loop: any EventLoop) {
        self.path = path
        self.unit = unit
        self.buses = buses
        self.loop = loop
    }

    public var transport: DeviceTransport { .modbus(unit) }

    public var deviceName: String? { nil }

    public func open() {
        loop.preconditionInEventLoop()
        guard case .idle = stage else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        let attached = buses.attach(unit) { report in loop.execute { bound.value.took(report) } }
        guard let attached else {
            // Told later, as everything else is: who opens does not expect an answer within the call.
            stage = .closing
            return loop.execute { bound.value.fail(DeviceError(.open, path: bound.value.path, detail: "no thread can be had")) }
        }
        stage = .opening(attached.bus, attached.id)
    }

    @discardableResult
    public func write(_ bytes: [UInt8]) -> Bool {
        loop.preconditionInEventLoop()
        guard case .open(let bus, let id) = stage else { return false }
        guard pending < Self.maximumPending else {
            delegate?.connection(self, droppedWrite: bytes.count)
            return false
        }
        pending += 1
        return bus.send(bytes, to: id)
    }

    public func close(reason: String) {
        loop.preconditionInEventLoop()
        switch stage {
        case .idle: stage = .finished
        case .opening(let bus, let id), .open(let bus, let id): bus.detach(id, reason: reason)
        case .closing, .finished: break
        }
    }

    private func took(_ report: ModbusUnitReport) {
        let now = BootClock.now()
        switch report {
        case .opened:
            guard case .opening(let bus, let id) = stage else { return }
            stage = .open(bus, id)
            delegate?.connectionOpened(self, at: now)
        case .failed(let error): fail(error)
        case .received(let frame):
            guard case .open = stage else { return }
            if ModbusSchedule.endsCommand(frame) { pending = max(0, pending - 1) }
            frame.withUnsafeBytes { delegate?.connection(self, received: $0, at: now) }
        case .closed(let end):
            stage = .closing
            delegate?.connectionClosed(self, end: end, at: now)
        case .released:
            stage = .finished
            delegate?.connectionReleased(self, at: now)
        }
    }

    private func fail(_ error: DeviceError) {
        stage = .finished
        delegate?.connection(self, failedToOpen: error, at: BootClock.now())
    }
}

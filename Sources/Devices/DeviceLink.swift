import NIOCore
import NIOPosix
import Readings

/// One opening of one device: moves bytes and keys between the device and the event loop, and knows nothing of what they mean.
///
/// Confined to its event loop; call everything on it. After `open()` the delegate is told exactly one of two stories: that opening
/// failed, or opened, then anything, then closed, then released. Nothing here waits: whatever blocks runs on other threads, and
/// writing goes to a bounded queue. A link is used once; the next opening is another link.
public protocol DeviceLink: AnyObject {
    /// The device node, or the address of a device on the network.
    var path: String { get }
    var transport: DeviceTransport { get }
    /// What the other end calls itself once it is open, or where it called from; from a stranger, like everything a device says.
    var deviceName: String? { get }
    /// Held weakly.
    var delegate: (any DeviceConnectionDelegate)? { get set }

    /// Begins to open the device; once in the life of a link.
    func open()
    /// Hands bytes to the device, in order and without waiting.
    /// - Returns: false when they were dropped: the device is not open, cannot be written, or does not take what it was sent.
    @discardableResult func write(_ bytes: [UInt8]) -> Bool
    /// Closes the device; has no effect when that is under way already. While the device is being opened, opening then fails.
    /// What was written before still goes out, for `longestDrain` at most.
    func close(reason: String)

    /// When the device was taken for this program alone; nil where that does not matter, and before it was opened.
    var takenAt: Instant? { get }
    /// What a technician should know of this opening, in words: what the device refused, whom we refused.
    var notes: [String] { get }
}

extension DeviceLink {
    public var takenAt: Instant? { nil }
    public var notes: [String] { [] }
}

/// Bytes that may wait for a slow device. More than that can only be a device that stopped taking any.
public let maximumPendingBytes = 64 << 10

/// How long closing waits for bytes that are still on their way to the device.
let longestDrain = TimeAmount.milliseconds(250)

/// Makes the links of one supervisor: the one place that knows which transport has which link, and that keeps what links share.
///
/// Confined to its event loop.
final class DeviceLinks {
    private let loop: any EventLoop
    private let pool: NIOThreadPool
    private let modbusBuses = ModbusBuses()

    init(loop: any EventLoop, pool: NIOThreadPool) {
        self.loop = loop
        self.pool = pool
    }

    func makeLink(path: String, transport: DeviceTransport) -> any DeviceLink {
        switch transport {
        case .tcp(let endpoint) where endpoint.listens: TCPListenerLink(endpoint, loop: loop, pool: pool)
        case .tcp(let endpoint): TCPLink(endpoint, loop: loop, pool: pool)
        case .modbus(let unit): ModbusUnitLink(path: path, unit: unit, buses: modbusBuses, loop: loop)
        case .serial, .evdev, .hidraw: DeviceConnection(path: path, transport: transport, loop: loop, pool: pool)
        }
    }
}

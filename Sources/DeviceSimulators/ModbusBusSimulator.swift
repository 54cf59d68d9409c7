import Devices
import Dispatch
import Glibc
import Readings

/// Modbus units on one bus: RTU on a pseudo-terminal, or TCP on the loopback interface.
///
/// libmodbus can serve only one unit on a serial line, so the frames are taken apart here.
public final class ModbusBusSimulator: Sendable {
    /// What the gateway opens for RTU; empty for TCP.
    public let path: String
    /// The TCP port; 0 for RTU.
    public let port: UInt16
    private let shared: LockedValue<Shared>
    private let isTCP: Bool
    /// The listening socket, or the simulators' end of the terminal.
    private let descriptor: Int32

    private struct Shared: Sendable {
        var units: [UInt8: ModbusUnitSimulator]
        var isStopped = false
        /// Connections taken since the start.
        var connections = 0
        var closesConnection = false
    }

    /// Units on a pseudo-terminal, which the simulator owns until `stop`.
    /// - Throws: `PseudoTerminalError`
    public init(units: [UInt8: ModbusUnitSimulator], link: String? = nil) throws(PseudoTerminalError) {
        let terminal = try PseudoTerminal(link: link)
        (path, port, isTCP, descriptor) = (terminal.path, 0, false, terminal.descriptor)
        shared = LockedValue(Shared(units: units))
        let owned = OwnedTerminal(terminal)
        let simulator = self
        DispatchQueue(label: "modbus-units").async {
            simulator.serve({ owned.read(waiting: $0) }, { owned.write($0) })
            owned.hangUp()
        }
    }

    /// Units behind a TCP port.
    /// - Parameter port: 0: any that is free.
    /// - Throws: `PseudoTerminalError` with the call that failed.
    public init(units: [UInt8: ModbusUnitSimulator], tcpPort: UInt16) throws(PseudoTerminalError) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var reuse: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = tcpPort.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else {
            let number = errno
            close(listener)
            throw PseudoTerminalError(operation: "listen on port \(tcpPort)", errorNumber: number)
        }
        (path, port, isTCP, descriptor) = ("", UInt16(bigEndian: address.sin_port), true, listener)
        shared = LockedValue(Shared(units: units))
        let simulator = self
        DispatchQueue(label: "modbus-units").async { simulator.accept() }
    }

    /// Ends within 50 ms: the line hangs up, or the port is closed.
    public func stop() { shared.change { $0.isStopped = true } }

    /// Changes a unit; a number that is not there yet is a new unit.
    public func change<Result>(_ unit: UInt8, _ body: (inout ModbusUnitSimulator) -> Result) -> Result {
        shared.change { body(&$0.units[unit, default: ModbusUnitSimulator()]) }
    }

    public func unit(_ number: UInt8) -> ModbusUnitSimulator? { shared.change { $0.units[number] } }

    /// TCP connections taken since the start.
    public var connections: Int { shared.change { $0.connections } }

    /// Closes the present TCP connection; the port stays open.
    public func closeConnection() { shared.change { $0.closesConnection = true } }

    // MARK: Serving

    private var isStopped: Bool { shared.change { $0.isStopped } }

    private func accept() {
        defer { close(descriptor) }
        while !isStopped {
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&request, 1, 20) > 0 else { continue }
            let connection = Glibc.accept(descriptor, nil, nil)
            guard connection >= 0 else { continue }
            shared.change {
                $0.connections += 1
                $0.closesConnection = false
            }
            serve(
                { milliseconds in
                    var request = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
                    guard poll(&request, 1, milliseconds) > 0 else { return [] }
                    var buffer = [UInt8](repeating: 0, count: 1_024)
                    let count = recv(connection, &buffer, buffer.count, 0)
                    return count > 0 ? Array(buffer[..<count]) : nil
                },
                { _ = send(connection, $0, $0.count, Int32(MSG_NOSIGNAL)) })
            close(connection)
        }
    }

    /// - Parameter read: waits for so many milliseconds; nil: the other end is gone.
    private func serve(_ read: (Int32) -> [UInt8]?, _ write: ([UInt8]) -> Void) {
        var buffer: [UInt8] = []
        while true {
            let mustEnd = shared.change { $0.isStopped || $0.closesConnection }
            guard !mustEnd, let bytes = read(20) else { return }
            // A line that is silent in the middle of a frame has dropped it.
            if bytes.isEmpty { buffer = [] }
            buffer += bytes
            while let frame = isTCP ? Self.takeTCPFrame(from: &buffer) : Self.takeRTUFrame(from: &buffer) { answer(frame, write) }
        }
    }

    private struct Frame {
        var unit: UInt8
        var request: [UInt8]
        /// Transaction and protocol numbers of a TCP frame.
        var head: [UInt8] = []
    }

    private func answer(_ frame: Frame, _ write: ([UInt8]) -> Void) {
        guard let unit = self.unit(frame.unit), !unit.isSilent else { return }
        if unit.delay > 0 { _ = poll(nil, 0, unit.delay) }
        let now = BootClock.now()
        let (response, isSpoilt) = change(frame.unit) { unit in
            let isSpoilt = unit.spoiltAnswers > 0
            if isSpoilt { unit.spoiltAnswers -= 1 }
            return (unit.answer(frame.request, at: now), isSpoilt)
        }
        if isTCP {
            var head = frame.head
            if isSpoilt { head[0] ^= 0x55 }
            write(head + [UInt8((response.count + 1) >> 8), UInt8((response.count + 1) & 0xFF), frame.unit] + response)
        } else {
            let body = [frame.unit] + response
            let check = Self.check(body) ^ (isSpoilt ? 0x0100 : 0)
            write(body + [UInt8(check & 0xFF), UInt8(check >> 8)])
        }
    }

    private static func takeTCPFrame(from buffer: inout [UInt8]) -> Frame? {
        guard buffer.count >= 8 else { return nil }
        let length = Int(buffer[4]) << 8 | Int(buffer[5])
        guard (2...254).contains(length), buffer.count >= 6 + length else { return nil }
        defer { buffer.removeFirst(6 + length) }
        return Frame(unit: buffer[6], request: Array(buffer[7..<6 + length]), head: Array(buffer[..<4]))
    }

    private static func takeRTUFrame(from buffer: inout [UInt8]) -> Frame? {
        while buffer.count >= 8 {
            let isLong = buffer[1] == 0x0F || buffer[1] == 0x10
            let length = isLong ? 9 + Int(buffer[6]) : 8
            guard buffer.count >= length else { return nil }
            guard check(Array(buffer[..<length])) == 0 else {
                buffer.removeFirst()
                continue
            }
            defer { buffer.removeFirst(length) }
            return Frame(unit: buffer[0], request: Array(buffer[1..<length - 2]))
        }
        return nil
    }

    /// CRC of Modbus over Serial Line V1.02, section 6.2.2; over a frame with its check it is 0.
    static func check(_ bytes: [UInt8]) -> UInt16 {
        var value: UInt16 = 0xFFFF
        for byte in bytes {
            value ^= UInt16(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xA001 : value >> 1 }
        }
        return value
    }
}

/// A value behind a lock of pthread.
final class LockedValue<Value: Sendable>: @unchecked Sendable {
    // `value` is only touched with `mutex` held; the mutex is made for use by several threads and never moves.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    init(_ value: Value) {
        self.value = value
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func change<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&value)
    }
}

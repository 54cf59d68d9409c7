import CModbus
import Glibc
import Readings

/// A serial line or a TCP connection with libmodbus on it: frames, checks and transaction numbers are the library's. Blocking; used by
/// the bus thread only.
///
/// The library's own recovery is off: it would sleep and reconnect inside a call. After anything but an answer a TCP connection is
/// closed, because a late answer would be taken for that of the next request; a serial line is emptied and left silent.
final class ModbusPort {
    /// What ends the use of the whole bus.
    struct Loss: Error {
        var error: DeviceError
    }

    private let bus: ModbusUnit.Bus
    /// nil when the TCP connection was closed.
    private var context: OpaquePointer?
    /// The silence between two frames on a serial line: 3.5 characters (Modbus over Serial Line V1.02, section 2.5.1.1), of which a
    /// character has at most 11 bits; above 19,200 baud a fixed 1.75 ms.
    private let silence: Instant.Span
    private var lastFrame = Instant.zero

    /// Opens a serial line.
    /// - Throws: `DeviceError`; then nothing is left open.
    init(serial path: String, _ line: SerialLine) throws(DeviceError) {
        bus = .serial(path: path, line)
        silence =
            line.baud > 0 && line.baud <= 19_200
            ? Instant.Span(nanoseconds: 38_500_000_000 / Int64(line.baud)) : Instant.Span(nanoseconds: 1_750_000)
        context = try Self.open(path, line)
    }

    /// Takes a connected socket.
    /// - Throws: `DeviceError`; then the socket is closed.
    init(_ bus: ModbusUnit.Bus, socket: Int32) throws(DeviceError) {
        self.bus = bus
        silence = .zero
        do throws(DeviceError) {
            let made = try Self.prepared(modbus_new_tcp(nil, 0), path: "\(bus)")
            modbus_set_socket(made, socket)
            context = made
        } catch {
            close(socket)
            throw error
        }
    }

    /// Whether it can be used for another request.
    var isOpen: Bool { context != nil }

    deinit {
        disconnect()
    }

    /// One request and its response.
    /// - Throws: `Loss` when nobody on this bus can be reached any more.
    func exchange(_ request: [UInt8], with unit: ModbusUnit) throws(Loss) -> ModbusSchedule.Result {
        guard let context, let function = request.first else { return .garbled("nothing to send") }
        keepSilence()
        // What came since the last frame answers nothing that is still asked: a unit that was too late, or noise.
        if case .serial = bus { modbus_flush(context) }
        defer { lastFrame = BootClock.now() }
        let (seconds, rest) = unit.responseTimeout.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        guard modbus_set_slave(context, Int32(unit.unit)) == 0,
            modbus_set_response_timeout(context, UInt32(clamping: seconds), UInt32(clamping: rest / 1_000)) == 0
        else { return .garbled("unit \(unit.unit) cannot be addressed") }
        // Errors of the library are numbers above those of the system.
        errno = 0
        let response = (0x01...0x04).contains(function) && request.count == 5 ? read(request, context) : raw(request, unit.unit, context)
        let number = response == nil ? errno : 0
        if let response { return .answer(response) }
        let code = number - MODBUS_ENOBASE
        if (1...11).contains(code) { return .answer([function | ModbusCode.exceptionFlag, UInt8(code)]) }
        let isSilence = number == ETIMEDOUT
        guard isSilence || code > 11 else {
            let error = DeviceError(.read, path: "\(bus)", errorNumber: number)
            disconnect()
            throw Loss(error: error)
        }
        recover()
        return isSilence ? .silence : .garbled(String(cString: modbus_strerror(number)))
    }

    func disconnect() {
        guard let context else { return }
        if case .serial = bus {
            let descriptor = modbus_get_socket(context)
            // Unsent bytes would hold up the close, and exclusive use outlives it on a pseudo-terminal.
            tcflush(descriptor, TCIOFLUSH)
            _ = ioctl(descriptor, UInt(TIOCNXCL), 0)
        }
        modbus_close(context)
        modbus_free(context)
        self.context = nil
    }

    // MARK: Requests

    /// Reads by the library's own functions, which compare unit, function, length and transaction number. nil: see `errno`.
    private func read(_ request: [UInt8], _ context: OpaquePointer) -> [UInt8]? {
        let start = Int32(request[1]) << 8 | Int32(request[2])
        let count = Int32(request[3]) << 8 | Int32(request[4])
        let function = request[0]
        if function <= 0x02 {
            guard (1...2_000).contains(count) else { return Self.fail(EINVAL) }
            var bits = [UInt8](repeating: 0, count: Int(count))
            let found =
                function == 0x01 ? modbus_read_bits(context, start, count, &bits) : modbus_read_input_bits(context, start, count, &bits)
            guard found == count else { return found < 0 ? nil : Self.fail(MODBUS_ENOBASE + 13) }
            var bytes = [UInt8](repeating: 0, count: (bits.count + 7) / 8)
            for (place, bit) in bits.enumerated() where bit != 0 { bytes[place / 8] |= 1 << UInt8(place % 8) }
            return [function, UInt8(clamping: bytes.count)] + bytes
        }
        guard (1...125).contains(count) else { return Self.fail(EINVAL) }
        var registers = [UInt16](repeating: 0, count: Int(count))
        let found =
            function == 0x03
            ? modbus_read_registers(context, start, count, &registers) : modbus_read_input_registers(context, start, count, &registers)
        guard found == count else { return found < 0 ? nil : Self.fail(MODBUS_ENOBASE + 13) }
        return [function, UInt8(clamping: registers.count * 2)] + registers.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    }

    /// Writes as they stand: some devices take values that the library's functions cannot send, and the answer must be what the
    /// device said. The library numbers such requests 0; a connection is never used again after a request without an answer.
    private func raw(_ request: [UInt8], _ unit: UInt8, _ context: OpaquePointer) -> [UInt8]? {
        let message = [unit] + request
        guard modbus_send_raw_request(context, message, Int32(message.count)) >= 0 else { return nil }
        var response = [UInt8](repeating: 0, count: 260)
        let length = Int(modbus_receive_confirmation(context, &response))
        guard length >= 0 else { return nil }
        let header = Int(modbus_get_header_length(context))
        let check = if case .serial = bus { 2 } else { 0 }
        guard header > 0, length - check >= header + 2, length <= response.count, response[header - 1] == unit,
            response[header] & 0x7F == request[0]
        else { return Self.fail(MODBUS_ENOBASE + 13) }
        return Array(response[header..<length - check])
    }

    private static func fail(_ number: Int32) -> [UInt8]? {
        errno = number
        return nil
    }

    // MARK: The line

    private func keepSilence() {
        guard silence > .zero else { return }
        let rest = silence.nanoseconds - (BootClock.now() - lastFrame).nanoseconds
        if rest > 0 { Self.sleep(nanoseconds: rest) }
    }

    private func recover() {
        switch bus {
        case .tcp: disconnect()
        // The silence before the next request, and its flush, see to the rest.
        case .serial: break
        }
    }

    private static func sleep(nanoseconds: Int64) {
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        nanosleep(&time, nil)
    }

    private static func open(_ path: String, _ line: SerialLine) throws(DeviceError) -> OpaquePointer {
        let made = modbus_new_rtu(path, Int32(clamping: line.baud), letter(line.parity), Int32(line.dataBits), Int32(line.stopBits))
        let context = try prepared(made, path: path)
        guard modbus_connect(context) == 0 else {
            let number = errno
            modbus_free(context)
            throw DeviceError(.open, path: path, errorNumber: number > 0 && number < MODBUS_ENOBASE ? number : nil)
        }
        do throws(DeviceError) {
            try SerialPort.adopt(modbus_get_socket(context), path, line)
        } catch {
            modbus_close(context)
            modbus_free(context)
            throw error
        }
        if line.openDelay > .zero {
            sleep(nanoseconds: min(line.openDelay, .seconds(10)).nanoseconds)
            modbus_flush(context)
        }
        return context
    }

    private static func prepared(_ made: OpaquePointer?, path: String) throws(DeviceError) -> OpaquePointer {
        guard let context = made else { throw DeviceError(.open, path: path, errorNumber: errno) }
        modbus_set_error_recovery(context, MODBUS_ERROR_RECOVERY_NONE)
        // Zero: the response time-out is for the whole answer.
        modbus_set_byte_timeout(context, 0, 0)
        return context
    }

    private static func letter(_ parity: SerialLine.Parity) -> CChar {
        switch parity {
        case .none: 0x4E
        case .even: 0x45
        case .odd: 0x4F
        }
    }
}

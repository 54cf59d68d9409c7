import CLinux
import Glibc

/// Opens and sets up serial lines. Blocking: a USB serial driver talks to its device while it does so.
enum SerialPort {
    /// Opens a line for this program alone, raw, with the given settings, and throws away what was received before.
    /// - Throws: `DeviceError`; then nothing is left open.
    static func open(_ path: String, _ line: SerialLine) throws(DeviceError) -> OpenedDescriptors {
        let descriptor = try openNode(path, flags: O_RDWR)
        do throws(DeviceError) {
            try claim(descriptor, path)
            try configure(descriptor, path, line)
        } catch {
            close(descriptor)
            throw error
        }
        return try OpenedDescriptors(duplicating: descriptor, writable: true, name: nil, path: path)
    }

    /// The same for a line that a library has opened in its own way: claims it and makes all settings once more, because a library may
    /// know fewer speeds and does not look whether the driver took them.
    static func adopt(_ descriptor: Int32, _ path: String, _ line: SerialLine) throws(DeviceError) {
        try claim(descriptor, path)
        try configure(descriptor, path, line)
    }

    /// The lock keeps out a second gateway and well-behaved terminals even for root; TIOCEXCL keeps out everybody but root.
    static func claim(_ descriptor: Int32, _ path: String) throws(DeviceError) {
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw DeviceError(.lock, path: path, errorNumber: errno) }
        guard ioctl(descriptor, UInt(TIOCEXCL), 0) == 0 || hasNoSuchRequest(errno) else {
            throw DeviceError(.lock, path: path, errorNumber: errno)
        }
    }

    static func configure(
        _ descriptor: Int32, _ path: String, _ line: SerialLine, lowLatency: Bool = true
    ) throws(DeviceError) {
        var settings = termios()
        guard tcgetattr(descriptor, &settings) == 0 else {
            throw DeviceError(.configure, path: path, errorNumber: errno, detail: "this is no serial line")
        }
        let wanted = try rawSettings(from: settings, line, path)
        settings = wanted
        guard (50...4_000_000).contains(line.baud) else {
            throw DeviceError(.configure, path: path, detail: "\(line.baud) baud: only 50 to 4,000,000 are possible")
        }
        // A speed without a constant stays at 9600 here and follows by its own request. cfsetspeed takes the constants as well as
        // the speeds, and those from B57600 on (0x1001) could also be speeds.
        let isStandard = !(0x1000...0x100F).contains(line.baud) && cfsetspeed(&settings, speed_t(line.baud)) == 0
        if !isStandard { cfsetspeed(&settings, speed_t(B9600)) }
        guard tcsetattr(descriptor, TCSANOW, &settings) == 0 else { throw DeviceError(.configure, path: path, errorNumber: errno) }
        if !isStandard, clinux_set_line_speed(descriptor, line.baud) != 0 {
            throw DeviceError(.configure, path: path, errorNumber: errno, detail: "\(line.baud) baud is not possible here")
        }
        try verify(descriptor, path, wanted, settings, line, isStandard: isStandard)
        setModemLines(descriptor, line)
        // Most drivers have no such timer; nothing depends on it but a few milliseconds.
        if lowLatency { _ = clinux_set_low_latency(descriptor) }
        tcflush(descriptor, TCIOFLUSH)
    }

    /// Raw mode: no echo, no signals, no translation, no parity marks; a break is no byte. Reads return as soon as there is one
    /// byte (VMIN 1): with VMIN 0 an idle line would read like one that was unplugged. DTR stays up at close (no HUPCL), because
    /// some boards restart when it drops.
    private static func rawSettings(from old: termios, _ line: SerialLine, _ path: String) throws(DeviceError) -> termios {
        var settings = old
        settings.c_iflag = tcflag_t(IGNBRK)
        settings.c_oflag = 0
        settings.c_lflag = 0
        settings.c_cflag = tcflag_t(CREAD | CLOCAL)
        switch line.dataBits {
        case 7: settings.c_cflag |= tcflag_t(CS7)
        case 8: settings.c_cflag |= tcflag_t(CS8)
        default: throw DeviceError(.configure, path: path, detail: "\(line.dataBits) data bits: only 7 and 8 are possible")
        }
        switch line.stopBits {
        case 1: break
        case 2: settings.c_cflag |= tcflag_t(CSTOPB)
        default: throw DeviceError(.configure, path: path, detail: "\(line.stopBits) stop bits: only 1 and 2 are possible")
        }
        switch line.parity {
        case .none: break
        case .even: settings.c_cflag |= tcflag_t(PARENB)
        case .odd: settings.c_cflag |= tcflag_t(PARENB | PARODD)
        }
        switch line.flowControl {
        case .none: break
        case .hardware: settings.c_cflag |= tcflag_t(CRTSCTS)
        case .software: settings.c_iflag |= tcflag_t(IXON | IXOFF)
        }
        withUnsafeMutableBytes(of: &settings.c_cc) { characters in
            characters[Int(VMIN)] = 1
            characters[Int(VTIME)] = 0
        }
        return settings
    }

    /// Reads the settings back: `tcsetattr` succeeds when any one of them could be made, and drivers ignore the others in silence.
    private static func verify(
        _ descriptor: Int32, _ path: String, _ wanted: termios, _ written: termios, _ line: SerialLine, isStandard: Bool
    ) throws(DeviceError) {
        var found = termios()
        guard tcgetattr(descriptor, &found) == 0 else { throw DeviceError(.configure, path: path, errorNumber: errno) }
        func ignored(_ what: String) -> DeviceError {
            DeviceError(.configure, path: path, detail: "the driver ignores \(what)")
        }
        guard found.c_iflag == wanted.c_iflag, found.c_oflag == 0, found.c_lflag == 0 else { throw ignored("raw mode") }
        // A pseudo-terminal has no line: it always says 8 bits without parity.
        if clinux_is_pseudo_terminal(descriptor) != 1 {
            let parts: [(mask: Int32, name: String)] = [
                (CSIZE, "\(line.dataBits) data bits"), (CSTOPB, "\(line.stopBits) stop bits"),
                (PARENB | PARODD, "parity \(line.parity.rawValue)"), (Int32(bitPattern: UInt32(CRTSCTS)), "flow control"),
            ]
            for (mask, name) in parts where (found.c_cflag ^ wanted.c_cflag) & tcflag_t(bitPattern: mask) != 0 { throw ignored(name) }
        }
        var speed: UInt32 = 0
        if clinux_get_line_speed(descriptor, &speed) == 0 {
            // Drivers report the speed that their divider gives. A UART works up to about 2.5 % of error; see Microchip AN774.
            let difference = Int64(speed) - Int64(line.baud)
            guard difference.magnitude * 40 <= UInt64(line.baud) else { throw ignored("\(line.baud) baud and uses \(speed)") }
        } else if isStandard, cfgetospeed(&found) != written.c_ospeed {
            throw ignored("\(line.baud) baud")
        }
    }

    /// Lines without modem signals (pseudo-terminals, some UARTs) refuse the request: there is nothing to set then.
    private static func setModemLines(_ descriptor: Int32, _ line: SerialLine) {
        for (level, signal) in [(line.dtr, TIOCM_DTR), (line.rts, TIOCM_RTS)] {
            guard let level else { continue }
            var bits = Int32(signal)
            _ = ioctl(descriptor, UInt(level ? TIOCMBIS : TIOCMBIC), &bits)
        }
    }

    /// What drivers answer to a request that they do not have; emulated devices too.
    private static func hasNoSuchRequest(_ number: Int32) -> Bool {
        number == ENOTTY || number == EINVAL || number == ENOSYS || number == EOPNOTSUPP
    }
}

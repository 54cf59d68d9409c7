import Glibc
import Readings

/// Where a TCP bus is, as the socket calls want it.
struct ModbusAddress: Hashable, Sendable {
    var family: Int32
    /// A `sockaddr` of this family.
    var bytes: [UInt8]

    /// Finds the addresses of a host; replaced in tests.
    typealias Lookup = @Sendable (_ host: String, _ port: UInt16) -> Result<[ModbusAddress], DeviceError>

    /// The addresses of an IPv4 or IPv6 address in text; nil for a name. Asks nobody.
    static func numeric(_ host: String, _ port: UInt16) -> [ModbusAddress]? { try? find(host, port, AI_NUMERICHOST).get() }

    /// Asks the system for a name, which can take half a minute.
    static func lookUp(_ host: String, _ port: UInt16) -> Result<[ModbusAddress], DeviceError> { find(host, port, AI_ADDRCONFIG) }

    private static func find(_ host: String, _ port: UInt16, _ flags: Int32) -> Result<[ModbusAddress], DeviceError> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = flags | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let number = getaddrinfo(host, "\(port)", &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        var found: [ModbusAddress] = []
        var entry = number == 0 ? list?.pointee : nil
        while let one = entry, found.count < 8 {
            if let address = one.ai_addr {
                let bytes = UnsafeRawBufferPointer(start: address, count: Int(one.ai_addrlen))
                found.append(ModbusAddress(family: one.ai_family, bytes: Array(bytes)))
            }
            entry = one.ai_next?.pointee
        }
        guard !found.isEmpty else {
            let words = number == 0 ? "no address" : gai_strerror(number).map { String(cString: $0) } ?? "error \(number)"
            return .failure(
                DeviceError(
                    .resolve, path: "\(ModbusUnit.Bus.tcp(host: host, port: port))", detail: "nobody knows the name \(host): \(words)"))
        }
        return .success(found)
    }

    /// Connects to the first of several addresses that accepts.
    /// - Parameters:
    ///   - limit: for each address.
    ///   - isWanted: asked every 20 ms; with false it is given up.
    /// - Returns: a socket that does not block.
    /// - Throws: `DeviceError` of the last address.
    static func connect(
        _ addresses: [ModbusAddress], path: String, limit: Instant.Span, until deadline: Instant, isWanted: () -> Bool
    ) throws(DeviceError) -> Int32 {
        var failure = DeviceError(.connect, path: path, errorNumber: ETIMEDOUT)
        for address in addresses {
            let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else {
                failure = DeviceError(.connect, path: path, errorNumber: errno)
                continue
            }
            let number = address.connect(descriptor, until: min(deadline, BootClock.now() + limit), isWanted: isWanted)
            if number == 0 {
                // Requests are small and wait for their answers.
                var isOn: Int32 = 1
                setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
                return descriptor
            }
            close(descriptor)
            guard number != ECANCELED else { throw DeviceError(.cancel, path: path) }
            failure = DeviceError(.connect, path: path, errorNumber: number)
        }
        throw failure
    }

    /// - Returns: 0, or the number of the error; `ECANCELED` when nobody wants it any more.
    private func connect(_ descriptor: Int32, until deadline: Instant, isWanted: () -> Bool) -> Int32 {
        let started = bytes.withUnsafeBytes { buffer -> Int32 in
            guard let start = buffer.baseAddress else { return EINVAL }
            let address = start.assumingMemoryBound(to: sockaddr.self)
            return Glibc.connect(descriptor, address, socklen_t(buffer.count)) == 0 ? 0 : errno
        }
        guard started == EINPROGRESS || started == EINTR else { return started }
        while true {
            guard isWanted() else { return ECANCELED }
            let rest = deadline - BootClock.now()
            guard rest > .zero else { return ETIMEDOUT }
            var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&request, 1, Int32(clamping: min(max(rest.milliseconds, 1), 20))) > 0 else { continue }
            var number: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &length) == 0 ? number : errno
        }
    }
}

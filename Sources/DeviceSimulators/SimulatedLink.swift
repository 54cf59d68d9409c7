import CLinux
import Devices
import Glibc
import Readings

/// Where a simulated device is to be found.
public enum SimulatedPlace: Hashable, Sendable {
    /// `link`: a path for a symbolic link that keeps its name from run to run.
    case pseudoTerminal(link: String? = nil)
    /// Waits there for one gateway at a time; port 0 takes any free one.
    case listen(host: String, port: UInt16)
    /// Calls the gateway there, again and again.
    case call(host: String, port: UInt16)
}

/// Why an address cannot be listened on.
public struct SimulatedLinkError: Error, Hashable, Sendable, CustomStringConvertible {
    public var address: String
    public var reason: String

    public var description: String { "\(address): \(reason)" }
}

/// How a simulated device is reached: a pseudo-terminal, or a socket with one gateway at a time. Not thread-safe.
final class SimulatedLink {
    private enum Kind {
        case terminal(PseudoTerminal)
        case listener(Int32)
        case caller(host: String, port: UInt16)
    }

    /// What to write into a site file: a path, or `host:port`.
    let address: String
    private var kind: Kind
    /// For so long after the end of a connection the port refuses the next one, as a gateway for one client does.
    var refusalAfterConnection = Instant.Span.zero
    private var refusesUntil: Instant?
    /// The gateway's connection; -1 while there is none.
    private var connection: Int32 = -1
    private var nextCall = Instant.zero
    private var isClosed = false

    /// POLLRDHUP, which Glibc hides behind _GNU_SOURCE: the other end has closed.
    static let endOfStream: Int16 = 0x2000
    private static let pauseBetweenCalls = Instant.Span.milliseconds(100)
    /// A gateway that does not read for so long is dropped.
    private static let patience: Int32 = 1_000

    /// - Throws: `PseudoTerminalError` or `SimulatedLinkError`
    init(_ place: SimulatedPlace) throws {
        switch place {
        case .pseudoTerminal(let link):
            let terminal = try PseudoTerminal(link: link)
            address = terminal.path
            kind = .terminal(terminal)
        case .listen(let host, let port):
            let descriptor = try Self.listener(host, port)
            address = Self.name(of: descriptor) ?? "\(host):\(port)"
            kind = .listener(descriptor)
        case .call(let host, let port):
            address = "\(host):\(port)"
            kind = .caller(host: host, port: port)
        }
    }

    deinit { close() }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        drop()
        switch kind {
        case .terminal(let terminal): terminal.hangUp()
        case .listener(let descriptor): if descriptor >= 0 { Glibc.close(descriptor) }
        case .caller: break
        }
    }

    private static func listener(_ host: String, _ port: UInt16) throws(SimulatedLinkError) -> Int32 {
        try socket(host, port, flags: AI_PASSIVE) { descriptor, address, length in
            var one: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
            return bind(descriptor, address, length) == 0 && listen(descriptor, 4) == 0
        }
    }

    /// What to wait for.
    var descriptors: [Int32] {
        switch kind {
        case .terminal(let terminal): [terminal.descriptor]
        case .listener(let listener): [listener, connection]
        case .caller: [connection]
        }
    }

    var isNetwork: Bool { if case .terminal = kind { false } else { true } }

    /// A pseudo-terminal always is.
    var isConnected: Bool { !isNetwork || connection >= 0 }

    enum Arrival {
        case connected
        case bytes([UInt8])
        case disconnected
        /// A second gateway; `refuse` must follow.
        case another
    }

    /// What came; does not wait.
    func receive(at now: Instant) -> [Arrival] {
        guard !isClosed else { return [] }
        switch kind {
        case .terminal(let terminal):
            let bytes = terminal.read(waiting: 0)
            return bytes.isEmpty ? [] : [.bytes(bytes)]
        case .listener(let descriptor):
            var listener = descriptor
            if let end = refusesUntil, end <= now { listener = reopen() }
            guard listener >= 0 else { return [] }
            if connection < 0 { return take(accept(listener, nil, nil)) }
            let (data, isEnding) = state(of: connection)
            // The next gateway waits until the end of the one before was read.
            if !isEnding, state(of: listener).isReadable { return (data ? read() : []) + [.another] }
            return data || isEnding ? read() : []
        case .caller(let host, let port):
            if connection >= 0 { return read() }
            guard nextCall <= now else { return [] }
            nextCall = now + Self.pauseBetweenCalls
            return take((try? Self.socket(host, port, flags: 0) { connect($0, $1, $2) == 0 }) ?? -1)
        }
    }

    private func take(_ descriptor: Int32) -> [Arrival] {
        guard descriptor >= 0 else { return [] }
        Self.makeNonBlocking(descriptor)
        connection = descriptor
        return [.connected]
    }

    private func read() -> [Arrival] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(connection, &buffer, buffer.count, 0)
        if count > 0 { return [.bytes(Array(buffer[..<count]))] }
        if count < 0, errno == EAGAIN || errno == EINTR { return [] }
        drop()
        return [.disconnected]
    }

    private func state(of descriptor: Int32) -> (isReadable: Bool, isEnding: Bool) {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN) | Self.endOfStream, revents: 0)
        poll(&request, 1, 0)
        return (request.revents & Int16(POLLIN) != 0, request.revents & (Self.endOfStream | Int16(POLLHUP) | Int16(POLLERR)) != 0)
    }

    /// Tells the second gateway something and hangs up on it.
    func refuse(_ frames: [[UInt8]]) {
        guard case .listener(let listener) = kind else { return }
        let caller = accept(listener, nil, nil)
        guard caller >= 0 else { return }
        for frame in frames { _ = Glibc.send(caller, frame, frame.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)) }
        Glibc.close(caller)
    }

    /// A gateway that does not read for a second is dropped from a socket; a serial device does not wait at all.
    /// - Returns: false when nobody is connected any more; `drop` must follow.
    func send(_ bytes: [UInt8]) -> Bool {
        if case .terminal(let terminal) = kind {
            terminal.write(bytes)
            return true
        }
        var sent = 0
        while connection >= 0, sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if count < 0, errno == EINTR {
                continue
            } else if count < 0, errno == EAGAIN {
                var request = pollfd(fd: connection, events: Int16(POLLOUT), revents: 0)
                if poll(&request, 1, Self.patience) <= 0 { return false }
            } else {
                return false
            }
        }
        return connection >= 0
    }

    /// The device hangs up; a pseudo-terminal has nothing to hang up but its plug.
    /// - Returns: whether somebody was connected.
    @discardableResult
    func drop() -> Bool {
        guard connection >= 0 else { return false }
        Glibc.close(connection)
        connection = -1
        if refusalAfterConnection > .zero, !isClosed, case .listener(let listener) = kind {
            Glibc.close(listener)
            kind = .listener(-1)
            refusesUntil = BootClock.now() + refusalAfterConnection
        }
        return true
    }

    /// The new listener, or -1 while the port is not free.
    private func reopen() -> Int32 {
        guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else { return -1 }
        let host = address[..<colon].filter { $0 != "[" && $0 != "]" }
        guard let descriptor = try? Self.listener(String(host), port) else { return -1 }
        kind = .listener(descriptor)
        refusesUntil = nil
        return descriptor
    }

    private static func socket(
        _ host: String, _ port: UInt16, flags: Int32, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Bool
    ) throws(SimulatedLinkError) -> Int32 {
        let asked = "\(host):\(port)"
        var hints = addrinfo()
        hints.ai_flags = flags | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let number = getaddrinfo(host, String(port), &hints, &found)
        guard number == 0, let first = found, let address = first.pointee.ai_addr else {
            throw SimulatedLinkError(address: asked, reason: gai_strerror(number).map { String(cString: $0) } ?? "error \(number)")
        }
        defer { freeaddrinfo(found) }
        let descriptor = Glibc.socket(first.pointee.ai_family, first.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        // Bounds a call too.
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard descriptor >= 0, use(descriptor, address, first.pointee.ai_addrlen) else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { Glibc.close(descriptor) }
            throw SimulatedLinkError(address: asked, reason: reason)
        }
        makeNonBlocking(descriptor)
        return descriptor
    }

    private static func makeNonBlocking(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    /// `127.0.0.1:41233`, `[::1]:41233`
    private static func name(of descriptor: Int32) -> String? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var host = [CChar](repeating: 0, count: 128)
        var service = [CChar](repeating: 0, count: 16)
        let number = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int32 in
                guard getsockname(descriptor, address, &length) == 0 else { return -1 }
                return getnameinfo(
                    address, length, &host, socklen_t(host.count), &service, socklen_t(service.count), NI_NUMERICHOST | NI_NUMERICSERV)
            }
        }
        guard number == 0 else { return nil }
        func text(_ characters: [CChar]) -> String {
            String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        let name = text(host)
        return "\(name.contains(":") ? "[\(name)]" : name):\(text(service))"
    }
}

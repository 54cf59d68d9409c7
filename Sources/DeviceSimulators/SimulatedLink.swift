import CLinux
import Glibc

/// Why an address cannot be listened on.
public struct SimulatedLinkError: Error, Hashable, Sendable, CustomStringConvertible {
    public var address: String
    public var reason: String

    public var description: String { "\(address): \(reason)" }
}

/// How a simulated device is reached: a pseudo-terminal, or a socket on which it waits for one gateway at a time. Not thread-safe.
final class SimulatedLink {
    private enum Kind {
        case terminal(PseudoTerminal)
        case listener(Int32)
    }

    /// What to write into a site file: a path, or `host:port`.
    let address: String
    private let kind: Kind
    /// The gateway's connection; -1 while there is none.
    private var connection: Int32 = -1

    /// - Throws: `PseudoTerminalError`
    init(link: String?) throws(PseudoTerminalError) {
        let terminal = try PseudoTerminal(link: link)
        address = terminal.path
        kind = .terminal(terminal)
    }

    /// - Parameter port: 0 takes any free one.
    /// - Throws: `SimulatedLinkError`
    init(host: String, port: UInt16) throws(SimulatedLinkError) {
        let asked = "\(host):\(port)"
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let number = getaddrinfo(host, String(port), &hints, &found)
        guard number == 0, let first = found else {
            throw SimulatedLinkError(address: asked, reason: gai_strerror(number).map { String(cString: $0) } ?? "error \(number)")
        }
        defer { freeaddrinfo(found) }
        let descriptor = socket(first.pointee.ai_family, first.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        guard descriptor >= 0, bind(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0, listen(descriptor, 4) == 0 else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { Glibc.close(descriptor) }
            throw SimulatedLinkError(address: asked, reason: reason)
        }
        Self.makeNonBlocking(descriptor)
        kind = .listener(descriptor)
        address = Self.name(of: descriptor) ?? asked
    }

    deinit { close() }

    func close() {
        drop()
        switch kind {
        case .terminal(let terminal): terminal.hangUp()
        case .listener(let descriptor): Glibc.close(descriptor)
        }
    }

    /// What to wait for.
    var descriptor: Int32 {
        switch kind {
        case .terminal(let terminal): terminal.descriptor
        case .listener(let listener): connection >= 0 ? connection : listener
        }
    }

    enum Arrival {
        case nothing
        case connected
        case bytes([UInt8])
        case disconnected
    }

    /// What came; does not wait.
    func receive() -> Arrival {
        switch kind {
        case .terminal(let terminal):
            let bytes = terminal.read(waiting: 0)
            return bytes.isEmpty ? .nothing : .bytes(bytes)
        case .listener(let listener):
            if connection < 0 {
                connection = accept(listener, nil, nil)
                guard connection >= 0 else { return .nothing }
                Self.makeNonBlocking(connection)
                return .connected
            }
            var buffer = [UInt8](repeating: 0, count: 16_384)
            let count = recv(connection, &buffer, buffer.count, 0)
            if count > 0 { return .bytes(Array(buffer[..<count])) }
            if count < 0, errno == EAGAIN || errno == EINTR { return .nothing }
            drop()
            return .disconnected
        }
    }

    /// A gateway that does not read for a second is dropped from a socket; a serial device does not wait at all.
    /// - Returns: false when nobody is connected any more.
    func send(_ bytes: [UInt8]) -> Bool {
        switch kind {
        case .terminal(let terminal):
            terminal.write(bytes)
            return true
        case .listener:
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
                    if poll(&request, 1, 1_000) <= 0 { drop() }
                } else {
                    drop()
                }
            }
            return connection >= 0
        }
    }

    /// The device hangs up; a pseudo-terminal has nothing to hang up but its plug.
    func drop() {
        if connection >= 0 { Glibc.close(connection) }
        connection = -1
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

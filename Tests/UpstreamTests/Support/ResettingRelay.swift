import Foundation
import Glibc
import Synchronization

/// Passes bytes on to a server on loopback. The first connection is reset as soon as the client has spoken twice, before the server's
/// answer to that gets through, every other one right after it: what may happen to any server that closes while something is on its way.
final class ResettingRelay: Sendable {
    let port: Int
    private let listener: Int32

    init(to target: Int) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { [listener] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && getsockname(listener, $0, &length) == 0 && listen(listener, 8) == 0
            }
        }
        guard isBound else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [listener] in
            var isFirst = true
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                Self.pass(client, to: target, resets: isFirst)
                isFirst = false
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return address
    }

    /// The next `close` says so to the other end.
    private static func reset(_ socket: Int32) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }

    private static func pass(_ client: Int32, to target: Int, resets: Bool) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(target)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        var turns = 0
        var isServersTurn = true
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var ends = [pollfd(fd: client, events: Int16(POLLIN), revents: 0), pollfd(fd: server, events: Int16(POLLIN), revents: 0)]
        loop: while isConnected, poll(&ends, 2, 20_000) > 0 {
            for (from, to) in [(0, 1), (1, 0)] where ends[from].revents != 0 {
                let count = recv(ends[from].fd, &buffer, buffer.count, 0)
                guard count > 0 else {
                    reset(client)
                    break loop
                }
                if from == 0, isServersTurn { turns += 1 }
                isServersTurn = from == 1
                if resets, turns == 2 {
                    reset(client)
                    break loop
                }
                guard send(ends[to].fd, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break loop }
            }
        }
        close(client)
        close(server)
    }
}

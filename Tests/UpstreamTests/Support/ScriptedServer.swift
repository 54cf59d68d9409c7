import Foundation
import Glibc

/// Answers each request on a loopback or Unix socket with bytes that the test wrote; one connection at a time.
final class ScriptedServer: @unchecked Sendable {
    /// A request: its head as text and its body.
    struct Request: Sendable {
        var head: String
        var body: [UInt8]
    }

    enum Step: Sendable {
        case send(String)
        /// Sends a piece over and over until the client goes away.
        case flood(String)
        case close
    }

    // `requests` and `connections` are touched with the lock held; the rest never changes.
    private let lock = NSLock()
    private var received: [Request] = []
    private var accepted = 0
    private let listener: Int32
    private let script: @Sendable (Request) -> [Step]
    let port: Int

    var requests: [Request] { lock.withLock { received } }
    var connections: Int { lock.withLock { accepted } }

    init(unixSocket: String? = nil, script: @escaping @Sendable (Request) -> [Step]) throws {
        self.script = script
        if let unixSocket {
            listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(unixSocket.utf8).prefix($0.count - 1)) }
            try Self.bind(listener, &address)
            port = 0
        } else {
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            try Self.bind(listener, &address)
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &address) { [listener] pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(listener, $0, &length) }
            }
            port = Int(UInt16(bigEndian: address.sin_port))
        }
        listen(listener, 8)
        Thread.detachNewThread { [weak self, listener] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0, let self else { return }
                self.lock.withLock { self.accepted += 1 }
                self.serve(connection)
                Glibc.close(connection)
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        Glibc.close(listener)
    }

    private static func bind<Address>(_ socket: Int32, _ address: inout Address) throws {
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(socket, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        if result != 0 { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }

    private func serve(_ connection: Int32) {
        var buffer: [UInt8] = []
        while let request = readRequest(connection, &buffer) {
            lock.withLock { received.append(request) }
            for step in script(request) {
                switch step {
                case .send(let text): if !send(connection, text) { return }
                case .flood(let text): while send(connection, text) {}
                case .close: return
                }
            }
        }
    }

    private func readRequest(_ connection: Int32, _ buffer: inout [UInt8]) -> Request? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let start = buffer.indices.first(where: { buffer[$0...].starts(with: end) }) {
                let head = String(decoding: buffer[..<start], as: UTF8.self)
                let length =
                    head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                    .flatMap { Int($0.split(separator: ":")[1].trimmingCharacters(in: .whitespaces)) } ?? 0
                if buffer.count >= start + 4 + length {
                    let body = Array(buffer[(start + 4)..<(start + 4 + length)])
                    buffer.removeFirst(start + 4 + length)
                    return Request(head: head, body: body)
                }
            }
            var piece = [UInt8](repeating: 0, count: 65_536)
            let count = recv(connection, &piece, piece.count, 0)
            guard count > 0 else { return nil }
            buffer += piece[..<count]
        }
    }

    private func send(_ connection: Int32, _ text: String) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            bytes = bytes.dropFirst(count)
        }
        return true
    }
}

/// A folder that is removed at the end of the test.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array((NSTemporaryDirectory() + "/stockgate-upstream-XXXXXX").utf8CString)
        guard let path = template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } }) else {
            throw POSIXError(.EIO)
        }
        self.path = String(cString: path)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

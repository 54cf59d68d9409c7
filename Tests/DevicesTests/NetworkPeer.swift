import Dispatch
import Foundation
import Glibc

/// The other end of a connection, made of plain system calls, so that nothing of what is tested tests itself. Every wait has a bound.
final class NetworkPeer: @unchecked Sendable {
    // Used by one test at a time.
    private(set) var descriptor: Int32
    private(set) var port: UInt16

    struct Failure: Error, CustomStringConvertible {
        var description: String
        init(_ what: String) { description = "\(what): \(String(cString: strerror(errno)))" }
    }

    private init(_ descriptor: Int32, port: UInt16) { (self.descriptor, self.port) = (descriptor, port) }

    deinit { close() }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    /// Closes with a reset instead of a farewell.
    func reset() {
        var lingering = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &lingering, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// Listens on a free port of the loopback address, or again on one that was used before.
    static func listening(port: UInt16 = 0, v6: Bool = false) throws -> NetworkPeer {
        let descriptor = socket(v6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        guard try bound(descriptor, port: port, v6: v6, Glibc.bind) == 0, listen(descriptor, 4) == 0 else { throw Failure("listen") }
        return NetworkPeer(descriptor, port: try localPort(descriptor))
    }

    static func calling(port: UInt16) throws -> NetworkPeer {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard try bound(descriptor, port: port, v6: false, Glibc.connect) == 0 else { throw Failure("connect") }
        return NetworkPeer(descriptor, port: port)
    }

    /// Calls until somebody listens, for 5 s at most: a listening socket has no event that another process could await.
    static func callingPatiently(port: UInt16) throws -> NetworkPeer {
        for _ in 0..<500 {
            if let peer = try? calling(port: port) { return peer }
            usleep(10_000)
        }
        return try calling(port: port)
    }

    func accept(within milliseconds: Int32 = 10_000) throws -> NetworkPeer {
        guard waits(for: POLLIN, milliseconds) else { throw Failure("nobody called") }
        let accepted = Glibc.accept(descriptor, nil, nil)
        guard accepted >= 0 else { throw Failure("accept") }
        return NetworkPeer(accepted, port: port)
    }

    func write(_ bytes: [UInt8]) { _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    /// The next bytes; empty at the end.
    func read() throws -> [UInt8] {
        guard waits(for: POLLIN) else { throw Failure("nothing came") }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : []
    }

    private func waits(for event: Int32, _ milliseconds: Int32 = 10_000) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
        errno = ETIMEDOUT
        return poll(&request, 1, milliseconds) > 0
    }

    private static func bound(
        _ descriptor: Int32, port: UInt16, v6: Bool, _ call: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws -> Int32 {
        if v6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_addr = in6addr_loopback
            return withUnsafeBytes(of: &address) {
                call(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress!, socklen_t($0.count))
            }
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafeBytes(of: &address) {
            call(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress!, socklen_t($0.count))
        }
    }

    private static func localPort(_ descriptor: Int32) throws -> UInt16 {
        var address = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = withUnsafeMutableBytes(of: &address) {
            getsockname(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress!, &size)
        }
        guard result == 0 else { throw Failure("getsockname") }
        // The port stands at the same place in both families.
        return UInt16(bigEndian: address.sin6_port)
    }

    /// The descriptors of this process that are connected to a port, or that listen on it.
    static func descriptors(connectedTo port: UInt16) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.compactMap { Int32($0) }.filter { descriptor in
            var address = sockaddr_in6()
            var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
            let result = withUnsafeMutableBytes(of: &address) {
                getpeername(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress!, &size)
            }
            return result == 0 && UInt16(bigEndian: address.sin6_port) == port
                && (address.sin6_family == sa_family_t(AF_INET) || address.sin6_family == sa_family_t(AF_INET6))
        }
    }
}

/// Certificates for a test, made by the openssl program: a counterpart that shares no code with the gateway's use of the library.
struct TestCertificates {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("certificates-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for authority in ["good", "other"] {
            try openssl(
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "\(authority).key",
                "-out",
                "\(authority).pem", "-subj", "/CN=\(authority) authority", "-days", "30")
        }
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    func file(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// A certificate and its key in `NAME.pem` and `NAME.key`.
    func issue(_ name: String, by authority: String = "good", names: String, isExpired: Bool = false, use: String = "serverAuth") throws {
        try "subjectAltName=\(names)\nextendedKeyUsage=\(use)\n".write(
            to: folder.appendingPathComponent("\(name).ext"), atomically: true, encoding: .utf8)
        try openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "\(name).key", "-out", "\(name).csr",
            "-subj", "/CN=\(name)")
        // Days may be negative: then it has expired before it was made.
        try openssl(
            "x509", "-req", "-in", "\(name).csr", "-CA", "\(authority).pem", "-CAkey", "\(authority).key", "-CAcreateserial", "-out",
            "\(name).pem", "-days", isExpired ? "-1" : "30", "-extfile", "\(name).ext")
    }

    private func openssl(_ arguments: String...) throws {
        // Waiting for the end by a run loop can miss it on a thread that has none.
        let ended = DispatchSemaphore(value: 0)
        let process = try start(arguments) { ended.signal() }
        ended.wait()
        guard process.terminationStatus == 0 else { throw NetworkPeer.Failure("openssl \(arguments.joined(separator: " "))") }
    }

    private func start(_ arguments: [String], whenEnded: (@Sendable () -> Void)? = nil) throws -> Process {
        let process = Process()
        if let whenEnded { process.terminationHandler = { _ in whenEnded() } }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// `openssl s_server` that sends everything back reversed, line by line; ready when it returns.
    func serve(_ name: String, _ more: String...) throws -> TLSServer {
        // A free port, for a moment: the program cannot be told to choose one.
        let chosen = try NetworkPeer.listening()
        let port = chosen.port
        chosen.close()
        let process = try start(
            ["s_server", "-accept", "127.0.0.1:\(port)", "-cert", "\(name).pem", "-key", "\(name).key", "-rev", "-quiet"] + more)
        try NetworkPeer.callingPatiently(port: port).close()
        return TLSServer(process: process, port: port)
    }

    /// `openssl s_client` that calls with a certificate and shows what it is sent.
    func call(port: UInt16, _ more: String...) throws -> TLSCaller {
        let process = Process()
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = ["s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", "good.pem", "-verify_return_error", "-quiet"] + more
        process.currentDirectoryURL = folder
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        return TLSCaller(process: process, ended: ended, input: input.fileHandleForWriting, output: output.fileHandleForReading)
    }
}

final class TLSServer {
    let process: Process
    let port: UInt16

    init(process: Process, port: UInt16) { (self.process, self.port) = (process, port) }

    func stop() { end(process) }

    deinit { end(process) }
}

final class TLSCaller {
    let process: Process
    let input: FileHandle
    let output: FileHandle

    private let ended: DispatchSemaphore

    init(process: Process, ended: DispatchSemaphore, input: FileHandle, output: FileHandle) {
        (self.process, self.ended, self.input, self.output) = (process, ended, input, output)
    }

    func waitUntilEnded() { ended.wait() }

    func stop() { end(process) }

    deinit { end(process) }
}

/// SIGTERM may be blocked in a thread that tests run on, and then in the programs that it starts.
private func end(_ process: Process) {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
}

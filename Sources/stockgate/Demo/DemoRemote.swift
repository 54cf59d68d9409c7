import Dispatch
import Glibc
import OperatorText
import Readings

/// How `stockgate demo walk` reaches a demonstration that runs in another terminal: one datagram each way.
struct DemoRemote: Sendable {
    let path: String

    private static let maximumLength = 65_536

    /// Listens; calls `perform` for every act and answers with what it returns.
    func serve(_ perform: @escaping @Sendable (DemoAct) -> String?) throws {
        unlink(path)
        let descriptor = try open(bound: path)
        DispatchQueue(label: "demo-remote").async {
            var buffer = [UInt8](repeating: 0, count: Self.maximumLength)
            while true {
                var sender = sockaddr_un()
                var length = socklen_t(MemoryLayout<sockaddr_un>.size)
                let count = withUnsafeMutablePointer(to: &sender) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
                    }
                }
                guard count > 0 else { continue }
                let answer: String
                if let json = try? JSON(parsing: Array(buffer[..<count])), let act = DemoAct(json: json) {
                    answer = perform(act) ?? ""
                } else {
                    answer = "not understood"
                }
                let bytes = Array(answer.utf8)
                _ = withUnsafePointer(to: &sender) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(descriptor, bytes, bytes.count, 0, $0, length) }
                }
            }
        }
    }

    /// Asks a running demonstration for an act.
    /// - Returns: what was wrong with it; nil: it was done.
    func request(_ act: JSON) throws -> String? {
        let own = "\(path).\(getpid())"
        let descriptor = try open(bound: own)
        defer {
            close(descriptor)
            unlink(own)
        }
        guard var name = Self.address(path) else { throw unreachable() }
        let bytes = act.canonicalBytes
        let sent = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard sent == bytes.count else { throw unreachable() }
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&wait, 1, 30_000) > 0 else { throw unreachable() }
        var buffer = [UInt8](repeating: 0, count: Self.maximumLength)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { throw unreachable() }
        return count == 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    private func unreachable() -> CommandFailure {
        CommandFailure(.unreachable, code: "unreachable", ["no demonstration is running here; start one with: make run"])
    }

    private func open(bound name: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0, var address = Self.address(name) else { throw unreachable() }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard result == 0 else {
            close(descriptor)
            throw unreachable()
        }
        return descriptor
    }

    private static func address(_ path: String) -> sockaddr_un? {
        guard path.utf8.count < 107 else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return address
    }
}

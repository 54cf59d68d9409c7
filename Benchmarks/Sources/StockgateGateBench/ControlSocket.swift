import Foundation
import Readings

/// The daemon's API, asked as its command does: a connection for each question.
struct ControlSocket: Sendable {
    let path: String

    /// The body of an answer.
    func get(_ resource: String) throws -> Data {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw BenchError("no socket: \(errno)") }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = path.utf8CString
        precondition(bytes.count <= MemoryLayout.size(ofValue: address.sun_path), "\(path) is too long for a socket")
        withUnsafeMutableBytes(of: &address.sun_path) { place in bytes.withUnsafeBytes { place.copyMemory(from: $0) } }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard connected == 0 else { throw BenchError("connect: \(errno)") }
        let request = Array("GET \(resource) HTTP/1.1\r\nHost: stockgate\r\nConnection: close\r\n\r\n".utf8)
        guard write(descriptor, request, request.count) == request.count else { throw BenchError("write: \(errno)") }
        var answer = Data()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw BenchError("read: \(errno)") }
            if count == 0 { break }
            answer.append(contentsOf: buffer[..<count])
        }
        guard answer.starts(with: Data("HTTP/1.1 200".utf8)), let head = answer.range(of: Data("\r\n\r\n".utf8)) else {
            throw BenchError("\(resource): \(String(decoding: answer.prefix(300), as: UTF8.self))")
        }
        return answer[head.upperBound...]
    }

    /// The same, asked again for as long as the daemon has still to get ready for it.
    func getWhenReady(_ resource: String) throws -> Data {
        while true {
            do { return try get(resource) } catch let error as BenchError where "\(error)".contains("HTTP/1.1 503") {}
        }
    }

    /// Events after a number, in order.
    func events(after sequence: Int64) throws -> [JSON] {
        var after = sequence
        var events: [JSON] = []
        while true {
            let page = try JSON(parsing: Array(get("/v1/events?after=\(after)&limit=500")))
            let found = page["events"]?.array ?? []
            guard let last = found.last?["seq"]?.integer else { return events }
            events += found
            after = last
        }
    }

    /// The number of the newest event.
    func newestEvent() throws -> Int64 {
        let page = try JSON(parsing: Array(get("/v1/events?limit=1")))
        return page["events"]?.array?.last?["seq"]?.integer ?? 0
    }
}

import Glibc
import HTTPClient
import Ledger
import Readings

/// Why a request to the gateway brought nothing.
public enum ControlFailure: Error, Hashable, Sendable {
    /// Nobody answers: not running, or another socket.
    case unreachable(reason: String)
    /// The socket is there, but this user may not open it.
    case mayNotOpen
    /// The gateway said no, with a problem document.
    case refused(OperationError)
    /// The connection ended in the middle of an answer.
    case broken(reason: String)
    /// Not an answer of this API.
    case notUnderstood
}

/// The other side of the API: what the command line speaks. Blocks its thread.
public final class ControlClient: Sendable {
    public let socket: String
    private let connection: HTTPConnection

    /// One line of a stream.
    public static let maximumLine = 1 << 20
    /// A whole answer: an export of some hundred thousand rows.
    public static let maximumAnswer = 256 << 20

    /// - Throws: `ControlFailure.broken` when there is no memory.
    public init(socket: String) throws(ControlFailure) {
        self.socket = socket
        do throws(HTTPError) {
            connection = try HTTPConnection(unixSocket: socket)
        } catch {
            throw .broken(reason: error.text)
        }
    }

    public func get(_ path: [String], _ query: [(String, String)] = []) throws(ControlFailure) -> JSON {
        try answer("GET", path, query)
    }

    /// Sends a change.
    /// - Parameter body: nil for none.
    public func send(_ method: String, _ path: [String], _ query: [(String, String)] = [], body: JSON? = nil) throws(ControlFailure) -> JSON
    {
        try answer(method, path, query, body: body?.canonicalBytes, type: "application/json")
    }

    /// Sends rows of master data; a large import may take minutes.
    public func importMaster(_ rows: [MasterRow], dryRun: Bool) throws(ControlFailure) -> JSON {
        var bytes: [UInt8] = []
        for row in rows {
            bytes += row.json.canonicalBytes
            bytes.append(0x0A)
        }
        return try answer(
            "POST", ["master"], dryRun ? [("dry_run", "true")] : [], body: bytes, type: "application/x-ndjson", timeout: 600_000)
    }

    /// Hands over one object a line until the gateway ends the stream or `receive` returns false.
    public func lines(_ path: [String], _ query: [(String, String)] = [], receive: (JSON) -> Bool) throws(ControlFailure) {
        var partial: [UInt8] = []
        var isReadable = true
        try bytes(path, query) { piece in
            var rest = piece[...]
            while let end = rest.firstIndex(of: 0x0A) {
                partial.append(contentsOf: rest[..<end])
                rest = rest[(end + 1)...]
                defer { partial.removeAll(keepingCapacity: true) }
                if partial.isEmpty { continue }
                guard let line = try? JSON(parsing: partial) else {
                    isReadable = false
                    return false
                }
                if !receive(line) { return false }
            }
            partial.append(contentsOf: rest)
            isReadable = partial.count <= Self.maximumLine
            return isReadable
        }
        guard isReadable, partial.isEmpty else { throw .notUnderstood }
    }

    /// Hands over the bytes of an answer as they come, until its end or until `receive` returns false.
    public func bytes(
        _ path: [String], _ query: [(String, String)] = [], receive: (UnsafeBufferPointer<UInt8>) -> Bool
    ) throws(ControlFailure) {
        var wasStopped = false
        let request = request("GET", path, query, timeout: nil)
        let response: HTTPResponse
        do throws(HTTPError) {
            response = try connection.stream(request) { piece in
                let goesOn = receive(piece)
                wasStopped = !goesOn
                return goesOn
            }
        } catch {
            if wasStopped { return }
            throw failure(error)
        }
        if !(200..<300).contains(response.status) { throw problem(response.body) }
    }

    private func answer(
        _ method: String, _ path: [String], _ query: [(String, String)], body: [UInt8]? = nil, type: String = "", timeout: Int = 60_000
    ) throws(ControlFailure) -> JSON {
        var request = request(method, path, query, timeout: timeout)
        if let body {
            request.headers.append(.init("Content-Type", type))
            request.body = body
        }
        // As a stream: a plain request keeps a body of one megabyte only.
        var bytes: [UInt8] = []
        let response: HTTPResponse
        do throws(HTTPError) {
            response = try connection.stream(request) { piece in
                bytes.append(contentsOf: piece)
                return bytes.count <= Self.maximumAnswer
            }
        } catch {
            throw failure(error)
        }
        guard (200..<300).contains(response.status) else { throw problem(response.body) }
        guard let json = try? JSON(parsing: bytes) else { throw .notUnderstood }
        return json
    }

    private func request(_ method: String, _ path: [String], _ query: [(String, String)], timeout: Int?) -> HTTPRequest {
        var url = "http://stockgate/v1/" + path.map(PercentEncoding.encoded).joined(separator: "/")
        if !query.isEmpty { url += "?" + query.map { "\($0)=\(PercentEncoding.encoded($1))" }.joined(separator: "&") }
        return HTTPRequest(method, url, connectTimeout: 5_000, totalTimeout: timeout)
    }

    private func problem(_ body: [UInt8]) -> ControlFailure {
        guard let json = try? JSON(parsing: body), let code = json["code"]?.string, let detail = json["detail"]?.string else {
            return .notUnderstood
        }
        let problems = (json["problems"]?.array ?? []).map { problem in
            OperationError.Problem(row: problem["row"]?.integer.flatMap(Int.init(exactly:)), problem["text"]?.string ?? "")
        }
        // A code that a newer gateway has is shown as what it is to this program: a failure there.
        return .refused(OperationError(OperationError.Code(rawValue: code) ?? .internal, detail, problems: problems))
    }

    private func failure(_ error: HTTPError) -> ControlFailure {
        // CURLE_COULDNT_CONNECT. libcurl does not tell why, the socket does.
        guard error.code == 7 else { return .broken(reason: error.text) }
        if access(socket, F_OK) != 0 { return .unreachable(reason: String(cString: strerror(errno))) }
        return access(socket, R_OK | W_OK) == 0 ? .unreachable(reason: String(cString: strerror(ECONNREFUSED))) : .mayNotOpen
    }
}

import Hummingbird
import Identifiers
import Ledger
import NIOCore
import Readings

/// One request, with what its route needs.
struct ControlRequest: Sendable {
    let request: Request
    let context: ControlContext
    let operations: any GatewayOperations
    let policy: AccessPolicy
    let operatingGroup: String
    let diagnosis: PeerDiagnosis?
    let right: AccessPolicy.Right

    /// Bytes of a request's body, unless it is an import.
    static let usualBodyLimit = 64 << 10

    /// Who asks, once it is sure that they may.
    /// - Throws: `OperationError.not_permitted`.
    func caller() async throws(OperationError) -> Caller {
        let caller = try await Caller.peer(of: context.channel, operatingGroup: operatingGroup, diagnosis: diagnosis)
        guard policy.grants(right, to: caller) else {
            throw OperationError(.notPermitted, "\(caller) may not \(right.rawValue): not a member of the group \(operatingGroup)")
        }
        return caller
    }

    func path(_ name: String) throws(OperationError) -> String {
        guard let value = context.parameters.get(name).flatMap(PercentEncoding.decoded), !value.isEmpty else {
            throw OperationError(.invalid, "\(name) is missing")
        }
        return value
    }

    func epc() throws(OperationError) -> EPC {
        guard let epc = EPC(hex: try path("epc")) else { throw OperationError(.invalid, "epc: not an EPC in hexadecimal") }
        return epc
    }

    func exceptionNumber() throws(OperationError) -> Int64 {
        guard let number = Int64(try path("number")), number > 0 else {
            throw OperationError(.invalid, "number: not the number of an exception")
        }
        return number
    }

    func query(_ name: String) throws(OperationError) -> String? {
        guard let value = request.uri.queryParameters[Substring(name)] else { return nil }
        let text = String(value)
        guard !text.isEmpty, text.utf8.count <= 256 else { throw OperationError(.invalid, "\(name): must have 1 to 256 bytes") }
        return text
    }

    func flag(_ name: String) throws(OperationError) -> Bool {
        switch try query(name) {
        case nil, "false": false
        case "true": true
        default: throw OperationError(.invalid, "\(name): must be true or false")
        }
    }

    func number(_ name: String, in range: ClosedRange<Int64>) throws(OperationError) -> Int64? {
        guard let text = try query(name) else { return nil }
        guard let number = Int64(text), range.contains(number) else {
            throw OperationError(.invalid, "\(name): must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func eventQuery() throws(OperationError) -> EventQuery {
        let limits = Int64(EventQuery.limits.lowerBound)...Int64(EventQuery.limits.upperBound)
        return EventQuery(
            after: try number("after", in: 0...Int64.max), before: try number("before", in: 1...Int64.max),
            limit: try number("limit", in: limits).map(Int.init) ?? 100, type: try query("type"), station: try query("station"),
            subject: try query("subject"))
    }

    /// The body as JSON; an empty one is an empty object.
    func body() async throws -> JSON {
        let buffer = try await request.body.collect(upTo: Self.usualBodyLimit)
        if buffer.readableBytes == 0 { return [:] }
        do throws(JSONError) {
            return try JSON(parsing: Array(buffer.readableBytesView))
        } catch {
            throw OperationError(.invalid, "the body is no JSON: \(error)")
        }
    }

    /// The body as NDJSON rows of master data, taken apart as it arrives.
    func masterRows() async throws -> [MasterRow] {
        var reader = MasterUpload()
        for try await buffer in request.body {
            try buffer.withUnsafeReadableBytes { bytes throws(OperationError) in try reader.take(bytes) }
        }
        return try reader.finish()
    }
}

/// Answers of the API.
enum Answer {
    static func json(_ json: JSON, status: HTTPResponse.Status = .ok) -> Response {
        response(json, status: status, type: "application/json")
    }

    static func problem(_ error: OperationError) -> Response {
        response(error.json, status: error.status, type: "application/problem+json")
    }

    private static func response(_ json: JSON, status: HTTPResponse.Status, type: String) -> Response {
        var bytes = json.canonicalBytes
        bytes.append(0x0A)
        return Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    static func lines(_ write: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void) -> Response {
        Response(status: .ok, headers: [.contentType: "application/x-ndjson", .cacheControl: "no-store"], body: ResponseBody(write))
    }
}

extension ResponseBodyWriter {
    mutating func write(line json: JSON) async throws {
        var bytes = json.canonicalBytes
        bytes.append(0x0A)
        try await write(ByteBuffer(bytes: bytes))
    }
}

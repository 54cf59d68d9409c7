import Glibc
import HTTPClient
import Readings

/// The calls of the EPCIS 2.0 REST binding that delivery needs, each with its answers sorted by what to do next.
struct EPCISClient: Sendable {
    let connection: HTTPConnection
    /// Without a slash at its end.
    let url: String
    let tokenFile: String?
    let timeoutMilliseconds: Int

    enum CaptureAnswer {
        /// Stored, with no job to wait for.
        case stored
        /// The server works on it; where to ask, nil when it did not say.
        case accepted(job: String?)
        /// The server does not take this document.
        case refused(String)
        case tooLarge(String)
    }

    enum EventAnswer {
        case stored
        case known
        case refused(String)
    }

    enum JobAnswer {
        case running
        case finished
        case failed(String)
        /// The server knows no such job.
        case unknown
    }

    /// What the server says about itself with any answer.
    struct Limits {
        var events: Int?
        var bytes: Int?
    }

    func capture(_ document: [UInt8]) throws(DeliveryError) -> (CaptureAnswer, Limits) {
        // With "proceed" the good events of a document are kept when one of them is not.
        let response = try send(
            HTTPRequest(
                "POST", "\(url)/capture", headers: [.init("GS1-Capture-Error-Behaviour", "proceed")], body: document))
        let limits = Limits(
            events: response[header: "GS1-EPCIS-Capture-Limit"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil },
            bytes: response[header: "GS1-EPCIS-Capture-File-Size-Limit"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil })
        switch response.status {
        case 200, 201, 204: return (.stored, limits)
        case 202: return (.accepted(job: response[header: "Location"]), limits)
        case 413: return (.tooLarge(problem(response)), limits)
        case 400, 409, 422: return (.refused(problem(response)), limits)
        default: throw failure(response, "POST \(url)/capture")
        }
    }

    /// - Parameter event: a bare event with its own `@context`.
    func store(_ event: [UInt8]) throws(DeliveryError) -> EventAnswer {
        let response = try send(HTTPRequest("POST", "\(url)/events", body: event))
        switch response.status {
        case 200, 201, 202, 204: return .stored
        case 409: return .known
        case 400, 413, 422: return .refused(problem(response))
        default: throw failure(response, "POST \(url)/events")
        }
    }

    func job(at address: String) throws(DeliveryError) -> JobAnswer {
        let response = try send(HTTPRequest("GET", address))
        switch response.status {
        case 200:
            guard let job = try? JSON(parsing: response.body), let running = job["running"]?.bool else {
                throw .retryable("GET \(printable(address)): the answer is not a capture job")
            }
            if running { return .running }
            if job["success"]?.bool == true { return .finished }
            return .failed(job["errors"]?.array?.first.flatMap(Self.text(ofProblem:)) ?? "the capture job failed")
        case 404, 410: return .unknown
        default: throw failure(response, "GET \(printable(address))")
        }
    }

    /// Where a job may be asked for: where `Location` leads, if that is the same server, and where the standard puts jobs.
    ///
    /// The token goes to the configured server only, wherever an answer points.
    func addresses(ofJob location: String) -> [String] {
        var addresses: [String] = []
        if location.hasPrefix("\(origin)/") {
            addresses.append(location)
        } else if location.hasPrefix("/"), !location.hasPrefix("//") {
            addresses.append(origin + location)
        }
        let path = location.prefix { $0 != "?" && $0 != "#" }
        if let identifier = path.split(separator: "/").last {
            let standard = "\(url)/capture/\(identifier)"
            if !addresses.contains(standard) { addresses.append(standard) }
        }
        return addresses
    }

    /// Scheme, host and port.
    private var origin: String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.prefix(3).joined(separator: "/")
    }

    private func send(_ request: HTTPRequest) throws(DeliveryError) -> HTTPResponse {
        var request = request
        request.totalTimeout = timeoutMilliseconds
        request.connectTimeout = min(timeoutMilliseconds, 10_000)
        request.headers += [
            .init("Accept", "application/json"), .init("GS1-EPCIS-Version", "2.0.0"), .init("GS1-CBV-Version", "2.0.0"),
        ]
        if request.body != nil { request.headers.append(.init("Content-Type", "application/json")) }
        if let token = try token() { request.headers.append(.init("Authorization", "Bearer \(token)")) }
        do {
            return try connection.perform(request)
        } catch {
            switch error.reason {
            case .cancelled: throw .stopped
            case .invalidRequest: throw .refused(error.description)
            case .failed, .timedOut, .tooLarge, .receiverStopped: throw .retryable(error.description)
            }
        }
    }

    /// Read for every request, so that a renewed token needs no restart.
    private func token() throws(DeliveryError) -> String? {
        guard let tokenFile else { return nil }
        let descriptor = open(tokenFile, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw .refused("token file \(tokenFile): \(String(cString: strerror(errno))) (errno \(errno))") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw .refused("token file \(tokenFile): \(String(cString: strerror(errno))) (errno \(errno))") }
        let token = bytes[..<count].drop { $0 <= 0x20 }.reversed().drop { $0 <= 0x20 }.reversed()
        guard !token.isEmpty, token.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .refused("token file \(tokenFile): no token in it")
        }
        return String(decoding: token, as: UTF8.self)
    }

    /// An answer that says nothing about the events: the server's trouble passes, a wrong set-up does not.
    private func failure(_ response: HTTPResponse, _ call: String) -> DeliveryError {
        let text = "\(call): \(response.status) \(problem(response))"
        switch response.status {
        case 408, 425, 429, 500, 502...599:
            let seconds = response[header: "Retry-After"].flatMap { Int64($0) }.map { max(0, min($0, 86_400)) }
            return .retryable(text, afterMilliseconds: seconds.map { $0 * 1_000 })
        default: return .refused(text)
        }
    }

    private func problem(_ response: HTTPResponse) -> String {
        if let json = try? JSON(parsing: response.body), let text = Self.text(ofProblem: json) { return text }
        return printable(String(decoding: response.body.prefix(300), as: UTF8.self))
    }

    /// RFC 7807.
    private static func text(ofProblem json: JSON) -> String? {
        let parts = [json["title"]?.string ?? json["type"]?.string, json["detail"]?.string].compactMap { $0 }
        return parts.isEmpty ? nil : printable(parts.joined(separator: ": "))
    }
}

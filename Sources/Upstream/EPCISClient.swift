import HTTPClient
import Readings

/// The calls of the EPCIS 2.0 REST binding that delivery needs, each with its answers sorted by what to do next.
struct EPCISClient: Sendable {
    let sender: HTTPSender
    /// Without a slash at its end.
    let url: String

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

    /// - Parameter mayBeThere: set where the document was sent before without an answer.
    func capture(_ document: [UInt8], mayBeThere: inout Bool) throws(DeliveryError) -> (CaptureAnswer, Limits) {
        // With "proceed" the good events of a document are kept when one of them is not.
        let response = try send(
            HTTPRequest(
                "POST", "\(url)/capture", headers: [.init("GS1-Capture-Error-Behaviour", "proceed")], body: document))
        if response.isToRepetition { mayBeThere = true }
        let limits = Limits(
            events: response[header: "GS1-EPCIS-Capture-Limit"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil },
            bytes: response[header: "GS1-EPCIS-Capture-File-Size-Limit"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil })
        switch response.status {
        case 200, 201, 204: return (.stored, limits)
        case 202: return (.accepted(job: response[header: "Location"]), limits)
        case 413: return (.tooLarge(sender.problem(response)), limits)
        case 400, 409, 422: return (.refused(sender.problem(response)), limits)
        default: throw sender.failure(response, "POST \(url)/capture")
        }
    }

    /// - Parameters:
    ///   - event: a bare event with its own `@context`.
    ///   - mayBeThere: set where it was sent before without an answer.
    func store(_ event: [UInt8], mayBeThere: inout Bool) throws(DeliveryError) -> EventAnswer {
        let response = try send(HTTPRequest("POST", "\(url)/events", body: event))
        if response.isToRepetition { mayBeThere = true }
        switch response.status {
        case 200, 201, 202, 204: return .stored
        case 409: return .known
        case 400, 413, 422: return .refused(sender.problem(response))
        default: throw sender.failure(response, "POST \(url)/events")
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
            return .failed(job["errors"]?.array?.first.flatMap(HTTPSender.text(ofProblem:)) ?? "the capture job failed")
        case 404, 410: return .unknown
        default: throw sender.failure(response, "GET \(printable(address))")
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
        request.headers += [
            .init("Accept", "application/json"), .init("GS1-EPCIS-Version", "2.0.0"), .init("GS1-CBV-Version", "2.0.0"),
        ]
        if request.body != nil { request.headers.append(.init("Content-Type", "application/json")) }
        return try sender.send(request)
    }
}

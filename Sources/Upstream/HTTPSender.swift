import HTTPClient
import Readings
import SiteConfiguration

/// Sends requests for a destination: token, time-outs, TLS and proxy, and what the answers mean for the queue.
struct HTTPSender: Sendable {
    private let connection: HTTPConnection
    private let tokenFile: String?
    private let timeoutMilliseconds: Int

    /// - Throws: `DeliveryError.refused` for a URL that is not http or https.
    init(
        url: String, tokenFile: String?, tls: Site.Destination.TLS, proxy: String?, timeoutSeconds: Int, stopSignal: StopSignal
    ) throws(DeliveryError) {
        guard url.hasPrefix("https://") || url.hasPrefix("http://") else { throw .refused("\(printable(url)): not an http or https URL") }
        do {
            connection = try HTTPConnection(tls: tls.files, proxy: proxy)
        } catch {
            throw .retryable(error.description)
        }
        self.tokenFile = tokenFile
        timeoutMilliseconds = max(1, min(3_600, timeoutSeconds)) * 1_000
        stopSignal.onRequest { [weak connection] in connection?.cancel() }
    }

    static func withoutSlash(_ url: String) -> String {
        var url = url[...]
        while url.hasSuffix("/") { url = url.dropLast() }
        return String(url)
    }

    /// Any status is an answer.
    func send(_ request: HTTPRequest) throws(DeliveryError) -> HTTPResponse {
        try run(request, patience: timeoutMilliseconds) { (request) throws(HTTPError) in try connection.perform(request) }
    }

    /// Hands over the body of a 2xx answer piece by piece. An answer that stands still is given up after the time-out.
    /// - Parameters:
    ///   - patience: for the whole answer, in milliseconds.
    ///   - receive: false ends the request; the answer counts as come then.
    func stream(
        _ request: HTTPRequest, patience: Int, receive: (UnsafeBufferPointer<UInt8>) -> Bool
    ) throws(DeliveryError) -> HTTPResponse {
        var hasEnough = false
        var request = request
        request.stallSeconds = timeoutMilliseconds / 1_000
        return try run(request, patience: patience) { (request) throws(HTTPError) in
            do throws(HTTPError) {
                return try connection.stream(request) { piece in
                    hasEnough = !receive(piece)
                    return !hasEnough
                }
            } catch {
                guard hasEnough, error.reason == .receiverStopped else { throw error }
                return HTTPResponse(status: 200)
            }
        }
    }

    private func run(
        _ request: HTTPRequest, patience: Int, _ perform: (HTTPRequest) throws(HTTPError) -> HTTPResponse
    ) throws(DeliveryError) -> HTTPResponse {
        var request = request
        request.totalTimeout = patience
        request.connectTimeout = min(timeoutMilliseconds, 10_000)
        // Read for every request, so that a renewed token needs no restart.
        if let tokenFile {
            request.headers.append(.init("Authorization", "Bearer \(try SecretFile.word(in: tokenFile, what: "token"))"))
        }
        do {
            return try perform(request)
        } catch {
            switch error.reason {
            case .cancelled: throw .stopped
            case .invalidRequest: throw .refused(error.description)
            case .failed where error.tls.map { !$0.mayPass } ?? false: throw .refused(error.description)
            case .failed, .timedOut, .tooLarge, .receiverStopped: throw .retryable(error.description)
            }
        }
    }

    /// An answer that says nothing about the events: the server's trouble passes, a wrong set-up does not.
    func failure(_ response: HTTPResponse, _ call: String) -> DeliveryError {
        let text = "\(call): \(response.status) \(problem(response))"
        switch response.status {
        case 408, 425, 429, 500, 502...599:
            let seconds = response[header: "Retry-After"].flatMap { Int64($0) }.map { max(0, min($0, 86_400)) }
            return .retryable(text, afterMilliseconds: seconds.map { $0 * 1_000 })
        default: return .refused(text)
        }
    }

    func problem(_ response: HTTPResponse) -> String {
        if let json = try? JSON(parsing: response.body), let text = Self.text(ofProblem: json) { return text }
        return printable(String(decoding: response.body.prefix(300), as: UTF8.self))
    }

    /// RFC 7807.
    static func text(ofProblem json: JSON) -> String? {
        let parts = [json["title"]?.string ?? json["type"]?.string, json["detail"]?.string].compactMap { $0 }
        return parts.isEmpty ? nil : printable(parts.joined(separator: ": "))
    }
}

extension Site.Destination.TLS {
    var files: TLSFiles {
        TLSFiles(authority: authorityFile, certificate: certificateFile, key: keyFile, revocation: revocationFile)
    }
}

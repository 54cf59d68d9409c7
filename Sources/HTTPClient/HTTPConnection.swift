import CCurl
import Synchronization

/// A client for one server: blocking requests, one after the other, over a connection that is kept open.
///
/// Each request occupies the calling thread until it ends, so callers own a thread for it. `cancel()` may come from any thread.
public final class HTTPConnection: @unchecked Sendable {
    /// Bytes of a response body that are kept.
    public static let maximumBody = 1 << 20
    public static let maximumHeaders = 64

    // `perform` and `stream` hold the lock of `stamps` for as long as a request runs; `ccurl_cancel` is safe beside them, and the handle lives as
    // long as this object.
    private let handle: OpaquePointer
    private let tls: TLSFiles
    /// The files as they were when they were read.
    private let stamps: Mutex<[FileStamp]>

    /// - Parameters:
    ///   - unixSocket: the path of a Unix socket to connect to instead of the URL's host.
    ///   - tls: files for TLS; looked at before every request, and read again when one has changed.
    ///   - proxy: the URL of a proxy, instead of the one that the environment names.
    /// - Throws: `HTTPError` when libcurl cannot be set up: memory ran out.
    public init(unixSocket: String? = nil, tls: TLSFiles = TLSFiles(), proxy: String? = nil) throws(HTTPError) {
        self.tls = tls
        stamps = Mutex(tls.stamps)
        let handle = withOptionalCStrings([unixSocket, tls.authority, tls.certificate, tls.key, tls.revocation, proxy]) { texts in
            var settings = ccurl_settings(
                unix_socket: texts[0], authority_file: texts[1], certificate_file: texts[2], key_file: texts[3], revocation_file: texts[4],
                proxy: texts[5])
            return ccurl_connection_create(&settings)
        }
        guard let handle else { throw HTTPError(reason: .failed, code: 27, text: "out of memory", url: "") }
        self.handle = handle
    }

    deinit {
        ccurl_connection_destroy(handle)
    }

    /// Ends the request under way and makes every later one fail with `.cancelled`.
    public func cancel() {
        ccurl_cancel(handle)
    }

    /// Sends a request and waits for the whole answer; any status is an answer.
    /// - Throws: `HTTPError` when no complete answer came, or its body is larger than `maximumBody`.
    public func perform(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
        try run(request, receiver: nil)
    }

    /// Sends a request and hands over the body of a 2xx answer piece by piece as it arrives; returns at its end.
    /// - Parameter receive: called on this thread; false ends the request with `.receiverStopped`.
    /// - Returns: the answer, with a body only when the status is not 2xx.
    public func stream(
        _ request: HTTPRequest, receive: (UnsafeBufferPointer<UInt8>) -> Bool
    ) throws(HTTPError) -> HTTPResponse {
        let result: Result<HTTPResponse, HTTPError> = withoutActuallyEscaping(receive) { receive in
            let receiver = Receiver(receive)
            return Result { () throws(HTTPError) in try run(request, receiver: receiver) }
        }
        return try result.get()
    }

    fileprivate final class Receiver {
        let receive: (UnsafeBufferPointer<UInt8>) -> Bool

        init(_ receive: @escaping (UnsafeBufferPointer<UInt8>) -> Bool) {
            self.receive = receive
        }
    }

    private func run(_ request: HTTPRequest, receiver: Receiver?) throws(HTTPError) -> HTTPResponse {
        let url = HTTPError.withoutSecrets(request.url)
        if let problem = request.problem { throw HTTPError(reason: .invalidRequest, code: 0, text: problem, url: url) }
        let outcome: Result<HTTPResponse, HTTPError> = stamps.withLock { stamps in
            let now = tls.stamps
            if now != stamps, ccurl_forget(handle) { stamps = now }
            let response = perform(request, receiver: receiver)
            let reason: HTTPError.Reason
            switch response.outcome {
            case CCURL_OK: return .success(copy(response))
            case CCURL_CANCELLED: reason = .cancelled
            case CCURL_TOO_LARGE: reason = .tooLarge
            case CCURL_RECEIVER_STOPPED: reason = .receiverStopped
            default: reason = response.timed_out ? .timedOut : .failed
            }
            let text = String(cString: response.text)
            let problem =
                reason == .failed
                ? TLSProblem(curl: response.code, verification: response.verify_result, text: text, files: tls, url: url) : nil
            return .failure(HTTPError(reason: reason, code: response.code, text: text, url: url, tls: problem))
        }
        return try outcome.get()
    }

    private func perform(_ request: HTTPRequest, receiver: Receiver?) -> ccurl_response {
        let lines = request.headers.map { Array("\($0.name): \($0.value)".utf8CString) }
        let text = lines.flatMap { $0 }
        return text.withUnsafeBufferPointer { text in
            var pointers: [UnsafePointer<CChar>?] = []
            var start = 0
            for line in lines {
                pointers.append(text.baseAddress.map { $0 + start })
                start += line.count
            }
            return pointers.withUnsafeBufferPointer { pointers in
                withBody(request.body) { body, count in
                    request.method.withCString { method in
                        request.url.withCString { url in
                            var raw = ccurl_request(
                                method: method, url: url, headers: pointers.baseAddress, header_count: pointers.count, body: body,
                                body_count: count, connect_timeout_ms: max(1, request.connectTimeout),
                                total_timeout_ms: request.totalTimeout.map { max(1, $0) } ?? 0,
                                stall_s: request.stallSeconds.map { max(1, $0) } ?? 0, maximum_body: Self.maximumBody, receiver: nil,
                                receiver_context: nil)
                            guard let receiver else { return ccurl_perform(handle, &raw) }
                            raw.receiver = passOn
                            raw.receiver_context = Unmanaged.passUnretained(receiver).toOpaque()
                            return withExtendedLifetime(receiver) { ccurl_perform(handle, &raw) }
                        }
                    }
                }
            }
        }
    }

    /// NULL means no body to libcurl, so an empty one needs an address too.
    private func withBody<Result>(_ body: [UInt8]?, _ use: (UnsafePointer<UInt8>?, Int) -> Result) -> Result {
        guard let body else { return use(nil, 0) }
        return (body.isEmpty ? [0] : body).withUnsafeBufferPointer { use($0.baseAddress, body.count) }
    }

    private func copy(_ response: ccurl_response) -> HTTPResponse {
        var headers: [String: String] = [:]
        var position = 0
        var name: UnsafePointer<CChar>?
        var value: UnsafePointer<CChar>?
        while position < Self.maximumHeaders {
            position = ccurl_next_header(handle, position, &name, &value)
            guard position > 0, let name, let value else { break }
            headers[String(cString: name).lowercased()] = String(cString: value)
        }
        var copy = HTTPResponse(
            status: Int(response.status), headers: headers,
            body: Array(UnsafeBufferPointer(start: response.body_count > 0 ? response.body : nil, count: response.body_count)))
        copy.isToRepetition = response.sends > 1
        return copy
    }
}

/// The texts as C strings, nil as NULL, in the order given.
func withOptionalCStrings<Result>(_ texts: [String?], _ use: ([UnsafePointer<CChar>?]) -> Result) -> Result {
    let copies = texts.map { $0.map { Array($0.utf8CString) } }
    let all = copies.flatMap { $0 ?? [] }
    return all.withUnsafeBufferPointer { all in
        var start = 0
        return use(
            copies.map { copy in
                guard let copy else { return nil }
                defer { start += copy.count }
                return all.baseAddress.map { $0 + start }
            })
    }
}

/// Called by libcurl, so it must be no closure that inherits an actor.
private nonisolated func passOn(_ context: UnsafeMutableRawPointer?, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    guard let context else { return false }
    return Unmanaged<HTTPConnection.Receiver>.fromOpaque(context).takeUnretainedValue().receive(
        UnsafeBufferPointer(start: bytes, count: count))
}

/// Why a request brought no answer.
public struct HTTPError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: String, Hashable, Sendable {
        /// Not a request that can be sent: see `text`.
        case invalidRequest
        /// The name, the connection, TLS or the protocol failed.
        case failed
        /// The connect or the total time-out passed.
        case timedOut
        /// `HTTPConnection.cancel()` was called.
        case cancelled
        /// The body was larger than the connection's bound.
        case tooLarge
        /// The receiver of a stream wanted no more.
        case receiverStopped
    }

    public var reason: Reason
    /// libcurl's result code (`CURLcode`); 0 for an invalid request.
    public var code: Int32
    /// What libcurl says, in English.
    public var text: String
    /// The URL without user, password, query and fragment.
    public var url: String
    /// What is wrong with TLS, where that is why.
    public var tls: TLSProblem?

    init(reason: Reason, code: Int32, text: String, url: String, tls: TLSProblem? = nil) {
        self.reason = reason
        self.code = code
        self.text = text
        self.url = url
        self.tls = tls
    }

    public var description: String { tls.map { "\(url): \($0)" } ?? "\(url): \(text) (curl \(code))" }

    /// A URL as it may stand in a log: without user, password, query and fragment.
    public static func withoutSecrets(_ url: String) -> String {
        let end = url.firstIndex { $0 == "?" || $0 == "#" } ?? url.endIndex
        let plain = url[..<end]
        guard let scheme = plain.range(of: "://") else { return String(plain.prefix(200)) }
        let rest = plain[scheme.upperBound...]
        let authorityEnd = rest.firstIndex(of: "/") ?? rest.endIndex
        let host = rest[..<authorityEnd].lastIndex(of: "@").map { rest[rest.index(after: $0)..<authorityEnd] } ?? rest[..<authorityEnd]
        return String((plain[..<scheme.upperBound] + host + rest[authorityEnd...]).prefix(200))
    }
}

extension Substring {
    // The standard library searches characters only; Foundation is not worth one search.
    fileprivate func range(of pattern: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(pattern) { return start..<index(start, offsetBy: pattern.count) }
            start = index(after: start)
        }
        return nil
    }
}

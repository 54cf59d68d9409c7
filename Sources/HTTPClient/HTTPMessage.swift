/// One request.
public struct HTTPRequest: Hashable, Sendable {
    public var method: String
    /// `http` or `https`; with a Unix socket the host is only what the `Host` header says.
    public var url: String
    public var headers: [Header]
    public var body: [UInt8]?
    /// For connecting, in milliseconds, 1 or more.
    public var connectTimeout: Int
    /// For the whole request, in milliseconds; nil: none, for a stream.
    public var totalTimeout: Int?
    /// How long nothing may come and go before the request fails with `.timedOut`, in whole seconds; nil: as long as `totalTimeout` allows.
    public var stallSeconds: Int?

    public struct Header: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public init(
        _ method: String, _ url: String, headers: [Header] = [], body: [UInt8]? = nil, connectTimeout: Int = 10_000,
        totalTimeout: Int? = 30_000
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.connectTimeout = connectTimeout
        self.totalTimeout = totalTimeout
    }

    /// Why it cannot be sent; nil when it can. A line end in any part would let it smuggle a header or a second request.
    var problem: String? {
        func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }
        if method.isEmpty || !method.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) {
            return "the method is not a word of capital letters"
        }
        if !isPlain(url) || url.utf8.contains(0x20) { return "the URL has a blank or control character" }
        for header in headers where !isPlain(header.name) || !isPlain(header.value) || header.name.isEmpty || header.name.contains(":") {
            return "the header \(header.name.prefix(40).filter { $0.isASCII && !$0.isNewline }) has a control character"
        }
        return nil
    }
}

/// What came back.
public struct HTTPResponse: Hashable, Sendable {
    /// 100...599.
    public var status: Int
    /// Names in lower case. At most `HTTPConnection.maximumHeaders` are kept, of a repeated one the last.
    public var headers: [String: String]
    /// Empty for a stream with a 2xx status.
    public var body: [UInt8]
    /// The request was sent once before, on a kept connection that ended without an answer: the server may have carried it out twice.
    public var isToRepetition = false

    public init(status: Int, headers: [String: String] = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    public subscript(header name: String) -> String? { headers[name.lowercased()] }
}

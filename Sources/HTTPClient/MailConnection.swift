import CCurl
import Synchronization

/// A client for one mail server: one mail to one address at a time, over a connection that is kept while more comes.
///
/// Each mail occupies the calling thread until its fate is known. `cancel()` may come from any thread.
public final class MailConnection: @unchecked Sendable {
    // `send` holds the lock of `stamps` for as long as it runs; `ccurl_cancel` is safe beside it, and the handle lives as long as this
    // object.
    private let handle: OpaquePointer
    private let tls: TLSFiles
    /// The files as they were when they were read.
    private let stamps: Mutex<[FileStamp]>

    /// - Parameter tls: looked at before every mail, and read again when one has changed.
    /// - Throws: `MailError` when libcurl cannot be set up: memory ran out.
    public init(tls: TLSFiles = TLSFiles()) throws(MailError) {
        self.tls = tls
        stamps = Mutex(tls.stamps)
        let handle = withOptionalCStrings([tls.authority, tls.certificate, tls.key, tls.revocation]) { texts in
            var settings = ccurl_settings(
                unix_socket: nil, authority_file: texts[0], certificate_file: texts[1], key_file: texts[2], revocation_file: texts[3],
                proxy: nil)
            return ccurl_connection_create(&settings)
        }
        guard let handle else { throw MailError(reason: .failed, code: 27, text: "out of memory", url: "", stage: .connecting) }
        self.handle = handle
    }

    deinit {
        ccurl_connection_destroy(handle)
    }

    /// Ends what is under way and makes every later call fail with `.cancelled`.
    public func cancel() {
        ccurl_cancel(handle)
    }

    /// Returns when the server has taken the mail over: it answered 250 to its end.
    /// - Throws: `MailError`. Where no answer to the end of the mail came, the server may have it all the same.
    public func send(_ mail: MailTransfer) throws(MailError) {
        _ = try run(mail, content: mail.content)
    }

    /// Greets the server and logs in, and sends nothing.
    /// - Returns: whether it takes addresses beyond ASCII (SMTPUTF8, RFC 6531).
    public func takesUTF8(_ mail: MailTransfer) throws(MailError) -> Bool {
        try run(mail, content: nil)
    }

    private func run(_ mail: MailTransfer, content: [UInt8]?) throws(MailError) -> Bool {
        let url = HTTPError.withoutSecrets(mail.url)
        guard [mail.url, mail.from, mail.to].allSatisfy({ $0.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F } }) else {
            throw MailError(
                reason: .invalid, code: 0, text: "the URL or an address has a blank or control character", url: url, stage: .connecting)
        }
        let outcome: Result<Bool, MailError> = stamps.withLock { stamps in
            let now = tls.stamps
            if now != stamps, ccurl_forget(handle) { stamps = now }
            let response = perform(mail, content)
            let reason: MailError.Reason
            switch response.outcome {
            case CCURL_OK: return .success(response.takes_utf8)
            case CCURL_CANCELLED: reason = .cancelled
            default: reason = response.timed_out ? .timedOut : .failed
            }
            let text = String(cString: response.text)
            let problem =
                reason == .failed
                ? TLSProblem(curl: response.code, verification: response.verify_result, text: text, files: tls, url: url) : nil
            var error = MailError(
                reason: reason, code: response.code, text: text, url: url, stage: MailError.Stage(response.stage), tls: problem)
            error.reply = MailError.Reply(String(cString: response.reply))
            return .failure(error)
        }
        return try outcome.get()
    }

    private func perform(_ mail: MailTransfer, _ content: [UInt8]?) -> ccurl_mail_response {
        withOptionalCStrings([mail.user, mail.password]) { secrets in
            mail.url.withCString { url in
                mail.from.withCString { from in
                    mail.to.withCString { to in
                        func send(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> ccurl_mail_response {
                            var raw = ccurl_mail(
                                url: url, requires_tls: mail.requiresTLS, user: secrets[0], password: secrets[1], from: from, to: to,
                                content: bytes, content_count: count, connect_timeout_ms: max(1, mail.connectTimeout),
                                total_timeout_ms: max(1, mail.totalTimeout), keeps_connection: mail.keepsConnection || content == nil)
                            return ccurl_send(handle, &raw)
                        }
                        guard let content else { return send(nil, 0) }
                        return content.withUnsafeBufferPointer { send($0.baseAddress, $0.count) }
                    }
                }
            }
        }
    }
}

/// One mail as it is handed to a server.
public struct MailTransfer: Hashable, Sendable {
    /// `smtp://HOST:PORT`, or `smtps://` for TLS from the first byte.
    public var url: String
    /// With `smtp://`: STARTTLS, or nothing is sent, no password either.
    public var requiresTLS: Bool
    public var user: String?
    public var password: String?
    /// Addresses of the envelope, without brackets.
    public var from: String
    public var to: String
    /// Headers and body, lines ended by CR LF; not empty.
    public var content: [UInt8]
    /// In milliseconds, 1 or more.
    public var connectTimeout: Int
    public var totalTimeout: Int
    /// More comes at once.
    public var keepsConnection: Bool

    public init(
        url: String, requiresTLS: Bool = true, user: String? = nil, password: String? = nil, from: String, to: String, content: [UInt8],
        connectTimeout: Int = 10_000, totalTimeout: Int = 30_000, keepsConnection: Bool = false
    ) {
        self.url = url
        self.requiresTLS = requiresTLS
        self.user = user
        self.password = password
        self.from = from
        self.to = to
        self.content = content
        self.connectTimeout = connectTimeout
        self.totalTimeout = totalTimeout
        self.keepsConnection = keepsConnection
    }
}

/// Why a server has not taken a mail.
public struct MailError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        /// Cannot be sent as it is.
        case invalid
        case failed
        case timedOut
        /// `MailConnection.cancel()` was called.
        case cancelled
    }

    /// How far it came: what was said to the server last. In this order.
    public enum Stage: Int, Hashable, Sendable, Comparable {
        case connecting
        case hello
        case startTLS
        case login
        case sender
        case recipient
        case data
        case content

        init(_ raw: ccurl_mail_stage) { self = Stage(rawValue: Int(raw.rawValue)) ?? .connecting }

        public static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
    }

    /// A server's answer (RFC 5321 section 4.2).
    public struct Reply: Hashable, Sendable {
        /// 200...599.
        public var code: Int
        /// With the number; what a stranger wrote.
        public var text: String

        init?(_ text: String) {
            guard let code = Int(text.prefix(3)), (200...599).contains(code) else { return nil }
            self.code = code
            self.text = text
        }
    }

    public var reason: Reason
    /// libcurl's result code (`CURLcode`).
    public var code: Int32
    /// What libcurl says, in English.
    public var text: String
    public var url: String
    public var stage: Stage
    /// The server's last answer.
    public var reply: Reply?
    /// What is wrong with TLS, where that is why.
    public var tls: TLSProblem?

    init(reason: Reason, code: Int32, text: String, url: String, stage: Stage, tls: TLSProblem? = nil) {
        self.reason = reason
        self.code = code
        self.text = text
        self.url = url
        self.stage = stage
        self.tls = tls
    }

    public var description: String { tls.map { "\(url): \($0)" } ?? "\(url): \(text) (curl \(code))" }
}

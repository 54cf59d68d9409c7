import HTTPClient
import SiteConfiguration

/// What a server's refusal means for the queue.
enum MailVerdict: Hashable, Sendable {
    case stopped
    /// The network, or the server as a whole: passes by itself.
    case wait(String)
    /// Credentials, certificates, the sender: somebody must look.
    case needsPerson(String)
    /// This address never.
    case never(String)
    /// This address not at present.
    case notNow(String)

    /// CURLcode of <curl/curl.h>.
    private static let useSSLFailed: Int32 = 64
    private static let loginDenied: Int32 = 67
    /// RFC 5321 section 4.2.3: the service is closing, at any time.
    private static let closing = 421
    /// RFC 4954 section 6: who are you?
    private static let authenticationRequired = 530

    /// - Parameter address: whom the mail is for; what the server says of it is not repeated.
    init(_ error: MailError, place: String, to address: MailAddress) {
        var reply = error.reply.flatMap { $0.code >= 400 ? $0 : nil }
        let harmless = MailWords(hiding: address)
        if let text = reply?.text { reply?.text = harmless(text) }
        let isTemporary = reply.map { $0.code < 500 } ?? false
        func words(_ what: String) -> String { "\(place): \(what)\(reply.map { ": \($0.text)" } ?? "")" }
        if error.reason == .cancelled {
            self = .stopped
        } else if error.reason == .invalid {
            self = .never(error.text)
        } else if let problem = error.tls {
            self = problem.mayPass ? .wait("\(place): \(problem)") : .needsPerson("\(place): \(problem)")
        } else if error.stage == .content, reply == nil {
            // The server may have it, and each further try may be one more mail: not for ever.
            let what = error.reason == .timedOut ? "no answer in time to the mail" : "\(harmless(error.text)) (curl \(error.code))"
            self = .notNow("\(place): \(what)")
        } else if error.reason == .timedOut {
            self = .wait(words("no answer in time to \(error.stage.words)"))
        } else if error.code == Self.useSSLFailed {
            let text = words(
                reply == nil ? "the server offers no STARTTLS, and nothing is sent without TLS" : "the server refused STARTTLS")
            self = isTemporary ? .wait(text) : .needsPerson(text)
        } else if error.code == Self.loginDenied || error.stage == .login {
            let text = words(
                reply == nil && error.code == Self.loginDenied
                    ? "the server offers no way to log in with a user and a password" : "the server refused the login")
            self = isTemporary || reply == nil && error.code != Self.loginDenied ? .wait(text) : .needsPerson(text)
        } else if let reply, reply.code != Self.closing, reply.code != Self.authenticationRequired, error.stage >= .recipient {
            self = isTemporary ? .notNow("the server put it off: \(reply.text)") : .never("the server refused it: \(reply.text)")
        } else if reply != nil {
            let text = words("the server refused \(error.stage.words)")
            self = isTemporary ? .wait(text) : .needsPerson(text)
        } else {
            self = .wait("\(place): \(harmless(error.text)) (curl \(error.code))")
        }
    }
}

extension MailError.Stage {
    fileprivate var words: String {
        switch self {
        case .connecting: "the connection"
        case .hello: "the greeting"
        case .startTLS: "STARTTLS"
        case .login: "the login"
        case .sender: "the sender's address"
        case .recipient: "the address"
        case .data, .content: "the mail"
        }
    }
}

/// What a server says may quote the address, which stands in master data and nowhere else: reasons become events and log lines.
struct MailWords: Sendable {
    private let hidden: [String]

    init(hiding address: MailAddress) {
        hidden = [address.folded, address.local.lowercased()]
    }

    /// Words that are, or hold, an address or the name before its `@`, are taken out.
    func callAsFunction(_ text: String) -> String {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map { word -> String in
            let folded = word.lowercased()
            let core = folded.drop { !$0.isLetter && !$0.isNumber }.reversed().drop { !$0.isLetter && !$0.isNumber }.reversed()
            let isHidden =
                word.contains("@")
                || hidden.contains { $0 == String(core) || $0.utf8.count > 3 && folded.firstRange(of: $0) != nil }
            return isHidden ? "(address)" : String(word)
        }
        return printable(words.joined(separator: " "))
    }
}

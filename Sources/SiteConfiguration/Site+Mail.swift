extension Site.Destination {
    /// A mail server that takes mails from us and brings them to people: a submission server (RFC 6409).
    public struct Mail: Hashable, Sendable {
        /// Events of which mails are made.
        public static let types = ["loan.reminded"]

        public enum Encryption: Hashable, Sendable {
            /// TLS from the first byte (RFC 8314).
            case implicit
            /// Plain until STARTTLS (RFC 3207), and never further without it.
            case startTLS
            /// None: everybody on the way reads and changes mails.
            case none
        }

        public static let submissionPort: UInt16 = 587
        public static let implicitPort: UInt16 = 465

        public var host: String
        public var port: UInt16
        public var encryption: Encryption
        public var user: String?
        public var passwordFile: String?
        public var tls: TLS
        /// Who mails are from, and to whom servers send back what they cannot deliver.
        public var from: MailAddress
        /// Of those who look after the tools.
        public var storekeepers: [MailAddress]
        /// Of mails to people without one of their own; nil: the gateway's.
        public var language: Site.Language?
        /// A folder with templates that go before those of the program.
        public var templates: String?
        /// For one mail, and for connecting: 1...600.
        public var timeoutSeconds: Int
        /// RFC 5321 section 4.5.3.2.6: who waits less for the answer to the end of a mail sends it more than once.
        public static let usualTimeoutSeconds = 600

        public init(
            host: String, port: UInt16 = submissionPort, encryption: Encryption = .startTLS, user: String? = nil,
            passwordFile: String? = nil, tls: TLS = TLS(), from: MailAddress, storekeepers: [MailAddress] = [],
            language: Site.Language? = nil, templates: String? = nil, timeoutSeconds: Int = usualTimeoutSeconds
        ) {
            self.host = host
            self.port = port
            self.encryption = encryption
            self.user = user
            self.passwordFile = passwordFile
            self.tls = tls
            self.from = from
            self.storekeepers = storekeepers
            self.language = language
            self.templates = templates
            self.timeoutSeconds = timeoutSeconds
        }
    }
}

import Readings

extension Site {
    /// Where events are delivered.
    public struct Destination: Hashable, Sendable {
        public var name: String
        public var kind: Kind
        /// Event types to deliver, `*` as the last character as a wildcard; empty: loans, tools, permits, withdrawals, stock and exceptions.
        public var types: [String]
        /// What an event must be at least: `.provisional` brings what may still be withdrawn too.
        public var certainty: Certainty
        /// Events in one request or write, 1...10,000.
        public var batch: Int

        public enum Kind: Hashable, Sendable {
            /// One event a line, appended to a file.
            case file(File)
            /// EPCIS 2.0 `POST /capture`.
            case epcis(EPCIS)
            /// CloudEvents 1.0 by `POST`.
            case webhook(Webhook)
            case mqtt(MQTT)
            /// Rows of a table.
            case postgresql(PostgreSQL)
            /// Mails to people, by SMTP.
            case mail(Mail)
        }

        public init(name: String, kind: Kind, types: [String] = [], certainty: Certainty = .final, batch: Int = 500) {
            self.name = name
            self.kind = kind
            self.types = types
            self.certainty = certainty
            self.batch = batch
        }

        /// Files in PEM form, looked at again when they change.
        public struct TLS: Hashable, Sendable {
            /// The certificate authorities to trust instead of the system's.
            public var authorityFile: String?
            /// Our own certificate, for a server that asks for one.
            public var certificateFile: String?
            /// nil: the key stands in `certificateFile`.
            public var keyFile: String?
            /// Certificate revocation lists, one of every authority in the server's chain.
            public var revocationFile: String?

            public init(
                authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil, revocationFile: String? = nil
            ) {
                self.authorityFile = authorityFile
                self.certificateFile = certificateFile
                self.keyFile = keyFile
                self.revocationFile = revocationFile
            }
        }

        public struct File: Hashable, Sendable {
            public var path: String
            /// nil: the file grows for ever.
            public var rotation: Rotation?

            public init(path: String, rotation: Rotation? = nil) {
                self.path = path
                self.rotation = rotation
            }
        }

        public struct Rotation: Hashable, Sendable {
            /// The file is set aside when it would grow beyond this, 1 MiB or more.
            public var bytes: Int64
            /// Files set aside that are kept: `path.1` is the newest. 1...1,000.
            public var keep: Int

            public init(bytes: Int64, keep: Int = 10) {
                self.bytes = bytes
                self.keep = keep
            }
        }

        public struct EPCIS: Hashable, Sendable {
            /// The base URL; `/capture` is appended.
            public var url: String
            /// A file with a bearer token, for example from systemd's `LoadCredential=`.
            public var tokenFile: String?
            public var tls: TLS
            /// The URL of a proxy, instead of the one that the environment names.
            public var proxy: String?
            /// Words of the CBV only, for receivers that refuse own vocabulary.
            public var usesOnlyCBV: Bool
            public var naming: Naming
            public var timeoutSeconds: Int

            public init(
                url: String, tokenFile: String? = nil, tls: TLS = TLS(), proxy: String? = nil, usesOnlyCBV: Bool = false,
                naming: Naming = Naming(), timeoutSeconds: Int = 30
            ) {
                self.url = url
                self.tokenFile = tokenFile
                self.tls = tls
                self.proxy = proxy
                self.usesOnlyCBV = usesOnlyCBV
                self.naming = naming
                self.timeoutSeconds = timeoutSeconds
            }
        }

        /// How things, goods and places with a GS1 key are named.
        public struct Naming: Hashable, Sendable {
            /// The GS1 Company Prefixes, 4 to 12 digits each, whose keys become EPC URIs (`urn:epc:…`); a key does not tell how long its
            /// prefix is. Empty: GS1 Digital Links only, which all other keys become too.
            public var companyPrefixes: [String]
            /// What a Digital Link begins with, without a slash at the end.
            public var linkHost: String

            public static let standardHost = "https://id.gs1.org"

            public init(companyPrefixes: [String] = [], linkHost: String = standardHost) {
                self.companyPrefixes = companyPrefixes
                self.linkHost = linkHost
            }
        }

        public struct Webhook: Hashable, Sendable {
            public var url: String
            public var tokenFile: String?
            /// A file with the secret of the signature, or several, one a line, while it is being replaced; nil: not signed.
            public var secretFile: String?
            /// One event in a request, as `application/cloudevents+json`; otherwise a batch.
            public var isSingle: Bool
            public var tls: TLS
            public var proxy: String?
            public var timeoutSeconds: Int

            public init(
                url: String, tokenFile: String? = nil, secretFile: String? = nil, isSingle: Bool = false, tls: TLS = TLS(),
                proxy: String? = nil, timeoutSeconds: Int = 30
            ) {
                self.url = url
                self.tokenFile = tokenFile
                self.secretFile = secretFile
                self.isSingle = isSingle
                self.tls = tls
                self.proxy = proxy
                self.timeoutSeconds = timeoutSeconds
            }
        }
    }
}

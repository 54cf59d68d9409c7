extension Site {
    /// Where master data comes from.
    public struct Source: Hashable, Sendable {
        public var name: String
        public var kind: Kind

        public enum Kind: Hashable, Sendable {
            /// `GET URL/changes?since=CURSOR`.
            case pull(Pull)
            /// Files that are put into a folder.
            case folder(path: String)
            /// Messages that upstream publishes to a broker.
            case mqtt(Broker)

            /// The word of the site file.
            public var name: String {
                switch self {
                case .pull: "pull"
                case .folder: "folder"
                case .mqtt: "mqtt"
                }
            }
        }

        public struct Pull: Hashable, Sendable {
            /// The base URL; `/changes` is appended.
            public var url: String
            public var tokenFile: String?
            public var tls: Destination.TLS
            public var proxy: String?
            /// Between two questions when there was nothing new.
            public var intervalSeconds: Int
            /// For connecting, until the answer begins, and while nothing of it comes.
            public var timeoutSeconds: Int

            public init(
                url: String, tokenFile: String? = nil, tls: Destination.TLS = .init(), proxy: String? = nil, intervalSeconds: Int = 60,
                timeoutSeconds: Int = 30
            ) {
                self.url = url
                self.tokenFile = tokenFile
                self.tls = tls
                self.proxy = proxy
                self.intervalSeconds = intervalSeconds
                self.timeoutSeconds = timeoutSeconds
            }
        }

        public init(name: String, kind: Kind) {
            self.name = name
            self.kind = kind
        }
    }
}

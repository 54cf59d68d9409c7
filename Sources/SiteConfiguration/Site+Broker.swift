extension Site {
    /// How a gateway reaches an MQTT broker, whether it publishes there or listens.
    public struct Broker: Hashable, Sendable {
        public enum Version: String, Hashable, Sendable, CaseIterable {
            case v311 = "3.1.1"
            case v5 = "5"
        }

        /// A name or an address, without brackets.
        public var host: String
        public var port: UInt16
        /// nil: in the clear.
        public var tls: Destination.TLS?
        public var version: Version
        /// nil: `stockgate-GATEWAY-DESTINATION`, of a source `stockgate-source-GATEWAY-SOURCE`.
        public var clientID: String?
        public var user: String?
        public var passwordFile: String?
        /// For a connection, and for the next receipt.
        public var timeoutSeconds: Int

        public init(
            host: String, port: UInt16, tls: Destination.TLS? = nil, version: Version = .v311, clientID: String? = nil,
            user: String? = nil, passwordFile: String? = nil, timeoutSeconds: Int = 30
        ) {
            self.host = host
            self.port = port
            self.tls = tls
            self.version = version
            self.clientID = clientID
            self.user = user
            self.passwordFile = passwordFile
            self.timeoutSeconds = timeoutSeconds
        }
    }
}

extension Site.Destination {
    /// A destination has what its broker has: `mqtt.host` is the broker's.
    @dynamicMemberLookup
    public struct MQTT: Hashable, Sendable {
        public typealias Version = Site.Broker.Version

        /// What moves the cursor.
        public enum ReceiptKind: String, Hashable, Sendable, CaseIterable {
            /// A message of the receiver on the receipt topic.
            case application
            /// The broker's PUBACK: weaker, for a broker may lose what it has acknowledged.
            case broker
        }

        public enum Format: String, Hashable, Sendable, CaseIterable {
            /// The stored event.
            case json
            /// CloudEvents 1.0, structured.
            case cloudevents
            /// Sparkplug B 3.0 node messages.
            case sparkplug
        }

        public var broker: Site.Broker
        public var receipt: ReceiptKind
        public var format: Format
        /// Events that may be on their way without a receipt, 1...1,000.
        public var window: Int

        public init(
            host: String, port: UInt16, tls: TLS? = nil, version: Version = .v311, clientID: String? = nil, user: String? = nil,
            passwordFile: String? = nil, receipt: ReceiptKind = .application, format: Format = .json, window: Int = 400,
            timeoutSeconds: Int = 30
        ) {
            broker = Site.Broker(
                host: host, port: port, tls: tls, version: version, clientID: clientID, user: user, passwordFile: passwordFile,
                timeoutSeconds: timeoutSeconds)
            self.receipt = receipt
            self.format = format
            self.window = window
        }

        public subscript<Value>(dynamicMember member: WritableKeyPath<Site.Broker, Value>) -> Value {
            get { broker[keyPath: member] }
            set { broker[keyPath: member] = newValue }
        }
    }

    public struct PostgreSQL: Hashable, Sendable {
        /// Parameters of libpq as `name=value` words or a `postgresql://` URI, without a password.
        public var connection: String
        public var passwordFile: String?
        public var tls: TLS
        /// `name` or `schema.name`.
        public var table: String
        public var timeoutSeconds: Int

        public init(
            connection: String, passwordFile: String? = nil, tls: TLS = TLS(), table: String = "stockgate_event", timeoutSeconds: Int = 30
        ) {
            self.connection = connection
            self.passwordFile = passwordFile
            self.tls = tls
            self.table = table
            self.timeoutSeconds = timeoutSeconds
        }
    }
}

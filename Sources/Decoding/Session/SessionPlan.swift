import Readings

/// How to steer one device, as its profile says: what to send after opening, what keeps it reading, what its signals look like.
public struct SessionPlan: Hashable, Sendable {
    /// Sent in order after opening, each waiting for its answer.
    public var steps: [Step]
    /// For devices that read only when asked. nil for devices that talk by themselves.
    public var inventory: Inventory?
    /// What to send for each feedback; a device without an entry cannot give that feedback.
    public var feedback: [Feedback: [Transmission]]
    /// A device that was silent this long is no longer *shown* to be reading; nil where silence is normal (scanners).
    public var livenessTimeout: Instant.Span?
    /// Sent when the gateway lets the device go: it shall not go on transmitting for nobody.
    public var stop: [[UInt8]]

    public init(
        steps: [Step] = [], inventory: Inventory? = nil, feedback: [Feedback: [Transmission]] = [:], livenessTimeout: Instant.Span? = nil,
        stop: [[UInt8]] = []
    ) {
        self.steps = steps
        self.inventory = inventory
        self.feedback = feedback
        self.livenessTimeout = livenessTimeout
        self.stop = stop
    }

    /// One command of the initialisation.
    public struct Step: Hashable, Sendable {
        public var name: String
        public var send: [UInt8]
        /// The answer that lets the session go on; nil: go on at once.
        public var expect: BytePattern?
        /// Any answer to `send`: one that is not `expect` is a wrong answer at once. nil: only the time-out tells.
        public var answer: BytePattern?
        /// Asked first; nil: `send` is sent in any case.
        public var check: Check?
        /// At least 1 ms.
        public var timeout: Instant.Span
        /// How often to send again after a time-out or a wrong answer, 0...10.
        public var retries: Int
        /// An optional step that fails is noted and passed over.
        public var isOptional: Bool
        /// The pause before the next step, 0...10 s: for a device that restarts or that must fall silent.
        public var settle: Instant.Span
        /// A harmless question whose answer tells the protocol: what `stockgate probe` asks.
        public var identifies: Bool

        public init(
            name: String, send: [UInt8], expect: BytePattern? = nil, answer: BytePattern? = nil, check: Check? = nil,
            timeout: Instant.Span = .milliseconds(500), retries: Int = 2, isOptional: Bool = false, settle: Instant.Span = .zero,
            identifies: Bool = false
        ) {
            self.name = name
            self.send = send
            self.expect = expect
            self.answer = answer
            self.check = check
            self.timeout = max(timeout, .milliseconds(1))
            self.retries = min(max(0, retries), 10)
            self.isOptional = isOptional
            self.settle = settle
            self.identifies = identifies
        }
    }

    /// A question before a setting is written, for devices that keep settings in flash memory, which wears.
    public struct Check: Hashable, Sendable {
        public var send: [UInt8]
        /// Any answer to the question.
        public var answer: BytePattern
        /// The answer that shows that nothing need be written.
        public var wanted: BytePattern

        public init(send: [UInt8], answer: BytePattern, wanted: BytePattern) {
            self.send = send
            self.answer = answer
            self.wanted = wanted
        }
    }

    /// What makes the device read.
    public struct Inventory: Hashable, Sendable {
        /// How the device goes on.
        public enum Mode: String, Hashable, Sendable, CaseIterable {
            /// It reads one round and must be asked again.
            case rounds
            /// It reads until it is told to stop; the command is sent again only when it falls silent.
            case stream
        }

        public var mode: Mode
        /// Sent in turn, one a round; a stream takes all of them once, in this order. Never empty.
        public var commands: [[UInt8]]
        /// The antenna, from 1, that the command of the same place is for alone; empty where commands are for all of them.
        public var antennas: [UInt8]
        /// What goes before the commands; nil: nothing.
        public var selection: Selection?
        /// Sent again when no round ended, or a stream was silent, for this long; at least 10 ms.
        public var watchdog: Instant.Span
        /// The pause before the next command after a failed round; doubled with each further one, up to `DeviceSession.longestPause`.
        public var faultPause: Instant.Span
        /// A round with this many faults has failed, though it ended as it should: for a command that names several antennas,
        /// their number, so that one antenna that is missing does not slow down the others; 1...64.
        public var faultLimit: Int

        public init(
            _ mode: Mode = .rounds, commands: [[UInt8]], antennas: [UInt8] = [], selection: Selection? = nil,
            watchdog: Instant.Span = .milliseconds(1_500), faultPause: Instant.Span = .milliseconds(500), faultLimit: Int = 1
        ) {
            self.mode = mode
            self.commands = commands
            self.antennas = antennas
            self.selection = selection
            self.watchdog = max(watchdog, .milliseconds(10))
            self.faultPause = max(faultPause, .milliseconds(1))
            self.faultLimit = min(max(1, faultLimit), 64)
        }
    }

    /// The choice of an antenna before a round.
    public struct Selection: Hashable, Sendable {
        /// Sent before the inventory's command of the same place, which follows the right answer.
        public var commands: [[UInt8]]
        /// The right answer.
        public var expect: BytePattern
        /// Any answer to these commands: one that is not `expect` makes the round a failed one, since it would read with another antenna.
        public var answer: BytePattern

        public init(commands: [[UInt8]], expect: BytePattern, answer: BytePattern) {
            self.commands = commands
            self.expect = expect
            self.answer = answer
        }
    }

    /// Bytes to send after a pause counted from the transmission before.
    public struct Transmission: Hashable, Sendable {
        public var pause: Instant.Span
        public var bytes: [UInt8]

        public init(pause: Instant.Span = .zero, bytes: [UInt8]) {
            self.pause = pause
            self.bytes = bytes
        }
    }
}

/// Bytes with wildcards: nil matches any one byte.
public struct BytePattern: Hashable, Sendable {
    public var bytes: [UInt8?]
    /// Further bytes may follow; otherwise the pattern matches a whole frame.
    public var allowsMore: Bool

    public init(bytes: [UInt8?], allowsMore: Bool = false) {
        self.bytes = bytes
        self.allowsMore = allowsMore
    }

    /// Hexadecimal bytes, `??` for any one byte, `...` at the end for any further ones; nil for anything else.
    public init?(_ text: String) {
        var words = text.split(separator: " ")
        allowsMore = words.last == "..."
        if allowsMore { words.removeLast() }
        bytes = []
        for word in words {
            if word == "??" {
                bytes.append(nil)
            } else if word.utf8.count == 2, let byte = UInt8(word, radix: 16), word.utf8.first != 0x2B {
                bytes.append(byte)
            } else {
                return nil
            }
        }
        if bytes.isEmpty { return nil }
    }

    public func matches(_ frame: [UInt8]) -> Bool {
        (allowsMore ? frame.count >= bytes.count : frame.count == bytes.count) && zip(bytes, frame).allSatisfy { $0 == nil || $0 == $1 }
    }
}

import Readings

extension ModbusProtocol {
    public struct Configuration: Hashable, Sendable {
        /// What is read in turn; at most 16, so that no frame's index can be `FF`.
        public var polls: [Poll]
        /// How inputs are to be understood, by the number of the line.
        public var lines: [LineSettings]
        /// The pause between two beginnings of a cycle, at least 10 ms.
        public var interval: Instant.Span
        /// How long the unit may take for a whole answer, 10 ms to 10 s.
        public var responseTimeout: Instant.Span
        /// The unit to address when the site file names none; nil: it must.
        public var defaultUnit: UInt8?

        public static let maximumPolls = 16
        public static let shortestInterval = Instant.Span.milliseconds(10)

        public init(
            polls: [Poll] = [], lines: [LineSettings] = [], interval: Instant.Span = shortestInterval,
            responseTimeout: Instant.Span = .milliseconds(500), defaultUnit: UInt8? = nil
        ) {
            self.polls = Array(polls.prefix(Self.maximumPolls))
            self.interval = max(interval, Self.shortestInterval)
            self.responseTimeout = responseTimeout
            self.defaultUnit = defaultUnit
            let needed = self.polls.flatMap(\.lines).max().map { $0 + 1 } ?? 0
            self.lines = Array(lines.prefix(needed))
            while self.lines.count < needed { self.lines.append(LineSettings()) }
            for poll in self.polls {
                guard case .counters = poll.meaning else { continue }
                for line in poll.lines { self.lines[line].hasCounter = true }
            }
        }

        /// The requests of the polls, in their order.
        public var requests: [[UInt8]] { polls.map(\.request) }
    }

    /// A read that is done again and again.
    public struct Poll: Hashable, Sendable {
        public enum Function: UInt8, Hashable, Sendable, CaseIterable {
            case coils = 1
            case discreteInputs = 2
            case holdingRegisters = 3
            case inputRegisters = 4

            public var readsBits: Bool { self == .coils || self == .discreteInputs }
        }

        public enum Meaning: Hashable, Sendable {
            /// Bits, or the bits of registers from the lowest on, are lines from this one on.
            case inputs(firstLine: UInt8)
            case counters(Counters)
            case identifier(Identifier)
            /// Only the fact that it is answered counts.
            case life
        }

        public var function: Function
        /// The address as it is sent, counted from 0.
        public var start: UInt16
        /// Bits or registers: 1...2,000 or 1...125.
        public var count: Int
        public var meaning: Meaning

        public init(_ function: Function, start: UInt16, count: Int, meaning: Meaning) {
            self.function = function
            self.start = start
            self.count = min(max(count, 1), ModbusRequest.maximumCount(ofRead: function.rawValue))
            self.meaning = meaning
        }

        public var request: [UInt8] {
            [function.rawValue, UInt8(start >> 8), UInt8(start & 0xFF), UInt8(count >> 8), UInt8(count & 0xFF)]
        }

        /// Bytes of a good response: function, number of bytes, data.
        var responseLength: Int { 2 + ModbusRequest.byteCount(ofRead: function.rawValue, count: count) }

        /// The lines that it tells of; those above 255 do not exist.
        public var lines: Range<Int> {
            switch meaning {
            case .inputs(let first): Int(first)..<min(256, Int(first) + (function.readsBits ? count : count * 16))
            case .counters(let counters): Int(counters.firstLine)..<min(256, Int(counters.firstLine) + count / counters.registers)
            case .identifier, .life: 0..<0
            }
        }
    }

    /// Counters of the device that go up by one when an input becomes active.
    public struct Counters: Hashable, Sendable {
        public var firstLine: UInt8
        /// Registers of one counter: 1 or 2.
        public var registers: Int
        /// Of two registers the low one comes first.
        public var isLowFirst: Bool

        public init(firstLine: UInt8 = 0, registers: Int = 1, isLowFirst: Bool = false) {
            self.firstLine = firstLine
            self.registers = min(max(registers, 1), 2)
            self.isLowFirst = isLowFirst
        }
    }

    /// Registers that hold what an RFID reader sees.
    public struct Identifier: Hashable, Sendable {
        public enum Output: Hashable, Sendable {
            case tag
            case badge(BadgeForm)
        }

        /// A bit that says that the identifier counts; a reader without one shows zeros while nothing is there.
        public struct Flag: Hashable, Sendable {
            /// The register among those of the poll, from 0.
            public var register: Int
            /// 0...15
            public var bit: Int

            public init(register: Int, bit: Int = 0) {
                self.register = register
                self.bit = bit
            }
        }

        public var output: Output
        public var flag: Flag?
        /// The register that holds the number of bytes; nil: `byteCount` it is.
        public var lengthRegister: Int?
        /// The bytes of the identifier, 1...62, or the most that there can be.
        public var byteCount: Int
        /// Its first register among those of the poll.
        public var firstRegister: Int
        /// The low byte of each register comes first.
        public var isLowByteFirst: Bool
        /// The last register comes first.
        public var isLastRegisterFirst: Bool
        /// A request to send when an identifier was taken, for readers that wait for it; empty: none.
        public var acknowledgement: [UInt8]

        public init(
            output: Output, flag: Flag? = nil, lengthRegister: Int? = nil, byteCount: Int, firstRegister: Int = 0,
            isLowByteFirst: Bool = false, isLastRegisterFirst: Bool = false, acknowledgement: [UInt8] = []
        ) {
            self.output = output
            self.flag = flag
            self.lengthRegister = lengthRegister
            self.byteCount = byteCount
            self.firstRegister = firstRegister
            self.isLowByteFirst = isLowByteFirst
            self.isLastRegisterFirst = isLastRegisterFirst
            self.acknowledgement = acknowledgement
        }
    }

    /// How one input is to be understood.
    public struct LineSettings: Hashable, Sendable {
        /// A change counts when it has lasted this long, 0...60 s.
        public var debounce: Instant.Span
        /// A current means "not active", as with a contact that opens.
        public var isInverted: Bool
        /// A poll reads how often it became active.
        var hasCounter = false

        public init(debounce: Instant.Span = .zero, isInverted: Bool = false) {
            self.debounce = debounce
            self.isInverted = isInverted
        }
    }
}

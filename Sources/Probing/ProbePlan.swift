import Decoding
import Profiles
import Readings

/// What to try on an unknown serial device, in which order: first listen, then ask what is harmless.
public struct ProbePlan: Hashable, Sendable {
    /// One setting of the line to listen at.
    public struct Listening: Hashable, Sendable {
        public var line: DeviceProfile.SerialLine
        public var duration: Instant.Span
    }

    /// One harmless question at one setting of the line; profiles that share it are answered together.
    public struct Question: Hashable, Sendable {
        public var line: DeviceProfile.SerialLine
        /// A whole frame of its protocol.
        public var send: [UInt8]
        /// Which profiles ask it, by id, and the name of the step in each.
        public var asking: [Asking]
        /// The longest that any of them waits for the answer.
        public var timeout: Instant.Span
        /// How often it is asked.
        public var attempts: Int

        func isSame(_ send: [UInt8], _ line: DeviceProfile.SerialLine) -> Bool { self.send == send && self.line.bare == line }

        public struct Asking: Hashable, Sendable {
            public var profile: String
            public var step: String
            public var expect: BytePattern
        }
    }

    public private(set) var listening: [Listening] = []
    public private(set) var questions: [Question] = []

    /// The shortest time at one setting in which a repeated badge or a scan can be heard.
    static let shortestListening = Instant.Span.milliseconds(500)
    /// No question is waited for longer, whatever its profile says: a device that is asked to identify itself answers at once.
    static let longestAnswer = Instant.Span.seconds(2)
    /// Away from the setting that the profile names, where an answer is unlikely.
    static let longestAnswerElsewhere = Instant.Span.milliseconds(300)

    /// - Parameters:
    ///   - profiles: those of other devices than serial ones are passed over.
    ///   - seconds: how long to listen in all; at least half a second is spent at each setting. 0: not at all.
    ///   - listenOnly: nothing is asked.
    public init(profiles: [DeviceProfile], seconds: Int, listenOnly: Bool = false) {
        let serial = profiles.compactMap { profile in profile.serialLine.map { (profile, $0) } }
        var lines: [(line: DeviceProfile.SerialLine, count: Int)] = []
        for (_, line) in serial {
            let bare = line.bare
            if let place = lines.firstIndex(where: { $0.line == bare }) { lines[place].count += 1 } else { lines.append((bare, 1)) }
        }
        // What most profiles name comes first; then the faster line, because slow garbage takes its time.
        lines.sort { ($1.count, $1.line.baud, $0.line.order) < ($0.count, $0.line.baud, $1.line.order) }
        if seconds > 0, !lines.isEmpty {
            let share = Instant.Span.milliseconds(Int64(seconds) * 1_000 / Int64(lines.count))
            listening = lines.map { Listening(line: $0.line, duration: max(share, Self.shortestListening)) }
        }
        guard !listenOnly else { return }
        let order = lines.map(\.line)
        let sorted = serial.sorted { (Self.place($0.1, order), $0.0.id) < (Self.place($1.1, order), $1.0.id) }
        for (profile, line) in sorted {
            for question in Question.all(of: profile, at: line) { add(question) }
        }
        // A device may have been set to another speed than it is sold with.
        for question in questions {
            for line in order where line != question.line.bare && !questions.contains(where: { $0.isSame(question.send, line) }) {
                var other = question
                (other.line.baud, other.line.dataBits) = (line.baud, line.dataBits)
                (other.line.parity, other.line.stopBits) = (line.parity, line.stopBits)
                other.timeout = min(other.timeout, Self.longestAnswerElsewhere)
                other.attempts = 1
                add(other)
            }
        }
        let first = questions.filter { $0.attempts > 1 }
        let rest = questions.filter { $0.attempts == 1 }.sorted { Self.place($0.line, order) < Self.place($1.line, order) }
        questions = first + rest
    }

    private mutating func add(_ question: Question) {
        guard let place = questions.firstIndex(where: { $0.line == question.line && $0.send == question.send }) else {
            return questions.append(question)
        }
        for asking in question.asking where !questions[place].asking.contains(asking) { questions[place].asking.append(asking) }
        questions[place].timeout = max(questions[place].timeout, question.timeout)
        questions[place].attempts = max(questions[place].attempts, question.attempts)
    }

    private static func place(_ line: DeviceProfile.SerialLine, _ order: [DeviceProfile.SerialLine]) -> Int {
        order.firstIndex(of: line.bare) ?? order.count
    }
}

extension DeviceProfile {
    /// The settings of its serial line; nil: it has none.
    public var serialLine: SerialLine? {
        switch transport {
        case .serial(let line), .tcp(_, let line?): line
        case .evdev, .hidraw, .tcp: nil
        }
    }
}

extension DeviceProfile.SerialLine {
    /// Speed, bits and parity alone: what can be heard to be wrong.
    var bare: DeviceProfile.SerialLine {
        DeviceProfile.SerialLine(baud: baud, dataBits: dataBits, parity: parity, stopBits: stopBits)
    }

    /// For an order that does not change from run to run.
    fileprivate var order: String { "\(8 - dataBits) \(parity.rawValue) \(stopBits)" }

    /// `115200 8N1`
    public var summary: String {
        let parities: [Parity: String] = [.none: "N", .even: "E", .odd: "O"]
        return "\(baud) \(dataBits)\(parities[parity] ?? "?")\(stopBits)"
    }
}

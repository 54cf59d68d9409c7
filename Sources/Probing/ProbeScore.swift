import Decoding
import Readings

/// How well bytes fit a protocol.
public struct ProbeScore: Hashable, Sendable {
    /// Tags, scans, badges and inputs.
    public var readings = 0
    /// Whole frames that are no readings: answers, ends of rounds, signs of life, faults.
    public var frames = 0
    public var rejects = RejectCounts()
    /// Bytes or key events that were looked at.
    public var input = 0
    /// Errors of the line that the driver counted meanwhile.
    public var lineErrors: UInt64 = 0
    /// Whether frames have a length or a check, so that chance does not make any.
    public var isChecked: Bool
    /// Whether the device gave the answer that only this protocol gives.
    public var isAnswered = false
    /// Whether what was read as text looks like text.
    public var isLegible = true

    /// From here on nothing else need be tried.
    public static let conclusive = 80
    /// From here on it is worth proposing.
    public static let worthwhile = 40

    public init(isChecked: Bool) { self.isChecked = isChecked }

    /// 0...100. A good answer to a question is everything; a good frame of a protocol that checks its frames is much, each further one
    /// more; text without a check is worth proposing at most. Bytes that fit nowhere and errors of the line take away.
    public var points: Int {
        if isAnswered { return 100 }
        let good = readings + frames
        guard good > 0, input > 0 else { return 0 }
        if !isChecked {
            guard isLegible, readings > 0 else { return 10 }
            return min(60, 48 + 4 * min(readings, 3)) - penalty
        }
        return max(1, min(100, 75 + 5 * good) - penalty)
    }

    private var penalty: Int {
        let bad = rejects.byReason.reduce(into: UInt64(0)) { sum, entry in
            // Noise and unknown keys are counted one by one; a duplicate and a random number are good frames; the others are whole frames or scans.
            switch entry.reason {
            case .duplicate, .randomNumber: break
            case .noise, .unknownKey: sum &+= entry.count
            default: sum &+= 8 &* entry.count
            }
        }
        let share = Int(clamping: min(bad, UInt64(clamping: input)) &* 40 / UInt64(clamping: max(input, 1)))
        return share + (lineErrors > 0 ? 20 : 0)
    }

    /// Takes what a decoder brought.
    mutating func add(_ batch: DecodedBatch) {
        readings += batch.readings.count
        for case .scan(let scan) in batch.readings where !Self.isLegible(scan.data) { isLegible = false }
        frames += batch.signals.count { signal in
            switch signal {
            case .reply, .antennaFault: false
            case .answer, .alive, .interrupted, .noRead, .roundEnded, .roundFailed, .fault: true
            }
        }
        rejects += batch.rejects
    }

    /// Printable ASCII and the separators of GS1 and ISO/IEC 15434, or valid UTF-8 with nothing else below the blank: a wrong speed
    /// gives neither for long.
    static func isLegible(_ data: [UInt8]) -> Bool {
        guard !data.isEmpty, String(validating: data, as: UTF8.self) != nil else { return false }
        return data.allSatisfy { $0 >= 0x20 && $0 != 0x7F || [0x04, 0x1C, 0x1D, 0x1E, 0x1F].contains($0) }
    }
}

/// One protocol that looks at what a device sends, beside others.
public struct ProbeListener: Sendable {
    public let configuration: DecoderConfiguration
    public private(set) var score: ProbeScore
    /// The frames that could be answers, the newest last; at most 32.
    public private(set) var answers: [[UInt8]] = []
    /// What was read, at most 10,000.
    public private(set) var readings: [Reading] = []
    private var decoder: any Decoder
    private var batch = DecodedBatch()

    public init(_ configuration: DecoderConfiguration) {
        self.configuration = configuration
        decoder = configuration.makeDecoder()
        score = ProbeScore(isChecked: configuration.isChecked)
    }

    public mutating func receive(_ bytes: [UInt8], at now: Instant) {
        advance(to: now)
        bytes.withUnsafeBytes { decoder.decode($0, at: now, into: &batch) }
        score.input += bytes.count
        collect()
    }

    public mutating func key(_ code: UInt16, value: Int32, at now: Instant) {
        advance(to: now)
        decoder.decode(key: code, value: value, at: now, into: &batch)
        score.input += 1
        collect()
    }

    public mutating func inputLost(at now: Instant) {
        decoder.inputLost(at: now, into: &batch)
        collect()
    }

    /// Silence ends what has no terminator.
    public mutating func advance(to now: Instant) {
        while let deadline = decoder.nextDeadline, deadline <= now { decoder.advance(to: deadline, into: &batch) }
        collect()
    }

    public mutating func count(lineErrors: UInt64) { score.lineErrors &+= lineErrors }

    public mutating func answered() { score.isAnswered = true }

    private mutating func collect() {
        score.add(batch)
        for case .answer(let frame) in batch.signals { answers.append(frame) }
        readings += batch.readings.prefix(max(0, 10_000 - readings.count))
        if answers.count > 32 { answers.removeFirst(answers.count - 32) }
        batch.removeAll()
    }
}

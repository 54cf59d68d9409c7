import Decoding
import Profiles
import Readings

/// What a probe saw, asked and concluded.
public struct ProbeResult: Hashable, Sendable {
    /// What came at one setting of the line.
    public struct Heard: Hashable, Sendable {
        public var line: DeviceProfile.SerialLine
        public var byteCount = 0
        /// The first bytes, at most `sampleLength`.
        public var sample: [UInt8] = []
        /// nil: the driver counts none.
        public var lineErrors: UInt64?
        /// Why the driver does not do this setting; nil: it does.
        public var refusal: String?

        public static let sampleLength = 64
    }

    /// A question that was sent.
    public struct Asked: Hashable, Sendable {
        public var question: ProbePlan.Question
        /// The frame that answered it, or else what came instead; nil: nothing came.
        public var answer: [UInt8]?
        /// The profiles that expect this answer.
        public var profiles: [String] = []
    }

    /// A profile that fits.
    public struct Candidate: Hashable, Sendable {
        public var profile: String
        public var name: String
        public var line: DeviceProfile.SerialLine
        /// The address on the bus at which it was found; nil: it has none, or the one that is taken when nothing is said.
        public var unit: UInt8?
        public var score: ProbeScore
        /// Whether udev's properties of the port name this profile.
        public var isMatched: Bool
        /// Whether the line is set otherwise than the profile says.
        public var isElsewhere: Bool
        /// Whether its rules name a device that this one is not.
        var isForeign: Bool

        /// The score, and what the port itself says.
        public var points: Int { max(0, min(100, score.points + (isMatched ? 20 : 0) - (isForeign ? 4 : 0) - (isElsewhere ? 8 : 0))) }
    }

    public var heard: [Heard] = []
    public var asked: [Asked] = []
    /// The best first.
    public var candidates: [Candidate] = []
    public var isInterrupted = false

    /// What to propose.
    public var found: Candidate? { candidates.first.flatMap { $0.points >= ProbeScore.worthwhile ? $0 : nil } }

    public var byteCount: Int { heard.reduce(0) { $0 + $1.byteCount } + asked.reduce(0) { $0 + ($1.answer?.count ?? 0) } }

    /// The lines of a site file that make the gateway read this device.
    /// - Parameter port: the name by which the site file shall know it.
    public static func siteLines(_ candidate: Candidate, port: String) -> [String] {
        func quoted(_ text: String) -> String { "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\"" }
        var lines = ["[[device]]", "name = \"device-1\"", "profile = \(quoted(candidate.profile))", "port = \(quoted(port))"]
        if let unit = candidate.unit { lines.append("unit = \(unit)") }
        if candidate.isElsewhere { lines.append("baud = \(candidate.line.baud)") }
        return lines
    }
}

extension ProbeResult {
    /// The stable form for programs; `docs/cli.md` describes it.
    public func json(port: String, stablePort: String) -> JSON {
        .compact([
            "port": .string(port), "found": .bool(found != nil), "interrupted": isInterrupted ? true : nil,
            "profile": found.map { .string($0.profile) }, "name": found.map { .string($0.name) }, "line": found.map { $0.line.json },
            "candidates": .array(candidates.map(\.json)), "heard": .array(heard.map(\.json)), "asked": .array(asked.map(\.json)),
            "site": found.map { .string(Self.siteLines($0, port: stablePort).joined(separator: "\n") + "\n") },
        ])
    }
}

extension DeviceProfile.SerialLine {
    var json: JSON {
        [
            "baud": .integer(Int64(baud)), "data_bits": .integer(Int64(dataBits)), "parity": .string(parity.rawValue),
            "stop_bits": .integer(Int64(stopBits)),
        ]
    }
}

extension ProbeResult.Candidate {
    fileprivate var json: JSON {
        [
            "profile": .string(profile), "name": .string(name), "line": line.json, "points": .integer(Int64(points)),
            "readings": .integer(Int64(score.readings)), "frames": .integer(Int64(score.frames)),
            "rejects": .object(
                Dictionary(
                    score.rejects.byReason.map { ("\($0.reason)", .integer(Int64(clamping: $0.count))) }, uniquingKeysWith: { $1 })),
            "answered": .bool(score.isAnswered), "matched": .bool(isMatched),
        ]
    }
}

extension ProbeResult.Heard {
    fileprivate var json: JSON {
        .compact([
            "line": line.json, "bytes": .integer(Int64(byteCount)), "hex": .string(Hex.text(sample)),
            "errors": lineErrors.map { .integer(Int64(clamping: $0)) }, "refusal": refusal.map(JSON.string),
        ])
    }
}

extension ProbeResult.Asked {
    fileprivate var json: JSON {
        .compact([
            "line": question.line.json, "send": .string(Hex.text(question.send)), "answer": answer.map { .string(Hex.text($0)) },
            "profiles": .array(profiles.map(JSON.string)),
        ])
    }
}

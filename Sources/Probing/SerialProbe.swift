import Decoding
import Devices
import Profiles
import Readings

/// What a probe needs of a serial line.
public protocol ProbedLine {
    /// - Throws: `DeviceError` with operation `.configure` where the driver does not do this setting; any other ends the probe.
    func apply(_ line: DeviceProfile.SerialLine) throws(DeviceError)
    func read(waiting milliseconds: Int32) throws(DeviceError) -> [UInt8]
    func write(_ bytes: [UInt8]) throws(DeviceError)
    /// Errors that a wrong setting makes, counted since any fixed moment; nil: the driver counts none.
    var lineErrors: UInt64? { get }
    var now: Instant { get }
}

/// Finds out what is on a serial line: carries out a plan, lets every protocol look at what comes, and draws the conclusion.
public struct SerialProbe {
    /// What is being done, for a person who waits.
    public enum Progress: Sendable {
        case listening(ProbePlan.Listening)
        case heard(ProbeResult.Heard)
        case asking(ProbePlan.Question)
        case asked(ProbeResult.Asked)
    }

    private struct Best {
        var line: DeviceProfile.SerialLine
        var score: ProbeScore
    }

    private let profiles: [DeviceProfile]
    private let plan: ProbePlan
    private let properties: [String: String]
    private let isInterrupted: () -> Bool
    private let report: (Progress) -> Void
    private var result = ProbeResult()
    /// What each protocol made of it where it did best.
    private var best: [DecoderConfiguration: Best] = [:]
    /// By profile: the setting at which it was answered.
    private var answered: [String: DeviceProfile.SerialLine] = [:]

    /// The longest wait for bytes between two looks at `isInterrupted`, in milliseconds.
    private static let slice: Int64 = 100

    /// - Parameters:
    ///   - profiles: all that are known; those of serial devices take part.
    ///   - properties: what udev says of the port.
    public init(
        profiles: [DeviceProfile], plan: ProbePlan, properties: [String: String] = [:], isInterrupted: @escaping () -> Bool = { false },
        report: @escaping (Progress) -> Void = { _ in }
    ) {
        self.profiles = profiles.filter { $0.serialLine != nil }
        self.plan = plan
        self.properties = properties
        self.isInterrupted = isInterrupted
        self.report = report
    }

    /// - Throws: `DeviceError` when the device is gone.
    public mutating func run(on line: some ProbedLine) throws(DeviceError) -> ProbeResult {
        try listen(on: line)
        // Who talks by itself is not asked: a scanner could take the question for a setting.
        if conclude().found == nil, !isInterrupted() { try ask(on: line) }
        var result = conclude()
        result.isInterrupted = isInterrupted()
        return result
    }

    // MARK: Listening

    private mutating func listen(on line: some ProbedLine) throws(DeviceError) {
        let configurations = Set(profiles.map(\.decoder)).filter { !$0.isModbus }
        for listening in plan.listening where !isInterrupted() {
            report(.listening(listening))
            var heard = ProbeResult.Heard(line: listening.line)
            var listeners = configurations.map(ProbeListener.init)
            defer {
                result.heard.append(heard)
                report(.heard(heard))
            }
            guard try apply(listening.line, to: line, heard: &heard) else { continue }
            let errors = line.lineErrors
            let end = line.now + listening.duration
            var isConclusive = false
            while line.now < end, !isInterrupted(), !isConclusive {
                let bytes = try line.read(waiting: Self.wait(from: line.now, until: end))
                for index in listeners.indices {
                    bytes.isEmpty ? listeners[index].advance(to: line.now) : listeners[index].receive(bytes, at: line.now)
                }
                heard.byteCount += bytes.count
                heard.sample += bytes.prefix(ProbeResult.Heard.sampleLength - heard.sample.count)
                isConclusive = listeners.contains { $0.score.points >= ProbeScore.conclusive + 10 }
            }
            if let errors, let after = line.lineErrors {
                heard.lineErrors = after &- errors
                for index in listeners.indices { listeners[index].count(lineErrors: after &- errors) }
            }
            for var listener in listeners {
                // Half a scan at the end of the time is none; a whole one that only silence ends is one.
                listener.advance(to: line.now + .milliseconds(200))
                note(listener, at: listening.line)
            }
            if isConclusive || conclude().found != nil { return }
        }
    }

    private func apply(
        _ settings: DeviceProfile.SerialLine, to line: some ProbedLine, heard: inout ProbeResult.Heard
    ) throws(DeviceError) -> Bool {
        do throws(DeviceError) {
            try line.apply(settings)
            return true
        } catch {
            // Not every chip knows every speed.
            guard error.operation == .configure else { throw error }
            heard.refusal = error.description
            return false
        }
    }

    private mutating func note(_ listener: ProbeListener, at line: DeviceProfile.SerialLine) {
        guard listener.score.points > best[listener.configuration]?.score.points ?? 0 else { return }
        best[listener.configuration] = Best(line: line, score: listener.score)
    }

    private static func wait(from now: Instant, until end: Instant) -> Int32 {
        Int32(clamping: max(1, min(slice, (end - now).milliseconds)))
    }

    // MARK: Asking

    private mutating func ask(on line: some ProbedLine) throws(DeviceError) {
        var applied: DeviceProfile.SerialLine?
        for question in plan.questions where !isInterrupted() {
            if applied != question.line {
                var heard = ProbeResult.Heard(line: question.line)
                applied = nil
                guard try apply(question.line, to: line, heard: &heard) else { continue }
                applied = question.line
                try pause(question.line.openDelay, line)
            }
            report(.asking(question))
            var asked = ProbeResult.Asked(question: question)
            for _ in 0..<question.attempts where asked.profiles.isEmpty && !isInterrupted() { try ask(question, on: line, &asked) }
            result.asked.append(asked)
            report(.asked(asked))
            if !asked.profiles.isEmpty { return }
        }
    }

    private mutating func ask(_ question: ProbePlan.Question, on line: some ProbedLine, _ asked: inout ProbeResult.Asked)
        throws(DeviceError)
    {
        let decoders = Set(question.asking.compactMap { asking in profiles.first { $0.id == asking.profile }?.decoder })
        var listeners = decoders.map(ProbeListener.init)
        var received: [UInt8] = []
        try line.write(question.send)
        let end = line.now + question.timeout
        while line.now < end, !isInterrupted(), asked.profiles.isEmpty {
            let bytes = try line.read(waiting: Self.wait(from: line.now, until: end))
            guard !bytes.isEmpty else { continue }
            received += bytes.prefix(1_024 - min(received.count, 1_024))
            for index in listeners.indices where !listeners[index].configuration.isModbus {
                listeners[index].receive(bytes, at: line.now)
            }
            for asking in question.asking {
                guard let decoder = profiles.first(where: { $0.id == asking.profile })?.decoder,
                    let answers = listeners.first(where: { $0.configuration == decoder })?.answers,
                    let frame = question.answer(expected: asking.expect, by: decoder, answers: answers, received: received)
                else { continue }
                asked.answer = frame
                asked.profiles.append(asking.profile)
                answered[asking.profile] = question.line
            }
        }
        if asked.profiles.isEmpty, !received.isEmpty { asked.answer = Array(received.prefix(ProbeResult.Heard.sampleLength)) }
        for var listener in listeners {
            if !asked.profiles.isEmpty { listener.answered() }
            note(listener, at: question.line.bare)
        }
    }

    private func pause(_ span: Instant.Span, _ line: some ProbedLine) throws(DeviceError) {
        let end = line.now + span
        while line.now < end, !isInterrupted() { _ = try line.read(waiting: Self.wait(from: line.now, until: end)) }
    }

    // MARK: Conclusion

    private func conclude() -> ProbeResult {
        var result = result
        let forgives = Set(profiles.filter { $0.decoder.forgivesWrongChecks }.map(\.id))
        result.candidates = profiles.compactMap { profile in
            guard let own = profile.serialLine, let best = best[profile.decoder] else { return nil }
            var score = best.score
            if let line = answered[profile.id] {
                return candidate(profile, at: line.bare, own: own, score)
            }
            // Another profile with the same decoder was answered, this one was not.
            score.isAnswered = false
            guard score.points > 0 else { return nil }
            return candidate(profile, at: best.line, own: own, score)
        }.sorted { left, right in
            if left.points != right.points { return left.points > right.points }
            // What a strict decoder takes, one that overlooks a wrong check takes as well.
            let (leftForgives, rightForgives) = (forgives.contains(left.profile), forgives.contains(right.profile))
            if leftForgives != rightForgives { return rightForgives }
            return left.profile < right.profile
        }
        return result
    }

    private func candidate(
        _ profile: DeviceProfile, at line: DeviceProfile.SerialLine, own: DeviceProfile.SerialLine, _ score: ProbeScore
    ) -> ProbeResult.Candidate {
        let isMatched = profile.rules.contains { rule in
            rule.properties.allSatisfy { key, pattern in properties[key].map { MatchRule.matches($0, pattern: pattern) } ?? false }
        }
        // Without a match the profile that is for any device of its kind is the safer one.
        return ProbeResult.Candidate(
            profile: profile.id, name: profile.name, line: line, unit: profile.decoder.isModbus ? ProbePlan.Question.modbusUnit : nil,
            score: score, isMatched: isMatched, isElsewhere: line != own.bare,
            isForeign: !profile.rules.isEmpty && !isMatched)
    }
}

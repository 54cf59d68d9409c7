/// Which profile a device gets by its udev properties, and why no other.
public struct MatchExplanation: Hashable, Sendable, CustomStringConvertible {
    public enum Outcome: Hashable, Sendable {
        case matched(profile: String)
        /// Several rules agree with equally many properties: none is taken, the site file must say.
        case ambiguous(profiles: [String])
        case none
    }

    public struct Candidate: Hashable, Sendable {
        public var profile: String
        public var result: Result

        public init(profile: String, result: Result) {
            self.profile = profile
            self.result = result
        }
    }

    public enum Result: Hashable, Sendable {
        /// So many properties agreed.
        case matched(properties: Int)
        /// The first property that did not agree, of the rule that came furthest; `found` is nil when the device has no such property.
        case failed(property: String, expected: String, found: String?)
        /// The profile has no rules: it must be named in the site file.
        case bindOnly
    }

    public var outcome: Outcome
    /// One for each profile, by id.
    public var candidates: [Candidate]

    public init(outcome: Outcome, candidates: [Candidate]) {
        self.outcome = outcome
        self.candidates = candidates
    }

    /// The profile to use; nil when there is none or more than one.
    public var profile: String? { if case .matched(let profile) = outcome { profile } else { nil } }

    public var description: String {
        var lines: [String] = []
        switch outcome {
        case .matched(let profile): lines.append("matched \(profile)")
        case .ambiguous(let profiles): lines.append("ambiguous: \(profiles.joined(separator: ", "))")
        case .none: lines.append("no profile matches")
        }
        for candidate in candidates {
            switch candidate.result {
            case .matched(let count): lines.append("  \(candidate.profile): matches, \(count) properties agree")
            case .bindOnly: lines.append("  \(candidate.profile): must be named in the site file")
            case .failed(let property, let expected, let found):
                lines.append("  \(candidate.profile): \(property) must be \(expected), is \(found ?? "missing")")
            }
        }
        return lines.joined(separator: "\n")
    }
}

extension ProfileLibrary {
    /// Finds the profile of a device by its udev properties. The rule with the most properties wins.
    public func match(properties: [String: String]) -> MatchExplanation {
        let candidates = profiles.map { MatchExplanation.Candidate(profile: $0.id, result: Self.result(of: $0, properties)) }
        var best = 0
        var winners: [String] = []
        for candidate in candidates {
            guard case .matched(let count) = candidate.result, count >= best else { continue }
            if count > best { winners = [] }
            best = count
            winners.append(candidate.profile)
        }
        let outcome: MatchExplanation.Outcome =
            switch winners.count {
            case 0: .none
            case 1: .matched(profile: winners[0])
            default: .ambiguous(profiles: winners)
            }
        return MatchExplanation(outcome: outcome, candidates: candidates)
    }

    private static func result(of profile: DeviceProfile, _ properties: [String: String]) -> MatchExplanation.Result {
        var best: (count: Int, result: MatchExplanation.Result)?
        for rule in profile.rules {
            var rule = rule
            rule.properties["SUBSYSTEM"] = profile.transport.subsystem
            var agreed = 0
            var result = MatchExplanation.Result.matched(properties: rule.properties.count)
            for (property, pattern) in rule.ordered {
                let found = properties[property]
                guard let found, MatchRule.matches(found, pattern: pattern) else {
                    result = .failed(property: property, expected: pattern, found: found)
                    break
                }
                agreed += 1
            }
            // A whole match comes before any failure, however many properties agreed there.
            if case .matched = result { agreed += 1_000 }
            if agreed > best?.count ?? -1 { best = (agreed, result) }
        }
        return best?.result ?? .bindOnly
    }
}

import Readings
import SiteConfiguration

/// Whether a person may take a tool, and why.
public struct Verdict: Hashable, Sendable {
    /// What one rule says.
    public struct Finding: Hashable, Sendable {
        public var rule: LoanRule
        /// nil: it is kept.
        public var response: RuleResponse?
        /// The figures that it went by.
        public var facts: JSON
    }

    /// On what ground a tool is lent.
    public enum Ground: Hashable, Sendable {
        case permit(Permit)
        /// Its class is lent to everybody.
        case standing
        case none(RuleResponse)

        /// As evidence says it.
        var text: String {
            switch self {
            case .permit: "permit"
            case .standing: "standing"
            case .none(let response): "without_permit:\(response.rawValue)"
            }
        }
    }

    /// In the order of `LoanRule`; rules that the site does not have are left out.
    public var findings: [Finding]
    public var ground: Ground
    /// When it would have to be back.
    public var due: WallTime

    public var response: RuleResponse { findings.compactMap(\.response).max() ?? .allow }

    /// What is told first: the first of the broken rules with the hardest response.
    public var reason: Finding? {
        let response = response
        return findings.first { $0.response == response }
    }

    /// For the API.
    public var json: JSON {
        var permit: JSON?
        if case .permit(let found) = ground { permit = .string(found.key.text) }
        return .compact([
            "verdict": .string(response.rawValue), "reason": reason.map { .string($0.rule.rawValue) },
            "ground": .string(ground.text), "permit": permit, "due": .string(due.rfc3339),
            "rules": .array(findings.map(\.json)),
        ])
    }
}

extension Verdict.Finding {
    /// For the API.
    public var json: JSON {
        .compact([
            "rule": .string(rule.rawValue), "broken": .bool(response != nil), "response": response.map { .string($0.rawValue) },
            "facts": facts.isNull ? nil : facts,
        ])
    }
}

extension LoanRule {
    /// What somebody must look at when it is broken.
    public var exception: ExceptionKind {
        switch self {
        case .blocked: .personBlocked
        case .overdue: .personOverdue
        case .credit: .lowCredit
        case .condition: .notAvailable
        case .calibration: .calibrationDue
        case .certificate: .certificateMissing
        case .secondPerson: .secondPersonMissing
        case .quota, .classQuota: .overQuota
        case .value: .overValue
        case .monthly: .monthlyLimit
        case .hours: .outsideHours
        case .masterAge: .masterOld
        case .permit: .notPermitted
        }
    }
}

import Readings
import SiteConfiguration

/// One rule of an answer to "may this person take this tool", in words with its figures.
public enum RuleText {
    /// - Parameters:
    ///   - rule: an element of `rules` of `GET /v1/may`.
    ///   - answer: the whole answer, which says on what ground a tool would be lent.
    public static func reason(_ rule: JSON, in answer: JSON, _ language: Site.Language) -> Printable {
        let facts = rule["facts"] ?? .null
        let isBroken = rule["broken"] == true
        var values: [String: Printable] = [:]
        for (name, value) in facts.object ?? [:] { values[name] = text(value, language) }
        values["condition"] = LoanText.code(facts["condition"]?.string, of: "condition", language)
        values["ground"] = ground(answer["ground"]?.string, permit: answer["permit"]?.string, language)
        if isBroken, rule["rule"] == "master_age", facts["hours"] == nil { return LoanText.brokenMasterUnknown(language, values) }
        return LoanText.code(rule["rule"]?.string, of: isBroken ? "broken" : "kept", language, values)
    }

    /// `ok`, `flag`, `NO`.
    public static func verdict(_ rule: JSON, _ language: Site.Language) -> Printable {
        LoanText.code(rule["broken"] == true ? rule["response"]?.string : "kept", of: "verdict", language)
    }

    /// On what ground a tool is lent.
    /// - Parameter code: `permit`, `standing` or `without_permit:RESPONSE`.
    public static func ground(_ code: String?, permit: String?, _ language: Site.Language) -> Printable {
        LoanText.code(code, of: "ground", language, ["permit": Printable(escaping: permit ?? "", limit: 64)])
    }

    private static func text(_ value: JSON, _ language: Site.Language) -> Printable {
        switch value {
        case .string(let text): Printable(escaping: text, limit: 128)
        case .array(let elements):
            elements.prefix(8).map { Printable(escaping: $0.string ?? "", limit: 64) }.joined(separator: Text.listSeparator(language))
        default: Printable(escaping: value.canonicalText)
        }
    }
}

import Identifiers
import Readings
import SiteConfiguration

/// Reads the members of one row by the schema of its set and notes what is wrong with them.
struct MasterRowReader {
    let row: MasterRow
    let index: Int
    private(set) var problems: [MasterProblem] = []

    init(row: MasterRow, index: Int) {
        self.row = row
        self.index = index
        let members = row.set.members
        for name in row.body.keys.sorted() where !members.contains(where: { $0.name == name }) {
            add(.unknownMember, name, "\(row.set.rawValue) have no such member; they have \(members.map(\.name).joined(separator: ", "))")
        }
        for member in members where member.isRequired && (row.body[member.name] ?? .null).isNull {
            add(.missingMember, member.name, "is missing")
        }
    }

    mutating func add(_ code: MasterProblem.Code, _ member: String?, _ message: String) {
        problems.append(MasterProblem(row: index, set: row.set, id: row.id, member: member, code: code, message: message))
    }

    /// - Returns: whether the row can be taken.
    func finish() -> Bool { problems.isEmpty }

    /// The member, unless it is missing or null.
    private func value(_ name: String) -> JSON? {
        guard let value = row.body[name], !value.isNull else { return nil }
        return value
    }

    /// A text, key or reference.
    mutating func text(_ name: String) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.string else {
            add(.wrongType, name, "must be text in quotation marks")
            return nil
        }
        return accept(text, name) ? text : nil
    }

    private mutating func accept(_ text: String, _ name: String) -> Bool {
        let limit = if case .text(let limit)? = row.set.members.first(where: { $0.name == name })?.kind { limit } else { 0 }
        let isFine = limit > 0 ? MasterRow.isPlain(text, maximumBytes: limit) : ItemKey(text) != nil
        if !isFine { add(.badValue, name, "is empty, too long, or has characters that cannot be seen") }
        return isFine
    }

    mutating func integer(_ name: String) -> Int64? {
        guard let value = value(name) else { return nil }
        guard let number = value.integer else {
            add(.wrongType, name, "must be a whole number")
            return nil
        }
        if case .integer(let range)? = row.set.members.first(where: { $0.name == name })?.kind, !range.contains(number) {
            add(.badValue, name, "must be \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    mutating func boolean(_ name: String) -> Bool? {
        guard let value = value(name) else { return nil }
        if value.bool == nil { add(.wrongType, name, "must be true or false") }
        return value.bool
    }

    /// One text or a list of texts.
    mutating func texts(_ name: String) -> [String] {
        guard let value = value(name) else { return [] }
        let texts = (value.array ?? [value]).map(\.string)
        let isFine: (String) -> Bool =
            name == "code" ? { MasterRow.isPlain($0, maximumBytes: MasterRow.maximumCodeLength) } : { ItemKey($0) != nil }
        guard texts.count <= 1_000, texts.allSatisfy({ $0.map(isFine) ?? false }) else {
            add(.wrongType, name, "must be a list of at most 1000 texts, none empty, too long or with characters that cannot be seen")
            return []
        }
        return texts.compactMap { $0 }
    }

    /// What is wrong with an address is said without repeating it: problems are logged and sent upstream.
    mutating func email(_ name: String) -> MailAddress? {
        guard let value = value(name) else { return nil }
        guard let text = value.string else {
            add(.wrongType, name, "must be text in quotation marks")
            return nil
        }
        let address = MailAddress(text)
        if address == nil {
            add(.badValue, name, "must be one mail address, NAME@DOMAIN, of at most \(MailAddress.maximumBytes) bytes")
        }
        return address
    }

    mutating func language(_ name: String) -> Site.Language? {
        guard let text = text(name) else { return nil }
        let language = Site.Language(rawValue: text)
        if language == nil { add(.badValue, name, "must be \(Site.Language.allCases.map(\.rawValue).joined(separator: " or "))") }
        return language
    }

    mutating func date(_ name: String) -> CivilDate? {
        guard let text = text(name) else { return nil }
        let date = CivilDate(text)
        if date == nil { add(.badValue, name, "must be a day as YYYY-MM-DD") }
        return date
    }

    /// Certificates and the last day of each.
    mutating func held(_ name: String) -> [String: CivilDate?] {
        guard let value = value(name) else { return [:] }
        guard let members = value.object, members.count <= 100, members.keys.allSatisfy({ ItemKey($0) != nil }) else {
            add(.wrongType, name, "must be an object of at most 100 certificates, each with its last day or null")
            return [:]
        }
        var held: [String: CivilDate?] = [:]
        for (certificate, day) in members {
            let date = day.string.flatMap { CivilDate($0) }
            if date == nil, !day.isNull { add(.badValue, name, "the last day of \(certificate) must be YYYY-MM-DD or null") }
            held.updateValue(date, forKey: certificate)
        }
        return held
    }

    /// 14 digits.
    mutating func gtin(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        let padded = GTIN.padded14(text)
        if padded == nil { add(.badValue, name, "must be a GTIN of 8, 12, 13 or 14 digits with a right check digit") }
        return padded
    }

    mutating func gln(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        guard text.utf8.count == 13, CheckDigit.isValid(text) else {
            add(.badValue, name, "must be a GLN of 13 digits with a right check digit")
            return nil
        }
        return text
    }

    /// The one URI of the thing from its members `gs1` and `uri`, and all texts under which it may be scanned.
    mutating func canonicalURI() -> (canonical: String?, codes: [String]) {
        var codes: [String] = []
        var canonical: String?
        for name in ["gs1", "uri"] {
            guard let value = value(name) else { continue }
            guard let text = value.string, MasterRow.isPlain(text, maximumBytes: MasterRow.maximumCodeLength) else {
                add(.wrongType, name, "must be text of at most \(MasterRow.maximumCodeLength) bytes")
                continue
            }
            let message =
                (try? GS1Message(digitalLink: text, options: MasterCodes.options))
                ?? (name == "gs1" ? try? GS1Message(bracketed: text, options: MasterCodes.options) : nil)
            let found = message?.identityURI
            if name == "gs1", found == nil {
                add(.badValue, name, "must be a GS1 element string as (01)09506000134352(21)1 or a Digital Link")
                continue
            }
            let isURI = ["https:", "http:", "urn:"].contains { text.lowercased().hasPrefix($0) } && !text.contains(" ")
            if name == "uri", !isURI {
                add(.badValue, name, "must begin with https:, http: or urn:")
                continue
            }
            canonical = canonical ?? found ?? text
            codes += [text] + (found.map { [$0] } ?? [])
        }
        return (canonical, codes)
    }
}

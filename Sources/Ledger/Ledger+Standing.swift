import Readings
import SiteConfiguration

/// How a person stands with the tool crib, whatever tool it is about.
public struct BorrowerStanding: Hashable, Sendable {
    /// What concerns the person alone, in the order of `LoanRule`.
    public var findings: [Verdict.Finding]
    /// 0...100, by `BorrowerRecord.credit`; nil: the date is not known.
    public var credit: Int?
    /// Tools that the person has.
    public var open: Int
    /// Of those past their due time.
    public var overdue: Int
    /// Sum of their values, in the smallest unit of money.
    public var value: Int64
    /// Checkouts that began in this month; nil: the date is not known.
    public var month: Int64?

    public var response: RuleResponse { findings.compactMap(\.response).max() ?? .allow }

    /// For the API.
    public var json: JSON {
        .compact([
            "credit": credit.map { .integer(Int64($0)) }, "open": .integer(Int64(open)), "overdue": .integer(Int64(overdue)),
            "value": .integer(value), "month": month.map(JSON.integer),
        ])
    }
}

extension Ledger {
    /// - Parameter station: where; nil: the site's own hours count.
    /// - Returns: nil for a person who is not in the master data.
    public func standing(of key: PersonKey, at time: WallTime, station: String? = nil) -> BorrowerStanding? {
        guard let person = master.people[key] else { return nil }
        let findings = ruleFindings(about: person, at: time, station: site.stations.first { $0.name == station })
        let loans = state.loans.of(key)
        let month = time.quality == .unknown ? nil : BorrowerRecord.month(of: time.localDate)
        return BorrowerStanding(
            findings: findings, credit: month.map { _ in credit(of: key, at: time) }, open: loans.count,
            overdue: daysOverdue(of: key, at: time).count,
            value: loans.reduce(Int64(0)) { $0 &+ self.value(of: $1.item) }, month: month.map { self.loans(of: key, in: $0) })
    }
}

extension MasterData {
    /// Whom people mean by an employee number or a key; nil: nobody.
    public func person(called reference: String) -> PersonKey? {
        if let key = PersonKey(reference), people[key] != nil { return key }
        // By bytes, as the store compares keys; the smallest key, should two people share a number.
        return people.values.filter { $0.number.map { $0.utf8.elementsEqual(reference.utf8) } ?? false }.map(\.key).min()
    }
}

import Identifiers
import Readings

/// Why a tool that is not out cannot simply be lent.
public enum ToolCondition: String, Hashable, Sendable, CaseIterable {
    /// It came back, and its class demands that somebody looks at it.
    case uninspected
    case damaged
    /// A kit of which something is missing.
    case incomplete
    /// Reported lost.
    case lost
}

/// What the log says of one tool beside its open loan.
public struct ToolRecord: Hashable, Sendable {
    public var condition: ToolCondition?
    /// Loans that were closed, since the last maintenance and in all.
    public var uses: Int64 = 0
    public var usesInAll: Int64 = 0
    /// Minutes for which it was out, since the last maintenance and in all.
    public var minutes: Int64 = 0
    public var minutesInAll: Int64 = 0
    /// It was said already that it needs maintenance.
    public var isMaintenanceTold = false
    /// The event that closed its last loan, or said that it is in; 0: none, or what it said is taken back.
    public var closed: Int64 = 0
    /// Who had it, the latest last.
    public var borrowers: [PersonKey] = []
    /// The loan that was closed last.
    public var loan: LoanNumber?

    static let maximumBorrowers = 4
    private static let largest: Int64 = 1 << 53

    /// A loan of it was closed, or, with a negative sign, was not closed after all.
    mutating func count(_ loan: Loan, minutes out: Int64, sign: Int64, by event: Int64) {
        func sum(_ value: Int64, _ change: Int64) -> Int64 { Swift.max(0, Swift.min(Self.largest, value &+ sign &* change)) }
        uses = sum(uses, 1)
        usesInAll = sum(usesInAll, 1)
        minutes = sum(minutes, out)
        minutesInAll = sum(minutesInAll, out)
        self.loan = sign > 0 ? loan.number : nil
        if sign > 0 {
            closed = event
            borrowers = (borrowers + [loan.person]).suffix(Self.maximumBorrowers)
        } else {
            closed = 0
            if borrowers.last == loan.person { borrowers.removeLast() }
        }
    }

    mutating func serviced() {
        (uses, minutes, isMaintenanceTold) = (0, 0, false)
    }

    /// The row `tool/ITEM`.
    public var row: JSON {
        .compact([
            "condition": condition.map { .string($0.rawValue) }, "uses": .integer(uses), "uses_in_all": .integer(usesInAll),
            "minutes": .integer(minutes), "minutes_in_all": .integer(minutesInAll),
            "maintenance_told": isMaintenanceTold ? true : nil, "closed": closed == 0 ? nil : .integer(closed),
            "borrowers": .array(borrowers.map { .string($0.text) }),
            "loan": loan.map { .string($0.description) },
        ])
    }

    init() {}

    init?(row: JSON) {
        func number(_ name: String) -> Int64? { row[name]?.integer.flatMap { (0...Self.largest).contains($0) ? $0 : nil } }
        guard let uses = number("uses"), let usesInAll = number("uses_in_all"), let minutes = number("minutes"),
            let minutesInAll = number("minutes_in_all")
        else { return nil }
        condition = row["condition"]?.string.flatMap(ToolCondition.init)
        (self.uses, self.usesInAll, self.minutes, self.minutesInAll) = (uses, usesInAll, minutes, minutesInAll)
        closed = row["closed"] == nil ? 0 : number("closed") ?? 0
        isMaintenanceTold = row["maintenance_told"]?.bool ?? false
        borrowers = (row["borrowers"]?.array ?? []).suffix(Self.maximumBorrowers).compactMap { $0.string.flatMap(PersonKey.init) }
        loan = row["loan"]?.string.flatMap(LoanNumber.init)
    }
}

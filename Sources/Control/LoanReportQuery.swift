import Readings

/// Which report of loans is asked for.
public struct LoanReportQuery: Hashable, Sendable {
    /// The first day of the month, by the site's calendar; nil: of the present one.
    public var month: CivilDate?
    /// So many months without a loan make dead stock.
    public var deadMonths: Int

    public static let deadMonths = 1...120
    public static let usualDeadMonths = 6

    public init(month: CivilDate?, deadMonths: Int = Self.usualDeadMonths) {
        self.month = month
        self.deadMonths = deadMonths
    }

    /// Reads `2026-11` of the years 1970 to 9998; nil for anything else.
    public static func month(_ text: String) -> CivilDate? {
        let bytes = Array(text.utf8)
        guard bytes.count == 7, bytes[4] == 0x2D, (bytes[..<4] + bytes[5...]).allSatisfy({ (0x30...0x39).contains($0) }),
            let year = Int(text.prefix(4)), let month = Int(text.suffix(2)), (1970...9_998).contains(year)
        else { return nil }
        return CivilDate(year: year, month: month, day: 1)
    }
}

extension ControlRequest {
    func loanReportQuery() throws(OperationError) -> LoanReportQuery {
        var query = LoanReportQuery(month: nil)
        if let text = try self.query("month") {
            guard let month = LoanReportQuery.month(text) else { throw OperationError(.invalid, "month: must be one such as 2026-11") }
            query.month = month
        }
        let bounds = LoanReportQuery.deadMonths
        if let months = try number("dead_months", in: Int64(bounds.lowerBound)...Int64(bounds.upperBound)) {
            query.deadMonths = Int(months)
        }
        return query
    }
}

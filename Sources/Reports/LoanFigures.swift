import Ledger
import Readings

/// What is counted of loans: for the site, and for each person, class, station and tool.
public struct LoanFigures: Hashable, Sendable {
    /// Loans that began in the month. One of several classes counts in each of them.
    public var loans: Int64 = 0
    /// Items that were taken in the month, handed over ones included.
    public var items: Int64 = 0
    /// Items that came back in the month: by when they had to, or later.
    public var onTime: Int64 = 0
    public var late: Int64 = 0
    /// How long those that came back had been out, in milliseconds.
    public var spanOut: Int64 = 0
    /// Items that were handed over to another person in the month.
    public var transferred: Int64 = 0
    public var renewed: Int64 = 0
    /// Open and past due, at the end of the month or now.
    public var overdue: Int64 = 0
    public var damaged: Int64 = 0
    public var incomplete: Int64 = 0
    /// Given up in the month; and found again in it.
    public var lost: Int64 = 0
    public var found: Int64 = 0
    /// Items that a rule refused.
    public var refused: Int64 = 0
    /// How long items were out within the month, in milliseconds.
    public var use: Int64 = 0

    public init() {}

    public var returned: Int64 { onTime + late }

    /// How much an item is wanted: how often it was taken, or would have been.
    public var wanted: Int64 { items + refused }

    /// Mean days out of what came back, to a tenth; nil when nothing did.
    public var meanDays: Double? { returned > 0 ? Self.rounded(spanOut, times: 10, over: returned * 86_400_000) / 10 : nil }

    /// Hours for which items were out, to a tenth.
    public var hoursOut: Double { Self.rounded(use, times: 10, over: 3_600_000) / 10 }

    /// Which part of the time things were out, to a thousandth, 0...1; nil where there is no time or nothing to lend.
    /// - Parameters:
    ///   - tools: so many things.
    ///   - span: the time that there was, in milliseconds.
    public func utilisation(of tools: Int, over span: Int64) -> Double? {
        guard tools > 0, span > 0 else { return nil }
        return min(1, Self.rounded(use, times: 1_000, over: Int64(tools).multipliedReportingOverflow(by: span).partialValue) / 1_000)
    }

    /// The nearest whole number, halves upwards.
    private static func rounded(_ value: Int64, times factor: Int64, over divisor: Int64) -> Double {
        guard divisor > 0 else { return 0 }
        return (Double(value) * Double(factor) / Double(divisor)).rounded(.toNearestOrAwayFromZero)
    }

    /// As the API tells them.
    var members: [String: JSON] {
        var members: [String: JSON] = [
            "loans": .integer(loans), "items": .integer(items), "returned": .integer(returned), "on_time": .integer(onTime),
            "late": .integer(late), "transferred": .integer(transferred), "renewed": .integer(renewed), "overdue": .integer(overdue),
            "damaged": .integer(damaged), "incomplete": .integer(incomplete), "lost": .integer(lost), "found": .integer(found),
            "refused": .integer(refused), "hours_out": .number(hoursOut),
        ]
        members["mean_days"] = meanDays.map(JSON.number)
        return members
    }
}

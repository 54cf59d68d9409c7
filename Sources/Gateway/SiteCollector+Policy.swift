import Profiles
import Readings
import SiteConfiguration

/// `[policy]`
extension SiteCollector {
    func readPolicy(_ table: TOMLTableReader) -> LoanPolicy {
        defer { table.finish() }
        var policy = LoanPolicy()
        if let choice: RuleResponse = table.choice("without_permit") { policy.withoutPermit = choice }
        if let days = table.integer("due_days", in: 1...3_650) { policy.dueDays = Int(days) }
        if let hour = table.integer("due_hour", in: 0...23) { policy.dueHour = Int(hour) }
        policy.quota = table.integer("quota", in: 1...10_000).map(Int.init)
        policy.maximumValue = table.integer("maximum_value", in: 0...1_000_000_000_000)
        policy.monthly = table.integer("monthly", in: 1...100_000).map(Int.init)
        policy.minimumCredit = table.integer("minimum_credit", in: 0...100).map(Int.init)
        policy.masterHours = table.integer("master_hours", in: 1...8_760).map(Int.init)
        if let count = table.integer("renewals", in: 0...1_000) { policy.renewals = Int(count) }
        if let flags = table.bool("flag_unusual") { policy.flagsUnusual = flags }
        policy.hours = readHours(table)
        policy.workingWeek = readWorkingWeek(table)
        policy.overdueBlock = table.table("overdue_block").flatMap(readOverdueBlock)
        policy.approvals = table.tables("approval", maximumCount: 5).compactMap(readApproval)
        if let reminders = table.table("reminders") { policy.reminders = readReminders(reminders) }
        if let rules = table.table("rules") { policy.responses = readResponses(rules) }
        return policy
    }

    func readHours(_ table: TOMLTableReader) -> OpeningHours? {
        guard let text = table.string("hours", maximum: 200) else { return nil }
        let hours = OpeningHours(text)
        if hours == nil { table.problem("hours", "must be like \"mon-fri 07:00-19:00, sat 08:00-12:00\"") }
        return hours
    }

    private func readWorkingWeek(_ table: TOMLTableReader) -> Set<Weekday>? {
        guard let names = table.strings("working_days", maximumCount: 7, maximum: 3) else { return nil }
        let days = names.compactMap { Weekday(shortName: $0) }
        if days.count < names.count || days.isEmpty {
            table.problem("working_days", "must be a list of \(Weekday.allCases.map(\.shortName).joined(separator: ", "))")
        }
        return Set(days)
    }

    private func readOverdueBlock(_ table: TOMLTableReader) -> LoanPolicy.OverdueBlock? {
        defer { table.finish() }
        let count = table.integer("count", in: 1...16, isRequired: true)
        let days = table.integer("days", in: 1...3_650, isRequired: true)
        let blockDays = table.integer("block_days", in: 1...3_650, isRequired: true)
        guard let count, let days, let blockDays else { return nil }
        return .init(count: Int(count), days: Int(days), blockDays: Int(blockDays))
    }

    private func readApproval(_ table: TOMLTableReader) -> LoanPolicy.Approval? {
        defer { table.finish() }
        let value = table.integer("from_value", in: 0...1_000_000_000_000, isRequired: true)
        let levels = table.integer("levels", in: 1...5, isRequired: true)
        guard let value, let levels else { return nil }
        return .init(value: value, levels: Int(levels))
    }

    private func readReminders(_ table: TOMLTableReader) -> LoanPolicy.Reminders {
        defer { table.finish() }
        var reminders = LoanPolicy.Reminders()
        if let days = table.integer("soon_days", in: 0...365) { reminders.soonDays = Int(days) }
        if let isTold = table.bool("on_day") { reminders.onDay = isTold }
        if let days = table.integers("overdue_days", in: 0...3_650, maximumCount: 3) {
            reminders.overdueDays = days.map(Int.init)
            if zip(days, days.dropFirst()).contains(where: { $0 >= $1 }) {
                table.problem("overdue_days", "each must be later than the one before it")
            }
        }
        if let hour = table.integer("hour", in: 0...23) { reminders.hour = Int(hour) }
        return reminders
    }

    private func readResponses(_ table: TOMLTableReader) -> [LoanRule: RuleResponse] {
        defer { table.finish() }
        var responses: [LoanRule: RuleResponse] = [:]
        // What happens without a permit has a key of its own.
        for rule in LoanRule.allCases where rule != .permit {
            // What is said and what would be so anyway are the same site.
            guard let response: RuleResponse = table.choice(rule.rawValue), response != rule.usualResponse else { continue }
            responses[rule] = response
        }
        return responses
    }
}

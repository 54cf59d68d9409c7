import Readings

/// The rules for loans of a site.
public struct LoanPolicy: Hashable, Sendable {
    /// What happens when a tool leaves without an approved request.
    public var withoutPermit: RuleResponse
    /// Days until a loan is due, 1...3650; counted from the day of the checkout, due at `dueHour`.
    public var dueDays: Int
    /// The local hour at which a loan becomes due, 0...23.
    public var dueHour: Int
    /// Open loans that one person may have; nil: no limit.
    public var quota: Int?
    /// Sum of the values of what one person has, in the smallest unit of money; nil: no limit.
    public var maximumValue: Int64?
    /// Checkouts of one person in a calendar month; nil: no limit.
    public var monthly: Int?
    /// 0...100; nil: the score decides nothing.
    public var minimumCredit: Int?
    public var overdueBlock: OverdueBlock?
    /// When stations lend; nil: always.
    public var hours: OpeningHours?
    /// Days of the week on which people work; holidays and working weekends are master data. nil: all.
    public var workingWeek: Set<Weekday>?
    /// Hours after which master data counts as old; nil: never.
    public var masterHours: Int?
    /// How often one loan may be renewed, where its class says nothing.
    public var renewals: Int
    public var approvals: [Approval]
    public var reminders: Reminders
    /// What happens when a rule is broken; for those that are missing, `LoanRule.usualResponse`.
    public var responses: [LoanRule: RuleResponse]
    /// Whether unusual use is looked for.
    public var flagsUnusual: Bool

    public init(
        withoutPermit: RuleResponse = .allow, dueDays: Int = 7, dueHour: Int = 18, quota: Int? = nil, maximumValue: Int64? = nil,
        monthly: Int? = nil, minimumCredit: Int? = nil, overdueBlock: OverdueBlock? = nil, hours: OpeningHours? = nil,
        workingWeek: Set<Weekday>? = nil, masterHours: Int? = nil, renewals: Int = 2, approvals: [Approval] = [],
        reminders: Reminders = Reminders(), responses: [LoanRule: RuleResponse] = [:], flagsUnusual: Bool = true
    ) {
        self.withoutPermit = withoutPermit
        self.dueDays = dueDays
        self.dueHour = dueHour
        self.quota = quota
        self.maximumValue = maximumValue
        self.monthly = monthly
        self.minimumCredit = minimumCredit
        self.overdueBlock = overdueBlock
        self.hours = hours
        self.workingWeek = workingWeek
        self.masterHours = masterHours
        self.renewals = renewals
        self.approvals = approvals
        self.reminders = reminders
        self.responses = responses
        self.flagsUnusual = flagsUnusual
    }

    public func response(to rule: LoanRule) -> RuleResponse {
        rule == .permit ? withoutPermit : responses[rule] ?? rule.usualResponse
    }

    /// Approvals that a request for something of this value needs, 1 or more.
    public func levels(forValue value: Int64) -> Int {
        approvals.filter { value >= $0.value }.map(\.levels).max() ?? 1
    }

    /// Whoever brings things back late too often borrows nothing for a while.
    public struct OverdueBlock: Hashable, Sendable {
        /// So many late returns …
        public var count: Int
        /// … within so many days …
        public var days: Int
        /// … block for so many days after the last of them.
        public var blockDays: Int

        public init(count: Int, days: Int, blockDays: Int) {
            self.count = count
            self.days = days
            self.blockDays = blockDays
        }
    }

    /// A request for more value needs more approvals, each by somebody else.
    public struct Approval: Hashable, Sendable {
        /// From this value on, in the smallest unit of money.
        public var value: Int64
        /// 1...5.
        public var levels: Int

        public init(value: Int64, levels: Int) {
            self.value = value
            self.levels = levels
        }
    }

    /// When people are told about a loan, each once.
    public struct Reminders: Hashable, Sendable {
        /// Days before a loan is due; 0: not told before.
        public var soonDays: Int
        /// Whether they are told on the day itself, at `hour`.
        public var onDay: Bool
        /// Days after it was due: the first tells the borrower, the second the supervisor too, the third and later ones the storekeeper too.
        public var overdueDays: [Int]
        /// The local hour, 0...23.
        public var hour: Int

        public init(soonDays: Int = 3, onDay: Bool = true, overdueDays: [Int] = [1, 3, 7], hour: Int = 8) {
            self.soonDays = soonDays
            self.onDay = onDay
            self.overdueDays = overdueDays
            self.hour = hour
        }
    }
}

/// What a station does where a rule is broken.
public enum RuleResponse: String, Hashable, Sendable, CaseIterable, Comparable {
    /// A loan, nothing else.
    case allow
    /// A loan, and an exception for the storekeeper.
    case flag
    /// No loan: an exception, the red signal, and a lock stays shut.
    case refuse

    private var rank: Int { self == .allow ? 0 : self == .flag ? 1 : 2 }

    public static func < (left: RuleResponse, right: RuleResponse) -> Bool { left.rank < right.rank }
}

/// Everything that is looked at before a person takes a tool, in the order in which it is told.
public enum LoanRule: String, Hashable, Sendable, CaseIterable {
    /// The master data block this person.
    case blocked
    /// Too many late returns lately.
    case overdue
    /// The credit score is below the site's minimum.
    case credit
    /// The tool is lost, damaged, incomplete, or waits for an inspection that its class demands.
    case condition
    /// The tool's calibration has run out.
    case calibration
    /// The person lacks a certificate that the tool or its class demands, or it has expired.
    case certificate
    /// A second person must be there.
    case secondPerson = "second_person"
    /// Open loans.
    case quota
    /// Open loans of this class.
    case classQuota = "class_quota"
    /// The value of everything that the person has.
    case value
    /// Checkouts in this month.
    case monthly
    /// The station's hours.
    case hours
    /// The master data are old.
    case masterAge = "master_age"
    /// No approved request and no standing permission covers it.
    case permit

    /// What happens where the site says nothing.
    public var usualResponse: RuleResponse {
        switch self {
        case .hours, .masterAge: .flag
        case .permit: .allow
        default: .refuse
        }
    }
}

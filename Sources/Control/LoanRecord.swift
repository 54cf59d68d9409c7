import Ledger
import Readings

/// One loan.
public struct LoanRecord: Hashable, Sendable {
    public var number: LoanNumber
    /// What is still out of it (`Loan.row` with names), by item.
    public var lines: [JSON]
    /// What the log tells of it and of its tools until they were lent again, with names, in the order of their numbers.
    public var events: [JSON]

    public init(number: LoanNumber, lines: [JSON], events: [JSON]) {
        self.number = number
        self.lines = lines
        self.events = events
    }
}

/// Approved requests and those that wait.
public struct PermitReport: Hashable, Sendable {
    /// Made here (`PermitRequest.row` with names and `used`), the oldest first.
    public var requests: [JSON]
    /// Of the master data (`Permit.json` with names and `used`), by key.
    public var permits: [JSON]

    public init(requests: [JSON], permits: [JSON]) {
        self.requests = requests
        self.permits = permits
    }
}

/// May this person take this tool?
public struct LendingQuestion: Hashable, Sendable {
    public var person: PersonKey
    /// nil: what concerns the person alone.
    public var item: ItemKey?
    /// nil: the site's own hours count.
    public var station: String?
    /// Who else is there.
    public var companions: [PersonKey]

    public init(person: PersonKey, item: ItemKey? = nil, station: String? = nil, companions: [PersonKey] = []) {
        self.person = person
        self.item = item
        self.station = station
        self.companions = companions
    }
}

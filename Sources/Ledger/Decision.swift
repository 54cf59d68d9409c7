import Readings

/// What the ledger made of one proposal or command: events to commit together, the rows they change, and the answer to give once they
/// are on the disk.
public struct Decision: Hashable, Sendable {
    public var events: [Event]
    public var rows: [StateRow]
    public var feedback: Feedback?

    public init(events: [Event] = [], rows: [StateRow] = [], feedback: Feedback? = nil) {
        self.events = events
        self.rows = rows
        self.feedback = feedback
    }
}

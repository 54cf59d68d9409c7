import Ledger
import Readings

/// What is true of loans now, and who and what they are about: asked by destinations when they are about to tell somebody. The gateway
/// keeps it from what it commits. May be used from any thread.
public final class ReminderBoard: Sendable {
    private struct State: Sendable {
        /// Nobody has said anything yet: then everything counts as true.
        var isKept = false
        /// The number of the last event that was taken in.
        var upTo: Int64 = 0
        var loans: [ItemKey: Loan] = [:]
        var master = MasterData()
    }

    /// How long a destination waits for what the log is ahead of the board, in milliseconds.
    private static let patience: Int64 = 1_000

    private let state = Guarded(State())

    public init() {}

    // MARK: For the gateway

    /// Begins anew, at the start and whenever the state was loaded again.
    public func replace(with ledger: LedgerState) {
        state.update { state in
            state.isKept = true
            state.upTo = ledger.nextSequence - 1
            state.loans = Dictionary(ledger.loans.values.map { ($0.item, $0) }) { $1 }
        }
    }

    public func update(_ master: MasterData) {
        state.update { $0.master = master }
    }

    /// A decision is on the disk.
    /// - Parameters:
    ///   - rows: all that it changed; those of loans are taken.
    ///   - sequence: the number of its last event.
    public func take(_ rows: [StateRow], upTo sequence: Int64) {
        state.update { state in
            state.upTo = max(state.upTo, sequence)
            for row in rows where row.key.hasPrefix(Self.prefix) {
                guard let item = ItemKey(String(row.key.dropFirst(Self.prefix.count))) else { continue }
                state.loans[item] = row.value.flatMap(Loan.init(row:))
            }
        }
    }

    private static let prefix = "loan/"

    // MARK: For destinations

    /// Waits for a short while until what the log has is taken in.
    /// - Returns: false when it is not.
    func hasCome(to sequence: Int64) -> Bool {
        state.wait(milliseconds: Self.patience) { !$0.isKept || $0.upTo >= sequence }
    }

    /// Whether a reminder may still be said.
    public func isStillTrue(loan: LoanNumber, items: [ItemKey], due: WallTime, step: ReminderStep) -> Bool {
        !itemsStillOut(loan: loan, items: items, due: due, step: step).isEmpty
    }

    func itemsStillOut(of reminder: Event.Reminder) -> [ItemKey] {
        itemsStillOut(loan: reminder.loan, items: reminder.items, due: reminder.due, step: reminder.step)
    }

    /// Items that are on this loan and due at this time. That something will be due is said no more when a later step was said of it: it
    /// was due in the meantime. That it is overdue stays true.
    private func itemsStillOut(loan number: LoanNumber, items: [ItemKey], due: WallTime, step: ReminderStep) -> [ItemKey] {
        state.read { state in
            guard state.isKept else { return items }
            return items.filter { item in
                guard let loan = state.loans[item], loan.number == number, loan.due.milliseconds == due.milliseconds else { return false }
                guard step <= .dueToday, let said = loan.reminded else { return true }
                return said <= step
            }
        }
    }

    func person(_ key: PersonKey) -> Person? { state.read { $0.master.people[key] } }

    func name(of item: ItemKey) -> String? { state.read { $0.master.items[item]?.name } }
}

extension OutgoingEvent {
    /// nil for every other event.
    var reminder: Event.Reminder? {
        type == "loan.reminded" ? json["data"].flatMap(Event.Reminder.init(json:)) : nil
    }
}

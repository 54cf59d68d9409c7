import Readings
import SiteConfiguration

/// What else is worth saying once a loan or a return is certain: unusual use, maintenance that is due, a lost tool that is there again.
extension Ledger {
    /// - Parameter arriving: tools that certainly came in.
    func addConsequences(arriving: [Sighting], to draft: inout Draft) {
        let certain = draft.events.filter { $0.certainty == .final }
        for event in certain {
            switch event.body {
            case .checkedOut, .transferred: if site.policy.flagsUnusual { flag(event, among: certain, into: &draft) }
            case .returned(let returned): maintain(returned, event, into: &draft)
            default: break
            }
        }
        for item in lostItems(among: arriving) where !draft.events.contains(where: { $0.body == .found(item: item) }) {
            draft.add(.found(item: item), evidence: .null)
        }
    }

    /// Tools that were reported lost, each once.
    func lostItems(among sightings: [Sighting]) -> [ItemKey] {
        var items: [ItemKey] = []
        for sighting in sightings {
            guard case .item(let item)? = bearer(of: sighting.epc), state.tools[item]?.condition == .lost, !items.contains(item) else {
                continue
            }
            items.append(item)
        }
        return items
    }

    // MARK: Maintenance

    private func maintain(_ returned: Event.Return, _ event: Event, into draft: inout Draft) {
        guard let itemClass = itemClass(of: returned.item),
            itemClass.maintenanceUses != nil || itemClass.maintenanceHours != nil,
            let loan = event.corrects.flatMap({ state.provisional[$0]?.closed }) ?? state.loans[returned.item]
        else { return }
        let record = state.tools[returned.item] ?? ToolRecord()
        guard !record.isMaintenanceTold else { return }
        let uses = record.uses + 1
        let minutes = event.time.quality == .unknown ? 0 : max(0, event.time.milliseconds &- loan.since.milliseconds) / 60_000
        let hours = (record.minutes &+ minutes) / 60
        guard uses >= itemClass.maintenanceUses ?? .max || hours >= itemClass.maintenanceHours ?? .max else { return }
        draft.follow(event, with: .maintenanceDue(.init(item: returned.item, uses: uses, hours: hours)))
    }

    // MARK: Unusual use

    /// Loans that a person must have made before an hour can be unusual.
    static let leastHistory: Int64 = 30
    /// Of a hundred loans, at most so many within an hour of an unusual hour.
    static let unusualShare: Int64 = 2
    /// A month's loans from which on a rate can be unusual, and how many times the usual they are.
    static let leastRate: Int64 = 12
    static let unusualFactor: Int64 = 4

    private func flag(_ event: Event, among certain: [Event], into draft: inout Draft) {
        guard let line = LoanLine(event) else { return }
        func say(_ reason: Event.Flag.Reason, _ figures: JSON) {
            draft.follow(
                event,
                with: .flagged(.init(loan: line.loan, item: line.item, borrower: line.person, reason: reason, figures: figures)))
        }
        if let other = sameTwoPeople(line) { say(.sameTwoPeople, ["person": .string(other.text), "times": 4]) }
        // Whatever goes by the calendar needs a clock that is known to be good, and is said of a loan once, not of each of its tools.
        let lines = certain.compactMap(LoanLine.init).filter { $0.loan == line.loan }
        guard event.time.quality != .unknown, lines.first?.item == line.item, let record = state.borrowers[line.person] else { return }
        let hour = Int(event.time.minuteOfDay / 60)
        let all = record.hours.reduce(0, +)
        let near = [23, 0, 1].reduce(Int64(0)) { $0 + record.hours[(hour + $1) % 24] }
        if all >= Self.leastHistory, near * 100 <= all * Self.unusualShare {
            say(.hour, ["hour": .integer(Int64(hour)), "near": .integer(near), "loans": .integer(all)])
        }
        let month = BorrowerRecord.month(of: event.time.localDate)
        let before = record.months.filter { $0.number < month && $0.number >= month - 6 }
        let bound = max(Self.leastRate, before.reduce(0) { $0 + $1.loans } * Self.unusualFactor / Int64(max(1, before.count)))
        // Lines that were said provisionally are open already: they are of this loan all the same.
        let own = state.loans.of(line.person).filter { $0.number == line.loan }.map(\.item)
        let others = loans(of: line.person, in: month) - Int64(own.count)
        let count = others + Int64(Set(own + lines.map(\.item)).count)
        // Said when the bound is passed, not at each loan after it.
        if before.count >= 2, others <= bound, count > bound {
            say(.rate, ["loans": .integer(count), "bound": .integer(bound), "months": .integer(Int64(before.count))])
        }
    }

    /// With whom a person takes turns: the last four borrowers, this one among them, are two people in turn.
    private func sameTwoPeople(_ line: LoanLine) -> PersonKey? {
        // Who hands it on has not brought it back yet.
        let last = ((state.tools[line.item]?.borrowers ?? []) + [line.from].compactMap { $0 }).suffix(3)
        guard last.count == 3, let other = last.last, other != line.person else { return nil }
        return Array(last) == [other, line.person, other] ? other : nil
    }

    /// A line of a loan that begins.
    private struct LoanLine {
        var loan: LoanNumber
        var item: ItemKey
        var person: PersonKey
        /// Who hands it on.
        var from: PersonKey?

        init?(_ event: Event) {
            switch event.body {
            case .checkedOut(let checkout): (loan, item, person) = (checkout.loan, checkout.item, checkout.person)
            case .transferred(let transfer):
                (loan, item, person, from) = (transfer.loan, transfer.item, transfer.person, transfer.from)
            default: return nil
            }
        }
    }
}

import Readings
import TestSupport
import Testing

@testable import Ledger

/// Random days of a crib: whatever people do and ask for, the records agree with each other.
@Suite("Ledger: random lives of loans")
struct LoanLifePropertyTests {
    private static let policies = [
        "", "without_permit=refuse", "quota=3 value=60000 monthly=20", "hours=mon-fri 08:00-17:00 week=mon-fri renewals=5",
        "block=2/30/7 credit=60 approval=20000/2",
    ]
    private static let people = ["Li", "Han", "Wang", "Zhao", "Chen", "nobody", "stranger", "Li+Han"]
    private static let tools = ["DRILL", "SAW", "GRINDER", "METER", "WELDER", "LASER", "TAPE", "KIT", "CRANE", "PLAIN"]

    private static func step(_ generator: inout SeededGenerator) -> String {
        func one(_ words: [String]) -> String { words[Int(generator.next() % UInt64(words.count))] }
        let (tool, other, person) = (one(tools), one(tools), one(people))
        switch generator.next() % 24 {
        case 0...5: return "\(person) out \(tool)"
        case 6: return tool == other ? "in \(tool)" : "\(person) out \(tool) \(other)"
        case 7...10: return "in \(tool)"
        case 11: return "renew \(tool)"
        case 12: return "transfer \(tool) \(one(["Li", "Han", "Zhao"]))"
        case 13: return "lost \(tool)"
        case 14: return "inspect \(tool) \(one(["fine", "damaged"]))"
        case 15: return "void \(tool)"
        case 16: return "take \(tool)"
        case 17: return "correct \(one(["Li", "Han", "Zhao"]))"
        case 18: return "anna request \(one(["Li", "Han"])) \(tool) quantity=2"
        case 19: return "\(one(["bob", "eve", "anna"])) \(one(["approve", "approve", "reject", "withdraw"]))"
        case 20: return "\(one(["Li", "Han"])) card \(one(["FINE", "DAMAGED", "RENEW", "TRANSFER"])) \(tool)"
        case 21: return "days \(one(["1", "2", "9"]))"
        case 22: return "hours \(one(["1", "5", "11"]))"
        default: return "remind"
        }
    }

    @Test(
        "A tool is in one loan at most, a number is one person's, and the log gives the state back",
        arguments: 1...25 as ClosedRange<UInt64>)
    func life(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let policy = Self.policies[Int(seed) % Self.policies.count]
        var world = try SituationWorld(policy: policy, master: SituationTests.master)
        var steps: [String] = []
        for _ in 0..<300 {
            let step = Self.step(&generator)
            steps.append(step)
            _ = try world.run(step)
        }
        try world.check()
        var out: [ItemKey: LoanNumber] = [:]
        var borrowers: [LoanNumber: PersonKey] = [:]
        var uses: [PermitKey: Int] = [:]
        for event in world.events {
            var opened: (LoanNumber, ItemKey, PersonKey)?
            switch event.body {
            case .checkedOut(let loan):
                #expect(out[loan.item] == nil, "seed \(seed): \(loan.item) is lent twice")
                opened = (loan.loan, loan.item, loan.person)
                if let permit = loan.permit { uses[permit, default: 0] += 1 }
            case .transferred(let transfer):
                #expect(out[transfer.item] == transfer.fromLoan, "seed \(seed)")
                opened = (transfer.loan, transfer.item, transfer.person)
                if let permit = transfer.permit { uses[permit, default: 0] += 1 }
            case .returned(let returned):
                #expect(out.removeValue(forKey: returned.item) == returned.loan, "seed \(seed)")
            case .lost(let loss): #expect(out.removeValue(forKey: loss.item) == loss.loan, "seed \(seed)")
            case .crossingRetracted(let retraction):
                switch retraction.fact {
                case .checkedOut(let loan):
                    #expect(out.removeValue(forKey: loan.item) == loan.loan, "seed \(seed)")
                    if let permit = loan.permit { uses[permit, default: 0] -= 1 }
                case .transferred(let transfer):
                    #expect(out.removeValue(forKey: transfer.item) == transfer.loan, "seed \(seed)")
                    if let permit = transfer.permit { uses[permit, default: 0] -= 1 }
                    #expect(
                        retraction.reopened?.number == transfer.fromLoan && retraction.reopened?.person == transfer.from, "seed \(seed)")
                    opened = (transfer.fromLoan, transfer.item, transfer.from)
                default: continue
                }
            case .renewed(let renewal): #expect(out[renewal.item] == renewal.loan, "seed \(seed)")
            case .reminded(let reminder): #expect(reminder.items.allSatisfy { out[$0] == reminder.loan }, "seed \(seed)")
            default: continue
            }
            guard let (number, item, person) = opened else { continue }
            out[item] = number
            #expect(borrowers.updateValue(person, forKey: number) ?? person == person, "seed \(seed): \(number) has two borrowers")
        }
        #expect(out == Dictionary(uniqueKeysWithValues: world.ledger.state.loans.values.map { ($0.item, $0.number) }), "seed \(seed)")
        for (permit, count) in uses { #expect(count <= world.quantity(of: permit), "seed \(seed): \(permit) was used \(count) times") }
        #expect(world.events.count > 100, "seed \(seed)")
    }
}

import Foundation
import Identifiers
import Readings
import SiteConfiguration
import Testing

@testable import Ledger

/// A ledger that does what the steps of a situation say, in words.
struct SituationWorld {
    struct Outcome {
        var events: [String] = []
        var signal = "-"
    }

    struct Unreadable: Error {
        var text: String
    }

    private(set) var ledger: Ledger
    private(set) var events: [Event] = []
    private var rows: [String: JSON] = [:]
    private var now = WallTime(rfc3339: "2026-11-21T10:00:00+08:00")!
    private static let badges = ["Li": "1001", "Han": "1002", "Wang": "1003", "Zhao": "1004", "Chen": "1005", "stranger": "9999"]

    init(policy: String, master: MasterData) throws {
        ledger = Ledger(site: Fixture.site(try Self.policy(policy)), epoch: 0x0123_4567_89AB_CDEF, master: master)
    }

    /// `quota=1 hours=mon-fri 08:00-17:00`: a value goes on to the next name.
    private static func policy(_ text: String) throws -> LoanPolicy {
        var policy = LoanPolicy()
        var settings: [(String, String)] = []
        for word in text.split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { settings.append((parts[0], parts[1])) } else { settings[settings.count - 1].1 += " \(word)" }
        }
        for (name, value) in settings {
            let numbers = value.split { "/,".contains($0) }.compactMap { Int($0) }
            if let response = RuleResponse(rawValue: value) {
                if name == "without_permit" { policy.withoutPermit = response; continue }
                guard let rule = LoanRule(rawValue: name) else { throw Unreadable(text: name) }
                policy.responses[rule] = response
                continue
            }
            switch name {
            case "quota": policy.quota = numbers[0]
            case "due_days": policy.dueDays = numbers[0]
            case "value": policy.maximumValue = Int64(numbers[0])
            case "monthly": policy.monthly = numbers[0]
            case "credit": policy.minimumCredit = numbers[0]
            case "renewals": policy.renewals = numbers[0]
            case "master_hours": policy.masterHours = numbers[0]
            case "block": policy.overdueBlock = .init(count: numbers[0], days: numbers[1], blockDays: numbers[2])
            case "approval": policy.approvals.append(.init(value: Int64(numbers[0]), levels: numbers[1]))
            case "soon": policy.reminders.soonDays = numbers[0]
            case "overdue": policy.reminders.overdueDays = numbers
            case "flags": policy.flagsUnusual = false
            case "week": policy.workingWeek = [.monday, .tuesday, .wednesday, .thursday, .friday]
            case "hours": policy.hours = try #require(OpeningHours(value) as OpeningHours?)
            default: throw Unreadable(text: name)
            }
        }
        return policy
    }

    // MARK: Steps

    mutating func run(_ step: String) throws -> Outcome {
        let words = step.split(separator: " ").map(String.init)
        switch words[0] {
        case "time":
            let (quality, boot) = (now.quality, now.boot)
            now = try #require(WallTime(rfc3339: "\(words[1])T\(words[2]):00+08:00"))
            (now.quality, now.boot) = (quality, boot)
        case "days": now.milliseconds += Int64(words[1])! * 86_400_000
        case "hours": now.milliseconds += Int64(words[1])! * 3_600_000
        case "no":
            now.quality = .unknown
            now.boot = BootTime(boot: 7, milliseconds: 60_000)
        case "seen": ledger.masterSeen = now
        case "remind": return take(ledger.planReminders(at: now) ?? Plan(events: [], feedback: nil))
        case "late":
            _ = try run("\(words[1]) out \(words[2])")
            now.milliseconds = try #require(ledger.state.loans[try item(words[2])]).due.milliseconds + Int64(words[3])! * 86_400_000
            return try run("in \(words[2])")
        case "turns":
            for person in words[2...] {
                _ = try run("\(person) out \(words[1])")
                _ = try run("in \(words[1])")
            }
        case "habit": for _ in 0..<Int(words[3])! { _ = try run("turns \(words[2]) \(words[1])") }
        case "in": return crossing(.in, words[1...], people: [])
        case "tag": return take(ledger.plan(Fixture.crossing(.out, [Fixture.stranger], badges: badges(words[1])), at: now))
        case "card": return card(words[1], words[2], badge: nil)
        default: return try runPersons(words)
        }
        return Outcome()
    }

    private mutating func runPersons(_ words: [String]) throws -> Outcome {
        if words.count > 1 {
            switch words[1] {
            case "out": return crossing(.out, words[2...], people: badges(words[0]))
            case "in": return crossing(.in, words[2...], people: badges(words[0]))
            case "card": return card(words[2], words[3], badge: Self.badges[words[0]])
            case "request", "approve", "reject", "withdraw": return command(try request(Array(words[1...])), by: words[0])
            default: break
            }
        }
        return command(try loanCommand(words), by: "storekeeper")
    }

    private func badges(_ text: String) -> [String] {
        text == "nobody" ? [] : text.split(separator: "+").compactMap { Self.badges[String($0)] }
    }

    private func item(_ text: String) throws -> ItemKey { try #require(ItemKey(text)) }

    private static func epc(of item: String) -> EPC {
        // Any sixteen letters at most: a tag of its own for each key.
        let bytes = Array(item.utf8) + [UInt8](repeating: 0, count: 12 - item.utf8.count)
        return EPC(hex: bytes.map { String(format: "%02X", $0) }.joined())!
    }

    private mutating func crossing(_ direction: Direction, _ items: ArraySlice<String>, people: [String]) -> Outcome {
        for item in items where ledger.bearer(of: Self.epc(of: item)) == nil {
            guard let key = ItemKey(item) else { continue }
            _ = try? take(ledger.plan(.bindTag(epc: Self.epc(of: item), bearer: .item(key)), by: "setup", at: now))
        }
        return take(ledger.plan(Fixture.crossing(direction, items.map(Self.epc), badges: people), at: now))
    }

    private mutating func card(_ word: String, _ item: String, badge: String?) -> Outcome {
        let code = ControlCode(rawValue: "STOCKGATE-\(word)")!
        let control = Proposal.Control(item: Scan(data: Array(item.utf8)), code: code, credential: badge)
        return take(ledger.plan(Proposal(station: "bench", content: .control(control)), at: now))
    }

    private func request(_ words: [String]) throws -> LoanCommand {
        let newest = ledger.state.requests.keys.max() ?? PermitKey("R-none")!
        switch words[0] {
        case "approve": return .approve(permit: newest)
        case "reject": return .reject(permit: newest, note: "")
        case "withdraw": return .withdraw(permit: newest, note: "")
        default:
            var form = LoanCommand.RequestForm(person: try #require(PersonKey(words[1])))
            for word in words[2...] {
                let parts = word.split { "=:".contains($0) }.map(String.init)
                switch parts[0] {
                case "class": form.classes.append(parts[1])
                case "quantity": form.quantity = Int(parts[1])!
                case "due": form.due = try #require(CivilDate(parts[1]) as CivilDate?)
                case "until": form.until = try #require(CivilDate(parts[1]) as CivilDate?)
                case "from": form.from = try #require(CivilDate(parts[1]) as CivilDate?)
                default: form.items.append(try item(word))
                }
            }
            return .request(form)
        }
    }

    private func loanCommand(_ words: [String]) throws -> LoanCommand {
        let thing = words.count > 1 ? ItemKey(words[1]) : nil
        func number() -> LoanNumber {
            thing.flatMap { ledger.state.loans[$0]?.number } ?? LoanNumber(gateway: "CRIB1", epoch: 0, counter: 99_999)
        }
        switch words[0] {
        case "renew": return .renew(loan: number(), item: thing)
        case "take": return .takeBack(loan: number(), item: thing)
        case "void": return .void(loan: number(), item: thing, note: "a mistake")
        case "transfer": return .transfer(item: try #require(thing), to: try #require(PersonKey(words[2])))
        case "lost": return .lost(item: try #require(thing), note: "")
        case "service": return .service(item: try #require(thing), note: "")
        case "inspect":
            var form = LoanCommand.InspectionForm(
                item: try #require(thing), result: try #require(Event.Inspection.Result(rawValue: words[2])))
            for word in words.dropFirst(3) {
                if form.result == .incomplete { form.missing.append(try item(word)) } else { form.responsible = PersonKey(word) }
            }
            return .inspect(form)
        case "correct":
            // The newest, unless the first is meant.
            let numbers = ledger.state.exceptions.keys
            let number = words.count > 2 ? numbers.min() : numbers.max()
            return .correct(exception: number ?? 99_999, person: try #require(PersonKey(words[1])), note: "")
        default: throw Unreadable(text: words.joined(separator: " "))
        }
    }

    /// Checkouts that a permit allowed, whatever became of it since.
    func quantity(of permit: PermitKey) -> Int {
        let requested = events.compactMap { event -> Int? in
            if case .permitRequested(let request) = event.body, request.permit.key == permit { request.permit.quantity } else { nil }
        }
        return requested.first ?? ledger.master.permits[permit]?.quantity ?? 0
    }

    // MARK: Outcomes

    private mutating func command(_ command: LoanCommand, by client: String) -> Outcome {
        // As it comes over the API.
        guard let read = Command(json: Command.loan(command).json), read == .loan(command) else {
            return Outcome(events: ["unreadable"], signal: "no")
        }
        do throws(CommandRefusal) {
            var outcome = take(try ledger.plan(read, by: client, at: now))
            let hasException = outcome.events.contains { $0.hasPrefix("exception") }
            outcome.signal = hasException ? "look" : "good"
            return outcome
        } catch { return Outcome(events: ["refused"], signal: "no") }
    }

    @discardableResult
    private mutating func take(_ plan: Plan) -> Outcome {
        let decision = ledger.commit(plan)
        for row in decision.rows { rows[row.key] = row.value }
        events += decision.events
        let signal =
            switch decision.feedback {
            case .accepted: "good"
            case .exception: "look"
            case .refused: "no"
            default: "-"
            }
        return Outcome(events: decision.events.map(Self.sentence), signal: signal)
    }

    /// The events fold to the image, the rows load to it, and no tool is in two loans.
    func check() throws {
        var folded = LedgerState()
        let identity = EventIdentity(prefix: 1)
        for event in events {
            let json = event.json(identity: identity, previousHash: String(repeating: "0", count: 64))
            _ = folded.apply(try Event(json: try JSON(parsing: json.canonicalBytes)))
        }
        #expect(folded == ledger.state)
        #expect(try LedgerState(nextSequence: ledger.state.nextSequence, rows: rows.map { StateRow(key: $0, value: $1) }) == ledger.state)
    }

    private static func sentence(_ event: Event) -> String {
        func list(_ items: [ItemKey]) -> String { items.map { " \($0)" }.joined() }
        func ground(_ permit: PermitKey?) -> String { permit.map { $0.text.hasPrefix("R-") ? " (request)" : " (\($0))" } ?? "" }
        func day(_ time: WallTime) -> String { "due \(time.rfc3339.dropFirst(5).prefix(5))" }
        switch event.body {
        case .checkedOut(let loan): return "loan \(loan.item) \(loan.person) \(day(loan.due))\(ground(loan.permit))"
        case .returned(let returned): return "return \(returned.item) \(returned.borrower)\(returned.mustBeInspected ? " !" : "")"
        case .exceptionRaised(let raised): return "exception \(raised.kind.rawValue)\(list(raised.items))"
        case .renewed(let renewal): return "renewed \(renewal.item) \(day(renewal.due))"
        case .transferred(let transfer):
            return "transfer \(transfer.item) \(transfer.from) \(transfer.person) \(day(transfer.due))\(ground(transfer.permit))"
        case .inspected(let inspection): return "inspected \(inspection.item) \(inspection.result.rawValue)\(list(inspection.missing))"
        case .lost(let loss): return "lost \(loss.item) \(loss.borrower)"
        case .found(let item): return "found \(item)"
        case .flagged(let flag): return "flag \(flag.reason.rawValue) \(flag.item)"
        case .maintenanceDue(let maintenance): return "maintenance \(maintenance.item)"
        case .serviced(let item, _): return "serviced \(item)"
        case .permitRequested(let request):
            let what = request.permit.items.sorted().map(\.text) + request.permit.classes.sorted()
            return "requested \(request.permit.person) \(what.joined(separator: " ")) \(request.levels)"
        case .permitApproved(_, let level, let levels): return "approved \(level)/\(levels)"
        case .permitRejected: return "rejected"
        case .permitWithdrawn: return "withdrawn"
        case .crossingRetracted(let retraction):
            switch retraction.fact {
            case .checkedOut(let checkout): return "void \(checkout.item)"
            case .transferred(let transfer): return "void \(transfer.item) \(transfer.person), back to \(transfer.from)"
            default: return event.body.type
            }
        case .exceptionResolved(_, let resolution, _): return "resolved \(resolution)"
        case .reminded(let reminder):
            let words = ["remind \(reminder.step.rawValue)"] + reminder.items.map(\.text) + ["to"] + reminder.to.map(\.rawValue)
            return words.joined(separator: " ")
        default: return event.body.type
        }
    }
}

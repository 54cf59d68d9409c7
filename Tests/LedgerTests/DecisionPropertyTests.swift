import Identifiers
import Readings
import SiteConfiguration
import TestSupport
import Testing

@testable import Ledger

/// A gate that changes its mind, a gateway that is killed in between, and the store that remembers.
private struct World {
    var random: SeededGenerator
    var ledger: Ledger
    let master: MasterData
    var log: [JSON] = []
    var events: [Event] = []
    var rows: [String: JSON] = [:]
    /// Decisions that the station can still speak of, with its last word.
    var open: [UInt64: Word] = [:]
    /// Last words about decisions that nobody can speak of any more, in the order in which they were begun.
    var closed: [(begun: Int, word: Word)] = []
    var begun: [UInt64: Int] = [:]
    var nextNumber: UInt64 = 1
    var count = 0
    /// Whether decisions that are open at once may be about the same tools.
    let overlaps: Bool
    let identity: EventIdentity

    struct Word {
        var proposal: Proposal?
        var items: Set<Int>
        var time: WallTime
        var badge: Int
        var isFinal: Bool
    }

    static let itemCount = 12

    init(seed: UInt64, overlaps: Bool) {
        random = SeededGenerator(seed: seed)
        identity = EventIdentity(prefix: seed)
        self.overlaps = overlaps
        var master = Fixture.master
        for number in 0..<Self.itemCount {
            let key = ItemKey("ITEM-\(number)")!
            master.items[key] = Item(key: key, name: key.text, itemClass: nil, dueDays: nil, uri: nil)
            master.tags[Self.tag(number)] = .item(key)
        }
        self.master = master
        ledger = Fixture.ledger(master: master)
    }

    static func tag(_ number: Int) -> EPC { EPC([0xE2, 0x80, UInt8(number)])! }

    mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

    mutating func run(steps: Int) throws {
        for _ in 0..<steps {
            switch below(10) {
            case 0..<3: begin()
            case 3..<8: speakAgain()
            case 8: if below(3) == 0 { try kill() }
            default: settle()
            }
        }
        // The quiet time is over for all of them.
        for number in open.keys.sorted() {
            say(number, final: true, again: true)
            close(number)
        }
        settle()
    }

    mutating func begin() {
        let taken = overlaps ? [] : open.values.reduce(into: Set<Int>()) { $0.formUnion($1.items) }
        let free = (0..<Self.itemCount).filter { !taken.contains($0) }
        guard open.count < 4, !free.isEmpty else { return }
        let items = Set((0..<1 + below(3)).map { _ in free[below(free.count)] })
        let number = nextNumber
        nextNumber += 1
        count += 1
        begun[number] = count
        var time = Fixture.now
        time.milliseconds += Int64(count) * 60_000
        open[number] = Word(proposal: nil, items: items, time: time, badge: below(4), isFinal: false)
        say(number, final: below(5) == 0, again: false)
    }

    mutating func speakAgain() {
        let numbers = open.keys.sorted()
        guard !numbers.isEmpty else { return }
        let number = numbers[below(numbers.count)]
        switch below(6) {
        case 0..<3: say(number, final: true, again: true)
        case 3: say(number, final: open[number]?.isFinal == true || below(2) == 0, again: false)
        case 4:
            take(Fixture.retraction(number), at: open[number]?.time ?? Fixture.now)
            open[number]?.proposal = nil
        default: if open[number]?.isFinal == true || open[number]?.proposal == nil { close(number) }
        }
    }

    /// - Parameter again: whether it says what it said before.
    mutating func say(_ number: UInt64, final: Bool, again: Bool) {
        guard var word = open[number] else { return }
        let badges = [["1001"], ["1002"], [], ["1001", "1002"]]
        if !again {
            let tags = word.items.sorted().filter { _ in below(4) > 0 }
            let uncertain = word.items.sorted().filter { !tags.contains($0) && below(2) == 0 }
            // Another mind about who it was.
            if below(4) == 0 { word.badge = below(4) }
            word.proposal = Fixture.word(
                number, .provisional, below(2) == 0 ? .out : .in, tags.map(Self.tag), badges: badges[word.badge],
                uncertain: uncertain.map(Self.tag))
        }
        guard var proposal = word.proposal, case .crossing(var crossing) = proposal.content else { return }
        word.isFinal = word.isFinal || final
        crossing.certainty = word.isFinal ? .final : .provisional
        proposal.content = .crossing(crossing)
        word.proposal = proposal
        open[number] = word
        take(proposal, at: word.time)
    }

    mutating func close(_ number: UInt64) {
        guard let word = open.removeValue(forKey: number), let begun = begun[number] else { return }
        closed.append((begun, word))
    }

    mutating func take(_ proposal: Proposal, at time: WallTime) {
        var recorded = time
        recorded.milliseconds += 2_000
        commit(ledger.plan(proposal, at: time, recorded: recorded))
    }

    mutating func settle() {
        var time = Fixture.now
        time.milliseconds += 86_400_000
        commit(ledger.settleOrphans(at: time))
    }

    mutating func commit(_ plan: Plan) {
        let decision = ledger.commit(plan)
        for row in decision.rows { rows[row.key] = row.value }
        events += decision.events
        log += decision.events.map { $0.json(identity: identity, previousHash: String(repeating: "0", count: 64)) }
    }

    /// The memory of ledger and station is gone; what they said last will stand.
    mutating func kill() throws {
        let stored = rows.map { StateRow(key: $0.key, value: $0.value) }
        let state = try LedgerState(nextSequence: Int64(log.count) + 1, rows: stored)
        #expect(state == ledger.state)
        ledger = Ledger(site: Fixture.site(), epoch: 0x0123_4567_89AB_CDEF, state: state, master: master)
        for number in open.keys.sorted() { close(number) }
        nextNumber = 1
        if below(2) == 0 { settle() }
    }
}

/// What is true, without the numbers under which it became true.
private struct Truth: Equatable, CustomStringConvertible {
    var loans: [String]
    var exceptions: [String]

    init(_ state: LedgerState) {
        loans = state.loans.values.map { "\($0.item) \($0.person) \($0.since.rfc3339) \($0.due.rfc3339) \($0.station ?? "")" }.sorted()
        exceptions = state.exceptions.values.map { exception in
            var raised = exception.raised
            raised.loan = nil
            return "\(raised.json.canonicalText) \(exception.since.rfc3339)"
        }.sorted()
    }

    var description: String { (loans + exceptions).joined(separator: "\n") }
}

@Suite("Ledger: random words about random crossings, kills and replays in between")
struct DecisionPropertyTests {
    @Test("The state is that of the last words alone", arguments: 1...20 as ClosedRange<UInt64>)
    func lastWords(seed: UInt64) throws {
        var world = World(seed: seed, overlaps: false)
        try world.run(steps: 300)
        var plain = Fixture.ledger(master: world.master)
        for (_, word) in world.closed.sorted(by: { $0.begun < $1.begun }) {
            guard var proposal = word.proposal, case .crossing(var crossing) = proposal.content else { continue }
            crossing.certainty = .final
            crossing.decision = nil
            proposal.content = .crossing(crossing)
            _ = plain.decide(proposal, at: word.time)
        }
        #expect(Truth(world.ledger.state) == Truth(plain.state), "seed \(seed)")
        #expect(world.ledger.state.provisional.isEmpty)
        try check(world, seed)
    }

    @Test("Whatever overlaps, nothing is lost, doubled or used again", arguments: 1...20 as ClosedRange<UInt64>)
    func overlapping(seed: UInt64) throws {
        var world = World(seed: seed, overlaps: true)
        try world.run(steps: 300)
        #expect(world.ledger.state.provisional.isEmpty)
        try check(world, seed)
    }

    private func check(_ world: World, _ seed: UInt64) throws {
        #expect(world.events.count > 50)
        // Rows and log say the same as the image.
        #expect(world.rows.map { StateRow(key: $0.key, value: $0.value) }.sorted { $0.key < $1.key } == world.ledger.state.rows)
        var folded = LedgerState()
        for json in world.log { _ = folded.apply(try Event(json: try JSON(parsing: json.canonicalBytes))) }
        #expect(folded == world.ledger.state, "seed \(seed)")
        // Every event is corrected once at most, and by one that comes later.
        let corrections = world.events.compactMap(\.corrects)
        #expect(Set(corrections).count == corrections.count, "seed \(seed)")
        #expect(world.events.allSatisfy { event in event.corrects.map { $0 < event.sequence } ?? true })
        // Every provisional event was corrected.
        let provisional = world.events.filter { $0.certainty == .provisional && !$0.body.isRetraction }.map(\.sequence)
        #expect(Set(provisional).isSubset(of: corrections), "seed \(seed)")
        // No line of a loan is made twice, and none comes back once it is void; a loan is one person's.
        struct Line: Hashable {
            var loan: LoanNumber
            var item: ItemKey
        }
        var made: Set<Line> = []
        var void: Set<Line> = []
        var borrowers: [LoanNumber: PersonKey] = [:]
        for event in world.events {
            switch event.body {
            case .checkedOut(let checkout):
                let line = Line(loan: checkout.loan, item: checkout.item)
                #expect(!void.contains(line), "seed \(seed)")
                if event.corrects == nil { #expect(made.insert(line).inserted, "seed \(seed)") }
                #expect(borrowers.updateValue(checkout.person, forKey: checkout.loan) ?? checkout.person == checkout.person)
            case .crossingRetracted(let retraction):
                if case .checkedOut(let checkout) = retraction.fact {
                    #expect(void.insert(Line(loan: checkout.loan, item: checkout.item)).inserted, "seed \(seed)")
                }
            default: break
            }
        }
        #expect(world.ledger.state.loans.values.allSatisfy { !void.contains(Line(loan: $0.number, item: $0.item)) }, "seed \(seed)")
        // Who gets finals only knows the same loans.
        var upstream = LedgerState()
        var sent: Set<Int64> = []
        for var event in world.events where event.certainty == .final {
            sent.insert(event.sequence)
            if let corrected = event.corrects, !sent.contains(corrected) {
                #expect(!event.body.isRetraction, "seed \(seed): a withdrawal of what was never sent")
                event.corrects = nil
            }
            _ = upstream.apply(event)
        }
        func lines(_ state: LedgerState) -> Set<Line> { Set(state.loans.values.map { Line(loan: $0.number, item: $0.item) }) }
        #expect(lines(upstream) == lines(world.ledger.state), "seed \(seed)")
    }

    @Test("The same inputs make the same events", arguments: [7, 8] as [UInt64])
    func determinism(seed: UInt64) throws {
        var first = World(seed: seed, overlaps: true)
        var second = first
        try first.run(steps: 300)
        try second.run(steps: 300)
        #expect(first.log.map(\.canonicalText) == second.log.map(\.canonicalText))
    }
}

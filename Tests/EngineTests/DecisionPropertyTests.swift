import Identifiers
import Ledger
import Readings
import Stations
import TestSupport
import Testing

@testable import Engine

private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

/// A gate that changes its mind, in front of a store that fails at random, loses answers, and is killed.
private struct Storm {
    static let tools = (1...2).map { EPC(hex: "3476451FD40000000000000\($0)")! }
    var bench = Bench()
    var random: SeededGenerator
    let kills: Bool
    /// What the store holds.
    var stored = LedgerState()
    var log: [Event] = []
    var outstanding: [EngineOutput.Commit] = []
    var failed: UInt64 = 0
    var now: Int64 = 0
    /// The tool and the last word of decisions under way, by number.
    var open: [UInt64: (tool: Int, proposal: Proposal?)] = [:]
    /// Last words in the order in which their decisions began; nil: withdrawn.
    var words: [(begun: Int, proposal: Proposal?)] = []
    var begun: [UInt64: Int] = [:]
    var number: UInt64 = 0
    var wasKilled = false

    init(seed: UInt64, kills: Bool) {
        random = SeededGenerator(seed: seed)
        self.kills = kills
        bench.commits = false
    }

    mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

    mutating func run(steps: Int) throws {
        for _ in 0..<steps {
            now += Int64(below(2_000))
            bench.engine.advance(to: at(now), into: &bench.output)
            collect()
            switch below(12) {
            case 0..<2: begin()
            case 2..<6: speakAgain()
            case 6..<10: answer()
            case 10: fail()
            default: if kills, below(3) == 0 { try kill() }
            }
        }
        for number in open.keys.sorted() {
            if let proposal = open[number]?.proposal { say(proposal, .final) }
            close(number)
        }
        // The store recovers, and everything finds its end.
        for _ in 0..<200 {
            now += 1_000
            bench.engine.advance(to: at(now), into: &bench.output)
            collect()
            while !outstanding.isEmpty { answer() }
        }
    }

    mutating func collect() {
        outstanding += bench.output.commits
        bench.output.removeAll()
    }

    mutating func begin() {
        let free = Self.tools.indices.filter { tool in !open.values.contains { $0.tool == tool } }
        guard let tool = free.isEmpty ? nil : free[below(free.count)] else { return }
        number += 1
        begun[number] = words.count + open.count
        open[number] = (tool, nil)
        speak(number)
    }

    mutating func speak(_ number: UInt64) {
        guard let tool = open[number]?.tool else { return }
        let direction: Direction = below(2) == 0 ? .out : .in
        let sighting = Sighting(
            epc: Self.tools[tool], kind: .passed(direction), first: at(now - 1_000), last: at(now), inside: .init(reads: 5),
            outside: .init(reads: 5), firstSide: direction.origin, lastSide: direction == .out ? .outside : .inside)
        let proposal = Proposal(
            station: "gate",
            content: .crossing(
                .init(
                    direction: direction, certainty: .provisional, decision: number, tags: [sighting],
                    credentials: below(4) == 0 ? [] : ["77"])), at: at(now))
        open[number]?.proposal = proposal
        say(proposal, .provisional)
    }

    mutating func speakAgain() {
        let numbers = open.keys.sorted()
        guard !numbers.isEmpty else { return }
        let number = numbers[below(numbers.count)]
        switch below(4) {
        case 0: speak(number)
        case 1:
            open[number]?.proposal = nil
            take(Proposal(station: "gate", content: .retraction(.init(decision: number))))
            close(number)
        default:
            if let proposal = open[number]?.proposal { say(proposal, .final) }
            close(number)
        }
    }

    mutating func close(_ number: UInt64) {
        guard let decision = open.removeValue(forKey: number), let begun = begun[number] else { return }
        words.append((begun, decision.proposal))
    }

    mutating func say(_ proposal: Proposal, _ certainty: Certainty) {
        guard case .crossing(var crossing) = proposal.content else { return }
        crossing.certainty = certainty
        var said = proposal
        said.content = .crossing(crossing)
        take(said)
    }

    mutating func take(_ proposal: Proposal) {
        var said = StationOutput()
        said.proposals = [proposal]
        bench.engine.take(said, station: "gate", into: &bench.output)
        collect()
    }

    // MARK: The store

    mutating func store(_ commit: EngineOutput.Commit) -> Bool {
        guard commit.generation > failed, commit.decision.events.first.map({ $0.sequence == stored.nextSequence }) ?? true else { return false }
        for event in commit.decision.events {
            _ = stored.apply(event)
            log.append(event)
        }
        return true
    }

    mutating func answer() {
        guard !outstanding.isEmpty else { return }
        let commit = outstanding.removeFirst()
        guard store(commit) else { return giveUp(commit) }
        bench.engine.committed(ticket: commit.ticket, at: at(now), into: &bench.output)
        collect()
    }

    /// Sometimes it is stored all the same.
    mutating func fail() {
        guard !outstanding.isEmpty else { return }
        let commit = outstanding.removeFirst()
        if below(3) == 0 { _ = store(commit) }
        giveUp(commit)
    }

    mutating func giveUp(_ commit: EngineOutput.Commit) {
        failed = max(failed, commit.generation)
        bench.engine.commitFailed(ticket: commit.ticket, at: at(now), into: &bench.output)
        // What was decided after it fails with it.
        for later in outstanding { bench.engine.commitFailed(ticket: later.ticket, at: at(now), into: &bench.output) }
        outstanding = []
        if below(2) == 0 { now += 500 }
        bench.engine.reloaded(stored, at: at(now), into: &bench.output)
        collect()
    }

    mutating func kill() throws {
        for commit in outstanding.prefix(below(outstanding.count + 1)) { _ = store(commit) }
        outstanding = []
        let rows = try stored.rows.map { StateRow(key: $0.key, value: try $0.value.map { try JSON(parsing: $0.canonicalBytes) }) }
        let state = try LedgerState(nextSequence: stored.nextSequence, rows: rows)
        #expect(state == stored)
        bench = Bench(state: state)
        bench.commits = false
        (open, begun, number, now, failed, wasKilled) = ([:], [:], 0, 0, 0, true)
    }
}

@Suite("Engine: words about crossings before a store that fails")
struct DecisionPropertyTests {
    @Test("Nothing is lost, doubled, or forgotten", arguments: 1...60 as ClosedRange<UInt64>, [false, true])
    func storm(seed: UInt64, kills: Bool) throws {
        var storm = Storm(seed: seed, kills: kills)
        try storm.run(steps: 400)
        let state = storm.bench.engine.ledger.state
        #expect(storm.outstanding.isEmpty && !storm.bench.engine.isStale && storm.bench.engine.unrecorded.isEmpty)
        #expect(state == storm.stored && state.provisional.isEmpty, "seed \(seed)")
        #expect(storm.log.map(\.sequence) == Array(1...Int64(storm.log.count)))
        let corrections = storm.log.compactMap(\.corrects)
        #expect(Set(corrections).count == corrections.count, "seed \(seed)")
        let provisional = storm.log.filter { $0.certainty == .provisional && $0.body.type != "crossing.retracted" }.map(\.sequence)
        #expect(Set(provisional).isSubset(of: corrections), "seed \(seed)")
        var made: Set<LoanNumber> = []
        for event in storm.log where event.corrects == nil {
            if case .checkedOut(let checkout) = event.body { #expect(made.insert(checkout.loan).inserted, "seed \(seed)") }
        }
        guard !kills else { return }
        // The last words alone, to a store that never fails.
        var plain = Bench().engine.ledger
        for (_, proposal) in storm.words.sorted(by: { $0.begun < $1.begun }) {
            guard var proposal, case .crossing(var crossing) = proposal.content, let happened = proposal.at else { continue }
            (crossing.certainty, crossing.decision) = (.final, nil)
            proposal.content = .crossing(crossing)
            _ = plain.commit(plain.plan(proposal, at: storm.bench.engine.wallTime(at: happened)))
        }
        func truth(_ state: LedgerState) -> [String] {
            (state.loans.values.map { "\($0.item) \($0.person) \($0.since.rfc3339)" }
                + state.exceptions.values.map { "\($0.raised.kind) \($0.raised.items) \($0.since.rfc3339)" }).sorted()
        }
        #expect(truth(state) == truth(plain.state), "seed \(seed)")
    }
}

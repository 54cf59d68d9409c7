import Ledger
import Readings
import Testing

@testable import Engine

/// What the words of the table do not show: which events belong together, and how long a door was open.
@Suite("Cabinet: episodes")
struct CabinetEpisodeTests {
    private static func episode(of word: String, in bench: CabinetBench) -> String? {
        bench.events.last { CabinetBench.word($0) == word }?.episode
    }

    @Test("What is found without an opening is a happening of its own")
    func foundLater() throws {
        var bench = try CabinetBench()
        for step in ["badge li", "open", "take DRILL", "close", "wait 150"] { try bench.perform(step) }
        let opened = try #require(Self.episode(of: "opened li badge", in: bench))
        #expect(Self.episode(of: "=out DRILL li", in: bench) == opened)
        for step in ["contact fails", "take SAW", "contact reads", "wait 150"] { try bench.perform(step) }
        let found = try #require(Self.episode(of: "=!no_badge SAW", in: bench))
        #expect(found != opened)
    }

    @Test("Nobody knows how long a door was open whose contact could not be read")
    func unseenDoor() throws {
        var bench = try CabinetBench()
        for step in ["badge li", "open", "contact fails", "wait 20", "contact reads", "wait 5", "close"] { try bench.perform(step) }
        let closed = bench.events.compactMap { event -> Event.CabinetClosed? in
            if case .cabinetClosed(let closed) = event.body { closed } else { nil }
        }
        #expect(closed.count == 1)
        #expect(closed.first?.milliseconds == nil)
        for step in ["wait 150", "badge li", "open", "wait 5", "close"] { try bench.perform(step) }
        let last = bench.events.last { if case .cabinetClosed = $0.body { true } else { false } }
        guard case .cabinetClosed(let watched)? = last?.body else {
            Issue.record("not closed")
            return
        }
        #expect((watched.milliseconds ?? 0) >= 5_000)
    }

    @Test("A command whose commit took longer than somebody waits at the door opens no lock")
    func lateCommit() throws {
        for (milliseconds, opens) in [(9_900 as Int64, true), (10_000, false)] {
            var bench = try CabinetBench()
            _ = bench.takeWords()
            let ticket = try bench.engine.perform(
                .openStation(station: "cab", person: nil, reason: "x"), by: "anna", at: bench.instant, into: &bench.output)
            // The disk hangs: what was decided is not answered yet.
            bench.output.removeAll()
            bench.now += milliseconds
            bench.engine.committed(ticket: ticket, at: bench.instant, into: &bench.output)
            bench.settle()
            #expect(bench.takeWords().contains("(unlock_2)") == opens, "\(milliseconds) ms")
        }
    }
}

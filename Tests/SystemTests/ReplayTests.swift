import Foundation
import Readings
import Testing

extension SystemTests {
    /// The recording of a day, replayed, gives the day's events byte by byte.
    @Suite struct ReplayTests {
        @Test func aReplayOfTheRecordingGivesTheSameEvents() async throws {
            let seed = UInt64.random(in: 1...1_000_000)
            print("replay: seed \(seed)")
            try await story { place in
                try GateDay.site(place)
                var day = try GateDay(at: place, seed: seed)

                // In the morning the gateway is new.
                let morning = try await RunningGateway.start(at: place)
                // In two parts: master data have versions, and events name them.
                try morning.importMaster(Bench.master.dropLast(4))
                try morning.importMaster(Bench.master.suffix(4))
                let events = try Follower(eventsOf: morning)
                try await day.isReady(morning)
                day.walk(GateDay.drill, badge: "0000100001", to: .out)
                try await events.next(type: "loan.checked_out")
                try await day.scanner.putAway(lot: "LOT-1")
                day.walk(GateDay.saw, GateDay.stranger, to: .out)
                let raised = try await events.next(exception: "no_badge")
                let number = try #require(raised["seq"]?.integer)
                try #require(
                    try await place.stockgate("exceptions", "resolve", "\(number)", "--as", "asked", "--note", "he forgot it").status == 0)
                try #require(try await place.stockgate("tag", "bind", GateDay.meter, "--item", "METER-01").status == 0)
                try #require(try await place.stockgate("station", "pause", "bench").status == 0)
                day.scanner.scan("NOBODY-LISTENS")
                try await morning.records(Hexadecimal.text("NOBODY-LISTENS"))
                try #require(try await place.stockgate("station", "resume", "bench").status == 0)
                day.scanner.scan("WHO-KNOWS-THIS")
                try await events.next(exception: "unknown_code")
                day.walk(GateDay.meter, badge: "0000100002", to: .out)
                try await events.next(type: "loan.checked_out")
                // One more decision on its way, and the power goes.
                day.scanner.scan(Bench.goods(lot: "LOT-2"))
                try await day.scanner.awaits(.next)
                day.scanner.scan(Bench.shelf)
                morning.child.send(SIGKILL)
                _ = try await morning.child.end()
                let before = try await EventLogCheck(of: place)
                try #require(before.problems == [])

                let cut = try await replay("the morning", of: try recording(place, 0), place, master: false)
                try #require(!cut.isEmpty)
                try #require(cut.count <= before.bodies.count)
                try same(cut, Array(before.bodies.prefix(cut.count)))

                // In the afternoon it goes on from what is stored: open loans, an open exception, a bound tag.
                // The devices had no power either.
                day = try GateDay(at: place, seed: seed + 1)
                let afternoon = try await RunningGateway.start(at: place)
                let later = try Follower(eventsOf: afternoon)
                try await day.isReady(afternoon)
                day.walk(GateDay.drill, to: .in)
                try await later.next(type: "loan.returned")
                day.walk(GateDay.meter, badge: "0000100001", to: .in)
                try await later.next(type: "loan.returned")
                try await day.scanner.putAway(lot: "LOT-3")
                try #require(try await place.stockgate("tag", "unbind", GateDay.meter).status == 0)
                try #require(try await afternoon.stop() == 0)
                let after = try await EventLogCheck(of: place)
                try #require(after.problems == [])
                // The readers were let go before they were closed; what they said in between counts for nothing.
                let ending = try String(contentsOfFile: try recording(place, 1), encoding: .utf8).split(separator: "\n").suffix(200)
                try #require(ending.contains { $0.contains("\"released\":true") })
                let whole = try await replay("the afternoon", of: try recording(place, 1), place, master: true)
                try same(whole, Array(after.bodies.dropFirst(before.bodies.count)))
                // The file destination has the same bytes, each event once, those that it is given.
                let delivered = place.read("events.ndjson").split(separator: "\n").map(String.init)
                try #require(
                    delivered
                        == after.bodies.filter { body in
                            body.contains("\"certainty\":\"final\"")
                                && ["loan.", "stock.", "exception."].contains { body.contains("\"type\":\"\($0)") }
                        })
                print(
                    "replay: \(cut.count) of \(before.bodies.count) events before the kill, \(whole.count) of \(whole.count) after it, byte by byte"
                )
            }
        }

        private func same(_ replayed: [String], _ recorded: [String]) throws {
            for (one, other) in zip(replayed, recorded) where one != other {
                throw StoryFailure(description: "replayed \(one)\nrecorded \(other)")
            }
            try #require(replayed.count == recorded.count)
        }

        /// The nth recording, counted from 0.
        private func recording(_ place: Workplace, _ number: Int) throws -> String {
            let names = try FileManager.default.contentsOfDirectory(atPath: place.file("recordings")).sorted()
            try #require(number < names.count, "\(names)")
            return place.file("recordings/\(names[number])")
        }

        private func replay(_ what: String, of recording: String, _ place: Workplace, master: Bool) async throws -> [String] {
            // The master data as the site's owner has them; the gateway of the afternoon began with them.
            try place.write("master.json", JSON.array(Bench.master).canonicalText)
            let arguments = ["replay", "--config", place.file("site.toml")] + (master ? ["--master", place.file("master.json")] : [])
            let run = try await place.run(Setting.program("stockgate"), arguments + [recording])
            try #require(run.status == 0, "replay of \(what): \(run.errors)")
            return run.output.split(separator: "\n").map(String.init)
        }
    }
}

/// Bytes as captures write them.
enum Hexadecimal {
    static func text(_ text: String) -> String { text.utf8.map { String(format: "%02X", $0) }.joined() }
}

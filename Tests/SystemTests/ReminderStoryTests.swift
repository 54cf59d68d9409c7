import Foundation
import Readings
import Testing

extension SystemTests {
    /// From a tool at the gate to a mail in a mailbox, with a made-up clock, and receivers that are away for days.
    @Suite struct ReminderStoryTests {
        private static let people: [JSON] = [
            [
                "set": "people", "id": "1001", "key": "p-0000000000001001", "name": "李雷", "email": "lilei@example.com", "language": "zh",
                "supervisor": "1003",
            ],
            ["set": "people", "id": "1002", "key": "p-0000000000001002", "name": "Han Meimei", "email": "han@example.com"],
            ["set": "people", "id": "1003", "key": "p-0000000000001003", "name": "Wei Hua", "email": "wei@example.com"],
        ]

        private static func site(_ place: Workplace, mail: Int, webhook: Int) throws {
            try GateDay.site(place)
            try place.write(
                "site.toml",
                place.read("site.toml") + """

                    [policy]
                    due_days = 1

                    # From midnight on, so that the test may run at any hour.
                    [policy.reminders]
                    hour = 0
                    overdue_days = [1, 3, 7]

                    [[destination]]
                    name = "mail"
                    kind = "mail"
                    url = "smtp://127.0.0.1:\(mail)"
                    insecure = true
                    from = "stockgate@example.com"
                    storekeeper = ["crib@example.com"]

                    [[destination]]
                    name = "hook"
                    kind = "webhook"
                    url = "http://127.0.0.1:\(webhook)/hook"
                    types = ["loan.reminded"]

                    """)
        }

        /// Lets days pass.
        private static func pass(days: Int, at place: Workplace) throws {
            try place.write("clock-ahead.new", "\(days * 86_400)\n")
            guard rename(place.file("clock-ahead.new"), place.file("clock-ahead")) == 0 else {
                throw StoryFailure(description: "the clock cannot be set: \(String(cString: strerror(errno)))")
            }
        }

        private struct Receivers {
            var mail: ServerOnTheSide
            var hook: ServerOnTheSide

            init(at place: Workplace, ports: (mail: Int, hook: Int) = (0, 0)) async throws {
                mail = try await ServerOnTheSide("smtp_server.py", ["--port", "\(ports.mail)"], at: place)
                hook = try await ServerOnTheSide("webhook_receiver.py", ["--port", "\(ports.hook)"], at: place)
            }

            var ports: (mail: Int, hook: Int) { (mail.ports[0], hook.ports[0]) }

            /// Who got a mail, in order, with its subject's beginning.
            func mails() throws -> [[String]] {
                (try mail.state()["mails"]?.array ?? []).map { mail in
                    (mail["recipients"]?.array ?? []).compactMap(\.string) + [mail["subject"]?.string ?? ""]
                }
            }

            /// Events by their ids, each with how often it came.
            func events() throws -> Int { try hook.state()["counts"]?["stored"]?.integer.map(Int.init) ?? -1 }
            func duplicates() throws -> Int64? { try hook.state()["counts"]?["duplicates"]?.integer }

            func stop() async throws {
                try await mail.stop()
                try await hook.stop()
            }
        }

        private static func reminders(_ gateway: RunningGateway) throws -> [JSON] {
            (try gateway.get("events", query: [("after", "0"), ("limit", "1000")])["events"]?.array ?? []).filter {
                $0["type"] == "loan.reminded"
            }
        }

        @Test("Receivers that were away for two days get what is still true, once; so they do over a kill")
        func awayForDays() async throws {
            try await story { place in
                let first = try await Receivers(at: place)
                let ports = first.ports
                try await first.stop()
                try Self.site(place, mail: ports.mail, webhook: ports.hook)
                try Self.pass(days: 0, at: place)
                let clock = ["--clock-ahead", place.file("clock-ahead")]
                let day = try GateDay(at: place, seed: 9)
                var gateway = try await RunningGateway.start(at: place, arguments: clock)
                var events = try Follower(eventsOf: gateway)
                try gateway.importMaster(Bench.master)
                try gateway.importMaster(Self.people)
                try await day.isReady(gateway)

                // Two tools go out, to two people.
                for (tag, badge) in [(GateDay.drill, "0000100001"), (GateDay.saw, "0000100002")] {
                    day.walk(tag, badge: badge, to: .out)
                    _ = try await events.next("a tool is lent") { $0["type"] == "loan.checked_out" && $0["certainty"] == "final" }
                }

                // The day on which both are due, and the day after it: nobody listens.
                try Self.pass(days: 1, at: place)
                for _ in 0..<2 { _ = try await events.next("due today") { $0["data"]?["step"] == "due_today" } }
                try Self.pass(days: 2, at: place)
                for _ in 0..<2 { _ = try await events.next("overdue") { $0["data"]?["step"] == "overdue_1" } }

                // One of them comes back, and the power fails.
                day.walk(GateDay.saw, to: .in)
                _ = try await events.next("the saw is back") { $0["type"] == "loan.returned" && $0["certainty"] == "final" }
                gateway.child.send(SIGKILL)
                _ = try await gateway.child.end()
                gateway = try await RunningGateway.start(at: place, arguments: clock)
                events = try Follower(eventsOf: gateway)
                try await day.isReady(gateway)

                // What is said now: that the drill is late, to who has it.
                let receivers = try await Receivers(at: place, ports: ports)
                try await eventually("the mail and the webhook have come", within: .seconds(90)) {
                    let (mails, stored) = (try receivers.mails(), try receivers.events())
                    return mails.count >= 1 && stored >= 1 ? true : nil
                }
                let late = try receivers.mails()
                try #require(late == [["lilei@example.com", "已逾期：Cordless drill 18 V"]], "\(late)")
                try await eventually("both have been through all four") {
                    let last = try Self.reminders(gateway).last?["seq"]?.integer ?? .max
                    let destinations = try gateway.get("destinations")["destinations"]?.array ?? []
                    return destinations.allSatisfy { $0["cursor"]?.integer ?? 0 >= last } ? true : nil
                }
                try #require(try receivers.events() == 1)

                // Three days late: the supervisor is told too.
                try Self.pass(days: 4, at: place)
                _ = try await events.next("overdue for long") { $0["data"]?["step"] == "overdue_2" }
                try await eventually("borrower and supervisor are told", within: .seconds(60)) {
                    let (mails, stored) = (try receivers.mails(), try receivers.events())
                    return mails.count >= 3 && stored >= 2 ? true : nil
                }

                // Back at last; whatever time passes, nobody is told anything more.
                day.walk(GateDay.drill, to: .in)
                _ = try await events.next("the drill is back") {
                    $0["type"] == "loan.returned" && $0["certainty"] == "final" && $0["data"]?["item"] == "DRILL-01"
                }
                try Self.pass(days: 30, at: place)
                // What is scanned is stamped with the time that the engine goes by.
                for number in 1...200 {
                    try await day.scanner.putAway(lot: "\(number)")
                    let time = try await events.next(lot: "\(number)")["time"]?.string.flatMap { WallTime(rfc3339: $0) }
                    if try #require(time).milliseconds > Int64(Date().timeIntervalSince1970 * 1_000) + 29 * 86_400_000 { break }
                    try #require(number < 200, "a month has not passed")
                }
                try #require(try Self.reminders(gateway).count == 5)
                try #require(
                    try receivers.mails().map { $0[0] } == ["lilei@example.com", "lilei@example.com", "wei@example.com"])
                try #require(try receivers.events() == 2 && receivers.duplicates() == 0)

                try #require(try await gateway.stop() == 0)
                try #require(try await EventLogCheck(of: place).problems == [])
                try await receivers.stop()
            }
        }
    }
}

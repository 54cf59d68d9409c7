import Foundation
import Readings
import Testing

extension SystemTests {
    /// `make run`, told by hand: the shipped site, master data and story.
    @Suite struct DemonstrationTests {
        private static let files = Setting.testsFolder.deletingLastPathComponent().appendingPathComponent("Demo").path

        /// One demonstration and what is asked of it.
        private struct Demonstration {
            var place: Workplace
            var child: Child
            var gateway: RunningGateway

            static func start(at place: Workplace) async throws -> Demonstration {
                let child = try Child(
                    Setting.program("stockgate"),
                    ["demo", "--files", files, "--profiles", Setting.profiles, "--directory", place.path, "--quiet", "--lang", "en"],
                    output: place.file("demo.out"), errors: place.file("demo.err"))
                try await eventually("the demonstration is introduced", within: .seconds(60)) {
                    if child.status != nil { throw StoryFailure(description: place.read("demo.err") + place.read("stockgated.log")) }
                    return place.read("demo.out").contains("Ctrl-C ends") ? true : nil
                }
                let gateway = try RunningGateway(startedElsewhereAt: place, log: place.file("stockgated.log"))
                return Demonstration(place: place, child: child, gateway: gateway)
            }

            @discardableResult
            func act(_ arguments: String..., status: Int32 = 0) async throws -> String {
                let run = try await place.run(Setting.program("stockgate"), ["demo"] + arguments + ["--directory", place.path])
                try #require(run.status == status, "\(arguments): \(run)")
                return run.errors
            }
        }

        @Test("Two tools out of the cabinet, one comes back damaged, the other late: the loan, the reminders and the report")
        func cabinetStory() async throws {
            try await story { place in
                let demo = try await Demonstration.start(at: place)
                let events = try Follower(eventsOf: demo.gateway)
                for device in ["cabinet-reader", "cabinet-badge", "cabinet-panel", "bench-scanner"] { try await demo.gateway.reads(device) }
                // What is inside is found out first.
                try await eventually("the cabinet is closed and looked through", within: .seconds(90)) {
                    let cabinet = try demo.gateway.get("stations")["stations"]?.array?.first { $0["name"] == "cabinet" }
                    return cabinet?["stage"] == "closed" && cabinet?["inside_tags"] == 3 ? true : nil
                }

                // Who is blocked finds the lock shut.
                let shut = try await demo.act("cabinet", "--person", "1003", "--take", "LASER-01", status: 4)
                try #require(shut.contains("stayed shut"), "\(shut)")
                try await demo.act("cabinet", "--person", "1001", "--take", "CALIPER-01", "LASER-01")
                let opened = try await events.next(type: "cabinet.opened")
                try #require(opened["actor"]?["name"] == "李雷", "\(opened)")
                var loans: Set<String> = []
                for _ in 0..<2 {
                    let taken = try await events.next(type: "loan.checked_out")
                    try #require(taken["data"]?["permit"] == "R-2026-118" && taken["station"] == "cabinet", "\(taken)")
                    try loans.insert(#require(taken["data"]?["loan"]?.string))
                }
                try #require(loans.count == 1)

                try await demo.act("cabinet", "--person", "1001", "--put", "CALIPER-01")
                let back = try await events.next(type: "loan.returned")
                try #require(back["data"]?["item"] == "CALIPER-01" && back["data"]?["inspect"] == true, "\(back)")
                try await demo.act("scan", "CALIPER-01", "STOCKGATE-DAMAGED")
                let inspected = try await events.next(type: "loan.inspected")
                try #require(inspected["data"]?["result"] == "damaged", "\(inspected)")
                try await events.next(exception: "damaged")

                // Three days on; the caliper is back and is not spoken of.
                for (days, step) in [("2", "due_today"), ("1", "overdue_1")] {
                    try await demo.act("days", days)
                    let told = try await events.next("a reminder") { $0["type"] == "loan.reminded" }
                    try #require(told["data"]?["step"]?.string == step && told["data"]?["items"] == ["LASER-01"], "\(told)")
                    try #require(told["data"]?["loan"]?.string == loans.first)
                }
                try await demo.act("cabinet", "--person", "1001", "--put", "LASER-01")
                // For good after the second look.
                try await events.next("the laser level is back", within: .seconds(90)) {
                    $0["type"] == "loan.returned" && $0["data"]?["item"] == "LASER-01" && $0["certainty"] == "final"
                }

                let month = try #require(opened["time"]?.string?.prefix(7))
                let report = try demo.gateway.get("reports", "loans", query: [("month", String(month))])["report"]
                let totals = report?["totals"]
                try #require(totals?["items"] == 2 && totals?["loans"] == 1 && totals?["damaged"] == 1, "\(String(describing: totals))")

                // What cannot be done is said.
                let absent = try await demo.act("cabinet", "--person", "1001", "--take", "HAMMER-01", status: 4)
                try #require(absent.contains("HAMMER-01") && absent.contains("LASER-01"), "\(absent)")
                try await demo.act("days", "400", status: 4)

                demo.child.send(SIGINT)
                try #require(try await demo.child.end() == 0)
                try #require(try await EventLogCheck(of: place).problems == [])
            }
        }

        /// A story with an act that nobody can perform does not begin.
        @Test func storyThatIsNotUnderstood() async throws {
            try await story { place in
                for name in ["site.toml", "master.json"] {
                    try place.write("files/\(name)", String(contentsOfFile: "\(Self.files)/\(name)", encoding: .utf8))
                }
                try place.write(
                    "files/story.json",
                    """
                    [{"en": "a walk", "do": {"act": "walk", "items": ["DRILL-01"], "direction": "out"}},
                     {"en": "a leap", "do": {"act": "leap"}}]
                    """)
                let run = try await place.run(
                    Setting.program("stockgate"),
                    [
                        "demo", "--files", place.file("files"), "--profiles", Setting.profiles, "--directory", place.file("run"), "--lang",
                        "en",
                    ])
                try #require(run.status != 0 && run.errors.contains("act 2"), "\(run)")
            }
        }
    }
}

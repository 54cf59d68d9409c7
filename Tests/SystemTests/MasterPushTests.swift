import Foundation
import Readings
import Testing

extension SystemTests {
    @Suite(.enabled(if: Broker.isInstalled, "skipped: mosquitto is not installed"))
    struct MasterPushTests {
        private static let own = "stockgate/1/Test%20crib/TEST/master/erp"
        private static let shared = "stockgate/1/Test%20crib/master/erp"

        private func source(_ gateway: RunningGateway) throws -> JSON? {
            try gateway.get("status")["master"]?["sources"]?.array?.first { $0["name"] == "erp" }
        }

        private func change(_ number: Int) -> [JSON] {
            [
                ["master": 1, "since": .string("c\(number - 1)")],
                ["set": "items", "id": .string("I-\(number)"), "name": "pushed"], ["end": 1, "cursor": .string("c\(number)"), "rows": 1],
            ]
        }

        private func snapshot(_ rows: [JSON], _ cursor: String) -> [JSON] {
            [["master": 1, "snapshot": true]] + rows + [["end": 1, "cursor": .string(cursor), "rows": .integer(Int64(rows.count))]]
        }

        @Test("Pushed over MQTT, across kills: every change once, and what is wrong changes nothing")
        func pushed() async throws {
            try await story { place in
                let broker = try await Broker.start(at: place)
                try broker.publish(Self.shared, snapshot(Bench.master, "c0"), retain: true)
                try Bench.set(
                    up: place, more: "[[source]]\nname = \"erp\"\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:\(broker.port)\"\n")
                var gateway = try await RunningGateway.start(at: place)
                try await eventually("the snapshot is in force") {
                    try gateway.get("status")["master"]?["version"]?.integer == 1 ? true : nil
                }
                let count = 120
                for number in 1...count {
                    try broker.publish(number % 2 == 0 ? Self.own : Self.shared, change(number))
                    if number % 40 == 0 {
                        gateway.child.send(SIGKILL)
                        _ = try await gateway.child.end()
                        gateway = try await RunningGateway.start(at: place)
                    }
                }
                try await eventually("the last change is in force") { try source(gateway)?["cursor"] == .string("c\(count)") ? true : nil }
                // Each change counts once, and the snapshot, however often they came.
                #expect(try gateway.get("status")["master"]?["version"] == .integer(Int64(count) + 1))
                #expect(try gateway.get("exceptions")["exceptions"]?.array == [])
                #expect(try broker.states().allSatisfy { $0["result"] != "refused" })

                // A tag of an item that nobody knows: with it a good row, which must not be taken in either.
                let bad: [JSON] = [
                    ["set": "items", "id": "NEW", "name": "New"], ["set": "tags", "id": "3476451FD4000000000003FF", "item": "GHOST"],
                ]
                let (head, end): (JSON, JSON) = (["master": 1, "since": .string("c\(count)")], ["end": 1, "cursor": "x", "rows": 2])
                try broker.publish(Self.own, [head] + bad + [end])
                try await eventually("it is refused") { try source(gateway)?["state"] == "refused" ? true : nil }
                #expect(try gateway.get("status")["master"]?["version"] == .integer(Int64(count) + 1))
                let exceptions = try gateway.get("exceptions")["exceptions"]?.array ?? []
                #expect(exceptions.compactMap { $0["code"]?.string } == ["erp"])
                let answer = try await eventually("the sender is told") { try broker.states().last { $0["result"] == "refused" } }
                #expect(answer["cursor"] == .string("c\(count)") && answer["batch"] == "x")
                #expect(answer["reasons"]?.array?.first?.string?.contains("GHOST") == true, "\(answer)")
                let shown = try await place.stockgate("status")
                #expect(shown.output.contains("mqtt") && shown.output.contains("GHOST"), "\(shown.output)")

                try broker.publish(Self.own, snapshot(Bench.master, "fresh"), retain: true)
                try await eventually("it is healed") { try source(gateway)?["cursor"] == "fresh" ? true : nil }
                #expect(try source(gateway)?["state"] == "current" && source(gateway)?["problem"] == nil)
                #expect(try await gateway.stop() == 0)
                #expect(try await EventLogCheck(of: place).problems == [])
            }
        }
    }
}

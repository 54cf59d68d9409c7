import Foundation
import Readings
import Synchronization
import TestSupport
import Testing

extension SystemTests {
    /// The daemon is killed at random moments while somebody scans as fast as it answers. This shows what a start finds, and nothing
    /// about power cuts, where the kernel's memory goes too.
    @Suite struct KillTests {
        private static let rounds = Setting.isLong ? 200 : 20

        @Test func whatTheGreenLightPromisedIsKeptAndDeliveredOnce() async throws {
            let seed = UInt64.random(in: 1...1_000_000)
            print("kill -9: seed \(seed), \(Self.rounds) rounds")
            var random = SeededGenerator(seed: seed)
            try await story { place in
                let server = try await CaptureServer.start(at: place)
                try Bench.set(up: place, more: Bench.serverDestination(server.url))
                let started = ContinuousClock.now
                let first = try await RunningGateway.start(at: place)
                let startUp = (ContinuousClock.now - started).milliseconds
                try first.importMaster(Bench.master)
                try #require(try await first.stop() == 0)

                var acknowledged: [String] = []
                var early = 0
                for round in 1...Self.rounds {
                    // Every fourth time while it starts, else while it works.
                    let isEarly = round % 4 == 0
                    let delay = Int64(random.next() % UInt64(isEarly ? 2 * startUp : 400))
                    let lots = try await killOne(round: round, after: delay, isEarly: isEarly, place)
                    early += lots.isEmpty ? 1 : 0
                    acknowledged += lots
                }
                try #require(!acknowledged.isEmpty)

                let last = try await RunningGateway.start(at: place)
                let upTo = try #require(try last.get("status")["events"]?.integer)
                try await eventually("everything is delivered", within: .seconds(60)) {
                    let states = try last.get("destinations")["destinations"]?.array ?? []
                    return states.count == 2 && states.allSatisfy { $0["cursor"]?.integer == upTo } ? true : nil
                }
                try #require(try await last.stop() == 0)
                let check = try await EventLogCheck(of: place)
                try #require(check.problems == [], "seed \(seed)")
                let lots = try check.lots
                try #require(Set(lots).count == lots.count, "seed \(seed): a scan is in the log twice")
                try #require(Set(acknowledged).subtracting(lots) == [], "seed \(seed): acknowledged, and not in the log")
                try await server.hasExactly(check.events)
                let inFile = place.read("events.ndjson").split(separator: "\n").map(String.init)
                try #require(inFile == check.bodies.filter { $0.contains("\"type\":\"stock.") }, "seed \(seed): the file")
                print(
                    "kill -9: \(acknowledged.count) acknowledged and \(lots.count) recorded pairs, \(early) rounds killed before the first, "
                        + "start \(startUp) ms; upstream \(try server.report().events.count) once in effect, \(try server.report().duplicates) came twice"
                )
            }
        }

        /// Starts the daemon, scans until it is killed.
        /// - Returns: the lots for which the light went green.
        private func killOne(round: Int, after delay: Int64, isEarly: Bool, _ place: Workplace) async throws -> [String] {
            let gateway = try RunningGateway(at: place)
            let child = gateway.child
            let link = place.file("dev/scanner")
            let hasBegun = Flag()
            async let worked = onThread {
                try Self.work(round: round, scannerAt: link, until: { child.status != nil }, begins: { hasBegun.raise() })
            }
            if !isEarly { try await eventually("the first green light") { hasBegun.isUp ? true : nil } }
            try await Task.sleep(for: .milliseconds(delay))
            child.send(SIGKILL)
            let lots = try await worked
            try #require(child.status == 128 + SIGKILL, "round \(round): it ended by itself with \(child.status ?? -1)")
            return lots
        }

        private static func work(round: Int, scannerAt link: String, until isOver: () -> Bool, begins: () -> Void) throws -> [String] {
            let scanner = try BenchScanner(link)
            var acknowledged: [String] = []
            var number = 0
            while !isOver() {
                number += 1
                let lot = "R\(round)-\(number)"
                // Until somebody listens: a start discards what came before it.
                var answers: [BenchScanner.Answer] = []
                while answers.isEmpty, !isOver() {
                    scanner.scan(Bench.goods(lot: lot))
                    answers = scanner.answers(waiting: 100)
                }
                scanner.scan(Bench.shelf)
                answers = []
                let end = ContinuousClock.now + .seconds(10)
                repeat {
                    // Looked at before, so that what was sent just before the end is still read.
                    let wasOver = isOver()
                    answers += scanner.answers(waiting: wasOver ? 0 : 20)
                    if wasOver { break }
                } while !answers.contains(.accepted) && ContinuousClock.now < end
                if answers.contains(.accepted) {
                    acknowledged.append(lot)
                    begins()
                } else if !isOver() {
                    throw StoryFailure(description: "round \(round): \(lot) was answered by \(answers)")
                }
            }
            return acknowledged
        }
    }
}

/// Something that one thread tells another once.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isUp: Bool { value.load(ordering: .acquiring) }
    func raise() { value.store(true, ordering: .releasing) }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}

import ControlTestSupport
import Readings
import ServiceLifecycle
import Synchronization
import Testing

@testable import Control

@Suite struct StreamTests {
    /// What a stream brought so far, filled by its thread.
    private final class Received: Sendable {
        private let state = Mutex<[JSON]>([])
        var lines: [JSON] { state.withLock { $0 } }
        func add(_ line: JSON) { state.withLock { $0.append(line) } }
    }

    @Test func followGivesTheNewestAndThenEveryEventWithoutGaps() async throws {
        let gateway = FakeGateway()
        let received = Received()
        try await withServer(gateway) { folder, _ in
            let client = try ControlClient(socket: folder.socket)
            async let reading: Void = blocking {
                try client.lines(["events"], [("follow", "true"), ("limit", "2")]) { line in
                    received.add(line)
                    return line["seq"] != 1_507
                }
            }
            #expect(await eventually { received.lines.count == 2 })
            for number in Int64(8)...1_507 {
                gateway.commit(Fixtures.event(number, "loan.returned", "10:20:00", ["data": ["item": "X", "loan": "L", "borrower": "p"]]))
                // A gateway ends the stream of one who falls behind.
                if number % 500 == 0 {
                    gateway.dropFollowers()
                    _ = await eventually { gateway.followerCount == 1 }
                }
            }
            try await reading
        }
        #expect(received.lines.compactMap { $0["seq"]?.integer } == Array(6...1_507))
    }

    @Test func followKeepsItsFilter() async throws {
        let gateway = FakeGateway()
        let received = Received()
        try await withServer(gateway) { folder, _ in
            let client = try ControlClient(socket: folder.socket)
            async let reading: Void = blocking {
                try client.lines(["events"], [("follow", "true"), ("type", "exception.*"), ("after", "4")]) { line in
                    received.add(line)
                    return false
                }
            }
            #expect(await eventually { gateway.followerCount == 1 })
            gateway.commit(Fixtures.event(8, "loan.returned", "10:20:00", ["data": [:]]))
            gateway.commit(Fixtures.event(9, "exception.raised", "10:20:01", ["data": ["kind": "no_badge"]]))
            try await reading
        }
        #expect(received.lines.map { $0["seq"]?.integer } == [9])
    }

    @Test func watchShowsHappeningsAndNewEvents() async throws {
        let gateway = FakeGateway()
        let received = Received()
        try await withServer(gateway) { folder, _ in
            let client = try ControlClient(socket: folder.socket)
            async let reading: Void = blocking {
                try client.lines(["watch"]) { line in
                    received.add(line)
                    return line["kind"] != "event"
                }
            }
            #expect(await eventually { received.lines.count > Fixtures.happenings.count && gateway.followerCount == 1 })
            // Old events are not news; the first new one is.
            gateway.commit(Fixtures.event(8, "exception.raised", "10:20:01", ["data": ["kind": "no_badge"]]))
            gateway.commit(Fixtures.event(8, "exception.raised", "10:20:01", ["data": ["kind": "no_badge"]]))
            try await reading
        }
        let kinds = received.lines.compactMap { $0["kind"]?.string }
        #expect(kinds.first == "watching")
        #expect(kinds.contains("sighting") && kinds.contains("device"))
        #expect(received.lines.last?["event"]?["seq"] == 8)
        #expect(received.lines.allSatisfy { $0["time"]?.string != nil })
    }

    /// The best of five: the other tests of this process take the processors away at times.
    @Test func openStreamsEndWithinASecondOfShutdown() async throws {
        var best = Duration.seconds(60)
        for _ in 0..<5 where best > .seconds(1) { best = min(best, try await timeOfShutdown()) }
        #expect(best < .seconds(1), "\(best)")
    }

    /// From the signal to the end of the server, with six streams open.
    private func timeOfShutdown() async throws -> Duration {
        let gateway = FakeGateway()
        let received = Received()
        let shutdown = try await withServer(gateway) { folder, group in
            try await withThrowingTaskGroup(of: Void.self) { streams in
                for number in 0..<6 {
                    let client = try ControlClient(socket: folder.socket)
                    streams.addTask {
                        // Ends with a complete answer: a broken connection would throw.
                        try await blocking {
                            try client.lines(number % 2 == 0 ? ["watch"] : ["events"], number % 2 == 0 ? [] : [("follow", "true")]) {
                                line in
                                received.add(line)
                                return true
                            }
                        }
                    }
                }
                #expect(await eventually { gateway.followerCount == 6 && gateway.watcherCount == 3 && received.lines.count >= 24 })
                let now = ContinuousClock.now
                await group.triggerGracefulShutdown()
                try await streams.waitForAll()
                return now
            }
        }
        return shutdown.duration(to: .now)
    }

    @Test func aWatcherThatGoesIsForgotten() async throws {
        let gateway = FakeGateway()
        try await withServer(gateway) { folder, _ in
            for _ in 0..<3 {
                let client = try ControlClient(socket: folder.socket)
                try await blocking { try client.lines(["watch"]) { _ in false } }
            }
            // The server is not held up by them.
            let client = try ControlClient(socket: folder.socket)
            let status = try await blocking { try client.get(["status"]) }
            #expect(status["gateway"] == "CRIB1")
        }
    }

    @Test func aFullRelayDropsReadingsFirstAndTellsHowMany() {
        let relay = WatchRelay()
        for number in 0..<10_000 { relay.offer(["kind": "reading", "n": .integer(Int64(number))]) }
        for number in 0..<100 { relay.offer(["kind": "event", "n": .integer(Int64(number))]) }
        let lines = relay.take()
        #expect(lines.count { $0["kind"] == "event" } == 100)
        let readings = lines.count { $0["kind"] == "reading" }
        #expect(readings == WatchRelay.capacity / 2)
        #expect(lines.last == ["kind": "dropped", "count": .integer(Int64(10_000 - readings))])
        #expect(relay.take().isEmpty)
    }
}

import Foundation
import Readings
import Testing

extension SystemTests {
    /// How the daemon ends, reads its configuration again, keeps others out, and speaks to systemd.
    @Suite struct ShutdownTests {
        @Test func endsAtOnceUnderLoad() async throws {
            try await story { place in
                try Bench.set(up: place)
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                let child = gateway.child
                let link = place.file("dev/scanner")
                // Boxes as fast as it answers, to the end.
                async let worked = onThread { () throws -> [String] in
                    let scanner = try BenchScanner(link)
                    var acknowledged: [String] = []
                    for number in 1... {
                        // Until somebody listens: a start discards what came before it. An answer then belongs to this box and no other.
                        var answers: [BenchScanner.Answer] = []
                        while answers.isEmpty {
                            if child.status != nil { return acknowledged }
                            scanner.scan(Bench.goods(lot: "L\(number)"))
                            answers = scanner.answers(waiting: 100)
                        }
                        scanner.scan(Bench.shelf)
                        while true {
                            // Looked at before, so that what was sent just before the end is still read.
                            let isOver = child.status != nil
                            if scanner.answers(waiting: isOver ? 0 : 50).contains(.accepted) { break }
                            if isOver { return acknowledged }
                        }
                        acknowledged.append("L\(number)")
                    }
                    return acknowledged
                }
                let events = try Follower(eventsOf: gateway)
                for _ in 0..<20 { try await events.next(type: "stock.put_away") }
                let asked = ContinuousClock.now
                #expect(try await gateway.stop() == 0)
                let taken = ContinuousClock.now - asked
                try #require(taken < .seconds(3), "\(taken)")
                let acknowledged = try await worked
                let check = try await EventLogCheck(of: place)
                try #require(check.problems == [])
                try #require(Set(acknowledged).subtracting(try check.lots) == [])
                try #require(!FileManager.default.fileExists(atPath: place.file("control.sock")))
                print("ended under load: \(taken.milliseconds) ms, \(acknowledged.count) acknowledged, \(try check.lots.count) recorded")
            }
        }

        @Test func aReloadAddsAStation() async throws {
            try await story { place in
                try Bench.set(up: place, recorder: true)
                let scanner = try BenchScanner(place.file("dev/scanner"))
                let second = try BenchScanner(place.file("dev/second"))
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                try await gateway.reads("scanner")
                try await scanner.putAway(lot: "BEFORE")
                try place.write(
                    "site.d/second.toml",
                    Bench.device("second", "test/answering", place) + Bench.station("second-bench", scanners: ["second"]))
                gateway.child.send(SIGHUP)
                try await gateway.logs("changed=\"device second, station second-bench\"")
                try await gateway.reads("second")
                try await second.putAway(lot: "SECOND")
                try await gateway.reads("scanner")
                try await scanner.putAway(lot: "FIRST-STILL")
                let stations = try gateway.get("stations")["stations"]?.array?.compactMap { $0["name"]?.string }
                #expect(stations == ["bench", "second-bench"])
                // What devices send is recorded on, now with the new station.
                try await gateway.records(Hexadecimal.text("FIRST-STILL"))
                try #require(try await gateway.stop() == 0)
                let check = try await EventLogCheck(of: place)
                try #require(check.problems == [])
                try #require(try check.lots == ["BEFORE", "SECOND", "FIRST-STILL"])
            }
        }

        @Test func aSecondDaemonOnTheSameStore() async throws {
            try await story { place in
                try Bench.set(up: place)
                let scanner = try BenchScanner(place.file("dev/scanner"))
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                try await gateway.reads("scanner")
                let same = try RunningGateway(at: place)
                #expect(try await same.child.end() == 69)
                #expect(same.log.contains("another process has the store"), "\(same.log)")
                // With another socket too: the store is what counts.
                try place.write("other.toml", place.read("site.toml").replacingOccurrences(of: "control.sock", with: "other.sock"))
                let other = try RunningGateway(at: place, site: "other.toml")
                #expect(try await other.child.end() == 69)
                // And with another store on the same socket.
                try place.write(
                    "third.toml", place.read("site.toml").replacingOccurrences(of: place.file("state"), with: place.file("state3")))
                let third = try RunningGateway(at: place, site: "third.toml")
                #expect(try await third.child.end() == 69)
                try await scanner.putAway(lot: "UNHARMED")
                #expect(try await gateway.stop() == 0)
            }
        }

        @Test func itTellsSystemdHowItIs() async throws {
            try await story { place in
                try Bench.set(up: place)
                let manager = try ServiceManager(place.file("notify.sock"))
                let environment = ["NOTIFY_SOCKET": place.file("notify.sock"), "WATCHDOG_USEC": "400000"]
                let gateway = try await RunningGateway.start(at: place, environment: environment)
                try await manager.hears("READY=1")
                for _ in 0..<3 { try await manager.hears("WATCHDOG=1", within: .seconds(2)) }
                gateway.child.send(SIGHUP)
                try await manager.hears("RELOADING=1")
                try await manager.hears("READY=1")
                try await manager.hears("WATCHDOG=1", within: .seconds(2))
                #expect(try await gateway.stop() == 0)
                try await manager.hears("STOPPING=1")
                try #require(!manager.heard().contains { $0.contains("WATCHDOG=1") })
            }
        }

        /// Only the thread that writes to the disk is stopped, by a debugger; the rest of the daemon goes on.
        @Test func theWatchdogGoesHungryWhileNothingIsWritten() async throws {
            try await story { place in
                try Bench.set(up: place)
                let scanner = try BenchScanner(place.file("dev/scanner"))
                let manager = try ServiceManager(place.file("notify.sock"))
                let environment = ["NOTIFY_SOCKET": place.file("notify.sock"), "WATCHDOG_USEC": "400000"]
                let gateway = try await RunningGateway.start(at: place, environment: environment)
                try gateway.importMaster(Bench.master)
                try await gateway.reads("scanner")
                try await manager.hears("WATCHDOG=1")
                let holder = try Child(
                    Setting.python, ["-B", Setting.counterpart("hold_thread.py"), "\(gateway.child.identifier)", "store-writer"],
                    output: place.file("holder.out"), errors: place.file("holder.err"))
                let isHeld = try await eventually("the writer is held") { () -> Bool? in
                    if place.read("holder.out") == "held\n" { return true }
                    return holder.status == nil ? nil : false
                }
                guard isHeld else {
                    try #require(getuid() != 0, "\(place.read("holder.err"))")
                    // Another process may not be traced here: nothing can be shown.
                    print("watchdog: not shown, because no thread can be stopped here: \(place.read("holder.err"))")
                    return
                }
                // Two more may have been on their way. In the next five intervals there must be none, though the API answers.
                _ = manager.heard()
                let from = ContinuousClock.now
                try await eventually("2 s have passed", within: .seconds(5)) { ContinuousClock.now - from > .seconds(2) ? true : nil }
                let heard = manager.heard().filter { $0.contains("WATCHDOG=1") }
                try #require(heard.count <= 1, "\(heard)")
                try #require(try gateway.get("devices")["devices"] != nil)
                // A person is told within 2 s that it is not recorded.
                scanner.scan(Bench.goods(lot: "HELD"))
                try await scanner.awaits(.next)
                scanner.scan(Bench.shelf)
                try await scanner.awaits(.notRecorded, within: .seconds(4))
                holder.closeInput()
                try await manager.hears("WATCHDOG=1", within: .seconds(5))
                // It was late, not lost.
                let events = try Follower(eventsOf: gateway)
                try await events.next(lot: "HELD")
                try #require(try await gateway.stop() == 0)
                print("watchdog: \(heard.count) datagrams in 2 s while the writer stood still")
            }
        }
    }
}

/// The receiving end of sd_notify(3).
final class ServiceManager {
    private let descriptor: Int32
    private var waiting: [String] = []

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard descriptor >= 0, result == 0 else { throw StoryFailure(description: "bind \(path): \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    /// What came and was not looked at yet.
    func heard() -> [String] {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 {
            waiting.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
        defer { waiting = [] }
        return waiting
    }

    /// Waits for a datagram with this line; those before it are passed over.
    func hears(_ line: String, within limit: Duration = .seconds(10)) async throws {
        try await eventually("systemd hears \(line)", within: limit) { () -> Bool? in
            let messages = heard()
            guard let found = messages.firstIndex(where: { $0.split(separator: "\n").contains(Substring(line)) }) else { return nil }
            waiting = Array(messages[(found + 1)...])
            return true
        }
    }
}

import Decoding
import Identifiers
import Ledger
import Readings
import SiteConfiguration
import Testing

@testable import Engine

private let tool = EPC(hex: "3476451FD400000000000001")!
private let saw = EPC(hex: "3476451FD400000000000002")!
private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

/// A gate with a reader and a badge reader, and a bench with a scanner; every device gives feedback by a byte of its own.
struct Bench {
    static let reader = DeviceIndex(0)
    static let badges = DeviceIndex(1)
    static let scanner = DeviceIndex(2)
    static let secondReader = DeviceIndex(3)
    var engine: Engine
    var output = EngineOutput()
    var events: [Event] = []
    var feedback: [Feedback] = []
    /// Answers every commit at once.
    var commits = true

    /// - Parameter hasSecondGate: whether there is a gate `south` with a reader of its own.
    init(state: LedgerState = LedgerState(), hasSecondGate: Bool = false) {
        var site = Site(
            gateway: .init(code: "CRIB1", site: "Works"),
            devices: [.init(name: "uhf", port: "/dev/x"), .init(name: "badge", port: "/dev/y"), .init(name: "scanner", port: "/dev/z")],
            stations: [
                .init(
                    name: "gate", feedbackDevices: ["uhf"],
                    kind: .gate(
                        .init(
                            antennas: [.init(device: "uhf", port: 1, side: .inside), .init(device: "uhf", port: 2, side: .outside)],
                            badgeReaders: ["badge"]))),
                .init(name: "bench", feedbackDevices: ["scanner"], kind: .putaway(.init(scanners: ["scanner"]))),
            ])
        if hasSecondGate {
            site.devices.append(.init(name: "uhf-2", port: "/dev/v"))
            let antennas: [Site.Gate.Antenna] = [
                .init(device: "uhf-2", port: 1, side: .inside), .init(device: "uhf-2", port: 2, side: .outside),
            ]
            site.stations.append(.init(name: "south", feedbackDevices: ["uhf-2"], kind: .gate(.init(antennas: antennas))))
        }
        let rows: [MasterRow] = [
            MasterRow(set: .people, id: "1", body: ["key": "p-li", "name": "Li"]),
            MasterRow(set: .credentials, id: "77", body: ["person": "p-li"]),
            MasterRow(set: .items, id: "DRILL", body: ["name": "Drill"]), MasterRow(set: .items, id: "SAW", body: ["name": "Saw"]),
            MasterRow(set: .tags, id: tool.hex, body: ["item": "DRILL"]), MasterRow(set: .tags, id: saw.hex, body: ["item": "SAW"]),
            MasterRow(set: .locations, id: "A-01", body: ["name": "Shelf"]),
            MasterRow(set: .codes, id: "SHELF", body: ["location": "A-01"]),
            MasterRow(set: .codes, id: "DRILL", body: ["item": "DRILL"]),
        ]
        guard let master = try? MasterData().applying(rows) else { fatalError("the fixture's master data are wrong") }
        engine = Engine(site: site, epoch: 1, state: state, master: master, startingAt: .zero)
        engine.wallChanged(
            WallAnchor(instant: .zero, milliseconds: 1_763_690_400_000, offsetMinutes: 480, quality: .synchronised), into: &output)
        let plan = SessionPlan(
            feedback: Dictionary(uniqueKeysWithValues: Feedback.allCases.map { ($0, [.init(bytes: Array($0.rawValue.utf8))]) }))
        for device in [Self.reader, Self.badges, Self.scanner] + (hasSecondGate ? [Self.secondReader] : []) {
            engine.opened(device, program: DeviceProgram(decoder: .scannerLine(.init()), plan: plan), at: .zero, into: &output)
        }
        settle()
    }

    mutating func settle() {
        while !output.commits.isEmpty || !output.happenings.isEmpty {
            let commits = output.commits
            for case .feedback(_, let feedback) in output.happenings { self.feedback.append(feedback) }
            output.removeAll()
            guard self.commits else { return }
            for commit in commits {
                events += commit.decision.events
                engine.committed(ticket: commit.ticket, at: engine.now, into: &output)
            }
        }
    }

    mutating func walk(
        _ epc: EPC, at start: Int64, badge: String? = nil, from first: UInt8 = 1, past reader: DeviceIndex = Self.reader
    ) {
        if let badge { engine.read(.badge(.init(credential: badge)), from: Self.badges, at: at(start), into: &output) }
        for read in 0..<12 {
            engine.read(
                .tag(TagRead(epc: epc, antenna: read < 6 ? first : 3 - first)), from: reader,
                at: at(start + Int64(read) * 50), into: &output)
        }
        settle()
    }

    /// A walk out of 2.4 s past a good reader, which each antenna hears well in its turn.
    mutating func clearWalk(_ epc: EPC, at start: Int64, badge: String) {
        engine.read(.badge(.init(credential: badge)), from: Self.badges, at: at(start), into: &output)
        for read in Int64(0)..<60 {
            for (port, nearest) in [(UInt8(1), Int64(24)), (2, 36)] where read % 2 == (port == 1 ? 0 : 1) && abs(read - nearest) < 24 {
                let rssi = Int16(-4_800 - 70 * abs(read - nearest))
                engine.read(.tag(TagRead(epc: epc, antenna: port, rssi: rssi)), from: Self.reader, at: at(start + read * 40), into: &output)
            }
        }
        settle()
    }

    /// Stops at every deadline, as a driver does, so that commits are answered when they are made.
    mutating func run(to milliseconds: Int64) {
        while let deadline = engine.nextDeadline, deadline <= at(milliseconds) {
            engine.advance(to: deadline, into: &output)
            settle()
        }
        engine.advance(to: at(milliseconds), into: &output)
        settle()
    }

    mutating func scan(_ text: String, at milliseconds: Int64) {
        engine.read(.scan(Scan(data: Array(text.utf8))), from: Self.scanner, at: at(milliseconds), into: &output)
        settle()
    }
}

@Suite("Engine: from inputs to decisions")
struct EngineTests {
    @Test("A walk with a badge is a loan, and its way back a return")
    func loan() {
        var bench = Bench()
        bench.walk(tool, at: 1_000, badge: "77")
        bench.run(to: 10_000)
        bench.walk(tool, at: 20_000, from: 2)
        bench.run(to: 30_000)
        #expect(bench.events.map(\.body.type) == ["loan.checked_out", "loan.checked_out", "loan.returned", "loan.returned"])
        #expect(bench.events.map(\.certainty) == [.provisional, .final, .provisional, .final])
        #expect(bench.events.map(\.corrects) == [nil, 1, nil, 3])
        #expect(bench.feedback == [.next, .accepted, .accepted])
        // The time is that of the crossing, between the last read inside (1,250 ms) and the first outside (1,300 ms), to a step of 130 ms.
        for event in bench.events.prefix(2) {
            #expect(abs(event.time.milliseconds - 1_763_690_401_275) <= 65)
        }
    }

    @Test("A tag that is at two gates at once is two tags: said once, until somebody has looked")
    func clonedTag() {
        var bench = Bench(hasSecondGate: true)
        for start in [Int64(1_000), 61_000] {
            bench.walk(tool, at: start, badge: "77")
            bench.walk(tool, at: start + 700, from: 2, past: Bench.secondReader)
            bench.run(to: start + 20_000)
        }
        let clones = bench.events.filter {
            if case .exceptionRaised(let raised) = $0.body { raised.kind == .clonedTag && raised.epcs == [tool] } else { false }
        }
        #expect(clones.count == 1 && clones.first?.evidence["other"] != nil)
        // One after the other, as somebody walks who has time for the way, is nothing.
        var slow = Bench(hasSecondGate: true)
        slow.walk(tool, at: 1_000, badge: "77")
        slow.run(to: 20_000)
        slow.walk(tool, at: 30_000, from: 2, past: Bench.secondReader)
        slow.run(to: 50_000)
        #expect(slow.events.map(\.body.type) == ["loan.checked_out", "loan.checked_out", "loan.returned", "loan.returned"])
    }

    @Test("Feedback comes after the commit, and in time or with a word that it did not")
    func feedbackDeadline() {
        var bench = Bench()
        bench.commits = false
        bench.scan("DRILL", at: 1_000)
        bench.scan("SHELF", at: 2_000)
        #expect(bench.feedback == [.next])
        bench.engine.advance(to: at(3_999), into: &bench.output)
        #expect(bench.output.transmissions.isEmpty)
        bench.engine.advance(to: at(4_000), into: &bench.output)
        #expect(bench.output.transmissions.map(\.bytes) == [Array("not_recorded".utf8)])
        bench.output.removeAll()
        // A moment later the person still stands there and hears the truth; half a minute later nobody does.
        var late = bench
        bench.engine.committed(ticket: 1, at: at(4_100), into: &bench.output)
        #expect(bench.output.transmissions.map(\.bytes) == [Array("accepted".utf8)])
        late.engine.committed(ticket: 1, at: at(34_000), into: &late.output)
        #expect(late.output.transmissions.isEmpty)
    }

    @Test("A failed commit is told, and a crossing is recorded as soon as the store can, with the time at which it happened")
    func failedCommit() throws {
        var bench = Bench()
        bench.commits = false
        bench.walk(tool, at: 1_000, badge: "77")
        bench.engine.advance(to: at(5_000), into: &bench.output)
        let commit = try #require(bench.output.commits.first)
        bench.output.removeAll()
        bench.engine.commitFailed(ticket: commit.ticket, at: at(5_100), into: &bench.output)
        #expect(bench.output.transmissions.map(\.bytes) == [Array("not_recorded".utf8)])
        #expect(bench.engine.isStale)
        // Meanwhile another walk: nothing can be decided, nothing is forgotten.
        bench.output.removeAll()
        bench.walk(saw, at: 6_000, badge: "77")
        bench.engine.advance(to: at(10_000), into: &bench.output)
        #expect(bench.output.commits.isEmpty)
        #expect(throws: CommandRefusal.self) {
            try bench.engine.perform(.setStationMode(station: "gate", mode: .paused), by: "uid:0", at: at(10_000), into: &bench.output)
        }
        bench.output.removeAll()
        bench.commits = true
        bench.engine.reloaded(LedgerState(), at: at(20_000), into: &bench.output)
        // Each walk had become final before it could be recorded: both words of it are kept.
        #expect(bench.output.commits.map(\.generation) == [2, 2, 2, 2])
        bench.settle()
        #expect(bench.events.allSatisfy { $0.body.type == "loan.checked_out" })
        #expect(bench.events.map(\.sequence) == [1, 2, 3, 4])
        #expect(bench.events.map(\.corrects) == [nil, 1, nil, 3])
        let crossings: [Int64] = [1_275, 1_275, 6_275, 6_275]
        for (event, crossing) in zip(bench.events, crossings) {
            #expect(abs(event.time.milliseconds - 1_763_690_400_000 - crossing) <= 65)
        }
    }

    @Test("A commit that failed for all we knew, and stands after all, is not decided twice")
    func unknownOutcome() throws {
        var bench = Bench()
        bench.commits = false
        bench.walk(tool, at: 1_000, badge: "77")
        bench.engine.advance(to: at(5_000), into: &bench.output)
        let commit = try #require(bench.output.commits.first)
        bench.engine.commitFailed(ticket: commit.ticket, at: at(5_100), into: &bench.output)
        var stored = LedgerState()
        for event in commit.decision.events { _ = stored.apply(event) }
        bench.output.removeAll()
        bench.engine.reloaded(stored, at: at(6_000), into: &bench.output)
        #expect(bench.output.commits.isEmpty)
        #expect(bench.engine.ledger.state == stored)
    }

    @Test("\"Already yours\" waits for the decision that it rests on")
    func alreadyYours() throws {
        var bench = Bench()
        bench.commits = false
        bench.walk(tool, at: 1_000, badge: "77")
        bench.engine.advance(to: at(6_600), into: &bench.output)
        let commits = bench.output.commits
        #expect(commits.count == 2)
        bench.output.removeAll()
        // By the record it is outside: only a clear walk is believed against that.
        bench.clearWalk(tool, at: 7_000, badge: "77")
        bench.engine.advance(to: at(11_370), into: &bench.output)
        #expect(!bench.output.transmissions.contains { $0.bytes == Array("accepted".utf8) })
        #expect(bench.output.commits.isEmpty)
        bench.output.removeAll()
        for commit in commits { bench.engine.committed(ticket: commit.ticket, at: at(11_400), into: &bench.output) }
        #expect(bench.output.transmissions.map(\.bytes) == [Array("accepted".utf8), Array("accepted".utf8)])
    }

    @Test("Saving what was learned takes no ticket of a decision: a replay that has nothing to save numbers its decisions alike")
    func learnedTickets() {
        var bench = Bench()
        // Near the gate and away again: no event, but the gate remembers the tag.
        for read in Int64(0)..<40 {
            bench.engine.read(.tag(TagRead(epc: tool, antenna: 1)), from: Bench.reader, at: at(1_000 + read * 500), into: &bench.output)
        }
        bench.commits = false
        bench.engine.advance(to: at(100_000), into: &bench.output)
        #expect(bench.output.commits.count == 1)
        #expect(bench.output.commits.allSatisfy { $0.decision.events.isEmpty && !$0.decision.rows.isEmpty })
        #expect(bench.engine.nextTicket == 1)
        bench.scan("DRILL", at: 101_000)
        bench.commits = true
        bench.scan("SHELF", at: 102_000)
        #expect(bench.engine.nextTicket == 2)
    }

    @Test("A gate that cannot see does not invite anybody")
    func blindGate() {
        var bench = Bench()
        bench.engine.closed(Bench.reader, reason: "unplugged", at: at(500), into: &bench.output)
        bench.engine.read(.badge(.init(credential: "77")), from: Bench.badges, at: at(1_000), into: &bench.output)
        bench.settle()
        #expect(bench.feedback == [.refused])
    }

    @Test("When the gateway ends, a walk under way is an exception, not forgotten")
    func finish() {
        var bench = Bench()
        bench.walk(tool, at: 1_000, badge: "77")
        bench.engine.finish(at: at(2_000), into: &bench.output)
        bench.settle()
        #expect(bench.events.map(\.body.type) == ["exception.raised"])
    }

    @Test("A device with other decoding in the same place is decoded anew")
    func exchangedDevice() {
        var bench = Bench()
        let before = bench.engine.devices[2].session?.counters.bytes
        bench.engine.opened(Bench.scanner, program: DeviceProgram(decoder: .em4100(.init())), at: at(1), into: &bench.output)
        #expect(before == 0)
        #expect(bench.engine.devices[2].program?.decoder == .em4100(.init()))
    }

    @Test("A station in maintenance decides and answers, and records nothing")
    func testing() throws {
        var bench = Bench()
        _ = try bench.engine.perform(.setStationMode(station: "gate", mode: .testing), by: "uid:0", at: at(500), into: &bench.output)
        bench.settle()
        bench.events = []
        bench.engine.read(.badge(.init(credential: "77")), from: Bench.badges, at: at(1_000), into: &bench.output)
        for read in 0..<12 {
            bench.engine.read(
                .tag(TagRead(epc: tool, antenna: read < 6 ? 1 : 2)), from: Bench.reader, at: at(1_000 + Int64(read) * 50),
                into: &bench.output)
        }
        bench.engine.advance(to: at(10_000), into: &bench.output)
        let tested = bench.output.happenings.compactMap { if case .tested(_, let plan) = $0 { plan } else { nil } }
        #expect(tested.first?.events.map(\.body.type) == ["loan.checked_out"])
        bench.settle()
        #expect(bench.events.isEmpty)
        #expect(bench.feedback.suffix(2) == [.next, .accepted])
        #expect(bench.engine.ledger.state.loans.isEmpty)
    }

    @Test("A paused station sees nothing, and remembers nothing when it goes on")
    func paused() throws {
        var bench = Bench()
        _ = try bench.engine.perform(.setStationMode(station: "gate", mode: .paused), by: "uid:0", at: at(500), into: &bench.output)
        bench.settle()
        bench.walk(tool, at: 1_000, badge: "77")
        _ = try bench.engine.perform(.setStationMode(station: "gate", mode: .running), by: "uid:0", at: at(1_700), into: &bench.output)
        bench.run(to: 20_000)
        #expect(!bench.events.contains { $0.body.type.hasPrefix("loan") })
    }

    @Test("Stations do not care how often time is let come", arguments: [1, 7, 50, 333, 2_000] as [Int64])
    func steps(step: Int64) {
        func run(step: Int64) -> [Event] {
            var bench = Bench()
            bench.walk(tool, at: 1_000, badge: "77")
            for time in stride(from: Int64(1_600), to: 9_000, by: Int64.Stride(step)) { bench.run(to: time) }
            bench.run(to: 9_000)
            bench.walk(tool, at: 9_000, from: 2)
            bench.scan("?", at: 9_700)
            bench.run(to: 60_000)
            return bench.events
        }
        #expect(run(step: step) == run(step: 10_000))
    }

    @Test("A device that is not in the site is passed over")
    func strangeDevice() {
        var bench = Bench()
        bench.engine.read(.badge(.init(credential: "77")), from: DeviceIndex(99), at: at(1), into: &bench.output)
        bench.engine.closed(DeviceIndex(99), reason: "", at: at(2), into: &bench.output)
        #expect(bench.output.commits.isEmpty)
    }
}

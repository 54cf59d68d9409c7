import CStorePeer
import Decoding
import DeviceSimulators
import Dispatch
import Engine
import Foundation
import Identifiers
import Ledger
import Readings
import Simulation
import Store
import Synchronization

/// People who walk through gates one after the other, by the engine and the store as the daemon has them; the clock of the engine is
/// turned as fast as it can be, every decision is timed by the real one.
struct GateDecisions {
    struct Sample {
        var tools: Int
        /// The ledger's verdict on what the gate proposes.
        var ledger: Double
        /// From the input that lets the gate decide to the decision: the gate's own reckoning and the ledger.
        var decided: Double
        /// To the lamp's bytes, behind the durable commit.
        var whole: Double
        /// The same bytes by plain C.
        var peer: Double
        var events: Int
        var bytes: Int

        /// Without what the gate itself reckons.
        var afterPresence: Double { whole - decided + ledger }
    }

    private(set) var samples: [Sample] = []
    /// Of words that nobody waits for: mostly the last one about a walk.
    private(set) var laterWords: [Double] = []
    private(set) var walks = 0
    private(set) var isWrong = 0
    private var engine: Engine
    private var output = EngineOutput()
    private var now: Instant
    private var scene: GateScene
    private var random: UInt64 = 77
    /// What is out, with whom does not matter: anybody brings it back.
    private var free: [Int]
    private var outside: [[Int]] = []
    private let store: EventStore
    private let peer: StorePeer

    /// How long a gate is looked at for one walk: until it has said its last word.
    private static let walkTime = Instant.Span.seconds(9)
    private static let dwell = Instant.Span.milliseconds(15)

    /// - Parameter time: milliseconds since 1970 when the first walk begins.
    init(engine: Engine, startingAt start: Instant, time: Int64, store: EventStore, peer: StorePeer) {
        (self.engine, self.store, self.peer, now) = (engine, store, peer, start)
        scene = GateScene(
            antennas: Workshop.ports.map { .init(port: $0.port, position: $0.side == .inside ? -900 : 900) }, seed: 5)
        free = (0..<Workshop.tools).filter { tool in
            ItemKey(Workshop.itemName(tool)).map { engine.ledger.state.loans[$0] == nil } ?? false
        }
        let boot = BootTime(boot: 0xBB, milliseconds: start.nanoseconds / 1_000_000)
        self.engine.wallChanged(
            WallAnchor(instant: start, milliseconds: time, offsetMinutes: 0, quality: .synchronised, boot: boot), into: &output)
        for index in 0..<Workshop.gates {
            let (reader, lamp) = (DeviceIndex(UInt16(2 * index)), DeviceIndex(UInt16(2 * index + 1)))
            self.engine.opened(reader, program: DeviceProgram(decoder: .a0(.init())), at: start, into: &output)
            self.engine.opened(lamp, program: Workshop.lamp, at: start, into: &output)
        }
        carryOut(since: milliseconds(), tools: 0)
    }

    /// - Parameter most: tools of one person.
    mutating func walk(_ count: Int, most: Int) {
        for _ in 0..<count {
            walks += 1
            let goesOut = outside.count < 50 || outside.count < 100 && next(below: 2) == 0
            let tools: [Int]
            if goesOut {
                tools = (0..<(most > 1 ? 2 + next(below: most - 1) : 1)).map { _ in free.remove(at: next(below: free.count)) }
            } else {
                tools = outside.remove(at: next(below: outside.count))
            }
            let before = samples.count
            let isOut = tools.allSatisfy { isLent($0) }
            pass(tools, person: next(below: Workshop.people), to: goesOut ? .out : .in)
            if goesOut { outside.append(tools) } else { free += tools }
            if samples.count == before || isOut == goesOut || tools.allSatisfy({ isLent($0) }) != goesOut { isWrong += 1 }
        }
    }

    private func isLent(_ tool: Int) -> Bool { ItemKey(Workshop.itemName(tool)).map { engine.ledger.state.loans[$0] != nil } ?? false }

    private mutating func next(below bound: Int) -> Int {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(random >> 33) % bound
    }

    private mutating func pass(_ tools: [Int], person: Int, to direction: Direction) {
        let tags = tools.map(Workshop.tag(ofTool:)) + (direction == .out ? [Workshop.tag(ofPerson: person)] : [])
        scene.add(.init(epcs: tags, through: direction, start: now))
        let reader = DeviceIndex(UInt16(2 * next(below: Workshop.gates)))
        let end = now + Self.walkTime
        var turn = 0
        while now < end {
            now = now + Self.dwell
            let port = Workshop.ports[turn % Workshop.ports.count].port
            turn += 1
            for read in scene.reads(port: port, at: now) {
                let start = milliseconds()
                engine.read(.tag(read), from: reader, at: now, into: &output)
                carryOut(since: start, tools: tools.count)
            }
            let ledger = verdict()
            let start = milliseconds()
            engine.advance(to: now, into: &output)
            carryOut(since: start, tools: tools.count, ledger: ledger)
        }
    }

    /// How long the ledger takes for what a gate is about to propose, asked beforehand and of a copy.
    private func verdict() -> Double {
        guard let gate = engine.gates.first(where: { $0.nextDeadline.map { $0 <= now } ?? false }) else { return 0 }
        var copy = gate
        let proposals = copy.advance(to: now) { engine.ledger.known($0) }.proposals
        guard !proposals.isEmpty else { return 0 }
        let time = engine.wallTime(at: now)
        let start = milliseconds()
        for proposal in proposals {
            let plan = engine.ledger.plan(proposal, at: proposal.at.map(engine.wallTime(at:)) ?? time, recorded: time)
            precondition(plan.events.count < 1_000)
        }
        return milliseconds() - start
    }

    /// What the daemon's loop does with an output.
    private mutating func carryOut(since start: Double, tools: Int, ledger: Double = 0) {
        guard !output.commits.isEmpty else { return output.removeAll() }
        let commits = output.commits
        let decided = milliseconds() - start
        let answers = Answers()
        for commit in commits {
            store.commit(commit.decision, generation: commit.generation) { answers.give(commit.ticket, $0) }
        }
        var events: [StoredEvent] = []
        var told: Double?
        output.removeAll()
        for _ in commits {
            let (ticket, stored) = answers.wait()
            events += stored
            engine.committed(ticket: ticket, at: now, into: &output)
            guard told == nil, !output.transmissions.isEmpty else { continue }
            told = milliseconds() - start
        }
        precondition(output.commits.isEmpty)
        output.removeAll()
        // What is said finally, or of a device, is no walk that waits for its light.
        guard let told, tools > 0 else { return laterWords.append(decided) }
        let bytes = events.reduce(0) { $0 + $1.bytes.count }
        let plain = peer.commit(events.map(\.bytes), commits.flatMap(\.decision.rows))
        samples.append(.init(tools: tools, ledger: ledger, decided: decided, whole: told, peer: plain, events: events.count, bytes: bytes))
    }
}

/// Answers of the store's writer, in order.
private final class Answers: Sendable {
    private let given = Mutex<[(UInt64, [StoredEvent])]>([])
    private let count = DispatchSemaphore(value: 0)

    func give(_ ticket: UInt64, _ outcome: CommitOutcome) {
        switch outcome {
        case .committed(let events): given.withLock { $0.append((ticket, events)) }
        case .failed(let error): fatalError("\(error)")
        }
        count.signal()
    }

    func wait() -> (UInt64, [StoredEvent]) {
        count.wait()
        return given.withLock { $0.removeFirst() }
    }
}

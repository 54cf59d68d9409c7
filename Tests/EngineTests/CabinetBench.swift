import Decoding
import Identifiers
import Ledger
import Readings
import SiteConfiguration

@testable import Engine

/// A cabinet with a reader, a badge reader, a door contact and a lock, whose tools are taken and put back by words; and a store that
/// keeps what is committed, so that power can be lost at any moment.
struct CabinetBench {
    static let reader = DeviceIndex(0)
    static let badges = DeviceIndex(1)
    static let contact = DeviceIndex(2)
    static let lock = DeviceIndex(3)
    static let tags: [(word: String, row: MasterRow)] = [
        ("DRILL", .init(set: .tags, id: "3476451FD400000000000001", body: ["item": "DRILL"])),
        ("SAW", .init(set: .tags, id: "3476451FD400000000000002", body: ["item": "SAW"])),
        ("METER", .init(set: .tags, id: "3476451FD400000000000003", body: ["item": "METER"])),
        ("LADDER", .init(set: .tags, id: "3476451FD400000000000004", body: ["item": "LADDER"])),
        ("GLUE-1", .init(set: .tags, id: "3476451FD400000000000011", body: ["product": "GLUE"])),
        ("GLUE-2", .init(set: .tags, id: "3476451FD400000000000012", body: ["product": "GLUE"])),
    ]
    /// Fixed inside: without it an emptied cabinet would look like a broken reader.
    static let fixed = EPC(hex: "3476451FD4000000000000EE")!
    static let stranger = "3476451FD4000000000000FF"
    static let start: Int64 = 1_763_690_400_000

    let site: Site
    let master: MasterData
    var engine: Engine
    var output = EngineOutput()
    /// What a power cut leaves.
    var stored: LedgerState
    var inside: Set<EPC> = []
    /// Tags that never answer, though they are there.
    var hidden: Set<EPC> = []
    var isDoorOpen = false
    var isReading = true
    var now: Int64 = 0
    /// What happened since it was last asked, in words.
    var words: [String] = []
    var events: [Event] = []
    var commits = true
    private var turn: Int64 = 0

    init(people: Int = 1, hasLock: Bool = true, inside words: [String] = ["DRILL", "SAW", "METER", "GLUE-1", "GLUE-2"]) throws {
        site = Site(
            gateway: .init(code: "CRIB1", site: "Works"),
            devices: ["uhf", "badge", "door", "lock"].map { .init(name: $0, port: "/dev/\($0)") },
            stations: [
                .init(
                    name: "cab", location: "CAB-1", feedbackDevices: ["badge"],
                    kind: .cabinet(
                        .init(
                            antennas: [.init(device: "uhf")], badgeReaders: ["badge"], door: .init(device: "door", input: 2),
                            lock: hasLock ? .init(device: "lock", pulse: .unlock2) : nil, people: people, confirm: .seconds(20),
                            referenceTags: [Self.fixed]))),
                .init(name: "bench", location: "CRIB", kind: .putaway(.init(scanners: ["badge"]))),
            ])
        var rows: [MasterRow] = [
            MasterRow(set: .people, id: "1", body: ["key": "li", "name": "Li"]),
            MasterRow(set: .people, id: "2", body: ["key": "han", "name": "Han"]),
            MasterRow(set: .people, id: "3", body: ["key": "wu", "name": "Wu", "blocked": true]),
            MasterRow(set: .credentials, id: "11", body: ["person": "li"]), MasterRow(set: .credentials, id: "12", body: ["person": "li"]),
            MasterRow(set: .credentials, id: "21", body: ["person": "han"]), MasterRow(set: .credentials, id: "31", body: ["person": "wu"]),
            MasterRow(set: .products, id: "GLUE", body: ["name": "Glue"]),
            MasterRow(set: .locations, id: "CAB-1", body: ["name": "Cabinet 1"]),
            MasterRow(set: .locations, id: "CRIB", body: ["name": "Crib"]),
            MasterRow(set: .codes, id: "C-CRIB", body: ["location": "CRIB"]),
        ]
        for item in ["DRILL", "SAW", "METER", "LADDER"] {
            rows.append(MasterRow(set: .items, id: item, body: ["name": .string(item)]))
            rows.append(MasterRow(set: .codes, id: item, body: ["item": .string(item)]))
        }
        master = try MasterData().applying(rows + Self.tags.map(\.row))
        stored = LedgerState()
        engine = Engine(site: site, epoch: 1, state: stored, master: master, startingAt: .zero)
        inside = Set(words.map(Self.epc))
        powerOn()
        // The contents are found out first, silently.
        run(seconds: 120)
        self.words = []
    }

    static func epc(_ word: String) -> EPC {
        EPC(hex: tags.first { $0.word == word }?.row.id ?? stranger)!
    }

    static func word(_ epc: EPC) -> String { tags.first { $0.row.id == epc.hex }?.word ?? "STRANGER" }

    var instant: Instant { Instant(nanoseconds: now * 1_000_000) }

    /// A new process on what the store holds.
    mutating func restart() {
        engine = Engine(site: site, epoch: 1, state: stored, master: master, startingAt: instant)
        output = EngineOutput()
        powerOn()
    }

    /// A replay of a recording that begins now: it knows how everything stands.
    mutating func record() throws {
        stored = try LedgerState(nextSequence: engine.ledger.state.nextSequence, rows: engine.startRows(at: instant))
        engine = Engine(site: site, epoch: 1, state: stored, master: master, startingAt: instant)
        output = EngineOutput()
        powerOn(isResumed: true)
    }

    private mutating func powerOn(isResumed: Bool = false) {
        engine.wallChanged(
            WallAnchor(instant: instant, milliseconds: Self.start + now, offsetMinutes: 480, quality: .synchronised), into: &output)
        let plan = SessionPlan(
            feedback: Dictionary(uniqueKeysWithValues: Feedback.allCases.map { ($0, [.init(bytes: Array($0.rawValue.utf8))]) }))
        for device in [Self.reader, Self.badges, Self.contact, Self.lock] where device != Self.reader || isReading {
            let program = DeviceProgram(decoder: .scannerLine(.init()), plan: plan)
            if isResumed {
                engine.resumed(device, program: program, at: instant, into: &output)
            } else {
                engine.opened(device, program: program, at: instant, into: &output)
            }
        }
        if !isResumed { tellDoor() }
        settle()
    }

    private mutating func tellDoor() {
        // The contact is closed while the door is shut.
        engine.read(.input(.init(line: 2, isActive: !isDoorOpen)), from: Self.contact, at: instant, into: &output)
    }

    mutating func door(isOpen: Bool) {
        isDoorOpen = isOpen
        tellDoor()
        settle()
        run(milliseconds: 500)
    }

    mutating func badge(_ credential: String) {
        engine.read(.badge(.init(credential: credential)), from: Self.badges, at: instant, into: &output)
        settle()
        run(milliseconds: 500)
    }

    mutating func reader(isReading: Bool) {
        self.isReading = isReading
        engine.read(
            .state(isReading ? .reading : .silent(reason: "no answer")), from: Self.reader, at: instant, into: &output)
        settle()
    }

    mutating func contact(isReading: Bool) {
        engine.read(.state(isReading ? .reading : .silent(reason: "no answer")), from: Self.contact, at: instant, into: &output)
        settle()
    }

    /// A storekeeper lets somebody in; what is refused is said in a word.
    mutating func letIn(_ person: String?) {
        do throws(CommandRefusal) {
            _ = try engine.perform(
                .openStation(station: "cab", person: person.flatMap(PersonKey.init), reason: "filter change"), by: "anna", at: instant,
                into: &output)
        } catch { words.append("no: \(error.code.rawValue)") }
        settle()
        run(milliseconds: 500)
    }

    mutating func lock(isReading: Bool) {
        engine.read(.state(isReading ? .reading : .silent(reason: "no answer")), from: Self.lock, at: instant, into: &output)
        settle()
    }

    mutating func mode(_ mode: StationMode) throws {
        _ = try engine.perform(.setStationMode(station: "cab", mode: mode), by: "test", at: instant, into: &output)
        settle()
    }

    /// The store cannot be written, or can again.
    mutating func store(works: Bool) {
        commits = works
        guard works else { return }
        engine.reloaded(stored, at: instant, into: &output)
        settle()
    }

    mutating func scan(_ code: String) {
        engine.read(.scan(Scan(data: Array(code.utf8))), from: Self.badges, at: instant, into: &output)
        settle()
    }

    mutating func run(seconds: Int64) { run(milliseconds: seconds * 1_000) }

    /// The reader sees everything inside every 100 ms, except every tenth time.
    mutating func run(milliseconds: Int64) {
        let end = now + milliseconds
        while now < end {
            now = min(now + 100, end)
            turn += 1
            while let deadline = engine.nextDeadline, deadline <= instant {
                engine.advance(to: deadline, into: &output)
                settle()
            }
            guard isReading else { continue }
            for (place, epc) in (inside.sorted() + [Self.fixed]).enumerated() where !hidden.contains(epc) && (turn + Int64(place)) % 10 != 0
            {
                engine.read(
                    .tag(TagRead(epc: epc, antenna: UInt8(1 + (turn + Int64(place)) % 2))), from: Self.reader, at: instant, into: &output)
            }
            settle()
        }
    }

    mutating func settle() {
        while !output.commits.isEmpty || !output.happenings.isEmpty {
            let (commits, happenings) = (output.commits, output.happenings)
            output.removeAll()
            for commit in commits where !self.commits {
                engine.commitFailed(ticket: commit.ticket, at: instant, into: &output)
            }
            for commit in commits where self.commits {
                for event in commit.decision.events {
                    _ = stored.apply(event)
                    events.append(event)
                    if let word = Self.word(event) { words.append(word) }
                }
                for row in commit.decision.rows { stored.learn(row) }
                engine.committed(ticket: commit.ticket, at: instant, into: &output)
            }
            for happening in happenings {
                switch happening {
                case .feedback("cab", let feedback): words.append("(\(feedback.rawValue))")
                case .tested("cab", let plan): words += plan.events.compactMap(Self.word).map { "test \($0)" }
                default: break
                }
            }
        }
    }

    mutating func takeWords() -> [String] {
        defer { words = [] }
        return words
    }

    /// `~out DRILL li`, `=out DRILL li` for a confirmation, `back DRILL li`, `!no_badge DRILL`, `opened li badge`.
    static func word(_ event: Event) -> String? {
        let begin = event.certainty == .provisional ? "~" : event.corrects != nil ? "=" : ""
        func people(_ keys: [PersonKey]) -> String { keys.isEmpty ? "" : " " + keys.map(\.text).joined(separator: "+") }
        switch event.body {
        case .checkedOut(let checkout): return "\(begin)out \(checkout.item) \(checkout.person)"
        case .returned(let returned):
            let actor = if case .person(let person) = event.actor { person.text } else { "nobody" }
            return "\(begin)back \(returned.item) \(actor)"
        case .putAway(let putAway): return "stock \(name(putAway.subject)) +\(putAway.quantity)"
        case .consumed(let consumed):
            return "stock \(name(consumed.subject)) -\(consumed.quantity)\(people(consumed.person.map { [$0] } ?? []))"
        case .exceptionRaised(let raised):
            let things = raised.items.isEmpty ? raised.epcs.map(word) : raised.items.map(\.text)
            let about = things.isEmpty ? "" : " " + things.joined(separator: "+")
            return "\(begin)!\(raised.kind.rawValue)\(about)\(people(raised.candidates))"
        case .crossingRetracted(let retraction):
            var old = event
            (old.body, old.corrects, old.certainty) = (retraction.fact.body, nil, .final)
            return "not \(word(old) ?? "")"
        case .cabinetOpened(let opened): return "opened\(people(opened.people)) \(opened.reason.rawValue)"
        case .cabinetUnlocked(let unlocked):
            let client = if case .client(let client) = event.actor { client } else { "nobody" }
            return "unlocked\(people(unlocked.person.map { [$0] } ?? [])) by \(client)"
        case .cabinetRefused(let refused): return "refused\(people(refused.person.map { [$0] } ?? [])) \(refused.reason)"
        case .cabinetClosed(let closed): return "closed\(people(closed.people)) \(closed.reason.rawValue)"
        default: return nil
        }
    }

    private static func name(_ subject: StockSubject) -> String {
        switch subject {
        case .item(let key): key.text
        case .product(let key, _): key.text
        }
    }
}

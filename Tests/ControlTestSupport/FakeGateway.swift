import Control
import Identifiers
import Ledger
import Readings
import Synchronization

/// A gateway that answers what a test put into it.
public final class FakeGateway: GatewayOperations {
    public struct Contents: Sendable {
        public var status = Fixtures.status
        public var devices = Fixtures.devices
        public var stations = Fixtures.stations
        public var destinations = Fixtures.destinations
        public var events = Fixtures.events
        public var loans = Fixtures.loans
        public var loanEvents = Fixtures.loanEvents
        public var permits = Fixtures.permits
        public var loanHistory = Fixtures.loanHistory
        public var stock = Fixtures.stock
        public var exceptions = Fixtures.exceptions
        public var tags = Fixtures.tags
        public var happenings = Fixtures.happenings
        public var profile = Fixtures.profile
        public var outcome = Fixtures.importOutcome
        /// Thrown by an import.
        public var importError: OperationError?
        public var recordingPath = ""

        public init() {}

        /// A gateway just installed.
        public static var empty: Contents {
            var contents = Contents()
            contents.devices = []
            contents.stations = []
            contents.destinations = []
            contents.events = []
            contents.loans = []
            contents.permits = PermitReport(requests: [], permits: [])
            contents.loanHistory = LoanHistory()
            contents.stock = []
            contents.exceptions = []
            contents.tags = []
            contents.happenings = []
            contents.status.masterVersion = 0
            contents.status.masterApplied = nil
            return contents
        }
    }

    private struct State {
        var contents: Contents
        var performed: [(command: Command, caller: Caller)] = []
        var imported: [MasterRow] = []
        var recording: RecordingReport?
        var followers: [AsyncStream<StoredEvent>.Continuation] = []
        var watchers: [AsyncStream<JSON>.Continuation] = []
    }

    private let state: Mutex<State>

    public init(_ contents: Contents = Contents()) {
        state = Mutex(State(contents: contents))
    }

    public var performed: [(command: Command, caller: Caller)] { state.withLock(\.performed) }
    public var imported: [MasterRow] { state.withLock(\.imported) }
    public var isRecording: Bool { state.withLock { $0.recording != nil } }
    public var followerCount: Int { state.withLock { $0.followers.count } }
    public var watcherCount: Int { state.withLock { $0.watchers.count } }

    public func update(_ change: (inout Contents) -> Void) { state.withLock { change(&$0.contents) } }

    /// Adds an event and wakes who follows.
    public func commit(_ event: JSON) {
        let followers = state.withLock { state in
            state.contents.events.append(event)
            return state.followers
        }
        let stored = StoredEvent(sequence: event["seq"]?.integer ?? 0, bytes: event.canonicalBytes)
        for follower in followers { follower.yield(stored) }
    }

    public func happen(_ happening: JSON) {
        for watcher in state.withLock(\.watchers) { watcher.yield(happening) }
    }

    /// Ends the streams of all who follow, as a gateway does with one that fell behind.
    public func dropFollowers() {
        let followers = state.withLock { state in
            defer { state.followers = [] }
            return state.followers
        }
        for follower in followers { follower.finish() }
    }

    /// Ends the streams of all who watch.
    public func dropWatchers() {
        let watchers = state.withLock { state in
            defer { state.watchers = [] }
            return state.watchers
        }
        for watcher in watchers { watcher.finish() }
    }

    private var contents: Contents { state.withLock(\.contents) }

    public func now() async -> WallTime { Fixtures.now }
    public func status() async throws(OperationError) -> GatewayStatus { contents.status }
    public func devices() async throws(OperationError) -> [DeviceReport] { contents.devices }
    public func stations() async throws(OperationError) -> [StationReport] { contents.stations }
    public func destinations() async throws(OperationError) -> [DestinationReport] { contents.destinations }

    public func events(_ query: EventQuery) async throws(OperationError) -> EventPage {
        let all = contents.events
        let matching = all.filter { event in
            let number = event["seq"]?.integer ?? 0
            guard number > query.after ?? 0, number < query.before ?? .max else { return false }
            if let station = query.station, event["station"]?.string != station { return false }
            if let subject = query.subject, event["data"]?["item"]?.string != subject { return false }
            guard let type = query.type, let found = event["type"]?.string else { return true }
            return type.hasSuffix("*") ? found.hasPrefix(type.dropLast()) : found == type
        }
        let page = query.after == nil ? Array(matching.suffix(query.limit)) : Array(matching.prefix(query.limit))
        let hasMore = query.after != nil && matching.count > query.limit
        let newest = all.last?["seq"]?.integer ?? 0
        return EventPage(events: page, last: hasMore ? page.last?["seq"]?.integer ?? 0 : newest, hasMore: hasMore)
    }

    public func event(_ reference: EventReference) async throws(OperationError) -> EventReport {
        let found = contents.events.first { event in
            switch reference {
            case .sequence(let number): event["seq"]?.integer == number
            case .id(let id): event["id"]?.string == id
            }
        }
        guard let found else { throw OperationError(.notFound, "there is no such event") }
        return EventReport(event: found, deliveries: Fixtures.deliveries)
    }

    public func follow() async -> AsyncStream<StoredEvent> {
        let (stream, continuation) = AsyncStream.makeStream(of: StoredEvent.self, bufferingPolicy: .bufferingNewest(4))
        state.withLock { $0.followers.append(continuation) }
        return stream
    }

    public func loans() async throws(OperationError) -> [JSON] { contents.loans }

    public func loan(_ number: LoanNumber) async throws(OperationError) -> LoanRecord {
        guard number.description == Fixtures.oldLoanNumber else { throw OperationError(.notFound, "there is no loan \(number)") }
        return LoanRecord(
            number: number, lines: contents.loans.filter { $0["loan"]?.string == number.description }, events: contents.loanEvents)
    }

    public func permits() async throws(OperationError) -> PermitReport { contents.permits }

    public func person(called reference: String) async throws(OperationError) -> PersonKey {
        let known = ["1001": "p-1a", "1002": "p-2b", "p-1a": "p-1a", "p-2b": "p-2b"]
        guard let key = known[reference].flatMap(PersonKey.init) else {
            throw OperationError(.notFound, "there is no person \(reference) in the master data: use an employee number or a key")
        }
        return key
    }

    public func may(_ question: LendingQuestion) async throws(OperationError) -> JSON {
        guard question.station == nil || question.station == "gate" else { throw OperationError(.notFound, "there is no station") }
        guard let item = question.item else { return Fixtures.mayBorrow }
        switch item.text {
        case "METER-07": return Fixtures.mayNotTake
        case "DRILL-02": return Fixtures.mayTake(station: question.station)
        default: throw OperationError(.notFound, "there is no item \(item) in the master data")
        }
    }

    public func loanReport(_ query: LoanReportQuery) async throws(OperationError) -> JSON {
        Fixtures.loanReport(query, contents.loanHistory)
    }

    public func stock(at location: String?) async throws(OperationError) -> [JSON] {
        contents.stock.filter { location == nil || $0["location"]?.string == location }
    }

    public func exceptions() async throws(OperationError) -> [JSON] { contents.exceptions }

    public func exception(_ number: Int64) async throws(OperationError) -> JSON {
        guard let found = contents.exceptions.first(where: { $0["number"]?.integer == number }) else {
            throw OperationError(.notFound, "there is no open exception \(number)")
        }
        return found
    }

    public func tags() async throws(OperationError) -> [TagReport] { contents.tags }

    public func tag(_ epc: EPC) async throws(OperationError) -> TagReport {
        guard let found = contents.tags.first(where: { $0.epc == epc }) else {
            throw OperationError(.notFound, "tag \(epc) is bound to nothing")
        }
        return found
    }

    /// Refuses what a real one would: an exception or station that is not there, a tag that is bound to something else.
    public func perform(_ command: Command, by caller: Caller) async throws(OperationError) -> CommandOutcome {
        let contents = contents
        switch command {
        case .resolveException(let number, _, _), .assignException(let number, _):
            guard contents.exceptions.contains(where: { $0["number"]?.integer == number }) else {
                throw OperationError(CommandRefusal(.notFound, "there is no open exception \(number)"))
            }
        case .setStationMode(let station, _), .openStation(let station, _, _):
            if station == "full-disk" { throw OperationError(CommandRefusal(.notStored, "the disk is full")) }
            guard contents.stations.contains(where: { $0.name == station }) else {
                throw OperationError(CommandRefusal(.notFound, "there is no station \(station)"))
            }
        case .bindTag(let epc, _):
            if contents.tags.contains(where: { $0.epc == epc && $0.source == .local }) {
                throw OperationError(CommandRefusal(.conflict, "tag \(epc) is bound already"))
            }
        case .unbindTag(let epc):
            guard contents.tags.contains(where: { $0.epc == epc }) else {
                throw OperationError(CommandRefusal(.notFound, "tag \(epc) is not bound here"))
            }
        case .loan(let command):
            if case .correct(let number, _, _) = command, !contents.exceptions.contains(where: { $0["number"]?.integer == number }) {
                throw OperationError(CommandRefusal(.notFound, "there is no open exception \(number)"))
            }
            if case .renew(let loan, _) = command, loan.description != Fixtures.oldLoanNumber {
                throw OperationError(CommandRefusal(.conflict, "DRILL-01 is overdue since 2026-11-19T18:00: bring it back first"))
            }
        case .noteMaster, .reportDeadLetter, .reportRefusedMaster, .reportRecovery:
            throw OperationError(.invalid, "only the gateway itself asks for this")
        }
        return state.withLock { state in
            state.performed.append((command, caller))
            let number = Int64(100 + state.performed.count)
            var outcome = CommandOutcome(events: [number])
            if case .resolveException(let exception, let resolution, let note) = command {
                let data: JSON = [
                    "exception": .integer(exception), "resolution": .string(resolution), "note": .string(note),
                ]
                state.contents.events.append(
                    Fixtures.event(number, "exception.resolved", "10:15:30", ["actor": ["client": "uid:1000 (anna)"], "data": data]))
            }
            if case .loan(let command) = command {
                state.contents.events.append(Fixtures.event(number, of: command))
                if case .request = command { outcome.permit = PermitKey(Fixtures.requestKey) }
            }
            return outcome
        }
    }

    public func erase(person: String, dryRun: Bool, by caller: Caller) async throws(OperationError) -> ErasureOutcome {
        guard person == "1001", let key = PersonKey("p-li") else { throw OperationError(.notFound, "there is no person \(person)") }
        var outcome = ErasureOutcome(isDryRun: dryRun, person: key, version: dryRun ? 3 : 4)
        outcome.rows = [.people: 1, .credentials: 2]
        outcome.files = 2
        return outcome
    }

    public func importMaster(_ rows: [MasterRow], dryRun: Bool, by caller: Caller) async throws(OperationError) -> ImportOutcome {
        if let error = contents.importError { throw error }
        if !dryRun { state.withLock { $0.imported = rows } }
        var outcome = contents.outcome
        outcome.isDryRun = dryRun
        return outcome
    }

    public func explainProfile(device: String) async throws(OperationError) -> ProfileReport {
        switch device {
        case "gate-1": return contents.profile
        case "unknown-1":
            return ProfileReport(
                device: device, profile: nil, reason: "no profile's properties agree; name one in the site file",
                candidates: contents.profile.candidates)
        default: throw OperationError(.notFound, "there is no device \"\(device)\"")
        }
    }

    public func watch() async -> AsyncStream<JSON> {
        let (stream, continuation) = AsyncStream.makeStream(of: JSON.self)
        let happenings = state.withLock { state in
            state.watchers.append(continuation)
            return state.contents.happenings
        }
        for happening in happenings { continuation.yield(happening) }
        return stream
    }

    public func startRecording(note: String, by caller: Caller) async throws(OperationError) -> RecordingReport {
        let report = RecordingReport(name: "20261121T101530.capture", since: Fixtures.now.rfc3339, lines: 1, bytes: 80)
        let isFree = state.withLock { state in
            guard state.recording == nil else { return false }
            state.recording = report
            return true
        }
        guard isFree else { throw OperationError(.conflict, "a recording is under way") }
        return report
    }

    public func stopRecording(by caller: Caller) async throws(OperationError) -> RecordingReport {
        let ended = state.withLock { state in
            defer { state.recording = nil }
            return state.recording
        }
        guard var ended else { throw OperationError(.notFound, "no recording is under way") }
        ended.lines = 3
        ended.bytes = 240
        return ended
    }

    public func recording() async throws(OperationError) -> RecordingReport? { state.withLock(\.recording) }

    public func recordingFile(named name: String) async throws(OperationError) -> String {
        guard name == "20261121T101530.capture" else { throw OperationError(.notFound, "there is no such recording") }
        return contents.recordingPath
    }

    public func backUp(to directory: String?, by caller: Caller) async throws(OperationError) -> BackupOutcome {
        if directory == "/full" { throw OperationError(.notStored, "disk_full: write /full") }
        return BackupOutcome(
            path: "\(directory ?? "/var/lib/stockgate/backups")/CRIB1-20261121T001530Z", last: 42, bytes: 81_920, removed: [])
    }

    public func verify() async -> AsyncStream<JSON> {
        AsyncStream { continuation in
            continuation.yield(["events": 10_000, "last": 20_000])
            continuation.yield([
                "result": [
                    "intact": false, "events": 20_000, "archived": 2_000, "checkpoints": 1, "rows": 12, "last": 20_000,
                    "hash": .string(String(repeating: "a", count: 64)),
                    "findings": [
                        [
                            "event": 17, "file": "archive/1-2000.ndjson", "problem": "event 17 does not follow from the one before it",
                            "next": "put the file back from a backup",
                        ]
                    ],
                ]
            ])
            continuation.finish()
        }
    }

    public func reload(by caller: Caller) async throws(OperationError) -> ReloadOutcome { ReloadOutcome(changed: ["device gate-1"]) }
}

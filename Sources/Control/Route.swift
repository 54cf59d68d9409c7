import Hummingbird
import Ledger
import Readings

/// One route of the API. `docs/api.yaml` describes every one of them, which a test checks.
struct Route: Sendable {
    let method: HTTPRequest.Method
    /// As in OpenAPI: `/v1/events/{event}`.
    let path: String
    let right: AccessPolicy.Right
    let answer: @Sendable (ControlRequest) async throws -> Response

    init(
        _ method: HTTPRequest.Method, _ path: String, _ right: AccessPolicy.Right,
        _ answer: @escaping @Sendable (ControlRequest) async throws -> Response
    ) {
        self.method = method
        self.path = path
        self.right = right
        self.answer = answer
    }

    static let all = states + events + ledger + loans + reports + exceptions + tags + recordings + keeping

    private static let states = [
        Route(.get, "/v1/status", .read) { request in
            try await request.answer(request.operations.status().json.object ?? [:])
        },
        Route(.get, "/v1/devices", .read) { request in
            try await request.answer(list: "devices", request.operations.devices().map(\.json))
        },
        Route(.get, "/v1/devices/{device}/profile", .read) { request in
            Answer.json(try await request.operations.explainProfile(device: request.path("device")).json)
        },
        Route(.get, "/v1/stations", .read) { request in
            try await request.answer(list: "stations", request.operations.stations().map(\.json))
        },
        Route(.put, "/v1/stations/{station}/mode", .operate) { request in
            let caller = try await request.caller()
            guard let mode = try await request.body()["mode"]?.string.flatMap(StationMode.init) else {
                throw OperationError(.invalid, "mode: must be running, paused or testing")
            }
            return try await request.perform(.setStationMode(station: request.path("station"), mode: mode), by: caller)
        },
        Route(.post, "/v1/stations/{station}/open", .operate) { request in
            let caller = try await request.caller()
            var form = try await request.form("station.open", people: ["person"])
            form["station"] = .string(try request.path("station"))
            return try await request.perform(form, hint: "reason: say why, in 1 to 512 bytes", by: caller)
        },
        Route(.get, "/v1/destinations", .read) { request in
            try await request.answer(list: "destinations", request.operations.destinations().map(\.json))
        },
        Route(.post, "/v1/reload", .operate) { request in
            let caller = try await request.caller()
            return Answer.json(try await request.operations.reload(by: caller).json)
        },
    ]

    private static let events = [
        Route(.get, "/v1/events", .read) { request in
            let query = try request.eventQuery()
            if try request.flag("follow") { return EventStream.answer(query, request) }
            let page = try await request.operations.events(query)
            return try await request.answer(["events": .array(page.events), "last": .integer(page.last), "more": .bool(page.hasMore)])
        },
        Route(.get, "/v1/events/{event}", .read) { request in
            guard let reference = EventReference(try request.path("event")) else {
                throw OperationError(.invalid, "event: neither a number nor an id")
            }
            let report = try await request.operations.event(reference)
            return try await request.answer(["event": report.event, "delivery": .array(report.deliveries.map(\.json))])
        },
        Route(.get, "/v1/watch", .read) { request in WatchStream.answer(request) },
    ]

    private static let ledger = [
        Route(.get, "/v1/loans", .read) { request in try await request.answer(list: "loans", request.operations.loans()) },
        Route(.get, "/v1/stock", .read) { request in
            try await request.answer(list: "stock", request.operations.stock(at: request.query("location")))
        },
        Route(.post, "/v1/master", .operate) { request in
            let caller = try await request.caller()
            let isDryRun = try request.flag("dry_run")
            let rows = try await request.masterRows()
            return Answer.json(try await request.operations.importMaster(rows, dryRun: isDryRun, by: caller).json)
        },
        // Not in the path: paths end up in logs.
        Route(.post, "/v1/people/erase", .operate) { request in
            let caller = try await request.caller()
            let body = try await request.body()
            guard let person = body["person"]?.string, !person.isEmpty else {
                throw OperationError(.invalid, "person: needs an employee number or key")
            }
            let isDryRun = body["dry_run"]?.bool ?? false
            return Answer.json(try await request.operations.erase(person: person, dryRun: isDryRun, by: caller).json)
        },
    ]

    private static let reports = [
        Route(.get, "/v1/reports/loans", .read) { request in
            let query = try request.loanReportQuery()
            return try await request.answer(["report": request.operations.loanReport(query)])
        }
    ]

    private static let exceptions = [
        Route(.get, "/v1/exceptions", .read) { request in
            try await request.answer(list: "exceptions", request.operations.exceptions())
        },
        Route(.get, "/v1/exceptions/{number}", .read) { request in
            try await request.answer(["exception": request.operations.exception(request.exceptionNumber())])
        },
        Route(.post, "/v1/exceptions/{number}/resolve", .operate) { request in
            let caller = try await request.caller()
            var form = try await request.body().object ?? [:]
            form["do"] = "exception.resolve"
            form["exception"] = .integer(try request.exceptionNumber())
            return try await request.perform(form, hint: "resolution has 1 to 64 bytes, note at most 2048", by: caller)
        },
        Route(.post, "/v1/exceptions/{number}/assign", .operate) { request in
            let caller = try await request.caller()
            var form = try await request.body().object ?? [:]
            form["do"] = "exception.assign"
            form["exception"] = .integer(try request.exceptionNumber())
            return try await request.perform(form, hint: "owner has 1 to 128 bytes", by: caller)
        },
        Route(.post, "/v1/exceptions/{number}/dismiss", .operate) { request in
            let caller = try await request.caller()
            var form = try await request.form("exception.resolve")
            guard form["note"]?.string?.isEmpty == false else { throw OperationError(.invalid, "note: say why, in 1 to 2048 bytes") }
            form["resolution"] = "dismissed"
            form["exception"] = .integer(try request.exceptionNumber())
            return try await request.perform(form, hint: "note has 1 to 2048 bytes", by: caller)
        },
        Route(.post, "/v1/exceptions/{number}/correct", .operate) { request in
            let caller = try await request.caller()
            var form = try await request.form("exception.correct", people: ["person"])
            form["exception"] = .integer(try request.exceptionNumber())
            return try await request.perform(form, hint: "person is needed, note has at most 512 bytes", by: caller)
        },
    ]

    private static let tags = [
        Route(.get, "/v1/tags", .read) { request in
            try await request.answer(list: "tags", request.operations.tags().map(\.json))
        },
        Route(.get, "/v1/tags/{epc}", .read) { request in Answer.json(try await request.operations.tag(request.epc()).json) },
        Route(.put, "/v1/tags/{epc}", .operate) { request in
            let caller = try await request.caller()
            let epc = try request.epc()
            guard let bearer = Bearer(json: try await request.body()) else {
                throw OperationError(.invalid, "needs one of item, person, product, location with a key")
            }
            return try await request.perform(.bindTag(epc: epc, bearer: bearer), by: caller)
        },
        Route(.delete, "/v1/tags/{epc}", .operate) { request in
            let caller = try await request.caller()
            return try await request.perform(.unbindTag(epc: request.epc()), by: caller)
        },
    ]

    private static let keeping = [
        Route(.post, "/v1/backup", .operate) { request in
            let caller = try await request.caller()
            let directory = try await request.body()["directory"]?.string
            guard directory.map({ $0.utf8.count <= 4_096 && $0.hasPrefix("/") }) ?? true else {
                throw OperationError(.invalid, "directory: must be an absolute path")
            }
            return Answer.json(try await request.operations.backUp(to: directory, by: caller).json, status: .created)
        },
        Route(.get, "/v1/verification", .operate) { request in
            _ = try await request.caller()
            return VerificationStream.answer(request)
        },
    ]

    private static let recordings = [
        Route(.get, "/v1/recording", .read) { request in
            try await request.answer(["recording": request.operations.recording()?.json ?? .null])
        },
        Route(.post, "/v1/recording", .operate) { request in
            let caller = try await request.caller()
            let note = try await request.body()["note"]?.string ?? ""
            guard note.utf8.count <= 1_024 else { throw OperationError(.invalid, "note: may have 1024 bytes") }
            return Answer.json(try await request.operations.startRecording(note: note, by: caller).json, status: .created)
        },
        Route(.delete, "/v1/recording", .operate) { request in
            let caller = try await request.caller()
            return Answer.json(try await request.operations.stopRecording(by: caller).json)
        },
        Route(.get, "/v1/recordings/{name}", .operate) { request in
            _ = try await request.caller()
            return try await RecordingFile.answer(request.operations.recordingFile(named: request.path("name")), request)
        },
    ]
}

extension ControlRequest {
    /// An answer with the gateway's time, against which ages are shown.
    func answer(_ members: [String: JSON]) async throws(OperationError) -> Response {
        var members = members
        members["time"] = .string(await operations.now().rfc3339)
        return Answer.json(.object(members))
    }

    func answer(list name: String, _ elements: [JSON]) async throws(OperationError) -> Response {
        try await answer([name: .array(elements)])
    }

    fileprivate func perform(_ command: Command, by caller: Caller) async throws(OperationError) -> Response {
        Answer.json(try await operations.perform(command, by: caller).json)
    }

    func perform(_ form: [String: JSON], hint: String, by caller: Caller) async throws(OperationError) -> Response {
        guard let command = Command(json: .object(form)) else { throw OperationError(.invalid, hint) }
        return try await perform(command, by: caller)
    }
}

import Control
import Engine
import Ledger
import Readings
import SiteConfiguration
import Store

/// What people ask about loans, permits and rules.
extension GatewayService {
    func loans() async throws(OperationError) -> [JSON] {
        // The ledger is a value: it is taken from the loop and worked on here, because the loop owes people their beeps.
        let ledger = try await look { $0.engine.ledger }
        return ledger.state.loans.values.sorted { ($0.due.milliseconds, $0.number, $0.item) < ($1.due.milliseconds, $1.number, $1.item) }
            .map { ledger.row(of: $0) }
    }

    func loan(_ number: LoanNumber) async throws(OperationError) -> LoanRecord {
        let ledger = try await look { $0.engine.ledger }
        let lines = ledger.state.loans.values.filter { $0.number == number }.sorted { $0.item < $1.item }
        let (store, index) = (store, index)
        let events = try await blocking { try Self.story(of: number, store, index) }
        guard !lines.isEmpty || !events.isEmpty else {
            throw OperationError(.notFound, "there is no loan \(number) at this gateway")
        }
        return LoanRecord(
            number: number, lines: lines.map { ledger.row(of: $0) },
            events: events.sorted { $0.key < $1.key }.map { $0.value.naming(ledger.name) })
    }

    /// Events of one loan that are told at most.
    private static let storyLimit = 1_000
    /// Events of one tool that are looked through for what was found of it after its return.
    private static let afterwardsLimit = 200

    /// Events by their numbers.
    private static func story(of number: LoanNumber, _ store: EventStore, _ index: EventIndex) throws -> [Int64: JSON] {
        try index.bringUp(from: store)
        var events: [Int64: JSON] = [:]
        var closings: [String: Int64] = [:]
        for sequence in try index.sequences(subject: "loan/\(number)", limit: storyLimit) {
            guard let event = try store.event(sequence)?.json() else { continue }
            events[sequence] = event
            guard let item = event["data"]?["item"]?.string, event["type"] == "loan.returned" || event["type"] == "loan.lost" else {
                continue
            }
            closings[item] = max(closings[item] ?? 0, sequence)
        }
        // What was found of a tool afterwards names no loan: it belongs to the one that it came back from, until it is lent again.
        for (item, closing) in closings {
            let later = try index.sequences(subject: "item/\(item)", limit: EventStore.readingLimit).filter { $0 > closing }.sorted()
            for sequence in later.prefix(afterwardsLimit) {
                guard let event = try store.event(sequence)?.json(), let type = event["type"]?.string else { continue }
                if type == "loan.checked_out" { break }
                let isAbout = type == "loan.inspected" || type.hasPrefix("tool.") || event["data"]?["kind"] == "damaged"
                if isAbout { events[sequence] = event }
            }
        }
        return events
    }

    func permits() async throws(OperationError) -> PermitReport {
        let ledger = try await look { $0.engine.ledger }
        func used(_ json: JSON, _ key: PermitKey) -> JSON {
            var members = json.object ?? [:]
            members["used"] = .integer(Int64(ledger.state.permitUse[key, default: 0]))
            return JSON.object(members).naming(ledger.name)
        }
        let requests = ledger.state.requests.values.sorted {
            ($0.since.milliseconds, $0.permit.key) < ($1.since.milliseconds, $1.permit.key)
        }
        return PermitReport(
            requests: requests.map { used($0.row, $0.permit.key) },
            permits: ledger.master.permits.values.sorted { $0.key < $1.key }.map { used($0.json, $0.key) })
    }

    func person(called reference: String) async throws(OperationError) -> PersonKey {
        let person = try await look { $0.engine.ledger.master.person(called: reference) }
        guard let person else {
            throw OperationError(
                .notFound, "there is no person \(reference.prefix(128)) in the master data: use an employee number or a key")
        }
        return person
    }

    func may(_ question: LendingQuestion) async throws(OperationError) -> JSON {
        let (ledger, now, site) = try await look { ($0.engine.ledger, $0.wallTime, $0.site) }
        if let station = question.station, !site.stations.contains(where: { $0.name == station }) {
            throw OperationError(.notFound, "there is no station \"\(station)\"; stockgate station list shows them")
        }
        guard let standing = ledger.standing(of: question.person, at: now, station: question.station) else {
            throw OperationError(.notFound, "there is no person \(question.person) in the master data")
        }
        var members: [String: JSON] = [
            "verdict": .string(standing.response.rawValue), "rules": .array(standing.findings.map(\.json)),
        ]
        members["reason"] = standing.findings.first { $0.response == standing.response }.map { .string($0.rule.rawValue) }
        if let item = question.item {
            guard ledger.master.items[item] != nil else {
                throw OperationError(.notFound, "there is no item \(item) in the master data")
            }
            let verdict = ledger.verdict(
                on: item, for: question.person, at: now, station: question.station, companions: question.companions)
            members = verdict?.json.object ?? members
            members["item"] = .string(item.text)
            members["loan"] = ledger.state.loans[item]?.row
        }
        members["person"] = .string(question.person.text)
        members["station"] = question.station.map(JSON.string)
        members["standing"] = standing.json
        return JSON.object(members).naming(ledger.name)
    }
}

extension Ledger {
    /// An open loan for people: with names, and with what is wrong with the tool though it is out.
    fileprivate func row(of loan: Loan) -> JSON {
        var members = loan.row.object ?? [:]
        members["condition"] = state.tools[loan.item]?.condition.map { .string($0.rawValue) }
        return JSON.object(members).naming(name)
    }
}

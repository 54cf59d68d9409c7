import Control
import Engine
import Ledger
import Readings
import SiteConfiguration
import Store
import Upstream

extension GatewayService {
    /// Events looked at for one page at most, so that a filter that matches nothing does not read the whole log in one answer.
    private static let scanLimit = 20_000

    func events(_ query: EventQuery) async throws(OperationError) -> EventPage {
        let (store, index) = (store, index)
        let (matching, last, hasMore) = try await blocking { () throws -> ([StoredEvent], Int64, Bool) in
            if let subject = query.subject { return try Self.indexed(query, subject, store, index) }
            return query.after == nil ? try Self.newest(query, store) : try Self.oldest(query, store)
        }
        let ledger = try await look { $0.engine.ledger }
        let events = matching.compactMap { try? $0.json().naming(ledger.name) }
        return EventPage(events: events, last: last, hasMore: hasMore)
    }

    /// From a number upwards.
    private static func oldest(_ query: EventQuery, _ store: EventStore) throws -> ([StoredEvent], Int64, Bool) {
        var after = query.after ?? 0
        var found: [StoredEvent] = []
        var looked = 0
        while found.count < query.limit, looked < scanLimit {
            let batch = try store.events(after: after, limit: min(1_000, query.limit * 2))
            if batch.isEmpty { return (found, max(after, query.after ?? 0), false) }
            for event in batch {
                if let before = query.before, event.sequence >= before { return (found, after, false) }
                after = event.sequence
                looked += 1
                if try query.matches(event.json()) { found.append(event) }
                if found.count == query.limit { break }
            }
        }
        return (found, after, after < store.lastSequence)
    }

    /// The newest so many, in the order of their numbers.
    private static func newest(_ query: EventQuery, _ store: EventStore) throws -> ([StoredEvent], Int64, Bool) {
        let newest = store.lastSequence
        var before = query.before ?? newest + 1
        var found: [StoredEvent] = []
        var looked = 0
        while found.count < query.limit, looked < scanLimit, before > 1 {
            let batch = try store.events(before: before, limit: min(1_000, query.limit * 2))
            if batch.isEmpty { break }
            for event in batch {
                before = event.sequence
                looked += 1
                if try query.matches(event.json()) { found.append(event) }
                if found.count == query.limit { break }
            }
        }
        // Nothing above these was passed over: a stream goes on from the newest.
        return (found.reversed(), query.before == nil ? newest : found.first?.sequence ?? 0, false)
    }

    private static func indexed(_ query: EventQuery, _ subject: String, _ store: EventStore, _ index: EventIndex) throws -> (
        [StoredEvent], Int64, Bool
    ) {
        let newest = try index.bringUp(from: store)
        let paths =
            subject.contains("/")
            ? [subject] : ["item", "person", "product", "location", "epc", "loan", "permit", "exception"].map { "\($0)/\(subject)" }
        var numbers: Set<Int64> = []
        for path in paths { numbers.formUnion(try index.sequences(subject: path, limit: scanLimit, before: query.before)) }
        var found: [StoredEvent] = []
        let sorted = query.after == nil ? numbers.sorted(by: >) : numbers.sorted()
        for number in sorted where number > query.after ?? 0 {
            guard let event = try store.event(number), try query.matches(event.json()) else { continue }
            found.append(event)
            if found.count == query.limit { break }
        }
        if query.after == nil {
            found.reverse()
        } else if found.count == query.limit, let last = found.last?.sequence {
            return (found, last, true)
        }
        return (found, newest, false)
    }

    func event(_ reference: EventReference) async throws(OperationError) -> EventReport {
        let number: Int64
        switch reference {
        case .sequence(let sequence): number = sequence
        case .id(let id):
            guard let sequence = store.sequence(of: id) else {
                throw OperationError(.notFound, "there is no event \(id) at this gateway")
            }
            number = sequence
        }
        let store = store
        let stored = try await blocking { try store.event(number) }
        guard let stored, let json = try? stored.json() else { throw OperationError(.notFound, "there is no event \(number)") }
        let ledger = try await look { $0.engine.ledger }
        let refused = ledger.state.exceptions.values.filter { $0.raised.kind == .deliveryRefused }.compactMap(\.raised.code)
        let deliveries = deliveryStates.map { configuration, status -> EventReport.Delivery in
            let name = configuration.name
            if !EventFilter(types: configuration.types).passes(type: json["type"]?.string ?? "") {
                return .init(destination: name, state: .notSelected)
            }
            if refused.contains("\(name)/\(number)") { return .init(destination: name, state: .deadLetter) }
            if number <= status.cursor { return .init(destination: name, state: .acknowledged) }
            return .init(destination: name, state: .waiting, reason: status.lastError)
        }
        return EventReport(event: json.naming(ledger.name), deliveries: deliveries)
    }
}

extension EventQuery {
    fileprivate func matches(_ event: JSON) -> Bool {
        if let type, let found = event["type"]?.string {
            guard type.hasSuffix("*") ? found.hasPrefix(type.dropLast()) : found == type else { return false }
        }
        return station == nil || event["station"]?.string == station
    }
}

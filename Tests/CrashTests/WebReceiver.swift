import Ledger
import Upstream

/// A server that takes batches of events in one transaction and knows each event by its id. Only events that pass the standard filter
/// come to it.
final class WebReceiver {
    private(set) var effects: [StoredEvent] = []
    private var known: [String: [UInt8]] = [:]
    /// Answers nothing before this time.
    var downUntil: Int64 = 0

    enum Answer {
        case taken
        /// 409: at least one is known, and nothing was taken.
        case duplicate
        case tooLarge
    }

    func take(_ batch: [OutgoingEvent], limit: Int, refusesDuplicates: Bool, _ machine: CrashMachine) -> Answer {
        if batch.count > limit { return .tooLarge }
        for event in batch {
            if let bytes = known[event.id], bytes != event.bytes {
                machine.violate(.idReused, "web had another event \(event.sequence) with the id \(event.id)")
            }
        }
        if refusesDuplicates, batch.contains(where: { known[$0.id] != nil }) { return .duplicate }
        for event in batch where known[event.id] == nil {
            if let last = effects.last, event.sequence <= last.sequence {
                machine.violate(.order, "web took event \(event.sequence) after event \(last.sequence)")
            }
            known[event.id] = event.bytes
            effects.append(StoredEvent(sequence: event.sequence, bytes: event.bytes))
        }
        return .taken
    }

    /// Whether it has every event up to a number that passes the filter.
    func has(upTo sequence: Int64, _ log: [StoredEvent]) -> Bool {
        let last = log.prefix(Int(sequence)).last { Self.isWanted($0) }
        return (effects.last?.sequence ?? 0) >= last?.sequence ?? 0
    }

    private static let filter = EventFilter(types: [])

    private static func isWanted(_ event: StoredEvent) -> Bool {
        (try? OutgoingEvent(event)).map { filter.passes(type: $0.type, isFinal: $0.isFinal) } ?? true
    }

    func compare(with log: [StoredEvent], _ machine: CrashMachine) {
        let expected = log.filter(Self.isWanted)
        guard effects != expected else { return }
        let place = zip(effects, expected).prefix { $0 == $1 }.count
        machine.violate(.order, "web has \(effects.count) of \(expected.count) events, the first difference is at \(place)")
    }
}

/// Sends as the destinations over HTTP do: one batch, one request, one answer; halves a batch that is too large or holds duplicates.
struct WebDestination: Destination {
    unowned let machine: CrashMachine

    func deliver(_ batch: [OutgoingEvent]) throws(DeliveryError) -> Receipt {
        var size = batch.count
        while true {
            let part = Array(batch.prefix(size))
            guard let last = part.last else { throw .retryable("an empty batch") }
            switch try request(part) {
            case .taken: return Receipt(upTo: last.sequence, delivered: part.count)
            case .duplicate where part.count == 1: return Receipt(upTo: last.sequence, duplicates: 1)
            case .duplicate, .tooLarge: size = max(1, size / 2)
            }
        }
    }

    private func request(_ part: [OutgoingEvent]) throws(DeliveryError) -> WebReceiver.Answer {
        try machine.pass()
        let limit = machine.isCalm ? 1_000 : machine.random.chance(0.2) ? machine.random.below(5) + 1 : 1_000
        let refusesDuplicates = machine.random.chance(0.5)
        let latency = Int64(machine.random.below(200))
        func arrive() -> WebReceiver.Answer {
            machine.web.take(part, limit: limit, refusesDuplicates: refusesDuplicates, machine)
        }
        guard !machine.isCalm else { return arrive() }
        guard machine.now >= machine.web.downUntil else {
            machine.count("outage")
            try wait(machine.random.chance(0.5) ? 1 : 30_000)
            throw .retryable("no connection")
        }
        switch machine.random.below(12) {
        case 0:
            machine.count("request lost")
            try wait(30_000)
            throw .retryable("timed out")
        case 1:
            machine.count("answer lost")
            try wait(latency)
            _ = arrive()
            try machine.pass()
            try wait(30_000)
            throw .retryable("timed out")
        case 2:
            machine.count("5xx")
            try wait(latency)
            let isTaken = machine.random.chance(0.3)
            if isTaken { _ = arrive() }
            try machine.pass()
            throw .retryable("503", afterMilliseconds: machine.random.chance(0.5) ? Int64(machine.random.below(120_000)) : nil)
        case 3:
            machine.count("half-open connection")
            // The request lies somewhere in the network and comes when nobody waits for its answer any more.
            machine.send(after: Int64(machine.random.below(3_600_000))) { machine in
                _ = machine.web.take(part, limit: 1_000, refusesDuplicates: refusesDuplicates, machine)
            }
            try wait(30_000)
            throw .retryable("timed out")
        default:
            try wait(latency / 2)
            try machine.pass()
            let answer = arrive()
            try machine.pass()
            try wait(latency / 2)
            try machine.pass()
            switch answer {
            case .duplicate: machine.count("409")
            case .tooLarge: machine.count("413")
            case .taken: break
            }
            return answer
        }
    }

    private func wait(_ milliseconds: Int64) throws(DeliveryError) {
        guard machine.run(until: machine.now + milliseconds) else { throw .stopped }
    }
}

extension CrashMachine {
    func count(_ what: String) { counts.network[what, default: 0] += 1 }
}

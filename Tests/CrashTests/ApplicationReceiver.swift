import Ledger
import Readings
import SiteConfiguration

@testable import Upstream

/// A program behind a message broker that follows the rule of docs/upstream.md: it takes an event only when it has the one that the event
/// names as its predecessor, writes what it has taken from time to time, and sends a receipt for what is written. Only events that pass
/// the standard filter come to it, so numbers alone do not tell whether one is missing.
final class ApplicationReceiver {
    private(set) var effects: [StoredEvent] = []
    /// How many of the effects survive its own restart.
    private(set) var written = 0
    /// It and the broker do nothing before this time.
    var downUntil: Int64 = 0
    private var isToWrite = false

    private var highest: Int64 { effects.last?.sequence ?? 0 }
    private var writtenUpTo: Int64 { written > 0 ? effects[written - 1].sequence : 0 }

    func take(_ payload: [UInt8], _ machine: CrashMachine) {
        guard let message = try? JSON(parsing: payload), let after = message["after"]?.integer, let json = message["event"],
            let sequence = json["seq"]?.integer
        else { return machine.violate(.chain, "the application had a message that is none") }
        let event = StoredEvent(sequence: sequence, bytes: json.canonicalBytes)
        if sequence <= highest {
            if effects.contains(where: { $0.sequence == sequence && $0.bytes != event.bytes }) {
                machine.violate(.idReused, "application had another event \(sequence)")
            }
        } else if after <= highest || machine.sabotage == .receiptOverGaps {
            effects.append(event)
        } else {
            machine.count("message without its predecessor")
        }
        planWriting(machine)
    }

    private func planWriting(_ machine: CrashMachine) {
        guard !isToWrite else { return }
        isToWrite = true
        machine.send(after: machine.isCalm ? 1 : Int64(machine.random.below(2_000))) { machine in
            let receiver = machine.application
            receiver.isToWrite = false
            if !machine.isCalm, machine.random.chance(0.1) {
                machine.count("receiver restarted")
                receiver.effects.removeLast(receiver.effects.count - receiver.written)
                return
            }
            receiver.written = receiver.effects.count
            receiver.sendReceipt(machine)
        }
    }

    private func sendReceipt(_ machine: CrashMachine) {
        let epoch = String(CrashMachine.identity.id(sequence: 1).filter { $0 != "-" }.prefix(16))
        let receipt = Array(#"{"gateway":"\#(CrashMachine.gateway)","epoch":"\#(epoch)","upto":\#(writtenUpTo)}"#.utf8)
        func arrive(after milliseconds: Int64) {
            machine.send(after: milliseconds) { machine in
                if let receipt = MQTTReceipt(receipt) { machine.line.book.take(receipt) }
            }
        }
        guard !machine.isCalm else { return arrive(after: 1) }
        if machine.random.chance(0.15) { return machine.count("receipt lost") }
        let isLate = machine.random.chance(0.2)
        if isLate { machine.count("receipt late") }
        arrive(after: Int64(machine.random.below(isLate ? 900_000 : 100)))
        if machine.random.chance(0.2) {
            machine.count("receipt twice")
            arrive(after: Int64(machine.random.below(60_000)))
        }
    }

    private static let filter = EventFilter(types: [])

    private static func isWanted(_ event: StoredEvent) -> Bool {
        (try? OutgoingEvent(event)).map { filter.passes(type: $0.type, isFinal: $0.isFinal) } ?? true
    }

    /// Whether everything up to a number that passes the filter is written.
    func has(upTo sequence: Int64, _ log: [StoredEvent]) -> Bool {
        writtenUpTo >= log.prefix(Int(sequence)).last(where: Self.isWanted)?.sequence ?? 0
    }

    func compare(with log: [StoredEvent], _ machine: CrashMachine) {
        let expected = log.filter(Self.isWanted)
        guard effects != expected || written != expected.count else { return }
        let place = zip(effects, expected).prefix { $0 == $1 }.count
        machine.violate(.order, "application has \(effects.count) of \(expected.count) events, the first difference is at \(place)")
    }
}

/// What the daemon of one life knows of its connection to the broker.
struct ApplicationLine {
    var book = MQTTReceiptBook(gatewayCode: CrashMachine.gateway)
    var answers: [Int64: MQTTAnswer] = [:]
    var pace: MQTTPace

    init(window: Int = 1) { pace = MQTTPace(window: window) }

    var hasNews: Bool { book.hasNews || !answers.isEmpty }
}

/// Drives what the real destination drives, over a connection that loses, doubles and delays messages, also after they were acknowledged.
struct ApplicationDestination: Destination {
    unowned let machine: CrashMachine
    let needsPredecessors = true
    private let format = MQTTPlainFormat(
        topics: MQTTTopics(site: "test", gatewayCode: CrashMachine.gateway, destination: "application"), gatewayCode: CrashMachine.gateway,
        site: "test", destination: "application", cloudEvents: nil)

    init(machine: CrashMachine) {
        self.machine = machine
    }

    func deliver(_ batch: [OutgoingEvent]) throws(DeliveryError) -> Receipt {
        guard let first = batch.first else { throw .retryable("an empty batch") }
        machine.line.answers = [:]
        machine.line.book.watch(origin: first.origin, above: first.sequence - 1)
        var attempt = MQTTAttempt(
            batch, receiptKind: .application, pace: machine.line.pace, timeout: 20_000, place: "broker", at: machine.now)
        defer { machine.line.pace = attempt.pace }
        while true {
            switch attempt.next(at: machine.now) {
            case .publish(let event):
                try machine.pass()
                attempt.published(event.sequence)
                publish(event, &attempt)
            case .wait(let end):
                guard machine.run(until: end, orWhen: { machine.line.hasNews }) else { throw .stopped }
                try machine.pass()
                attempt.take(machine.line.answers, machine.line.book.look(), at: machine.now)
                machine.line.answers = [:]
            case .end: return try attempt.result()
            }
        }
    }

    private func publish(_ event: OutgoingEvent, _ attempt: inout MQTTAttempt) {
        let payload = format.message(of: event, order: 0, milliseconds: 0).payload
        let sequence = event.sequence
        func answer(_ answer: MQTTAnswer, after milliseconds: Int64) {
            machine.send(after: milliseconds) { $0.line.answers[sequence] = answer }
        }
        guard !machine.isCalm else {
            answer(.taken, after: 0)
            return machine.send(after: 1) { $0.application.take(payload, $0) }
        }
        if machine.now < machine.application.downUntil {
            machine.count("outage")
            return machine.random.chance(0.3) ? answer(.nobodyListens, after: 10) : attempt.fail(.retryable("no connection"))
        }
        if machine.random.chance(0.01) {
            machine.count("connection lost")
            attempt.fail(.retryable("the connection was lost"))
        }
        answer(.taken, after: Int64(machine.random.below(50)))
        if machine.random.chance(0.05) { return machine.count("message lost after its PUBACK") }
        var delay = Int64(machine.random.below(50))
        if machine.random.chance(0.05) {
            machine.count("message late")
            delay = Int64(machine.random.below(600_000))
        }
        machine.send(after: delay) { $0.application.take(payload, $0) }
        if machine.random.chance(0.1) {
            machine.count("message twice")
            machine.send(after: Int64(machine.random.below(60_000))) { $0.application.take(payload, $0) }
        }
    }
}

import Identifiers
import Readings
import SiteConfiguration

extension Ledger {
    /// What a person's command would make, without taking it in.
    /// - Throws: `CommandRefusal` when it names something that is not there, or contradicts what is.
    public func plan(_ command: Command, by client: String, at time: WallTime) throws(CommandRefusal) -> Plan {
        var station: String?
        switch command {
        case .setStationMode(let name, _), .openStation(let name, _, _): station = name
        default: break
        }
        var draft = Draft(ledger: self, station: station, at: time)
        draft.actor = .client(client)
        switch command {
        case .loan(let command): try plan(command, by: client, at: time, into: &draft)
        case .noteMaster: break
        case .bindTag(let epc, let bearer):
            guard master.contains(bearer) else { throw CommandRefusal(.notFound, "there is no \(bearer.description) in the master data") }
            if let bound = state.tags[epc] ?? master.tags[epc] {
                throw CommandRefusal(
                    .conflict,
                    "tag \(epc.hex) is already bound to \(bound.description)\(bound == bearer ? "" : "; unbind it first: stockgate tag unbind \(epc.hex)")"
                )
            }
            draft.add(.tagBound(epc: epc, bearer: bearer), evidence: .null)
        case .unbindTag(let epc):
            guard let bearer = state.tags[epc] else {
                throw master.tags[epc] == nil
                    ? CommandRefusal(.notFound, "tag \(epc.hex) is bound to nothing")
                    : CommandRefusal(.conflict, "tag \(epc.hex) is bound by the master data: change it there and import again")
            }
            draft.add(.tagUnbound(epc: epc, bearer: bearer), evidence: .null)
        case .assignException(let number, let owner):
            _ = try openException(number)
            draft.add(.exceptionAssigned(exception: number, owner: owner), evidence: .null)
        case .resolveException(let number, let resolution, let note):
            _ = try openException(number)
            draft.add(.exceptionResolved(exception: number, resolution: resolution, note: note), evidence: .null)
        case .setStationMode(let name, let mode):
            guard site.stations.contains(where: { $0.name == name }) else { throw Self.noStation(name) }
            guard state.modes[name, default: .running] != mode else {
                throw CommandRefusal(.conflict, "station \(name) is \(mode.rawValue) already")
            }
            draft.add(.stationModeChanged(mode), evidence: .null)
        case .openStation(let name, let person, let reason): try unlock(name, for: person, reason, into: &draft)
        case .reportDeadLetter(let destination, let sequence, let reason):
            let code = "\(destination)/\(sequence)"
            // The receipt may be lost and the event refused again: one exception is enough.
            guard !state.exceptions.values.contains(where: { $0.raised.kind == .deliveryRefused && $0.raised.code == code }) else { break }
            draft.actor = .gateway
            draft.raise(
                .deliveryRefused, code: code, evidence: ["event": .integer(sequence), "reason": .string(reason.shortened(to: 200))])
        case .reportRefusedMaster(let source):
            // A source that is wrong is wrong at every question: one exception is enough.
            guard !state.exceptions.values.contains(where: { $0.raised.kind == .masterRefused && $0.raised.code == source }) else { break }
            draft.actor = .gateway
            // Not why: a reason quotes names and badge numbers, and an event is for ever.
            draft.raise(.masterRefused, code: source, evidence: .null)
        case .reportRecovery(let missing, let last, let setAside, let reason, let known, let acknowledged):
            let code = "\(missing) \(setAside)".shortened(to: 64)
            // Raised again when the power failed before the store could forget it. Two recoveries can miss the same numbers, but each has
            // a folder of its own.
            guard !state.exceptions.values.contains(where: { $0.raised.kind == .recordsLost && $0.raised.code == code }) else { break }
            draft.actor = .gateway
            draft.raise(
                .recordsLost, code: code,
                evidence: .compact([
                    "saved": .integer(last), "known": .integer(known), "file": .string(setAside.shortened(to: 64)),
                    "reason": .string(reason.shortened(to: 120)),
                    "acknowledged": acknowledged.isEmpty ? nil : Self.listed(acknowledged),
                ]))
        }
        return draft.plan(feedback: nil)
    }

    /// `NAME NUMBER` each, by name, as far as evidence has room.
    private static func listed(_ numbers: [String: Int64]) -> JSON {
        var texts: [JSON] = []
        for (name, number) in numbers.sorted(by: { $0.key < $1.key }) {
            let longer = texts + [.string("\(name.shortened(to: 64)) \(number)")]
            guard JSON.array(longer).canonicalBytes.count <= 150 else { break }
            texts = longer
        }
        return .array(texts)
    }

    static func noStation(_ name: String) -> CommandRefusal {
        CommandRefusal(.notFound, "there is no station \"\(name)\"; stockgate station list shows them")
    }

    private func openException(_ number: Int64) throws(CommandRefusal) -> OpenException {
        guard let exception = state.exceptions[number] else {
            throw CommandRefusal(.notFound, "there is no open exception \(number); stockgate exceptions lists them")
        }
        return exception
    }
}

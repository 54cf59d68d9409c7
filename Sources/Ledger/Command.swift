import Identifiers
import Readings

/// What a person asks of the ledger by command line, API or console. An input like any other: it is recorded, and replayed.
public enum Command: Hashable, Sendable {
    case bindTag(epc: EPC, bearer: Bearer)
    case unbindTag(epc: EPC)
    case assignException(number: Int64, owner: String)
    case resolveException(number: Int64, resolution: String, note: String)
    case setStationMode(station: String, mode: StationMode)
    /// Somebody is let into a cabinet, badge or not.
    /// - person: who; nil: nobody is named, and the caller answers for them.
    case openStation(station: String, person: PersonKey?, reason: String)
    case loan(LoanCommand)
    /// The master data are all there is, at this time: a source said so. Asked for by the gateway itself; it makes no event.
    case noteMaster(seen: WallTime)
    /// A destination refused an event for good: somebody must look. Asked for by the gateway itself; once for each event.
    case reportDeadLetter(destination: String, sequence: Int64, reason: String)
    /// A source sent master data that cannot be taken in. Asked for by the gateway itself; once for each source until somebody has looked.
    case reportRefusedMaster(source: String)
    /// The store was recovered: somebody must look what is missing. Asked for by the gateway itself.
    /// `missing` is a range of numbers, `FIRST-?` where its end is not known, or `none`; `last` the newest event that was saved, `known` the
    /// newest that is known to have existed; `acknowledged` what each destination had acknowledged. `setAside` tells recoveries apart.
    case reportRecovery(
        missing: String, last: Int64, setAside: String, reason: String, known: Int64 = 0, acknowledged: [String: Int64] = [:])

    /// Bytes of the reason why somebody is let in.
    public static let maximumReason = 512

    public var json: JSON {
        switch self {
        case .bindTag(let epc, let bearer): ["do": "tag.bind", "epc": .string(epc.hex), "bearer": bearer.json]
        case .unbindTag(let epc): ["do": "tag.unbind", "epc": .string(epc.hex)]
        case .assignException(let number, let owner): ["do": "exception.assign", "exception": .integer(number), "owner": .string(owner)]
        case .resolveException(let number, let resolution, let note):
            ["do": "exception.resolve", "exception": .integer(number), "resolution": .string(resolution), "note": .string(note)]
        case .loan(let command): command.json
        case .noteMaster(let seen): ["do": "master_seen", "at": .string(seen.rfc3339)]
        case .setStationMode(let station, let mode): ["do": "station.mode", "station": .string(station), "mode": .string(mode.rawValue)]
        case .openStation(let station, let person, let reason):
            .compact([
                "do": "station.open", "station": .string(station), "person": person.map { .string($0.text) }, "reason": .string(reason),
            ])
        case .reportDeadLetter(let destination, let sequence, let reason):
            ["do": "dead_letter", "destination": .string(destination), "event": .integer(sequence), "reason": .string(reason)]
        case .reportRefusedMaster(let source): ["do": "master_refused", "source": .string(source)]
        case .reportRecovery(let missing, let last, let setAside, let reason, let known, let acknowledged):
            [
                "do": "recovery", "missing": .string(missing), "last": .integer(last), "set_aside": .string(setAside),
                "reason": .string(reason), "known": .integer(known), "acknowledged": .object(acknowledged.mapValues(JSON.integer)),
            ]
        }
    }

    /// nil when the form is not one of these.
    public init?(json: JSON) {
        let epc = json["epc"]?.string.flatMap(EPC.init(hex:))
        switch json["do"]?.string {
        case "tag.bind":
            guard let epc, let bearer = json["bearer"].flatMap(Bearer.init) else { return nil }
            self = .bindTag(epc: epc, bearer: bearer)
        case "tag.unbind":
            guard let epc else { return nil }
            self = .unbindTag(epc: epc)
        case "exception.assign":
            guard let number = json["exception"]?.integer, let owner = json["owner"]?.string, !owner.isEmpty, owner.utf8.count <= 128 else {
                return nil
            }
            self = .assignException(number: number, owner: owner)
        case "exception.resolve":
            guard let number = json["exception"]?.integer, let resolution = json["resolution"]?.string, !resolution.isEmpty,
                resolution.utf8.count <= 64
            else { return nil }
            let note = json["note"]?.string ?? ""
            guard note.utf8.count <= 2_048 else { return nil }
            self = .resolveException(number: number, resolution: resolution, note: note)
        case "station.mode":
            guard let station = json["station"]?.string, let mode = json["mode"]?.string.flatMap(StationMode.init) else { return nil }
            self = .setStationMode(station: station, mode: mode)
        case "station.open":
            let person = json["person"]?.string.map(PersonKey.init)
            guard let station = json["station"]?.string, let reason = json["reason"]?.string, !reason.isEmpty,
                reason.utf8.count <= Self.maximumReason, json["person"].map({ $0.isNull }) ?? true || (person ?? nil) != nil
            else { return nil }
            self = .openStation(station: station, person: person ?? nil, reason: reason)
        case "dead_letter":
            guard let destination = json["destination"]?.string, let sequence = json["event"]?.integer else { return nil }
            self = .reportDeadLetter(destination: destination, sequence: sequence, reason: json["reason"]?.string ?? "")
        case "master_refused":
            guard let source = json["source"]?.string else { return nil }
            self = .reportRefusedMaster(source: source)
        case "recovery":
            guard let missing = json["missing"]?.string, let last = json["last"]?.integer else { return nil }
            self = .reportRecovery(
                missing: missing, last: last, setAside: json["set_aside"]?.string ?? "", reason: json["reason"]?.string ?? "",
                known: json["known"]?.integer ?? 0, acknowledged: json["acknowledged"]?.object?.compactMapValues(\.integer) ?? [:])
        case "master_seen":
            guard let seen = json["at"]?.string.flatMap(WallTime.init(rfc3339:)) else { return nil }
            self = .noteMaster(seen: seen)
        default:
            guard let command = LoanCommand(json: json) else { return nil }
            self = .loan(command)
        }
    }
}

/// Why a command was refused: nothing was changed.
public struct CommandRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    public var code: Code
    /// For the person who asked, in English.
    public var description: String

    public enum Code: String, Hashable, Sendable {
        case notFound = "not_found"
        case conflict
        case notStored = "not_stored"
    }

    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

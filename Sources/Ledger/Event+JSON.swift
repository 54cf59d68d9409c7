import Identifiers
import Readings

/// Why a stored event cannot be read.
public struct EventError: Error, Hashable, Sendable, CustomStringConvertible {
    public var reason: String

    init(_ reason: String) {
        self.reason = reason
    }

    public var description: String { reason }
}

extension Event {
    /// The version of the form that this code writes.
    public static let schema: Int64 = 1

    /// The whole event as it is stored, hashed and delivered.
    /// - Parameter previousHash: SHA-256 of the stored bytes of the event before it, 64 lower-case hexadecimal digits; zeros for the first.
    public func json(identity: EventIdentity, previousHash: String) -> JSON {
        var members = self.members
        members["id"] = .string(identity.id(sequence: sequence))
        members["prev"] = .string(previousHash)
        return .object(members)
    }

    /// All of it but its id and its place in the chain: what a state row holds.
    var row: JSON { .object(members) }

    private var members: [String: JSON] {
        let members: [String: JSON?] = [
            "schema": .integer(Self.schema),
            "seq": .integer(sequence),
            "type": .string(body.type),
            "certainty": .string(certainty.rawValue),
            "corrects": corrects.map(JSON.integer),
            "time": .string(time.rfc3339),
            "clock": .string(time.quality.rawValue),
            "boot": time.boot.map { .string($0.bootText) },
            "uptime": time.boot.map { .integer($0.milliseconds) },
            "recorded": recorded.map { .string($0.rfc3339) },
            "station": station.map(JSON.string),
            "episode": episode.map(JSON.string),
            "subject": .array(subjects.map(JSON.string)),
            "place": place.map(JSON.string),
            "actor": actor.json,
            "master": .integer(masterVersion),
            "data": body.json,
            "evidence": evidence,
        ]
        return members.compactMapValues { $0 }
    }

    /// Reads a stored event.
    /// - Throws: `EventError` when it is of a later schema or a field is missing.
    public init(json: JSON) throws(EventError) {
        guard let schema = json["schema"]?.integer, schema == Self.schema else { throw EventError("an event of another schema") }
        guard let sequence = json["seq"]?.integer, let type = json["type"]?.string, let data = json["data"] else {
            throw EventError("an event without seq, type or data")
        }
        guard var time = json["time"]?.string.flatMap(WallTime.init(rfc3339:)),
            let quality = json["clock"]?.string.flatMap(ClockQuality.init)
        else { throw EventError("event \(sequence): time or clock") }
        time.quality = quality
        time.boot = json["boot"]?.string.flatMap(BootTime.boot(text:)).flatMap { boot in
            json["uptime"]?.integer.map { BootTime(boot: boot, milliseconds: $0) }
        }
        var recorded: WallTime?
        if let text = json["recorded"]?.string {
            guard var decided = WallTime(rfc3339: text) else { throw EventError("event \(sequence): recorded") }
            decided.quality = quality
            recorded = decided
        }
        guard let certainty = json["certainty"]?.string.flatMap(Certainty.init) else { throw EventError("event \(sequence): certainty") }
        guard let body = Body(type: type, json: data) else { throw EventError("event \(sequence): data of \(type)") }
        self.init(
            sequence: sequence, time: time, recorded: recorded, station: json["station"]?.string, episode: json["episode"]?.string,
            actor: Actor(json: json["actor"] ?? .null), subjects: (json["subject"]?.array ?? []).compactMap(\.string),
            place: json["place"]?.string, certainty: certainty, corrects: json["corrects"]?.integer,
            masterVersion: json["master"]?.integer ?? 0, body: body, evidence: json["evidence"] ?? .null)
    }
}

extension Event.Actor {
    public var json: JSON {
        switch self {
        case .person(let key): ["person": .string(key.text)]
        case .client(let name): ["client": .string(name)]
        case .gateway: "gateway"
        case .unknown: "unknown"
        }
    }

    init(json: JSON) {
        if let key = json["person"]?.string.flatMap(PersonKey.init) {
            self = .person(key)
        } else if let name = json["client"]?.string {
            self = .client(name)
        } else {
            self = json == "gateway" ? .gateway : .unknown
        }
    }
}

extension Bearer {
    public var json: JSON {
        switch self {
        case .item(let key): ["item": .string(key.text)]
        case .person(let key): ["person": .string(key.text)]
        case .product(let key): ["product": .string(key.text)]
        case .location(let key): ["location": .string(key.text)]
        }
    }

    public init?(json: JSON) {
        if let key = json["item"]?.string.flatMap(ItemKey.init) {
            self = .item(key)
        } else if let key = json["person"]?.string.flatMap(PersonKey.init) {
            self = .person(key)
        } else if let key = json["product"]?.string.flatMap(ProductKey.init) {
            self = .product(key)
        } else if let key = json["location"]?.string.flatMap(LocationKey.init) {
            self = .location(key)
        } else {
            return nil
        }
    }
}

extension StockSubject {
    public var json: JSON {
        switch self {
        case .item(let key): ["item": .string(key.text)]
        case .product(let key, let lot): .compact(["product": .string(key.text), "lot": lot.map(JSON.string)])
        }
    }

    public init?(json: JSON) {
        if let key = json["item"]?.string.flatMap(ItemKey.init) {
            self = .item(key)
        } else if let key = json["product"]?.string.flatMap(ProductKey.init) {
            self = .product(key, lot: json["lot"]?.string)
        } else {
            return nil
        }
    }
}

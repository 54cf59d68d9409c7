import Readings

/// An event in its stored form, but for the hash of the event before it.
///
/// Whoever decides writes it out; the one thread that writes to the disk only puts the hash in.
public struct UnsealedEvent: Hashable, Sendable {
    public let sequence: Int64
    /// Canonical JSON, with nothing for the value of `prev`.
    private let bytes: [UInt8]
    /// Where that value belongs.
    private let place: Int

    /// - Parameter previousHash: SHA-256 of the stored bytes of the event before it, 64 lower-case hexadecimal digits.
    public func sealed(previousHash: String) -> StoredEvent {
        var whole: [UInt8] = []
        whole.reserveCapacity(bytes.count + previousHash.utf8.count)
        whole += bytes[..<place]
        whole += previousHash.utf8
        whole += bytes[place...]
        return StoredEvent(sequence: sequence, bytes: whole)
    }

    init(_ event: Event, identity: EventIdentity) {
        sequence = event.sequence
        var form = MemberWriter()
        form.add("actor", event.actor.json)
        if let boot = event.time.boot { form.add("boot", boot.bootText) }
        form.add("certainty", event.certainty.rawValue)
        form.add("clock", event.time.quality.rawValue)
        if let corrects = event.corrects { form.add("corrects", .integer(corrects)) }
        form.add("data", event.body.json)
        if let episode = event.episode { form.add("episode", episode) }
        form.add("evidence", event.evidence)
        form.add("id", identity.id(sequence: sequence))
        form.add("master", .integer(event.masterVersion))
        if let uri = event.place { form.add("place", uri) }
        form.add("prev", "")
        // Before the closing quotation mark.
        place = form.bytes.count - 1
        if let recorded = event.recorded { form.add("recorded", recorded.rfc3339) }
        form.add("schema", .integer(Event.schema))
        form.add("seq", .integer(sequence))
        if let station = event.station { form.add("station", station) }
        form.add("subject", .array(event.subjects.map(JSON.string)))
        form.add("time", event.time.rfc3339)
        form.add("type", event.body.type)
        if let boot = event.time.boot { form.add("uptime", .integer(boot.milliseconds)) }
        bytes = form.closed
    }
}

extension Event {
    /// The canonical bytes of `json(identity:previousHash:)`, made without the tables between.
    public func unsealed(identity: EventIdentity) -> UnsealedEvent { UnsealedEvent(self, identity: identity) }
}

/// Writes the members of an object that come in canonical order.
private struct MemberWriter {
    private(set) var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(1_024)
    }

    mutating func add(_ name: StaticString, _ value: String) {
        add(name)
        JSON.appendCanonical(value, to: &bytes)
    }

    mutating func add(_ name: StaticString, _ value: JSON) {
        add(name)
        value.appendCanonical(to: &bytes)
    }

    private mutating func add(_ name: StaticString) {
        bytes.append(bytes.isEmpty ? 0x7B : 0x2C)
        bytes.append(0x22)
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(0x22)
        bytes.append(0x3A)
    }

    var closed: [UInt8] { bytes + [0x7D] }
}

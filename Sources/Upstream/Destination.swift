import Ledger
import Readings

/// Where events go. One method: deliver a batch and say what became of it.
public protocol Destination: Sendable {
    /// Delivers events in order and blocks until their fate is known. Called on the destination's own thread only, never twice at once.
    ///
    /// May be called again with events that it has delivered before: after a lost answer or a restart. It must then have no other
    /// effect than the first time.
    /// - Parameter batch: one event or more, in ascending order of their numbers.
    /// - Returns: how far it came. Less than the batch is progress, not failure: the rest is offered again at once.
    /// - Throws: `DeliveryError` when not even the first event could be dealt with.
    func deliver(_ batch: [OutgoingEvent]) throws(DeliveryError) -> Receipt

    /// Whether it takes an event's time as it stands, for good: then an event of a machine that does not know the time yet is held back
    /// for a while.
    var needsTime: Bool { get }

    /// Whether it says of every event which one came before it: `OutgoingEvent.after`.
    var needsPredecessors: Bool { get }

    /// Whether somebody at the other end acts on what it sends: then a reminder that is no longer true is passed over. A record gets
    /// every event.
    var tellsPeople: Bool { get }
}

extension Destination {
    public var needsTime: Bool { false }
    public var needsPredecessors: Bool { false }
    public var tellsPeople: Bool { false }
}

/// An event of the log, read once for all who look into it.
public struct OutgoingEvent: Hashable, Sendable {
    public let sequence: Int64
    /// The stored bytes: canonical JSON in one line.
    public let bytes: [UInt8]
    public let json: JSON
    /// The event's id, a UUID that is the same whenever this event is delivered.
    public let id: String
    public let type: String
    /// RFC 3339.
    public let time: String
    /// Milliseconds to add to its times: its clock was wrong, and it is known by now by how much.
    public var shift: Int64 = 0
    /// The event that this one corrects, as it was sent; nil: there is none, or the log has it no more. Only set for a destination that needs
    /// right times.
    public var corrected: Corrected?
    /// The number of the event of the same epoch that came before it for this destination: nothing that it gets is between them. 0: it is
    /// the first one. Only set for a destination that needs it.
    public var after: Int64 = 0

    public struct Corrected: Hashable, Sendable {
        public var id: String
        public var json: JSON
        /// Milliseconds to add to its times; nil: they are not known.
        public var shift: Int64?
    }

    /// - Throws: `UnreadableEvent` when the bytes are not an event: the store was changed from outside.
    public init(_ stored: StoredEvent) throws(UnreadableEvent) {
        sequence = stored.sequence
        bytes = stored.bytes
        do {
            json = try stored.json()
        } catch {
            throw UnreadableEvent(reason: "the stored event is not JSON: \(error)")
        }
        guard let id = json["id"]?.string, let type = json["type"]?.string, let time = json["time"]?.string,
            json["seq"]?.integer == stored.sequence
        else { throw UnreadableEvent(reason: "the stored event lacks id, type, time or its own number") }
        self.id = id
        self.type = type
        self.time = time
    }

    /// Says of which gateway and epoch an event is: the first 16 hexadecimal digits of its id, which a restored store changes. Numbers can
    /// be compared within it only.
    public var origin: String { String(id.prefix(19).filter { $0 != "-" }) }

    /// When it was by the machine's own clock.
    var boot: BootTime? {
        json["boot"]?.string.flatMap(BootTime.boot(text:)).flatMap { boot in
            json["uptime"]?.integer.map { BootTime(boot: boot, milliseconds: $0) }
        }
    }

    /// Whether its time may be wrong by decades.
    var isOfUnknownTime: Bool { json["clock"]?.string == ClockQuality.unknown.rawValue }

    /// Provisional events may still be withdrawn, and stay at home unless a destination asks for them.
    public var isFinal: Bool { json["certainty"]?.string == Certainty.final.rawValue }
}

/// Why a stored event cannot be delivered anywhere.
public struct UnreadableEvent: Error, Hashable, Sendable {
    public var reason: String
}

/// What became of a batch.
public struct Receipt: Hashable, Sendable {
    /// Everything up to and including this number is settled: delivered, known before, without meaning there, or rejected.
    public var upTo: Int64
    public var delivered = 0
    /// The destination had them already.
    public var duplicates = 0
    /// Have no meaning for this destination.
    public var passedOver = 0
    /// Were no longer true when it looked.
    public var outdated = 0
    /// Somebody for whom they are cannot be reached: nobody knows an address. Those who can be were told.
    public var withoutAddress = 0
    /// Refused for good; the rest went on.
    public var rejections: [Rejection] = []

    public init(upTo: Int64, delivered: Int = 0, duplicates: Int = 0, passedOver: Int = 0, rejections: [Rejection] = []) {
        self.upTo = upTo
        self.delivered = delivered
        self.duplicates = duplicates
        self.passedOver = passedOver
        self.rejections = rejections
    }

    /// A poison event: the destination will never take it.
    public struct Rejection: Hashable, Sendable {
        public var sequence: Int64
        /// What the destination said; at most 300 characters, no control characters.
        public var reason: String

        public init(sequence: Int64, reason: String) {
            self.sequence = sequence
            self.reason = printable(reason)
        }
    }
}

/// Why nothing could be delivered. No event is at fault; all of them stay in the queue.
public enum DeliveryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Will pass by itself: network, server in trouble, full disk.
    case retryable(String, afterMilliseconds: Int64? = nil)
    /// Needs a person: credentials, a wrong URL, a foreign file.
    case refused(String)
    /// The receiver has less than it confirmed: it must be sent again what comes after a number.
    case behind(upTo: Int64, String)
    /// A stop was requested.
    case stopped

    public var description: String {
        switch self {
        case .retryable(let reason, _), .refused(let reason), .behind(_, let reason): reason
        case .stopped: "stopped"
        }
    }
}

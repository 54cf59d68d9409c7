import Readings

/// Which events are asked for.
public struct EventQuery: Hashable, Sendable {
    /// Only numbers above this one.
    public var after: Int64?
    /// Only numbers below this one.
    public var before: Int64?
    /// At most so many, 1...1000. Without `after`, the newest ones; with it, the oldest.
    public var limit: Int
    /// A type such as `loan.returned`, or `loan.*`.
    public var type: String?
    public var station: String?
    /// The key of an item, product or person, an EPC, or a URI that stands among an event's subjects.
    public var subject: String?

    public static let limits = 1...1_000

    public init(
        after: Int64? = nil, before: Int64? = nil, limit: Int = 100, type: String? = nil, station: String? = nil, subject: String? = nil
    ) {
        self.after = after
        self.before = before
        self.limit = limit
        self.type = type
        self.station = station
        self.subject = subject
    }
}

/// A part of the event log.
public struct EventPage: Hashable, Sendable {
    /// In the order of their numbers, with names beside keys.
    public var events: [JSON]
    /// The highest number that was looked at, matching or not: where to read on. Nothing was looked at: the query's `after`, or 0.
    public var last: Int64
    /// Whether more may match above `last`.
    public var hasMore: Bool

    public init(events: [JSON], last: Int64, hasMore: Bool) {
        self.events = events
        self.last = last
        self.hasMore = hasMore
    }
}

/// How a person names an event.
public enum EventReference: Hashable, Sendable {
    case sequence(Int64)
    /// The UUID in lower case.
    case id(String)

    /// nil for text that is neither a number from 1 nor a UUID.
    public init?(_ text: String) {
        if let sequence = Int64(text), sequence > 0 {
            self = .sequence(sequence)
            return
        }
        let id = text.lowercased()
        let groups = id.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.map(\.utf8.count) == [8, 4, 4, 4, 12],
            id.utf8.allSatisfy({ $0 == 0x2D || (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        self = .id(id)
    }
}

/// One event with its way upstream.
public struct EventReport: Hashable, Sendable {
    /// With names beside keys.
    public var event: JSON
    public var deliveries: [Delivery]

    public struct Delivery: Hashable, Sendable {
        public var destination: String
        public var state: State
        /// RFC 3339; when it reached that state, where that is known.
        public var time: String?
        /// Why it waits or was refused.
        public var reason: String?

        public enum State: String, Hashable, Sendable, CaseIterable {
            case acknowledged
            case waiting
            case deadLetter = "dead_letter"
            /// The destination does not get events of this type.
            case notSelected = "not_selected"
        }

        public init(destination: String, state: State, time: String? = nil, reason: String? = nil) {
            self.destination = destination
            self.state = state
            self.time = time
            self.reason = reason
        }

        var json: JSON {
            .compact([
                "destination": .string(destination), "state": .string(state.rawValue), "time": time.map(JSON.string),
                "reason": reason.map(JSON.string),
            ])
        }
    }

    public init(event: JSON, deliveries: [Delivery] = []) {
        self.event = event
        self.deliveries = deliveries
    }
}

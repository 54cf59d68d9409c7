import Identifiers
import Readings

/// What happened to a tag at a place where things stay: a shelf, a bay, a workplace, a room.
public struct DwellEvent: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        /// It came, and was seen to move.
        case arrived
        /// It left.
        case departed
        /// It came and left within the least stay.
        case passed
        /// It is there, but was never seen to move: a tag that lies somewhere near, or that was there before the reader. No business
        /// event; `lost` ends it.
        case noticed
        case lost
        /// It was there all the time: takes back the provisional end that was told last.
        case resumed
        /// It came and went too often to be believed; nothing more is said of it until it is strong without a pause.
        case unstable
    }

    public var epc: EPC
    public var kind: Kind
    /// An end is provisional after the tag's own time-out, and final, told once more, when the longest is over as well.
    public var certainty = Certainty.final
    /// The first read of the stay, and its last strong one: the time to give to a departure.
    public var first: Instant
    public var last: Instant
    /// Reads of the stay.
    public var reads: Int
    /// The mean gap between the tag's reads, which sets its time-out.
    public var meanGap: Instant.Span

    /// Whether the event says something about the world, rather than about what the reader sees.
    public var isBusiness: Bool {
        switch kind {
        case .arrived, .departed, .passed, .resumed: true
        case .noticed, .lost, .unstable: false
        }
    }
}

extension DwellEvent {
    /// The form in which people and programs see it, like a sighting at a gate.
    public func json(station: String) -> [String: JSON] {
        [
            "station": .string(station), "epc": .string(epc.hex), "sighting": .string(kind.rawValue),
            "certainty": .string(certainty.rawValue),
            "evidence": .object([
                "reads": .integer(Int64(reads)), "seconds": .decimal((last - first).milliseconds, scale: 1_000),
                "gap": .decimal(meanGap.milliseconds, scale: 1_000),
            ]),
        ]
    }
}

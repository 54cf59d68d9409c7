import Identifiers
import Readings

/// What changed in a cabinet between one opening and the scan after its closing.
public struct CabinetReport: Hashable, Sendable {
    /// Who opened.
    public enum Actor: Hashable, Sendable {
        case one(String)
        /// Several, in order of opening, each once: which of them it was cannot be told.
        case several([String])
        /// Nobody identified themselves, or power was lost in between.
        case unknown
    }

    public struct Entry: Hashable, Sendable {
        public var epc: EPC
        /// The probability that it is inside, 0 to 1 in steps of 0.001.
        public var inside: Double
        /// Looks by one antenna in which it was seen, and all looks by one antenna.
        public var seen: Int
        public var looks: Int
        /// The report before this one left it open too, so the change may be older than this opening.
        public var wasOpenBefore: Bool

        /// For the evidence of an event.
        public var evidence: JSON {
            .compact([
                "inside": inside.json, "seen": .integer(Int64(seen)), "looks": .integer(Int64(looks)),
                "open_before": wasOpenBefore ? .bool(true) : nil,
            ])
        }
    }

    /// The number of the episode; the final report with a number replaces the provisional one.
    public var episode: UInt64
    /// Provisional: from the scan right after closing; the person may still stand there with the tool in the hand. Final: after the
    /// confirming scan, or when the door was opened again before it.
    public var certainty: Certainty
    public var actor: Actor
    /// When the door was closed.
    public var closed: Instant
    /// Inside before and outside now; each list is sorted by EPC.
    public var taken: [Entry] = []
    public var returned: [Entry] = []
    /// Tags of which the scan does not say where they are; they may be in `taken` or `returned` as well, as the better guess.
    public var undecided: [Entry] = []
    /// Tags believed inside that are seen so seldom at their place that their going would hardly be noticed: move the tag.
    public var weakSpots: [Entry] = []
    /// Antennas that saw nothing though they should have: their silence counted as no evidence.
    public var silentAntennas: [UInt8] = []
    /// The reader showed no reading at all: nothing is known of this closing yet.
    public var isBlind = false
    /// A lower bound for tags that are there and were not seen, from those seen once and twice.
    public var unseenTags = 0.0
    /// A tag may only seem gone because it is seen seldom.
    var needsLongScan = false
}

/// What a cabinet wants done, or has found out.
public enum CabinetOutput: Hashable, Sendable {
    /// The reader should be reading from now on, at least until the next report.
    case scan(episode: UInt64, certainty: Certainty)
    case report(CabinetReport)
}

import Presence
import Readings

/// What a station made of its inputs.
public struct StationOutput: Hashable, Sendable {
    public var sightings: [Sighting] = []
    /// What came to a place where things stay, and what left it.
    public var stays: [DwellEvent] = []
    public var proposals: [Proposal] = []
    /// What the station knows differently from what it handed over before.
    public var learned: [LearnedState] = []
    /// An answer that needs no decision, for example that the next scan is awaited.
    public var feedback: Feedback?
    /// Who was there has changed: that must not wait for the next event, or a loss of power would leave one of them out.
    public var isUrgent = false
    /// A cabinet's lock is to be opened now.
    public var unlocks = false
    /// Reads that a reader had kept and that found no place.
    public var lostLateReads: UInt64 = 0

    public init() {}
}

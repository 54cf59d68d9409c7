/// Something that a station has learned and must know again after a restart, in a form of its own.
///
/// A station hands over what changed (`StationOutput.learned`); it is saved in one transaction with the events decided at that time, or
/// alone after a while, stands in the start state of recordings, and is given back to the station when it is made.
public struct LearnedState: Hashable, Sendable {
    /// A word of the station's own such as `bias` or `resident/3476451FD4000000000003E9`: visible ASCII, at most 100 characters.
    public var name: String
    /// At most `maximumBytes` in canonical form; nil: forgotten.
    public var value: JSON?

    public static let maximumBytes = 65_536

    public init(name: String, value: JSON?) {
        self.name = name
        self.value = value
    }
}

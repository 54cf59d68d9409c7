/// What a person at a station is told, by light, beep or lock.
public enum Feedback: String, Hashable, Sendable, CaseIterable {
    /// Done and on the disk: the good beep, green.
    case accepted
    /// Recorded, but a person must look: an exception was raised. Red, long.
    case exception
    /// A code was understood and the next one is awaited (item scanned, now the location). Short.
    case next
    /// Not understood or not allowed, nothing was recorded. Red, twice.
    case refused
    /// Not recorded: the store could not take it in time. A signal of its own, unlike all others.
    case notRecorded = "not_recorded"
    /// Opens a lock for a moment: a pulse that ends by itself, at the latest after `longestPulse`. A device can have four of them.
    case unlock
    case unlock2 = "unlock_2"
    case unlock3 = "unlock_3"
    case unlock4 = "unlock_4"

    /// The pulses that open locks, in the order of their numbers from 1.
    public static let pulses: [Feedback] = [.unlock, .unlock2, .unlock3, .unlock4]
    /// A lock that is held open for longer would be no lock.
    public static let longestPulse = Instant.Span.seconds(10)

    public var isPulse: Bool { Self.pulses.contains(self) }
}

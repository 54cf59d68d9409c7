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
}

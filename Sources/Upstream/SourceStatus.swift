/// What one source of master data is doing, for the control API.
public struct SourceStatus: Hashable, Sendable {
    public enum State: String, Hashable, Sendable {
        /// Everything that it has is here.
        case current
        case asking
        /// Failed, and tried again by itself.
        case backingOff = "backing_off"
        /// What it sent is wrong, or it does not let us in: a person must look. Tried again every five minutes and when asked to;
        /// what was pushed waits for the sender's next batch.
        case refused
        case ended
    }

    public var name: String
    public var state: State
    /// Up to where it was taken in; nil: nothing yet.
    public var cursor: String?
    /// Milliseconds since it last said that this is all, of pushed data since the last batch; nil: not since the start.
    public var age: Int64?
    /// Batches that changed something since the start.
    public var batches: Int64 = 0
    public var lastError: String?
    /// Milliseconds, while it waits after a failure.
    public var retryIn: Int64?

    public init(name: String, state: State) {
        self.name = name
        self.state = state
    }
}

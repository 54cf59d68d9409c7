import Readings

/// One event as it stands in the log: its number and the exact bytes that were hashed.
public struct StoredEvent: Hashable, Sendable {
    public var sequence: Int64
    /// Canonical JSON.
    public var bytes: [UInt8]

    public init(sequence: Int64, bytes: [UInt8]) {
        self.sequence = sequence
        self.bytes = bytes
    }

    /// - Throws: `JSONError` only when the store was changed from outside.
    public func json() throws(JSONError) -> JSON { try JSON(parsing: bytes) }
}

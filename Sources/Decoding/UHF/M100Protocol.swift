import Readings

/// M100, QM100, JRD-100 (BB…7E) and R200 (AA…DD) modules.
public struct M100Protocol: Decoder {
    public struct Configuration: Hashable, Sendable {
        public init() {}
    }

    public init(_ configuration: Configuration) {}

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        batch.rejects.count(.noise, times: UInt64(bytes.count))
    }

    public mutating func reset() {}
}

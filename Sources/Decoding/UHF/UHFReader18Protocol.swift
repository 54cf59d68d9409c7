import Readings

/// Chafon UHFReader18, UHFReader288 and kin.
public struct UHFReader18Protocol: Decoder {
    public struct Configuration: Hashable, Sendable {
        public init() {}
    }

    public init(_ configuration: Configuration) {}

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        batch.rejects.count(.noise, times: UInt64(bytes.count))
    }

    public mutating func reset() {}
}

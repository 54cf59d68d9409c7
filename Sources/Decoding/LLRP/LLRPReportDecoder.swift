import Readings

/// The tag reports and input events of an LLRP reader.
public struct LLRPReportDecoder: Decoder {
    public init() {}

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        batch.rejects.count(.noise, times: UInt64(bytes.count))
    }

    public mutating func reset() {}
}

import Readings

/// Scanners that speak the HID point-of-sale usages, by reports of a hidraw node.
public struct HIDPointOfSale: Decoder {
    public struct Configuration: Hashable, Sendable {
        public init() {}
    }

    public init(_ configuration: Configuration) {}

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        batch.rejects.count(.noise, times: UInt64(bytes.count))
    }

    public mutating func reset() {}
}

/// The EPC bits of one tag, as an inline value without heap storage.
///
/// Holds 1 to 62 bytes: a Gen2 tag states the length of its EPC in the five-bit PC length field, at most 31 words of 16 bits (GS1
/// EPC UHF Gen2 Air Interface, StoredPC bits 10h–14h). The bytes lie big-endian in eight 64-bit words, zero-padded; the lowest
/// sixteen bits of the last word hold the number of bytes. Comparing the words therefore compares the bytes, then the lengths.
///
/// Two readings of a tag are the same key exactly when all EPC bytes agree. Filter values are part of the bits; compare
/// ``EPCIdentity/canonicalURI`` where the identity of the object is meant.
@frozen
public struct EPC: Hashable, Sendable, Comparable {
    /// The most bytes a tag can report: 31 words of the Gen2 PC length field.
    public static let maximumByteCount = 62

    @usableFromInline let w0: UInt64
    @usableFromInline let w1: UInt64
    @usableFromInline let w2: UInt64
    @usableFromInline let w3: UInt64
    @usableFromInline let w4: UInt64
    @usableFromInline let w5: UInt64
    @usableFromInline let w6: UInt64
    @usableFromInline let w7: UInt64

    @inlinable
    init(words w0: UInt64, _ w1: UInt64, _ w2: UInt64, _ w3: UInt64, _ w4: UInt64, _ w5: UInt64, _ w6: UInt64, _ w7: UInt64) {
        self.w0 = w0
        self.w1 = w1
        self.w2 = w2
        self.w3 = w3
        self.w4 = w4
        self.w5 = w5
        self.w6 = w6
        self.w7 = w7
    }

    /// The EPC bytes of a reader's frame.
    ///
    /// Returns nil for no bytes or more than ``maximumByteCount``. The usual 12 bytes cost two loads.
    @inlinable
    public init?(bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return nil }
        if bytes.count == 12 {
            let high = UInt64(bigEndian: base.loadUnaligned(as: UInt64.self))
            let low = UInt32(bigEndian: base.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
            self.init(words: high, UInt64(low) << 32, 0, 0, 0, 0, 0, 12)
            return
        }
        guard bytes.count >= 1, bytes.count <= Self.maximumByteCount else { return nil }
        self.init(checked: bytes)
    }

    /// The EPC with exactly these bytes; nil for none or more than ``maximumByteCount``.
    @inlinable
    public init?(_ bytes: [UInt8]) {
        guard let epc = bytes.withUnsafeBytes({ EPC(bytes: $0) }) else { return nil }
        self = epc
    }

    /// Any permitted length; the caller has checked that there are 1 to 62 bytes.
    @usableFromInline
    init(checked bytes: UnsafeRawBufferPointer) {
        func word(_ index: Int) -> UInt64 {
            let start = index * 8
            if start + 8 <= bytes.count { return UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)) }
            var value: UInt64 = 0
            for position in start..<max(start, bytes.count) { value |= UInt64(bytes[position]) << UInt64(56 - (position - start) * 8) }
            return value
        }
        self.init(words: word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7) | UInt64(bytes.count))
    }

    /// Number of EPC bytes, 1…62.
    @inlinable
    public var byteCount: Int { Int(truncatingIfNeeded: w7 & 0xFFFF) }

    /// Number of EPC bits, 8…496.
    @inlinable
    public var bitCount: Int { byteCount &* 8 }

    /// The first byte: the scheme header of the Tag Data Standard.
    @inlinable
    public var header: UInt8 { UInt8(truncatingIfNeeded: w0 >> 56) }

    @inlinable
    public static func == (left: EPC, right: EPC) -> Bool {
        // The first two words and the length decide nearly always; the rest is zero for the common 96 bits.
        guard left.w0 == right.w0, left.w1 == right.w1, left.w7 == right.w7 else { return false }
        if left.byteCount <= 16 { return true }
        return left.w2 == right.w2 && left.w3 == right.w3 && left.w4 == right.w4 && left.w5 == right.w5 && left.w6 == right.w6
    }

    /// Order of the bytes; of two EPCs where one begins with the other, the shorter is first.
    @inlinable
    public static func < (left: EPC, right: EPC) -> Bool {
        if left.w0 != right.w0 { return left.w0 < right.w0 }
        if left.w1 != right.w1 { return left.w1 < right.w1 }
        if left.w2 != right.w2 { return left.w2 < right.w2 }
        if left.w3 != right.w3 { return left.w3 < right.w3 }
        if left.w4 != right.w4 { return left.w4 < right.w4 }
        if left.w5 != right.w5 { return left.w5 < right.w5 }
        if left.w6 != right.w6 { return left.w6 < right.w6 }
        return left.w7 < right.w7
    }

    @inlinable
    public func hash(into hasher: inout Hasher) {
        hasher.combine(fastHash)
    }

    /// A cheap mix of the used words for open-addressing tables of our own: all bits of the result depend on all bytes.
    ///
    /// The same on every machine and in every run. It does not resist somebody who programs tags to collide, so a table
    /// must bound its probes or its size.
    @inlinable
    public var fastHash: UInt64 {
        var mixed = EPC.fold(w0 ^ 0x9E37_79B9_7F4A_7C15, w1 ^ (w7 &* 0xD6E8_FEB8_6659_FD93) ^ 0xC2B2_AE3D_27D4_EB4F)
        if byteCount > 16 {
            mixed = EPC.fold(mixed ^ w2, w3 ^ 0x9E37_79B9_7F4A_7C15)
            mixed = EPC.fold(mixed ^ w4, w5 ^ 0xC2B2_AE3D_27D4_EB4F)
            mixed = EPC.fold(mixed ^ w6, 0xD6E8_FEB8_6659_FD93)
        }
        return mixed
    }

    /// Multiplies to 128 bits and folds the halves together.
    @inlinable
    static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    /// The byte at a position, 0 beyond the end.
    @inlinable
    public func byte(at position: Int) -> UInt8 {
        guard position >= 0, position < byteCount else { return 0 }
        return UInt8(truncatingIfNeeded: word(position >> 3) >> UInt64((7 - (position & 7)) * 8))
    }

    /// The word with the bytes `8 * index` and following; the length bits of the last word are left out.
    @inlinable
    func word(_ index: Int) -> UInt64 {
        switch index {
        case 0: w0
        case 1: w1
        case 2: w2
        case 3: w3
        case 4: w4
        case 5: w5
        case 6: w6
        case 7: w7 & ~0xFFFF
        default: 0
        }
    }

    /// Copies the bytes to a buffer of at least ``byteCount`` bytes; nothing happens when it is too small.
    public func copyBytes(to buffer: UnsafeMutableRawBufferPointer) {
        guard buffer.count >= byteCount else { return }
        for position in 0..<byteCount { buffer[position] = byte(at: position) }
    }

    /// The EPC bytes.
    public var bytes: [UInt8] {
        (0..<byteCount).map { byte(at: $0) }
    }
}

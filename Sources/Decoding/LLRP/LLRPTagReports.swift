import Identifiers
import Readings

/// Turns the tag reports of an LLRP reader into tag reads, straight from the bytes of a message and without allocating.
///
/// A reader may leave out of a report any parameter that is enabled and has the value of the last parameter of the same type that it sent
/// (LLRP 1.0.1, section 13.2.3; LLRP 1.1, section 14.2.3, TagReportData). So the last antenna, signal level, channel and times stand in for
/// missing ones, across messages, until `reset()`. Vendors' parameters belong to their report alone.
public struct LLRPTagReports: Sendable {
    /// The frequencies in kHz that channel indexes name, the first that of index 1 (LLRP 1.1, section 10.2.4.1.3: `FrequencyHopTable` or
    /// `FixedFrequencyTable` of the reader's capabilities); empty: frequencies are not told.
    public var channels: [UInt32]

    private var last = Values()

    /// What parameters of a report say; nil where none of that type has come.
    private struct Values {
        var antenna: UInt16 = 0
        var rssi = TagRead.noRSSI
        var channel: UInt16 = 0
        /// UTC or since the reader's start, whichever it has, in microseconds.
        var firstSeen: UInt64?
        var lastSeen: UInt64?
    }

    /// The last values, for the snapshot of a session.
    var lastReported: JSON {
        get {
            .compact([
                "antenna": .integer(Int64(last.antenna)), "rssi": .integer(Int64(last.rssi)), "channel": .integer(Int64(last.channel)),
                "first": last.firstSeen.map { .integer(Int64(bitPattern: $0)) },
                "last": last.lastSeen.map { .integer(Int64(bitPattern: $0)) },
            ])
        }
        set {
            last = Values()
            last.antenna = UInt16(clamping: newValue["antenna"]?.integer ?? 0)
            last.rssi = newValue["rssi"]?.integer.map(Int16.init(clamping:)) ?? TagRead.noRSSI
            last.channel = UInt16(clamping: newValue["channel"]?.integer ?? 0)
            last.firstSeen = newValue["first"]?.integer.map(UInt64.init(bitPattern:))
            last.lastSeen = newValue["last"]?.integer.map(UInt64.init(bitPattern:))
        }
    }

    public init(channels: [UInt32] = []) {
        self.channels = channels
    }

    /// Forgets the last values: after the connection was lost, or the reader was told anew what to report.
    public mutating func reset() {
        last = Values()
    }

    /// Appends the reads of one RO_ACCESS_REPORT, whose bytes are given with their header.
    ///
    /// Counted rejects: `malformed` for a report without an EPC, with an antenna above 255 or with lengths that do not agree; `tooLong` for
    /// an EPC of more than 62 bytes; `unknownFrame` for a parameter without a length that is not known, behind which nothing can be told.
    public mutating func take(_ message: UnsafeRawBufferPointer, readings: inout [Reading], rejects: inout RejectCounts) {
        guard let base = message.baseAddress else { return }
        let end = message.count
        var position = LLRPMessage.headerLength
        while end - position >= 4 {
            let number = base.bigEndian16(at: position) & 0x3FF
            let length = Int(base.bigEndian16(at: position + 2))
            guard base.byte(at: position) & 0x80 == 0, length >= 4, length <= end - position else { return rejects.count(.malformed) }
            if number == 240 {
                takeTag(base, from: position + 4, to: position + length, readings: &readings, rejects: &rejects)
            }
            position += length
        }
        if position != end { rejects.count(.malformed) }
    }

    /// Where the EPC of a report lies.
    private struct Location {
        var start = 0
        var bits = -1
    }

    @inline(__always)
    private mutating func takeTag(
        _ base: UnsafeRawPointer, from start: Int, to end: Int, readings: inout [Reading], rejects: inout RejectCounts
    ) {
        var position = start
        var epc = Location()
        var vendorRSSI = TagRead.noRSSI
        var phase: UInt16?
        var firstSeen: UInt64?
        var lastSeen: UInt64?
        parameters: while position < end {
            let first = base.byte(at: position)
            guard first & 0x80 != 0 else {
                guard end - position >= 4 else { return rejects.count(.malformed) }
                let length = Int(base.bigEndian16(at: position + 2))
                guard length >= 4, length <= end - position else { return rejects.count(.malformed) }
                switch base.bigEndian16(at: position) & 0x3FF {
                case 241:
                    guard length >= 6 else { return rejects.count(.malformed) }
                    epc = Location(start: position + 6, bits: Int(base.bigEndian16(at: position + 4)))
                    guard (epc.bits + 7) >> 3 == length - 6 else { return rejects.count(.malformed) }
                case 1_023 where length >= 13:
                    takeVendor(base, at: position, length: length, rssi: &vendorRSSI, phase: &phase)
                default: break
                }
                position += length
                continue
            }
            let number = Int(first & 0x7F)
            let length = Self.length(ofTV: number)
            guard length > 0 else {
                rejects.count(.unknownFrame)
                break parameters
            }
            guard length <= end - position else { return rejects.count(.malformed) }
            switch number {
            case 1: last.antenna = base.bigEndian16(at: position + 1)
            case 2, 3: firstSeen = base.bigEndian64(at: position + 1)
            case 4, 5: lastSeen = base.bigEndian64(at: position + 1)
            case 6: last.rssi = Int16(Int8(bitPattern: base.byte(at: position + 1))) &* 100
            case 7: last.channel = base.bigEndian16(at: position + 1)
            case 13: epc = Location(start: position + 1, bits: 96)
            default: break
            }
            position += length
        }
        if let firstSeen { last.firstSeen = firstSeen }
        if let lastSeen { last.lastSeen = lastSeen }
        guard epc.bits > 0 else { return rejects.count(.malformed) }
        guard epc.bits <= EPC.maximumByteCount * 8 else { return rejects.count(.tooLong) }
        guard last.antenna <= 255 else { return rejects.count(.malformed) }
        guard let key = Self.epc(base + epc.start, bits: epc.bits) else { return rejects.count(.malformed) }
        let channel = Int(last.channel) - 1
        readings.append(
            .tag(
                TagRead(
                    epc: key, antenna: UInt8(truncatingIfNeeded: last.antenna), rssi: vendorRSSI == TagRead.noRSSI ? last.rssi : vendorRSSI,
                    frequency: channel >= 0 && channel < channels.count ? channels[channel] : 0, phase: phase,
                    readerTime: last.firstSeen ?? last.lastSeen)))
    }

    /// Signal level and phase in the finer units of a vendor. `length` is 13 at the least.
    @inline(__always)
    private func takeVendor(_ base: UnsafeRawPointer, at position: Int, length: Int, rssi: inout Int16, phase: inout UInt16?) {
        guard length >= 14 else { return }
        let value = base.bigEndian16(at: position + 12)
        switch (base.bigEndian32(at: position + 4), base.bigEndian32(at: position + 8)) {
        // Impinj: 4096 units in a full turn.
        case (LLRPDefinitions.impinj, 56): phase = value &<< 4
        // Impinj: hundredths of a dBm.
        case (LLRPDefinitions.impinj, 57): rssi = Int16(bitPattern: value)
        // Zebra: signed, 65536 units in a full turn.
        case (LLRPDefinitions.zebra, 709): phase = value
        default: break
        }
    }

    /// The bytes of a TV parameter, its type included; 0 for one that is not known.
    @inline(__always)
    private static func length(ofTV number: Int) -> Int {
        switch number {
        case 1, 7, 8, 10, 11, 12, 14, 15, 17, 19, 20: 3
        case 2...5: 9
        case 6: 2
        case 9, 16, 18: 5
        case 13: 13
        default: 0
        }
    }

    @inline(__always)
    private static func epc(_ start: UnsafeRawPointer, bits: Int) -> EPC? {
        let count = (bits + 7) >> 3
        if bits & 7 == 0 { return EPC(bytes: UnsafeRawBufferPointer(start: start, count: count)) }
        // Bits beyond the EPC in its last byte say nothing: they are 0 in the key of the tag.
        return withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { copy in
            copy.copyMemory(from: UnsafeRawBufferPointer(start: start, count: count))
            copy[count - 1] &= 0xFF << UInt8(8 - bits & 7)
            return EPC(bytes: UnsafeRawBufferPointer(copy))
        }
    }
}

extension UnsafeRawPointer {
    // The callers have checked that the bytes are there.
    @inline(__always)
    func byte(at offset: Int) -> UInt8 { load(fromByteOffset: offset, as: UInt8.self) }

    @inline(__always)
    func bigEndian16(at offset: Int) -> UInt16 { UInt16(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self)) }

    @inline(__always)
    func bigEndian32(at offset: Int) -> UInt32 { UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }

    @inline(__always)
    func bigEndian64(at offset: Int) -> UInt64 { UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
}

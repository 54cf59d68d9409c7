import Readings

/// One packet of the Open Supervised Device Protocol, version 2 (SIA; IEC 60839-11-5): a command of the panel or a reply of the reader.
///
/// `53`, address (bit 7 set in replies), length of the whole from `53` to the check (little endian), control (bits 1–0 sequence, bit 2
/// CRC, bit 3 security block), [security block], code, data, check. A mark byte `FF` may stand before it and is not counted.
public struct OSDPPacket: Hashable, Sendable {
    /// How a packet is checked; a reader answers in the kind of the command.
    public enum Check: String, Hashable, Sendable, CaseIterable {
        /// CRC, polynomial 1021, initial value 1D0F, low byte first.
        case crc
        /// The two's complement of the sum.
        case checksum
    }

    /// The longest packet understood, in bytes. Readers must do with 128 unless told that the panel takes more.
    public static let longest = 512
    /// The address that every reader listens to.
    public static let broadcast: UInt8 = 0x7F

    /// 0...126; 127 is all.
    public var address: UInt8
    public var isReply: Bool
    /// 0 begins anew, then 1, 2, 3, 1, …
    public var sequence: UInt8
    public var check: Check
    /// The security block without its length byte: its type, then its data; nil: a plain packet.
    public var securityBlock: [UInt8]?
    public var code: UInt8
    public var data: [UInt8]

    public init(
        address: UInt8, isReply: Bool = false, sequence: UInt8, check: Check = .crc, securityBlock: [UInt8]? = nil, code: UInt8,
        data: [UInt8] = []
    ) {
        self.address = address & 0x7F
        self.isReply = isReply
        self.sequence = sequence & 3
        self.check = check
        self.securityBlock = securityBlock
        self.code = code
        self.data = data
    }

    /// The packet with its mark byte, as it goes over the line.
    public var encoded: [UInt8] {
        let block = securityBlock.map { [UInt8(truncatingIfNeeded: $0.count + 1)] + $0 } ?? []
        let length = 6 + block.count + data.count + (check == .crc ? 2 : 1)
        var control = sequence
        if check == .crc { control |= 4 }
        if securityBlock != nil { control |= 8 }
        var bytes: [UInt8] = [0x53, address | (isReply ? 0x80 : 0)]
        bytes += [UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8), control]
        bytes += block
        bytes.append(code)
        bytes += data
        switch check {
        case .crc:
            let crc = Checksum.crc1021(initial: 0x1D0F, bytes)
            bytes += [UInt8(truncatingIfNeeded: crc), UInt8(truncatingIfNeeded: crc >> 8)]
        case .checksum: bytes.append(Checksum.neg8(bytes))
        }
        return [0xFF] + bytes
    }
}

/// Finds packets among bytes. What fails is counted, and the search goes on at the next byte.
struct OSDPFramer: Sendable {
    /// Bytes of a packet follow each other; 512 bytes take 533 ms at 9600 baud, and this is counted from the last byte that came.
    static let timeout = Instant.Span.milliseconds(300)

    /// The beginning of a packet whose end has not come.
    private var pending: [UInt8] = []
    private var lastBytes = Instant.zero

    var deadline: Instant? { pending.isEmpty ? nil : lastBytes + Self.timeout }

    mutating func reset() { pending.removeAll(keepingCapacity: true) }

    mutating func take(_ bytes: UnsafeRawBufferPointer, at now: Instant, rejects: inout RejectCounts) -> [OSDPPacket] {
        guard !bytes.isEmpty else { return [] }
        lastBytes = now
        pending.append(contentsOf: bytes)
        return takePackets(&rejects)
    }

    /// The rest of what is pending will not come: what looked like the head of a packet was none, but there may be whole ones behind it.
    mutating func giveUp(rejects: inout RejectCounts) -> [OSDPPacket] {
        var packets: [OSDPPacket] = []
        while !pending.isEmpty {
            rejects.count(.incomplete)
            pending.removeFirst()
            packets += takePackets(&rejects)
        }
        return packets
    }

    private mutating func takePackets(_ rejects: inout RejectCounts) -> [OSDPPacket] {
        var packets: [OSDPPacket] = []
        var index = 0
        var noise: UInt64 = 0
        search: while index < pending.count {
            guard pending[index] == 0x53 else {
                // FF is the mark byte, and what an idle line without bias resistors gives.
                if pending[index] != 0xFF { noise += 1 }
                index += 1
                continue
            }
            switch Self.packet(in: pending[index...]) {
            case .unfinished: break search
            case .none(let reason):
                rejects.count(reason)
                index += 1
            case .whole(let packet, let length):
                packets.append(packet)
                index += length
            }
        }
        if noise > 0 { rejects.count(.noise, times: noise) }
        pending.removeFirst(index)
        return packets
    }

    private enum Found {
        case unfinished
        case none(RejectReason)
        case whole(OSDPPacket, length: Int)
    }

    private static func packet(in bytes: ArraySlice<UInt8>) -> Found {
        let start = bytes.startIndex
        guard bytes.count >= 5 else { return .unfinished }
        let length = Int(bytes[start + 2]) | Int(bytes[start + 3]) << 8
        let control = bytes[start + 4]
        let check: OSDPPacket.Check = control & 4 == 0 ? .checksum : .crc
        let checkLength = check == .crc ? 2 : 1
        guard control & 0xF0 == 0, length >= 6 + checkLength, length <= OSDPPacket.longest else { return .none(.length) }
        guard bytes.count >= length else { return .unfinished }
        let covered = bytes[start..<start + length - checkLength]
        switch check {
        case .crc:
            let sent = UInt16(bytes[covered.endIndex]) | UInt16(bytes[covered.endIndex + 1]) << 8
            guard Checksum.crc1021(initial: 0x1D0F, covered) == sent else { return .none(.checksum) }
        case .checksum: guard Checksum.neg8(covered) == bytes[covered.endIndex] else { return .none(.checksum) }
        }
        var body = covered.dropFirst(5)
        var securityBlock: [UInt8]?
        if control & 8 != 0 {
            guard let count = body.first, count >= 2, body.count > Int(count) else { return .none(.malformed) }
            securityBlock = Array(body.dropFirst().prefix(Int(count) - 1))
            body = body.dropFirst(Int(count))
        }
        guard let code = body.first else { return .none(.malformed) }
        let packet = OSDPPacket(
            address: bytes[start + 1] & 0x7F, isReply: bytes[start + 1] & 0x80 != 0, sequence: control & 3, check: check,
            securityBlock: securityBlock, code: code, data: Array(body.dropFirst()))
        return .whole(packet, length: length)
    }
}

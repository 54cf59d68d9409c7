import Identifiers
import Readings

/// Zebra's Simple Serial Interface: packets that the host acknowledges.
///
/// Packet: length of all but the check, opcode, source (00 the scanner, 04 the host), status, data, check (two's complement of the
/// 16-bit sum, high byte first). There is no header byte and nothing is escaped: a packet counts only when length, source, opcode and
/// check agree, and after one that fails the search goes on at the next byte.
///
/// Sources: Zebra product reference guides, chapter SSI; frames in the tests of motorola-ssi-scanner and enioka_scan.
public struct SSIProtocol: Decoder {
    public struct Configuration: Hashable, Sendable {
        /// Whether the scanner waits for an acknowledgement of each packet, as it does from the factory.
        public var acknowledges: Bool
        /// What the data mean. The symbology comes from the packet unless the data begin with an AIM identifier.
        public var text: TextRule

        public init(acknowledges: Bool = true, text: TextRule = TextRule()) {
            self.acknowledges = acknowledges
            self.text = text
        }
    }

    enum Opcode {
        static let segment: UInt8 = 0x73
        static let segmentAcknowledge: UInt8 = 0x74
        static let parameters: UInt8 = 0xC6
        static let acknowledge: UInt8 = 0xD0
        static let refuse: UInt8 = 0xD1
        static let capabilities: UInt8 = 0xD4
        static let revision: UInt8 = 0xA4
        static let decodeData: UInt8 = 0xF3
        static let event: UInt8 = 0xF6
        /// What a scanner sends.
        static let fromScanner: Set<UInt8> = [parameters, acknowledge, refuse, capabilities, revision, decodeData, event, segment]
    }

    enum Status {
        static let isRepeated: UInt8 = 0x01
        static let isContinued: UInt8 = 0x02
    }

    /// A packet that did not go on for this long never will: 257 bytes take 268 ms at 9600 baud.
    static let packetTimeout = Instant.Span.milliseconds(300)
    /// A scanner repeats a packet without an answer after two seconds at the latest, and gives up then; what stands in several packets
    /// is not awaited longer.
    static let repeatTimeout = Instant.Span.seconds(4)

    static let acknowledgement = packet(Opcode.acknowledge)
    static let segmentAcknowledgement = packet(Opcode.segmentAcknowledge)
    /// Cause 1: send it again.
    static let refusal = packet(Opcode.refuse, [0x01])

    let configuration: Configuration
    private var pending: [UInt8] = []
    /// The data of a code that goes on in the next packet.
    var data: LineBuffer
    var type: UInt8 = 0
    var isContinued = false
    /// The segments of a code that is too long for packets.
    var segments: Segments?
    /// The segment that ended the last code in segments.
    var lastSegment: (mark: [UInt8], time: Instant)?
    /// The last packet that was taken, without status and check: the scanner repeats it when our acknowledgement was lost.
    private var lastPacket: [UInt8] = []
    private var lastPacketTime = Instant.zero
    private var lastBytes = Instant.zero
    /// A packet cut by noise may look like several: until a whole one or silence comes, the scanner is asked once to send again.
    private var isRefused = false

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        data = LineBuffer(limit: configuration.text.longestLine)
    }

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        guard !bytes.isEmpty else { return }
        lastBytes = now
        pending.append(contentsOf: bytes)
        takePackets(isEnd: false, at: now, into: &batch)
    }

    public var nextDeadline: Instant? {
        if !pending.isEmpty { return lastBytes + Self.packetTimeout }
        return isContinued ? lastBytes + Self.repeatTimeout : nil
    }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        guard let deadline = nextDeadline, now >= deadline else { return }
        if !pending.isEmpty {
            takePackets(isEnd: true, at: now, into: &batch)
        } else if isContinued {
            data.spoil(.incomplete)
            end(into: &batch)
        }
    }

    public mutating func reset() {
        pending.removeAll()
        data.clear()
        isContinued = false
        segments = nil
        lastSegment = nil
        lastPacket = []
        isRefused = false
    }

    // MARK: Packets

    private mutating func takePackets(isEnd: Bool, at now: Instant, into batch: inout DecodedBatch) {
        var index = 0
        var noise: UInt64 = 0
        while index < pending.count {
            let rest = pending[index...]
            guard Self.isHead(rest) else {
                noise += 1
                index += 1
                continue
            }
            let length = Int(pending[index]) + 2
            guard rest.count >= length else {
                guard isEnd else { break }
                batch.rejects.count(.incomplete)
                index += 1
                continue
            }
            let packet = Array(rest.prefix(length))
            let check = UInt16(packet[length - 2]) << 8 | UInt16(packet[length - 1])
            guard Checksum.neg16(packet.dropLast(2)) == check else {
                batch.rejects.count(.checksum)
                if configuration.acknowledges, !isRefused, packet[1] == Opcode.decodeData, packet[3] & ~0x23 == 0 {
                    isRefused = true
                    batch.signals.append(.reply(Self.refusal))
                }
                index += 1
                continue
            }
            isRefused = false
            take(packet, at: now, into: &batch)
            index += length
        }
        if isEnd { isRefused = false }
        pending.removeFirst(index)
        if noise > 0 { batch.rejects.count(.noise, times: noise) }
    }

    /// Whether a packet of a scanner may begin here, as far as can be seen.
    private static func isHead(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let length = bytes.first, length >= 4 else { return false }
        let opcode = bytes.dropFirst().first
        let source = bytes.dropFirst(2).first
        // In segments the place of the source has bits of its own: 02 in the first one.
        let isSegment = opcode == Opcode.segment
        return (opcode.map { Opcode.fromScanner.contains($0) } ?? true) && (source.map { $0 == 0 || isSegment && $0 < 4 } ?? true)
    }

    private mutating func take(_ packet: [UInt8], at now: Instant, into batch: inout DecodedBatch) {
        let status = packet[3]
        let body = Array(packet[4..<packet.count - 2])
        switch packet[1] {
        case Opcode.decodeData:
            acknowledge(into: &batch)
            let mark = [packet[0], packet[1]] + body
            let isKnown = status & Status.isRepeated != 0 && mark == lastPacket && now - lastPacketTime < Self.repeatTimeout
            lastPacket = mark
            lastPacketTime = now
            if isKnown { batch.rejects.count(.duplicate) } else { takeData(body, status, into: &batch) }
        case Opcode.segment:
            takeSegment(body, isRepeated: (packet[2] | status) & Status.isRepeated != 0, at: now, into: &batch)
        case Opcode.event:
            acknowledge(into: &batch)
            batch.signals.append(.alive)
        case Opcode.refuse:
            batch.signals.append(.answer(packet))
            batch.signals.append(Self.refusal(body.first ?? 0))
        default: batch.signals.append(.answer(packet))
        }
    }

    func acknowledge(into batch: inout DecodedBatch) {
        if configuration.acknowledges { batch.signals.append(.reply(Self.acknowledgement)) }
    }

    private static func refusal(_ cause: UInt8) -> Signal {
        switch cause {
        case 0x01: .fault(code: cause, meaning: "command was not understood", isTransient: true)
        case 0x02: .fault(code: cause, meaning: "command is not possible now", isTransient: true)
        case 0x06: .fault(code: cause, meaning: "command is not allowed", isTransient: true)
        case 0x0A: .fault(code: cause, meaning: "command was cancelled", isTransient: true)
        case 0x10: .fault(code: cause, meaning: "message was not wanted", isTransient: true)
        default: .fault(code: cause, meaning: "command was refused", isTransient: true)
        }
    }

    // MARK: Scans

    private mutating func takeData(_ body: [UInt8], _ status: UInt8, into batch: inout DecodedBatch) {
        guard let type = body.first else { return batch.rejects.count(.malformed) }
        giveUpSegments(into: &batch)
        if isContinued, type != self.type, data.fault == nil {
            data.spoil(.incomplete)
            end(into: &batch)
        }
        self.type = type
        for byte in Self.withoutLength(body).dropFirst() { data.append(byte) }
        isContinued = status & Status.isContinued != 0
        if !isContinued { end(into: &batch) }
    }

    /// Newer scanners put 01 and a length of two bytes behind the type.
    private static func withoutLength(_ body: [UInt8]) -> [UInt8] {
        guard body.count > 4, body[1] == 0x01, Int(body[2]) << 8 | Int(body[3]) == body.count - 4 else { return body }
        return [body[0]] + body[4...]
    }

    mutating func end(into batch: inout DecodedBatch) {
        defer {
            data.clear()
            isContinued = false
            segments = nil
        }
        if let fault = data.fault { return batch.rejects.count(fault) }
        guard !data.bytes.isEmpty else { return batch.rejects.count(.malformed) }
        var rule = configuration.text
        let known = Self.symbologies[type].flatMap { AIMIdentifier($0) }
        if known != nil, rule.aim == .required { rule.aim = .optional }
        switch rule.outcome(of: data.bytes) {
        case .reject(let reason): batch.rejects.count(reason)
        case .reading(.scan(var scan)):
            scan.symbology = scan.symbology ?? known
            batch.readings.append(.scan(scan))
        case .reading(let reading): batch.readings.append(reading)
        }
    }

    /// The AIM identifier that says the same as a packet's code type. UPC-E stands under "other", since its eight digits are no GTIN-8;
    /// a type that is not here leaves the symbology open.
    static let symbologies: [UInt8: String] = [
        0x01: "]A0",  // Code 39
        0x02: "]F0",  // Codabar
        0x03: "]C0",  // Code 128
        0x04: "]S0",  // Discrete 2 of 5
        0x06: "]I0",  // Interleaved 2 of 5
        0x07: "]G0",  // Code 93
        0x08: "]E0",  // UPC-A
        0x09: "]X0",  // UPC-E
        0x0A: "]E4",  // EAN-8
        0x0B: "]E0",  // EAN-13
        0x0E: "]M0",  // MSI
        0x0F: "]C1",  // GS1-128
        0x11: "]L0",  // PDF417
        0x1B: "]d1",  // Data Matrix
        0x1C: "]Q1",  // QR Code
        0x2D: "]z0",  // Aztec
        0x30: "]e0",  // GS1 DataBar Omnidirectional
        0x31: "]e0",  // GS1 DataBar Limited
        0x32: "]e0",  // GS1 DataBar Expanded
    ]

    // MARK: Commands

    /// A packet of the host.
    static func packet(_ opcode: UInt8, _ data: [UInt8] = []) -> [UInt8] {
        let body = [UInt8(clamping: data.count + 4), opcode, 0x04, 0x00] + data
        let check = Checksum.neg16(body)
        return body + [UInt8(check >> 8), UInt8(check & 0xFF)]
    }

    /// What is wrong with a command; nil when it is a whole packet of the host. A single zero, which wakes a scanner, is one, too.
    static func fault(ofFrame bytes: [UInt8]) -> String? {
        if bytes == [0x00] { return nil }
        guard bytes.count >= 6 else { return "is shorter than a packet, 6 bytes" }
        guard Int(bytes[0]) == bytes.count - 2 else { return "its first byte, the length without the check, must be \(bytes.count - 2)" }
        guard bytes[2] == 0x04 else { return "its third byte, the source, must be 04" }
        let check = Checksum.neg16(bytes.dropLast(2))
        let wanted = [UInt8(check >> 8), UInt8(check & 0xFF)]
        return bytes.suffix(2).elementsEqual(wanted) ? nil : "its last two bytes, the check, must be \(Hex.text(wanted))"
    }
}

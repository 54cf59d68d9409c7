import Readings

/// The NXP PN532 over its high-speed UART (frames as in the tests of nfcpy): 13.56 MHz cards, one answer for each round.
///
/// Frame: `00 FF`, length, its complement, `D5` and the command's code plus one, data, check; zeros before and after. A long frame has
/// `FF FF` in place of length and complement, then two bytes of length and theirs. Acknowledgements and errors have frames of their own.
public struct PN532Protocol: Decoder {
    public struct Configuration: Hashable, Sendable {
        /// The same card again within this long of when it was last seen is the same card still there, 0...60 s.
        public var duplicateWindow: Instant.Span
        public var form: BadgeForm
        /// Whether a UID that a phone or a private card makes up anew each time is a badge (ISO/IEC 14443-3: four bytes, the first 08).
        public var takesRandom: Bool

        public init(duplicateWindow: Instant.Span = .seconds(1), form: BadgeForm = BadgeForm(), takesRandom: Bool = false) {
            self.duplicateWindow = duplicateWindow
            self.form = form
            self.takesRandom = takesRandom
        }
    }

    /// 265 bytes from the frame identifier on take 23 ms at 115200 baud.
    static let frameTimeout = Instant.Span.milliseconds(300)
    static let longestContent = 265
    /// Cards that are kept in mind: two are in the field at most.
    private static let presentLimit = 8

    private let configuration: Configuration
    /// The beginning of a frame whose end has not come.
    private var pending: [UInt8] = []
    private var lastBytes = Instant.zero
    /// The cards seen inside the window, with the time when each was last seen.
    private var present: [(number: [UInt8], time: Instant)] = []

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
    }

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        guard !bytes.isEmpty else { return }
        lastBytes = now
        pending.append(contentsOf: bytes)
        takeFrames(at: now, into: &batch)
    }

    /// A zero may be the last of a frame or the first of the next.
    public var nextDeadline: Instant? { pending.isEmpty || pending == [0] ? nil : lastBytes + Self.frameTimeout }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        guard let deadline = nextDeadline, now >= deadline else { return }
        while !pending.isEmpty, pending != [0] {
            batch.rejects.count(.incomplete)
            pending.removeFirst()
            takeFrames(at: now, into: &batch)
        }
    }

    public mutating func reset() {
        pending.removeAll(keepingCapacity: true)
    }

    /// The cards that are there.
    public func snapshot(at now: Instant) -> JSON? {
        let clock = SnapshotClock(now: now)
        return present.isEmpty ? nil : .array(present.map { .compact(["number": .bytes($0.number), "time": clock.json($0.time)]) })
    }

    public mutating func restore(_ snapshot: JSON, at now: Instant) {
        let clock = SnapshotClock(now: now)
        present = (snapshot.array ?? []).prefix(Self.presentLimit).map { ($0["number"]?.bytes ?? [], clock.instant($0["time"]) ?? now) }
    }

    private mutating func takeFrames(at now: Instant, into batch: inout DecodedBatch) {
        var index = 0
        var noise: UInt64 = 0
        search: while index < pending.count {
            guard pending[index] == 0 else {
                noise += 1
                index += 1
                continue
            }
            guard index + 1 < pending.count else { break }
            guard pending[index + 1] == 0xFF else {
                index += 1
                continue
            }
            switch Self.frame(in: pending[index...]) {
            case .unfinished: break search
            case .none(let reason):
                batch.rejects.count(reason)
                index += 1
            case .acknowledgement: index += 4
            case .whole(let header, let content):
                index += header + content.count + 1
                take(content, at: now, into: &batch)
            }
        }
        if noise > 0 { batch.rejects.count(.noise, times: noise) }
        pending.removeFirst(index)
    }

    private enum Found {
        case unfinished
        case none(RejectReason)
        case acknowledgement
        /// The bytes before the content, and the content without its check.
        case whole(header: Int, content: [UInt8])
    }

    private static func frame(in bytes: ArraySlice<UInt8>) -> Found {
        let start = bytes.startIndex
        guard bytes.count >= 4 else { return .unfinished }
        let (length, complement) = (bytes[start + 2], bytes[start + 3])
        if length == 0, complement == 0xFF { return .acknowledgement }
        var header = 4
        var count = Int(length)
        if length == 0xFF, complement == 0xFF {
            header = 7
            guard bytes.count >= header else { return .unfinished }
            guard Checksum.sum8(bytes[start + 4...start + 6]) == 0 else { return .none(.length) }
            count = Int(bytes[start + 4]) << 8 | Int(bytes[start + 5])
        } else if length &+ complement != 0 {
            return .none(.length)
        }
        guard (1...longestContent).contains(count) else { return .none(.length) }
        guard bytes.count > header + count else { return .unfinished }
        let content = bytes[start + header..<start + header + count]
        guard Checksum.neg8(content) == bytes[content.endIndex] else { return .none(.checksum) }
        return .whole(header: header, content: Array(content))
    }

    private mutating func take(_ content: [UInt8], at now: Instant, into batch: inout DecodedBatch) {
        switch (content[0], content.count) {
        case (0x7F, 1):
            batch.signals.append(.fault(code: 0x7F, meaning: "command refused", isTransient: true))
            batch.signals.append(.roundFailed)
        case (0xD5, 2...):
            if content[1] == 0x4B {
                takeTargets(content[2...], at: now, into: &batch)
                batch.signals.append(.roundEnded)
            } else {
                batch.signals.append(.answer(Self.encoded(content)))
            }
        // Some adapters hear what they send.
        case (0xD4, 2...): break
        default: batch.rejects.count(.unknownFrame)
        }
    }

    /// The answer to InListPassiveTarget: the number of cards, then each with its number in the field.
    private mutating func takeTargets(_ data: ArraySlice<UInt8>, at now: Instant, into batch: inout DecodedBatch) {
        guard let count = data.first, count <= 2 else { return batch.rejects.count(.malformed) }
        present.removeAll { now - $0.time >= configuration.duplicateWindow }
        var rest = data.dropFirst()
        for _ in 0..<count {
            guard let (number, length, isRandom) = Self.card(in: Array(rest)) else { return batch.rejects.count(.malformed) }
            rest = rest.dropFirst(length)
            guard !isRandom || configuration.takesRandom else {
                batch.rejects.count(.randomNumber)
                continue
            }
            if let index = present.firstIndex(where: { $0.number == number }) {
                present[index].time = now
                batch.rejects.count(.duplicate)
            } else {
                if present.count >= Self.presentLimit { present.removeFirst() }
                if configuration.duplicateWindow > .zero { present.append((number, now)) }
                batch.readings.append(.badge(BadgeRead(credential: configuration.form.text(of: number))))
            }
        }
    }

    /// The number of the card whose data these are, and their length. What kind of card it is shows in the data: the first byte after
    /// the target number is 50 for ISO 14443-3 type B, a length and 01 for FeliCa, and the upper byte of ATQA for type A, whose upper
    /// four bits are reserved and zero.
    /// Type A is published; FeliCa and type B are written from their description.
    private static func card(in data: [UInt8]) -> (number: [UInt8], length: Int, isRandom: Bool)? {
        guard data.count >= 5 else { return nil }
        if data[1] == 0x50 {
            // ATQB: 50, PUPI (4), application data (4), protocol info (3); then the answer to ATTRIB with its length.
            guard data.count >= 13 else { return nil }
            let attrib = data.count > 13 ? 1 + Int(data[13]) : 0
            guard data.count >= 13 + attrib else { return nil }
            return (Array(data[2..<6]), 13 + attrib, false)
        }
        if data[1] == 0x12 || data[1] == 0x14, data[2] == 0x01 {
            // Length with itself, 01, IDm (8), PMm (8), system code (2, where asked for).
            guard data.count >= 1 + Int(data[1]) else { return nil }
            return (Array(data[3..<11]), 1 + Int(data[1]), false)
        }
        guard data[1] & 0xF0 == 0 else { return nil }
        // ATQA (2), SAK, length of the UID, UID; then ATS with its length, where SAK says that the card knows ISO 14443-4.
        let count = Int(data[4])
        guard count == 4 || count == 7 || count == 10, data.count >= 5 + count else { return nil }
        var length = 5 + count
        if data[3] & 0x20 != 0, data.count > length {
            let answer = Int(data[length])
            guard answer >= 1, data.count >= length + answer else { return nil }
            length += answer
        }
        return (Array(data[5..<5 + count]), length, count == 4 && data[5] == 0x08)
    }

    /// A frame with the usual zeros around it, as plans compare it.
    private static func encoded(_ content: [UInt8]) -> [UInt8] {
        let count = UInt8(truncatingIfNeeded: content.count)
        var frame: [UInt8] = [0x00, 0x00, 0xFF]
        if content.count < 256 {
            frame += [count, 0 &- count]
        } else {
            let high = UInt8(truncatingIfNeeded: content.count >> 8)
            frame += [0xFF, 0xFF, high, count, 0 &- (high &+ count)]
        }
        return frame + content + [Checksum.neg8(content), 0x00]
    }

    /// What is wrong with bytes that should be commands, perhaps with wake-up bytes and an acknowledgement (which stops what the chip
    /// is at) before them; nil: nothing.
    static func fault(ofFrame bytes: [UInt8]) -> String? {
        var rest = bytes.drop { $0 == 0x55 || $0 == 0x00 }
        guard rest.first == 0xFF, rest.startIndex >= bytes.startIndex + 1, bytes[rest.startIndex - 1] == 0 else {
            return "must be a whole frame: 00 00 FF, length, its complement, D4, command, data, check, 00"
        }
        while rest.first == 0xFF {
            let start = rest.startIndex - 1
            switch frame(in: bytes[start...]) {
            case .unfinished: return "ends inside a frame"
            case .none(.checksum):
                let end = start + 4 + Int(bytes[start + 2])
                return end < bytes.count ? "the check must be \(Hex.text([Checksum.neg8(bytes[start + 4..<end])]))" : "has a wrong check"
            case .none: return "the complement of the length must be \(Hex.text([0 &- bytes[start + 2]]))"
            case .acknowledgement: rest = bytes[(start + 4)...]
            case .whole(let header, let content):
                guard content[0] == 0xD4, content.count >= 2 else { return "a command begins with D4" }
                rest = bytes[(start + header + content.count + 1)...]
            }
            rest = rest.drop { $0 == 0 }
        }
        return rest.isEmpty && bytes.last == 0 ? nil : "must end with 00 behind the last frame"
    }
}

import Readings

/// A PN532 on its serial line: sleeps until it is woken, acknowledges, answers, and looks for cards when asked. Written from the
/// published frames, apart from the decoder it serves to try.
public struct PN532Simulator: SimulatedDevice {
    /// One card in the field, as InListPassiveTarget gives it: without its number in the field.
    public enum Card: Hashable, Sendable {
        /// ISO 14443 type A: UID of 4, 7 or 10 bytes.
        case typeA(uid: [UInt8])
        /// FeliCa: manufacturer's id of 8 bytes.
        case felica(id: [UInt8])

        var data: [UInt8] {
            switch self {
            case .typeA(let uid): [0x00, uid.count == 4 ? 0x04 : 0x44, uid.count == 4 ? 0x08 : 0x00, UInt8(clamping: uid.count)] + uid
            case .felica(let id): [0x12, 0x01] + id + [0x03, 0x01, 0x4B, 0x02, 0x4F, 0x49, 0x93, 0xFF]
            }
        }
    }

    /// One search of the field.
    private static let searchTime = Instant.Span.milliseconds(15)
    private static let acknowledgement: [UInt8] = [0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00]

    public private(set) var isFieldOn = false
    private var isAwake = false
    /// FF: looks until a card comes.
    private var attempts: UInt8 = 0xFF
    private var card: Card?
    /// When a card that was only held goes away.
    private var cardLeaves: Instant?
    /// Looking for a card, and not through.
    private var isLooking = false
    /// When it is through, with or without a card.
    private var lookEnds: Instant?
    private var buffer: [UInt8] = []

    public init() {}

    /// Holds a card before the antenna. Returns what the chip says at that.
    public mutating func present(_ card: Card) -> [UInt8] {
        self.card = card
        return isLooking && lookEnds == nil ? endLooking() : []
    }

    public mutating func takeAway() {
        card = nil
        cardLeaves = nil
    }

    /// A badge is a UID of 4, 7 or 10 bytes in hexadecimal, or a FeliCa id of 8; it is held for half a second.
    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        guard case .badge(let number) = action, let bytes = Hex.bytes(number), [4, 7, 8, 10].contains(bytes.count) else { return nil }
        cardLeaves = now + .milliseconds(500)
        return [present(bytes.count == 8 ? .felica(id: bytes) : .typeA(uid: bytes))].filter { !$0.isEmpty }
    }

    public var nextDeadline: Instant? { [cardLeaves, lookEnds].compactMap(\.self).min() }

    public mutating func advance(to now: Instant) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        if let end = lookEnds, end <= now { frames.append(endLooking()) }
        if let leaves = cardLeaves, leaves <= now { takeAway() }
        return frames
    }

    public mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] {
        let answer = answer(to: bytes, at: now)
        return answer.isEmpty ? [] : [answer]
    }

    private mutating func answer(to bytes: [UInt8], at now: Instant) -> [UInt8] {
        buffer += bytes
        if !isAwake {
            // What woke it is lost, and what follows is read.
            guard let start = buffer.firstIndex(of: 0x55) else {
                buffer = []
                return []
            }
            buffer.removeFirst(start + 1)
            isAwake = true
        }
        var answer: [UInt8] = []
        while let content = takeFrame(&answer) { answer += Self.acknowledgement + carryOut(content, at: now) }
        return answer
    }

    /// The content of the next whole frame, `D4` first. An acknowledgement stops what is under way; a wrong check gives a refusal.
    private mutating func takeFrame(_ answer: inout [UInt8]) -> [UInt8]? {
        while buffer.count >= 2 {
            guard buffer[0] == 0x00, buffer[1] == 0xFF else {
                buffer.removeFirst()
                continue
            }
            guard buffer.count >= 4 else { return nil }
            if buffer[2] == 0x00, buffer[3] == 0xFF {
                (isLooking, lookEnds) = (false, nil)
                buffer.removeFirst(4)
                continue
            }
            let count = Int(buffer[2])
            guard count >= 2, buffer[2] &+ buffer[3] == 0 else {
                buffer.removeFirst()
                continue
            }
            guard buffer.count > 4 + count else { return nil }
            let content = Array(buffer[4..<4 + count])
            let isRight = buffer[4...4 + count].reduce(0, &+) == 0 && content[0] == 0xD4
            buffer.removeFirst(5 + count)
            if isRight { return content }
            answer += [0x00, 0x00, 0xFF, 0x01, 0xFF, 0x7F, 0x81, 0x00]
        }
        return nil
    }

    private mutating func carryOut(_ content: [UInt8], at now: Instant) -> [UInt8] {
        (isLooking, lookEnds) = (false, nil)
        switch content[1] {
        case 0x02: return Self.frame([0xD5, 0x03, 0x32, 0x01, 0x06, 0x07])
        case 0x14: return Self.frame([0xD5, 0x15])
        case 0x32:
            if content.count == 6, content[2] == 0x05 { attempts = content[5] }
            if content.count == 4, content[2] == 0x01 { isFieldOn = content[3] & 1 == 1 }
            return Self.frame([0xD5, 0x33])
        case 0x4A:
            isFieldOn = true
            isLooking = true
            if card != nil || attempts != 0xFF { lookEnds = now + Self.searchTime }
            return []
        default: return [0x00, 0x00, 0xFF, 0x01, 0xFF, 0x7F, 0x81, 0x00]
        }
    }

    private mutating func endLooking() -> [UInt8] {
        (isLooking, lookEnds) = (false, nil)
        return Self.frame(card.map { [0xD5, 0x4B, 0x01, 0x01] + $0.data } ?? [0xD5, 0x4B, 0x00])
    }

    private static func frame(_ content: [UInt8]) -> [UInt8] {
        let count = UInt8(clamping: content.count)
        return [0x00, 0x00, 0xFF, count, 0 &- count] + content + [0 &- content.reduce(0, &+), 0x00]
    }
}

import Readings

/// Cuts a stream of bytes into whole LLRP messages, however the bytes come.
///
/// A message begins right behind the one before. Where no message can begin, one byte is passed over, and the search goes on for a header
/// with a type number of the standard. Time is linear in the number of bytes; at most one message is held.
public struct LLRPFramer: Sendable {
    /// The longest message taken unless told otherwise, in bytes: a report of ten thousand tags has 1.4 MB.
    public static let usualMaximumLength = 4 << 20

    /// The longest message taken, in bytes, header included.
    public let maximumLength: Int
    /// The beginning of a message whose end has not come; or fewer bytes than a header.
    private var pending: [UInt8] = []
    /// The length of the message in `pending`, once its header is there.
    private var pendingLength: Int?
    /// A message ended right before: what follows is a header, also of a type that is not known here.
    private var isInStep = true

    public init(maximumLength: Int = LLRPFramer.usualMaximumLength) {
        self.maximumLength = max(LLRPMessage.headerLength, maximumLength)
    }

    /// Bytes of a message that has not ended are held.
    public var isHolding: Bool { !pending.isEmpty }

    var heldBytes: [UInt8] { pending }

    /// Goes on behind the beginning of a message that another framer held.
    mutating func restore(_ bytes: [UInt8]) {
        reset()
        guard bytes.count < maximumLength else { return }
        pending = bytes
        var rejects = RejectCounts()
        checkPending(rejects: &rejects)
        if let length = pendingLength, length <= pending.count { reset() }
    }

    /// Calls `body` for each whole message, header included, in order. The bytes of a frame are valid during the call only.
    ///
    /// `context` is handed through to `body`, so that both it and this framer may be parts of the same value.
    public mutating func take<Context>(
        _ bytes: UnsafeRawBufferPointer, rejects: inout RejectCounts, context: inout Context,
        _ body: (_ frame: UnsafeRawBufferPointer, _ context: inout Context, _ rejects: inout RejectCounts) -> Void
    ) {
        var position = 0
        while position < bytes.count {
            if pending.isEmpty {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
                position += takeWhole(rest, rejects: &rejects, context: &context, body)
                if position < bytes.count {
                    // A header or its beginning, and not the whole message.
                    let start = position
                    position = min(bytes.count, start + LLRPMessage.headerLength)
                    pending.append(contentsOf: bytes[start..<position])
                    checkPending(rejects: &rejects)
                }
                continue
            }
            let wanted = (pendingLength ?? LLRPMessage.headerLength) - pending.count
            let taken = min(wanted, bytes.count - position)
            pending.append(contentsOf: bytes[position..<position + taken])
            position += taken
            if pendingLength == nil { checkPending(rejects: &rejects) }
            if pendingLength == pending.count {
                pending.withUnsafeBytes { body($0, &context, &rejects) }
                reset()
            }
        }
    }

    /// Nothing more will come: what is held was not the beginning of a message, but whole ones may stand in it.
    public mutating func flush<Context>(
        rejects: inout RejectCounts, context: inout Context,
        _ body: (_ frame: UnsafeRawBufferPointer, _ context: inout Context, _ rejects: inout RejectCounts) -> Void
    ) {
        guard !pending.isEmpty else { return }
        let held = pending
        reset()
        rejects.count(.incomplete)
        held.withUnsafeBytes { held in
            var position = 1
            while position < held.count {
                isInStep = false
                position += takeWhole(UnsafeRawBufferPointer(rebasing: held[position...]), rejects: &rejects, context: &context, body)
                // What could still become a message does not, so the search goes on behind its first byte.
                if position < held.count { position += 1 }
            }
        }
        isInStep = true
    }

    /// Forgets the beginning of a message.
    public mutating func reset() {
        // One large message does not hold its memory for ever.
        if pending.capacity > 1 << 16 { pending = [] } else { pending.removeAll(keepingCapacity: true) }
        pendingLength = nil
        isInStep = true
    }

    /// Reads all whole messages where they lie. Returns the number of bytes that are done with; what remains may begin a message.
    private mutating func takeWhole<Context>(
        _ bytes: UnsafeRawBufferPointer, rejects: inout RejectCounts, context: inout Context,
        _ body: (UnsafeRawBufferPointer, inout Context, inout RejectCounts) -> Void
    ) -> Int {
        var position = 0
        var noise: UInt64 = 0
        while position < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            switch beginning(of: rest) {
            case .message(let length):
                guard length <= rest.count else {
                    if noise > 0 { rejects.count(.noise, times: noise) }
                    return position
                }
                body(UnsafeRawBufferPointer(rebasing: rest[..<length]), &context, &rejects)
                position += length
                isInStep = true
            case .unclear:
                if noise > 0 { rejects.count(.noise, times: noise) }
                return position
            case .badLength:
                rejects.count(.length)
                position += 1
                isInStep = false
            case .none:
                noise += 1
                position += 1
                isInStep = false
            }
        }
        if noise > 0 { rejects.count(.noise, times: noise) }
        return position
    }

    /// The bytes held begin with a header, or lose bytes from their front until they may.
    private mutating func checkPending(rejects: inout RejectCounts) {
        while !pending.isEmpty {
            switch pending.withUnsafeBytes({ beginning(of: $0) }) {
            case .message(let length):
                pendingLength = length
                return
            case .unclear: return
            case .badLength: rejects.count(.length)
            case .none: rejects.count(.noise)
            }
            pending.removeFirst()
            isInStep = false
        }
    }

    private enum Beginning {
        case message(length: Int)
        /// Too few bytes to tell.
        case unclear
        case badLength
        case none
    }

    private func beginning(of bytes: UnsafeRawBufferPointer) -> Beginning {
        guard let first = bytes.first else { return .unclear }
        // Three reserved bits, which are 0, and the version: 1 (1.0.1), 2 (1.1) or 3 (2.0).
        guard first >> 5 == 0, (1...3).contains(first >> 2) else { return .none }
        guard bytes.count >= 2 else { return .unclear }
        let type = UInt16(first & 3) << 8 | UInt16(bytes[1])
        guard isInStep || LLRPTypes.isKnown(type) else { return .none }
        guard bytes.count >= LLRPMessage.headerLength else { return .unclear }
        let length = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt32.self)))
        return length >= LLRPMessage.headerLength && length <= maximumLength ? .message(length: length) : .badLength
    }
}

/// The type numbers of messages, as a table for the hot path.
enum LLRPTypes {
    private static let known: [Bool] = (0..<1_024).map { LLRPDefinitions.message(.standard($0)) != nil || $0 == 1_023 }

    static func isKnown(_ type: UInt16) -> Bool { known[Int(type & 1_023)] }
}

import Readings

/// What stands at one place of a byte stream, as the head of a frame says.
enum FrameCandidate {
    /// A frame may begin here; its end has not come.
    case incomplete
    /// No frame begins here; the search goes on at the next byte.
    case none(RejectReason)
    /// A whole frame with a good check.
    case frame(length: Int)
}

/// The search for frames in a stream of bytes: finds every frame however the bytes are cut, drops one byte after what is none, and
/// gives up a head without an end after a silence. Holds at most one frame.
struct FrameStream: Sendable {
    /// The longest frame, in bytes.
    let longestFrame: Int
    /// A frame that did not go on for this long never will.
    let timeout: Instant.Span
    /// The beginning of a frame whose end has not come.
    private var pending: [UInt8] = []
    private var lastBytes = Instant.zero

    init(longestFrame: Int, timeout: Instant.Span) {
        self.longestFrame = longestFrame
        self.timeout = timeout
        pending.reserveCapacity(longestFrame)
    }

    /// Takes bytes in the order they came.
    /// - Parameters:
    ///   - examine: what stands at an index of a buffer that goes on for at least one byte.
    ///   - take: a whole frame.
    @inline(__always)
    mutating func decode(
        _ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch,
        examine: (UnsafeRawBufferPointer, Int) -> FrameCandidate, take: (UnsafeRawBufferPointer, inout DecodedBatch) -> Void
    ) {
        guard !bytes.isEmpty else { return }
        lastBytes = now
        var start = 0
        while !pending.isEmpty {
            let held = pending.count
            let taken = min(longestFrame - held, bytes.count - start)
            pending.append(contentsOf: bytes[start..<start + taken])
            let used = pending.withUnsafeBytes { Self.frames(in: $0, into: &batch, examine: examine, take: take) }
            if used >= held {
                // The rest of what was copied is still in `bytes`, where it is read without a copy.
                start += used - held
                pending.removeAll(keepingCapacity: true)
            } else {
                start += taken
                pending.removeFirst(used)
                if start == bytes.count { return }
            }
        }
        start += Self.frames(in: UnsafeRawBufferPointer(rebasing: bytes[start...]), into: &batch, examine: examine, take: take)
        pending.append(contentsOf: bytes[start...])
    }

    var nextDeadline: Instant? { pending.isEmpty ? nil : lastBytes + timeout }

    mutating func advance(
        to now: Instant, into batch: inout DecodedBatch, examine: (UnsafeRawBufferPointer, Int) -> FrameCandidate,
        take: (UnsafeRawBufferPointer, inout DecodedBatch) -> Void
    ) {
        guard let deadline = nextDeadline, now >= deadline else { return }
        // What looked like the head of a frame was none: there may be whole frames behind it.
        while !pending.isEmpty {
            batch.rejects.count(.incomplete)
            pending.removeFirst()
            pending.removeFirst(pending.withUnsafeBytes { Self.frames(in: $0, into: &batch, examine: examine, take: take) })
        }
    }

    mutating func reset() {
        pending.removeAll(keepingCapacity: true)
    }

    /// Reads all whole frames. Returns the number of bytes that are done with; what remains is the beginning of a frame.
    @inline(__always)
    private static func frames(
        in bytes: UnsafeRawBufferPointer, into batch: inout DecodedBatch,
        examine: (UnsafeRawBufferPointer, Int) -> FrameCandidate, take: (UnsafeRawBufferPointer, inout DecodedBatch) -> Void
    ) -> Int {
        var index = 0
        var noise: UInt64 = 0
        search: while index < bytes.count {
            switch examine(bytes, index) {
            case .incomplete: break search
            case .none(.noise):
                noise += 1
                index += 1
            case .none(let reason):
                batch.rejects.count(reason)
                index += 1
            case .frame(let length):
                take(UnsafeRawBufferPointer(rebasing: bytes[index..<index + length]), &batch)
                index += length
            }
        }
        if noise > 0 { batch.rejects.count(.noise, times: noise) }
        return index
    }
}

import Identifiers
import Readings

/// Puts the reads of several readers in the order of their times, and drops those that were delivered twice.
///
/// A read waits until nothing that was read before it can still come: readers send in batches, and networks are late. What comes
/// later than that passes at once.
public struct ReadOrder: Sendable {
    public struct Entry: Hashable, Sendable {
        public var time: Instant
        /// The reader.
        public var source: Int
        public var read: TagRead

        fileprivate func isBefore(_ other: Entry) -> Bool {
            (time, source, read.antenna, read.epc) < (other.time, other.source, other.read.antenna, other.read.epc)
        }

        fileprivate func isRepetition(of other: Entry) -> Bool {
            read.readerTime != nil && read.readerTime == other.read.readerTime && source == other.source
                && read.antenna == other.read.antenna && read.epc == other.read.epc
        }
    }

    /// How long a read waits for earlier ones.
    public static let patience = Instant.Span.milliseconds(500)
    /// Ends of waiting are rounded up to this, so that a busy reader does not wake the station for every read.
    static let tick: Int64 = 100_000_000
    /// The most reads that wait; more make the oldest pass. Half a second of the fastest 16 readers.
    static let capacity = 16_384

    /// Sorted from `head` on.
    private var held: [Entry] = []
    private var head = 0
    public private(set) var repetitions: UInt64 = 0

    public init() {}

    public var count: Int { held.count - head }

    /// When the first read has waited long enough.
    public var nextDeadline: Instant? {
        guard head < held.count else { return nil }
        let end = held[head].time + Self.patience
        let rest = end.nanoseconds % Self.tick
        return rest == 0 ? end : Instant(nanoseconds: end.nanoseconds &+ (Self.tick - rest))
    }

    public mutating func take(_ read: TagRead, source: Int, at time: Instant) {
        let entry = Entry(time: time, source: source, read: read)
        var place = held.count
        while place > head, entry.isBefore(held[place - 1]) { place -= 1 }
        // A read without a time of its own repeats none.
        var same = read.readerTime == nil ? head : place
        while same > head, held[same - 1].time == time {
            same -= 1
            guard !entry.isRepetition(of: held[same]) else { return repetitions &+= 1 }
        }
        held.insert(entry, at: place)
    }

    /// The reads up to a time, in order.
    public mutating func release(until time: Instant) -> [Entry] {
        var end = head
        while end < held.count, held[end].time <= time || held.count - end > Self.capacity { end += 1 }
        let released = Array(held[head..<end])
        head = end
        if head > held.count / 2 {
            held.removeFirst(head)
            head = 0
        }
        return released
    }
}

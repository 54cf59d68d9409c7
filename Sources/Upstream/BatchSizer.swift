/// How many events go into one request: less when the server says that it is too much or refuses one of them, more again after success.
struct BatchSizer: Hashable, Sendable {
    /// Events refused in a row before the receiver, not the event, is taken to be wrong.
    static let refusalsInARow = 20
    /// Bytes of a request when the server names no limit.
    static let standardBytes = 4 << 20

    /// As configured, or less where the server names a limit.
    private var most: Int
    /// What the server is thought to take; learnt from 413.
    private var ceiling: Int
    /// Events in the next request: halved to find a bad event, doubled after a success.
    private var size: Int
    private var maximumBytes = Self.standardBytes
    private var refusedInARow = 0

    init(most: Int) {
        self.most = max(1, most)
        ceiling = self.most
        size = self.most
    }

    /// Limits that the server has named; nil: it has not.
    mutating func serverTakes(events: Int?, bytes: Int?) {
        if let events {
            most = max(1, min(most, events))
            ceiling = min(ceiling, most)
        }
        if let bytes { maximumBytes = min(bytes, Self.standardBytes) }
    }

    /// How many of the events may go into the next request; at least one.
    /// - Parameter sizes: of the events that wait, in bytes.
    func count(of sizes: some Sequence<Int>) -> Int {
        var count = 0
        var bytes = 512
        for size in sizes.prefix(min(size, ceiling)) {
            bytes += size + 1
            if count > 0, bytes > maximumBytes { break }
            count += 1
        }
        return count
    }

    /// A request of `count` events was too large.
    /// - Parameter next: what `count(of:)` says now: less than before when the answer named a limit.
    mutating func tooLarge(_ count: Int, next: Int) {
        if next >= count { ceiling = max(1, count / 2) }
        size = ceiling
    }

    /// Something is wrong with one of `count` events, or a slow link or a struggling server may manage fewer.
    mutating func failed(_ count: Int) {
        size = max(1, count / 2)
    }

    /// Doubles the size up to the ceiling, and lets a ceiling that was learnt the hard way be tried again, slowly.
    mutating func succeeded(_ count: Int) {
        refusedInARow = 0
        if count >= ceiling { ceiling = min(most, ceiling + max(1, ceiling / 16)) }
        size = min(ceiling, max(1, size * 2))
    }

    /// Sets an event aside that the receiver will never take.
    /// - Throws: `DeliveryError.refused` when it took none of the last ones: its queue is not emptied into the dead letters.
    mutating func reject(_ sequence: Int64, _ reason: String, _ receipt: inout Receipt) throws(DeliveryError) {
        guard refusedInARow < Self.refusalsInARow else {
            throw .refused("the receiver refused the last \(refusedInARow) events, now: \(reason)")
        }
        refusedInARow += 1
        receipt.rejections.append(.init(sequence: sequence, reason: reason))
        size = min(ceiling, max(1, size * 2))
    }
}

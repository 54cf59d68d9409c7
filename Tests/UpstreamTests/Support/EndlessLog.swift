import Foundation
import Ledger
import Upstream

/// As many events as one likes, made when they are read: the queue itself costs no memory.
final class EndlessLog: EventLog, @unchecked Sendable {
    // Touched with the lock held.
    private let lock = NSCondition()
    private var settled: Int64 = 0
    private var letters = 0
    private let count: Int64
    private let parts: [[UInt8]]

    init(count: Int64) {
        self.count = count
        let text = String(decoding: SampleEvents.checkout(1).bytes, as: UTF8.self)
        let pieces = text.components(separatedBy: SampleEvents.id(1)).flatMap { $0.components(separatedBy: "\"seq\":1,") }
        parts = pieces.map { Array($0.utf8) }
    }

    func events(after sequence: Int64, limit: Int) throws(EventLogError) -> [StoredEvent] {
        guard sequence < count else { return [] }
        return ((sequence + 1)...min(count, sequence + Int64(limit))).map { number in
            StoredEvent(
                sequence: number,
                bytes: parts[0] + Array(SampleEvents.id(number).utf8) + parts[1] + Array("\"seq\":\(number),".utf8) + parts[2])
        }
    }

    func lastSequence() throws(EventLogError) -> Int64 { count }
    func cursor(of destination: String) throws(EventLogError) -> Int64 { 0 }

    func acknowledge(_ destination: String, upTo sequence: Int64) throws(EventLogError) {
        lock.withLock {
            settled = sequence
            lock.broadcast()
        }
    }

    func deadLetter(_ destination: String, sequence: Int64, reason: String) throws(EventLogError) { lock.withLock { letters += 1 } }

    var deadLetters: Int { lock.withLock { letters } }

    var position: Int64 { lock.withLock { settled } }

    func wait(for sequence: Int64, seconds: Double) -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        lock.lock()
        defer { lock.unlock() }
        while settled < sequence {
            if !lock.wait(until: end) { return settled >= sequence }
        }
        return true
    }
}

/// Events that are made now, and how long each takes until its destination has it.
final class LiveLog: EventLog, @unchecked Sendable {
    struct Latency {
        /// In milliseconds.
        var p50: Double
        var p99: Double
        var text: String { String(format: "p50 %.1f ms, p99 %.1f ms", p50, p99) }
    }

    // Touched with the lock held.
    private let lock = NSCondition()
    private var events: [StoredEvent] = []
    private var made: [ContinuousClock.Instant] = []
    private var latencies: [Double] = []
    private var settled = 0

    /// Makes one event every 10 ms and waits for the last to arrive.
    func feed(_ loop: DeliveryLoop, count: Int) -> Latency {
        let first = lock.withLock { events.count }
        for number in first + 1...first + count {
            let event = SampleEvents.checkout(Int64(number))
            lock.withLock {
                events.append(event)
                made.append(.now)
            }
            loop.wake()
            usleep(10_000)
        }
        let end = Date(timeIntervalSinceNow: 60)
        lock.lock()
        defer { lock.unlock() }
        while settled < events.count, lock.wait(until: end) {}
        let sorted = latencies.dropFirst(first).sorted()
        guard let last = sorted.last else { return Latency(p50: .infinity, p99: .infinity) }
        return Latency(p50: sorted[sorted.count / 2], p99: settled < events.count ? .infinity : min(last, sorted[sorted.count * 99 / 100]))
    }

    func events(after sequence: Int64, limit: Int) throws(EventLogError) -> [StoredEvent] {
        lock.withLock { Array(events.dropFirst(Int(sequence)).prefix(limit)) }
    }

    func lastSequence() throws(EventLogError) -> Int64 { lock.withLock { Int64(events.count) } }
    func cursor(of destination: String) throws(EventLogError) -> Int64 { 0 }

    func acknowledge(_ destination: String, upTo sequence: Int64) throws(EventLogError) {
        lock.withLock {
            for place in settled..<Int(sequence) { latencies.append(made[place].duration(to: .now) / .milliseconds(1)) }
            settled = Int(sequence)
            lock.broadcast()
        }
    }

    func deadLetter(_ destination: String, sequence: Int64, reason: String) throws(EventLogError) {}
}

import Foundation
import Glibc
import Readings
import Synchronization

/// The happenings of the daemon as they come, for a command that listens to a person at the same time.
final class WatchFeed: Sendable {
    private struct Queue {
        var happenings: [JSON] = []
        var failure: (any Error)?
        var isOver = false
    }

    enum Occurrence {
        case happenings([JSON])
        /// The person pressed Enter.
        case line(String)
        /// The person will type nothing any more.
        case endOfInput
        case nothing
    }

    private let queue = Mutex(Queue())
    /// A byte in it wakes the one who waits; both ends live as long as the program.
    private let wake: (reading: Int32, writing: Int32)

    /// More than a busy gate brings in some seconds; what does not fit while nobody takes it is left out.
    private static let maximumQueued = 100_000

    init(_ daemon: Daemon) {
        var ends: [Int32] = [-1, -1]
        _ = pipe(&ends)
        for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        wake = (ends[0], ends[1])
        Thread { self.run(daemon) }.start()
    }

    private func run(_ daemon: Daemon) {
        var failure: (any Error)?
        do {
            try daemon.lines(["watch"]) { happening in
                queue.withLock { if $0.happenings.count < Self.maximumQueued { $0.happenings.append(happening) } }
                signal()
                return true
            }
        } catch {
            failure = error
        }
        queue.withLock { ($0.failure, $0.isOver) = (failure, true) }
        signal()
    }

    private func signal() {
        var byte: UInt8 = 1
        _ = write(wake.writing, &byte, 1)
    }

    /// Waits for whatever comes first.
    /// - Throws: when the daemon's stream is over.
    func next(within span: Instant.Span, isListening: Bool) throws -> Occurrence {
        var waited = [pollfd(fd: wake.reading, events: Int16(POLLIN), revents: 0)]
        if isListening { waited.append(pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)) }
        _ = poll(&waited, nfds_t(waited.count), Int32(clamping: span.milliseconds))
        var drained = [UInt8](repeating: 0, count: 4_096)
        while read(wake.reading, &drained, drained.count) > 0 {}
        let (happenings, failure, isOver) = queue.withLock { queue in
            defer { queue.happenings = [] }
            return (queue.happenings, queue.failure, queue.isOver)
        }
        if !happenings.isEmpty { return .happenings(happenings) }
        if let failure { throw failure }
        if isOver { return .endOfInput }
        guard isListening, waited[1].revents != 0 else { return .nothing }
        return Self.line().map(Occurrence.line) ?? .endOfInput
    }

    /// Byte by byte: what stands after the line end must stay in the descriptor for the next poll.
    private static func line() -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(STDIN_FILENO, &byte, 1) == 1 {
            if byte == 0x0A { return String(decoding: bytes, as: UTF8.self) }
            if bytes.count < 256 { bytes.append(byte) }
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
}

import Foundation
import Glibc
import Ledger
import Readings
import Store

/// A process that does nothing but commit, to be killed or to lose its disk: opens the store in a directory and tells the number of each
/// event when the store has acknowledged it. Ends with status 3 when a commit fails.
///
///     store-writer-probe DIRECTORY GATEWAY IN_FLIGHT
///     store-writer-probe DIRECTORY GATEWAY IN_FLIGHT RATE WORD full|normal
///
/// The first form writes as fast as it can and tells the numbers on its standard output. The second one begins so many events a second
/// and keeps the newest acknowledged number in the first eight bytes of the file WORD, where it can be read while the process stands
/// still; with `normal` the store answers before its events are on the disk.
@main
enum StoreWriterProbe {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4 || arguments.count == 7, let inFlight = Int(arguments[3]) else { exit(2) }
        let isPaced = arguments.count == 7
        let rate = isPaced ? Double(arguments[4]) ?? 1 : 0
        let word = isPaced ? try Word(path: arguments[5]) : nil
        let isDurable = !isPaced || arguments[6] == "full"
        let store =
            try isDurable
            ? EventStore(directory: arguments[1], gateway: arguments[2], random: { .random(in: .min ... .max) })
            : EventStore.notDurable(directory: arguments[1], gateway: arguments[2], random: { .random(in: .min ... .max) })
        var state = try store.load().state
        moveOldEvents(of: store)
        let window = DispatchSemaphore(value: inFlight)
        var next = ContinuousClock.now
        while true {
            if isPaced {
                // Not in step with anything else.
                next += .seconds(Double.random(in: 0.5..<1.5) / rate)
                Thread.sleep(forTimeInterval: max(0, (next - .now) / .seconds(1)))
            }
            window.wait()
            let event = try Event(json: putAway(state.nextSequence))
            let rows = state.apply(event)
            store.commit(Decision(events: [event], rows: rows), generation: 1) { outcome in
                guard case .committed(let events) = outcome else { exit(3) }
                for event in events {
                    if let word {
                        word.set(event.sequence)
                    } else {
                        let line = Array("\(event.sequence)\n".utf8)
                        _ = line.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
                    }
                }
                window.signal()
            }
        }
    }

    /// All the while events leave the log for the archive, as in a month: also between any two steps of that it must be well.
    private static func moveOldEvents(of store: EventStore) {
        var policy = RetentionPolicy(days: 1)
        policy.newest = 30
        policy.range = 20
        let now = WallTime(milliseconds: 1_800_000_000_000, offsetMinutes: 0, quality: .synchronised)
        let mover = Thread { [policy] in
            while true {
                do { try store.archive(policy, destinations: [], at: now, limit: 1) } catch { exit(4) }
                usleep(2_000)
            }
        }
        mover.start()
    }

    static func putAway(_ sequence: Int64) -> JSON {
        [
            "schema": 1, "seq": .integer(sequence), "type": "stock.put_away", "certainty": "final", "time": "2026-11-21T08:15:30.123+08:00",
            "clock": "synchronised", "station": "bench", "episode": .string("bench/\(sequence)"), "subject": [], "actor": "gateway",
            "master": 1,
            "data": [
                "stock": ["product": .string("BOLT-M\(sequence % 50)")], "quantity": 1, "location": .string("A-\(sequence % 20)"),
                "location_uri": "urn:x:a",
            ],
        ]
    }

    /// Eight bytes that another process sees at once.
    /// `@unchecked Sendable`: only the writer's thread writes, and it writes one aligned word.
    final class Word: @unchecked Sendable {
        private let address: UnsafeMutablePointer<Int64>

        init(path: String) throws {
            let descriptor = open(path, O_RDWR | O_CLOEXEC)
            let mapped = mmap(nil, 8, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
            guard descriptor >= 0, let mapped, mapped != MAP_FAILED else { exit(2) }
            address = mapped.assumingMemoryBound(to: Int64.self)
            close(descriptor)
        }

        func set(_ value: Int64) { address.pointee = value }
    }
}

import Foundation
import Glibc
import Ledger
import Readings
import Store

/// A process that does nothing but commit, to be killed: opens the store in a directory and writes the number of each event to its
/// standard output when the store has acknowledged it. Ends with status 3 when a commit fails.
///
///     store-writer-probe DIRECTORY GATEWAY IN_FLIGHT
@main
enum StoreWriterProbe {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let inFlight = Int(arguments[3]) else { exit(2) }
        let store = try EventStore(directory: arguments[1], gateway: arguments[2], random: { .random(in: .min ... .max) })
        var state = try store.load().state
        let window = DispatchSemaphore(value: inFlight)
        while true {
            window.wait()
            let event = try Event(json: putAway(state.nextSequence))
            let rows = state.apply(event)
            store.commit(Decision(events: [event], rows: rows), generation: 1) { outcome in
                guard case .committed(let events) = outcome else { exit(3) }
                for event in events {
                    let line = Array("\(event.sequence)\n".utf8)
                    _ = line.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
                }
                window.signal()
            }
        }
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
}

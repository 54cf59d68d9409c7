import CStorePeer
import Ledger
import Readings
import Store

/// The rows that the store makes of decisions, laid out for the peer.
struct PeerRows {
    private var bodies: [UInt8] = []
    private var bodyLengths: [Int32] = []
    private var rowCounts: [Int32] = []
    private var keys: [UInt8] = []
    private var keyLengths: [Int32] = []
    private var values: [UInt8] = []
    private var valueLengths: [Int32] = []

    init(_ decisions: [Decision]) {
        var chain = EventChain(identity: EventIdentity(gateway: Decisions.gateway, epoch: Decisions.epoch))
        for decision in decisions {
            for event in decision.events {
                let body = chain.seal(event).bytes
                bodies += body
                bodyLengths.append(Int32(body.count))
            }
            rowCounts.append(Int32(decision.rows.count))
            for row in decision.rows {
                keys += row.key.utf8
                keyLengths.append(Int32(row.key.utf8.count))
                let value = row.value?.canonicalBytes
                values += value ?? []
                valueLengths.append(value.map { Int32($0.count) } ?? -1)
            }
        }
    }

    /// - Returns: seconds; nil when SQLite refused something.
    func write(to path: String, untimed: Int, group: Int) -> Double? {
        bodies.withUnsafeBufferPointer { bodies in
            bodyLengths.withUnsafeBufferPointer { bodyLengths in
                rowCounts.withUnsafeBufferPointer { rowCounts in
                    keys.withUnsafeBufferPointer { keys in
                        keyLengths.withUnsafeBufferPointer { keyLengths in
                            values.withUnsafeBufferPointer { values in
                                valueLengths.withUnsafeBufferPointer { valueLengths in
                                    var rows = store_peer_rows(
                                        bodies: bodies.baseAddress, body_lengths: bodyLengths.baseAddress,
                                        row_counts: rowCounts.baseAddress, keys: keys.baseAddress, key_lengths: keyLengths.baseAddress,
                                        values: values.baseAddress, value_lengths: valueLengths.baseAddress,
                                        events: Int64(bodyLengths.count))
                                    let elapsed = store_peer_run(path, &rows, Int64(untimed), Int64(group))
                                    return elapsed < 0 ? nil : Double(elapsed) / 1e9
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

import CStorePeer
import Ledger
import Readings

/// What a careful C programmer would write: the same bytes in one transaction of SQLite.
final class StorePeer {
    private let peer: OpaquePointer

    /// - Parameter state: rows that are there before, so that later ones are found in a tree of the same size.
    init(path: String, state: [StateRow]) {
        guard let peer = store_peer_open(path) else { fatalError("the peer cannot write to \(path)") }
        self.peer = peer
        _ = commit([Array("{}".utf8)], state)
    }

    deinit { store_peer_close(peer) }

    /// - Returns: milliseconds.
    func commit(_ bodies: [[UInt8]], _ rows: [StateRow]) -> Double {
        let values = rows.map { $0.value?.canonicalBytes }
        // All rows go with the last event.
        let counts = bodies.indices.map { $0 == bodies.count - 1 ? Int32(rows.count) : 0 }
        let nanoseconds = Array(bodies.joined()).withUnsafeBufferPointer { body in
            bodies.map { Int32($0.count) }.withUnsafeBufferPointer { bodyLengths in
                counts.withUnsafeBufferPointer { counts in
                    rows.flatMap { Array($0.key.utf8) }.withUnsafeBufferPointer { keys in
                        rows.map { Int32($0.key.utf8.count) }.withUnsafeBufferPointer { keyLengths in
                            values.flatMap { $0 ?? [] }.withUnsafeBufferPointer { value in
                                values.map { $0.map { Int32($0.count) } ?? -1 }.withUnsafeBufferPointer { valueLengths in
                                    var rows = store_peer_rows(
                                        bodies: body.baseAddress, body_lengths: bodyLengths.baseAddress, row_counts: counts.baseAddress,
                                        keys: keys.baseAddress, key_lengths: keyLengths.baseAddress, values: value.baseAddress,
                                        value_lengths: valueLengths.baseAddress, events: Int64(bodies.count))
                                    return store_peer_commit(peer, &rows)
                                }
                            }
                        }
                    }
                }
            }
        }
        guard nanoseconds >= 0 else { fatalError("the peer could not commit") }
        return Double(nanoseconds) / 1e6
    }
}

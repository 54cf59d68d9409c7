import GRDB
import Ledger
import Readings

/// A range of events that was moved from the log to a file, signed: the chain runs from the file into the log over its last hash.
struct ArchiveCheckpoint: Hashable, Sendable {
    var first: Int64
    var last: Int64
    /// The hash of the last event.
    var hash: String
    /// SHA-256 of the file.
    var file: String
    /// SHA-256 over the rows of the state that all events up to the last one make; see `digest(of:)`.
    var state: String
    /// RFC 3339: when it was moved.
    var at: String
    /// The public key of the gateway that signed.
    var signer: String
    var signature: String

    var fileName: String { "\(first)-\(last).ndjson" }

    /// What the file is called beside the backups, where gateways and timelines meet: two files with one name are one file.
    func backupName(gateway: String) -> String { "\(gateway)-\(first)-\(last)-\(file.prefix(16)).ndjson" }

    /// What is signed: the canonical JSON of everything but the signature, and of the gateway.
    func signedBytes(gateway: String) -> [UInt8] {
        JSON.object([
            "gateway": .string(gateway), "first": .integer(first), "last": .integer(last), "hash": .string(hash), "file": .string(file),
            "state": .string(state), "at": .string(at),
        ]).canonicalBytes
    }

    func isGenuine(gateway: String) -> Bool {
        GatewayKey.isGenuine(signature, of: signedBytes(gateway: gateway), signer: signer)
    }

    /// SHA-256 over the 32-byte digests of the rows (key, a zero byte, canonical JSON), in the order of their keys.
    static func digest(of state: LedgerState) -> String {
        var digests: [UInt8] = []
        for row in state.rows where !row.isLearned {
            digests += SHA256Digest(of: Array(row.key.utf8) + [0] + (row.value ?? .null).canonicalBytes).bytes
        }
        return SHA256Digest(of: digests).hex
    }

    func insert(_ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO checkpoint(last, first, hash, file, state, at, signer, signature) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [last, first, hash, file, state, at, signer, signature])
    }

    static let columns = "first, last, hash, file, state, at, signer, signature"

    static func all(_ db: Database) throws -> [ArchiveCheckpoint] {
        try Row.fetchAll(db, sql: "SELECT \(columns) FROM checkpoint ORDER BY last").map(ArchiveCheckpoint.init(decoding:))
    }

    static func all(_ queue: DatabaseQueue) throws(StoreError) -> [ArchiveCheckpoint] {
        try storing("read the checkpoints") { try queue.inDatabase { try all($0) } }
    }
}

extension ArchiveCheckpoint {
    /// - Parameter row: of a query for `columns`.
    init(decoding row: Row) throws {
        first = try row.decode(Int64.self, atIndex: 0)
        last = try row.decode(Int64.self, atIndex: 1)
        hash = try row.decode(String.self, atIndex: 2)
        file = try row.decode(String.self, atIndex: 3)
        state = try row.decode(String.self, atIndex: 4)
        at = try row.decode(String.self, atIndex: 5)
        signer = try row.decode(String.self, atIndex: 6)
        signature = try row.decode(String.self, atIndex: 7)
    }
}

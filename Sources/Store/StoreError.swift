import GRDB

/// Why the store could not do what was asked. Nothing was changed, unless the code says otherwise.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// No space for the transaction, with the reserve already given up.
        case diskFull = "disk_full"
        /// Another process has the store open.
        case locked
        /// A setting that durability depends on could not be made: the store refuses to run.
        case notDurable = "not_durable"
        /// The file contradicts itself: a broken chain, a gap, a row that cannot be read.
        case corrupt
        /// An event that was moved to a file of the archive, and the file is not there or not what it was.
        case archiveMissing = "archive_missing"
        /// The key with which the archive was signed is gone.
        case keyMissing = "key_missing"
        /// A backup that cannot be used.
        case badBackup = "bad_backup"
        /// Written by an earlier version of this program, and not yet brought forward.
        case olderSchema = "older_schema"
        /// Written by a later version of this program.
        case newerSchema = "newer_schema"
        /// Not one of our files.
        case foreignFile = "foreign_file"
        /// The store of another gateway.
        case otherGateway = "other_gateway"
        case inputOutput = "input_output"
        /// The events do not continue the log.
        case outOfSequence = "out_of_sequence"
        /// An earlier decision on the same image failed, so this one was decided on something that is not true.
        case superseded
        case closed
        /// Any other answer of SQLite.
        case sqlite
    }

    public var code: Code
    /// The extended result code of SQLite (sqlite.org/rescode.html), where SQLite spoke.
    public var sqliteCode: Int32?
    /// `errno`, where a system call failed.
    public var errorNumber: Int32?
    /// What was attempted, and what was found.
    public var context: String

    public init(_ code: Code, _ context: String, sqliteCode: Int32? = nil, errorNumber: Int32? = nil) {
        self.code = code
        self.context = context
        self.sqliteCode = sqliteCode
        self.errorNumber = errorNumber
    }

    public var description: String {
        var text = "\(code.rawValue): \(context)"
        if let sqliteCode { text += " (SQLite \(sqliteCode))" }
        if let errorNumber { text += " (errno \(errorNumber))" }
        return text
    }
}

extension StoreError {
    init(_ error: any Error, during context: String) {
        switch error {
        case let error as StoreError: self = error
        // A value of another kind than the column holds.
        case is RowDecodingError: self.init(.corrupt, "\(context): \(error)")
        case let error as DatabaseError:
            let code: Code =
                switch error.resultCode {
                case .SQLITE_FULL: .diskFull
                // The shared memory beside the WAL could not grow: SQLite has no code of its own for that.
                case _ where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE: .diskFull
                case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_READONLY: .inputOutput
                case .SQLITE_CORRUPT: .corrupt
                case .SQLITE_NOTADB: .foreignFile
                case .SQLITE_BUSY, .SQLITE_LOCKED: .locked
                default: .sqlite
                }
            self.init(code, "\(context): \(error.message ?? "no message")", sqliteCode: error.extendedResultCode.rawValue)
        // A column is of a type that this program never writes.
        case is RowDecodingError: self.init(.corrupt, "\(context): \(error)")
        default: self.init(.sqlite, "\(context): \(error)")
        }
    }
}

/// Runs `body` and gives every failure the type and context of this module.
func storing<Result>(_ context: @autoclosure () -> String, _ body: () throws -> Result) throws(StoreError) -> Result {
    do {
        return try body()
    } catch {
        throw StoreError(error, during: context())
    }
}

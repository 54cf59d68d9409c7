import Ledger
import Readings

/// Takes NDJSON rows of master data apart as they arrive, within bounds.
struct MasterUpload {
    /// Bytes of a whole import.
    let maximumBytes: Int
    static let maximumLine = 64 << 10
    private static let maximumProblems = 100

    private var rows: [MasterRow] = []
    private var problems: [OperationError.Problem] = []
    private var partial: [UInt8] = []
    private var total = 0
    private var line = 0

    init(maximumBytes: Int = 64 << 20) {
        self.maximumBytes = maximumBytes
    }

    mutating func take(_ bytes: UnsafeRawBufferPointer) throws(OperationError) {
        total += bytes.count
        guard total <= maximumBytes else { throw OperationError(.tooLarge, "an import may have \(maximumBytes >> 20) MiB") }
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0A) {
            partial.append(contentsOf: rest[..<end])
            rest = rest[(end + 1)...]
            endLine()
        }
        partial.append(contentsOf: rest)
        guard partial.count <= Self.maximumLine else {
            throw OperationError(.tooLarge, "line \(line + 1): a row may have \(Self.maximumLine >> 10) KiB")
        }
    }

    mutating func finish() throws(OperationError) -> [MasterRow] {
        endLine()
        guard problems.isEmpty else { throw OperationError(.invalid, "not rows of master data", problems: problems) }
        return rows
    }

    private mutating func endLine() {
        line += 1
        defer { partial.removeAll(keepingCapacity: true) }
        if partial.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) { return }
        let json: JSON
        do throws(JSONError) {
            json = try JSON(parsing: partial)
        } catch {
            return report("\(error)")
        }
        do throws(MasterRowError) {
            rows.append(try MasterRow(json: json))
        } catch {
            report("\(error)")
        }
    }

    private mutating func report(_ reason: String) {
        if problems.count < Self.maximumProblems { problems.append(.init(row: line - 1, reason)) }
    }
}

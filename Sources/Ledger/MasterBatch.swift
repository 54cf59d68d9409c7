import Readings

/// A change of master data as upstream sends it, in one piece: a head, rows, and an end without which nothing of it counts.
///
/// `docs/master-data.md` has the form.
public struct MasterBatch: Hashable, Sendable {
    /// Where the sender took this change to begin; nil where it is a snapshot, or the sender did not say.
    public var since: String?
    /// A snapshot says all there is of these sets; a stored row of them that it does not name is deleted. Empty: only changes.
    public var snapshot: Set<MasterRow.Set>
    public var rows: [MasterRow]
    /// Where the next change begins.
    public var cursor: String
    /// The sender has more that it would send at once.
    public var hasMore: Bool

    public static let maximumCursorBytes = 512

    public init(
        since: String? = nil, snapshot: Set<MasterRow.Set> = [], rows: [MasterRow] = [], cursor: String, hasMore: Bool = false
    ) {
        self.since = since
        self.snapshot = snapshot
        self.rows = rows
        self.cursor = cursor
        self.hasMore = hasMore
    }

    /// The rows to apply: those of the batch, and a delete for every stored row that a snapshot leaves out.
    public func rows(over stored: [MasterRow]) -> [MasterRow] {
        guard !snapshot.isEmpty else { return rows }
        var named: [MasterRow.Set: Set<[UInt8]>] = [:]
        for row in rows { named[row.set, default: []].insert(Array(row.id.utf8)) }
        let gone = stored.filter { row in
            !row.isDeleted && snapshot.contains(row.set) && named[row.set]?.contains(Array(row.id.utf8)) != true
        }
        return rows + gone.map { MasterRow(set: $0.set, id: $0.id, isDeleted: true) }
    }
}

/// What keeps a batch from being read.
public enum MasterBatchError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It ended before its end: the connection broke, or a file is not written yet.
    case incomplete
    /// With lines from 1; at most `MasterBatchReader.maximumProblems`.
    case malformed([String])

    public var description: String {
        switch self {
        case .incomplete: "ended before its \"end\" line"
        case .malformed(let problems): problems.joined(separator: "; ")
        }
    }
}

/// Takes a batch apart as its bytes arrive, within bounds.
public struct MasterBatchReader: Sendable {
    public static let maximumBytes = 256 << 20
    public static let maximumLine = 64 << 10
    public static let maximumRows = 1_000_000
    public static let maximumProblems = 100

    private var batch = MasterBatch(cursor: "")
    private var partial: [UInt8] = []
    private var bytes = 0
    private var line = 0
    private var hasHead = false
    private var hasEnd = false
    private var problems: [String] = []

    public init() {}

    /// - Returns: false when it is no use to go on: the batch is too large, or too much is wrong with it.
    public mutating func take(_ piece: some Collection<UInt8>) -> Bool {
        bytes += piece.count
        guard bytes <= Self.maximumBytes else { return stop("a batch may have \(Self.maximumBytes >> 20) MiB") }
        var rest = piece[...]
        while let end = rest.firstIndex(of: 0x0A) {
            partial += rest[..<end]
            rest = rest[rest.index(after: end)...]
            endLine()
            if problems.count >= Self.maximumProblems { return false }
        }
        partial += rest
        guard partial.count <= Self.maximumLine else { return stop("line \(line + 1): a row may have \(Self.maximumLine >> 10) KiB") }
        return true
    }

    /// - Throws: `MasterBatchError` unless everything of it was right.
    public mutating func finish() throws(MasterBatchError) -> MasterBatch {
        if !partial.isEmpty { endLine() }
        guard problems.isEmpty else { throw .malformed(problems) }
        guard hasEnd else { throw .incomplete }
        return batch
    }

    private mutating func stop(_ problem: String) -> Bool {
        problems.append(problem)
        return false
    }

    private mutating func report(_ problem: String) {
        if problems.count < Self.maximumProblems { problems.append("line \(line): \(problem)") }
    }

    private mutating func endLine() {
        line += 1
        defer { partial.removeAll(keepingCapacity: true) }
        guard partial.contains(where: { $0 != 0x20 && $0 != 0x0D }) else { return }
        let json: JSON
        do throws(JSONError) { json = try JSON(parsing: partial) } catch { return report("\(error)") }
        guard !hasEnd else { return report("something stands after the end") }
        guard hasHead else { return readHead(json) }
        if json["end"] != nil { return readEnd(json) }
        guard batch.rows.count < Self.maximumRows else { return report("a batch may have \(Self.maximumRows) rows") }
        do throws(MasterRowError) { batch.rows.append(try MasterRow(json: json)) } catch { report("\(error)") }
    }

    private mutating func readHead(_ json: JSON) {
        hasHead = true
        guard json["master"]?.integer == 1 else { return report("the first line must be the head, {\"master\":1,…}") }
        batch.since = json["since"]?.string
        let isSnapshot = json["snapshot"]?.bool ?? false
        guard let sets = json["sets"] else {
            if isSnapshot { batch.snapshot = Set(MasterRow.Set.allCases) }
            return
        }
        guard isSnapshot, let names = sets.array, !names.isEmpty else { return report("\"sets\" is a list of a snapshot's sets") }
        for name in names {
            guard let set = name.string.flatMap(MasterRow.Set.init) else { return report("\"sets\" names an unknown set") }
            batch.snapshot.insert(set)
        }
    }

    private mutating func readEnd(_ json: JSON) {
        hasEnd = true
        guard let cursor = json["cursor"]?.string, MasterRow.isPlain(cursor, maximumBytes: MasterBatch.maximumCursorBytes) else {
            return report("the end needs a \"cursor\" of 1 to \(MasterBatch.maximumCursorBytes) visible bytes")
        }
        guard let rows = json["rows"]?.integer, rows == Int64(batch.rows.count) else {
            return report("the end must count the \"rows\": \(batch.rows.count) came")
        }
        if let row = batch.rows.first(where: { !batch.snapshot.isEmpty && !batch.snapshot.contains($0.set) }) {
            return report("\(row.label) is in no set of the snapshot")
        }
        batch.cursor = cursor
        batch.hasMore = json["more"]?.bool ?? false
        // Its first page would delete everything that stands on the second.
        if batch.hasMore, !batch.snapshot.isEmpty { report("a snapshot comes whole: it has no \"more\"") }
    }
}

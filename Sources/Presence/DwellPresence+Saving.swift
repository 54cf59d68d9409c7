import Identifiers
import Readings

extension DwellPresence {
    private static let prefix = "tag/"

    /// The rows that changed since the last call, one for each tag that is there or was told of, sorted.
    public mutating func takeChanges() -> [LearnedState] {
        var rows = forgottenKeys.map { LearnedState(name: Self.prefix + $0.hex, value: nil) }
        forgottenKeys = []
        tags.updateEach { epc, tag in
            guard tag.isChanged else { return }
            tag.isChanged = false
            tag.isSaved = true
            rows.append(LearnedState(name: Self.prefix + epc.hex, value: tag.row))
        }
        return rows.sorted { $0.name < $1.name }
    }

    /// Instants of another start of the machine mean nothing here: what was present is present, quiet from now.
    /// - Parameter sources: by its number then, the number of a source now; nil: as it was.
    mutating func restore(_ rows: [LearnedState], sources: [Int?]?, at now: Instant) {
        for row in rows.sorted(by: { $0.name < $1.name }) {
            guard let epc = EPC(hex: String(row.name.dropFirst(Self.prefix.count))), let value = row.value else { continue }
            _ = tags.update(epc) {
                var tag = Tag(row: value, at: now)
                if let sources { tag.sources = Self.moved(tag.sources, sources) }
                return tag
            } _: { _ in
            }
        }
    }

    /// A tag that only sources saw that are no more may be anywhere: it waits for all.
    private static func moved(_ bits: UInt64, _ sources: [Int?]) -> UInt64 {
        let now = sources.enumerated().reduce(UInt64(0)) { sum, source in
            bits & 1 << UInt64(source.offset & 63) == 0 ? sum : source.element.map { sum | 1 << UInt64($0 & 63) } ?? sum
        }
        return bits != 0 && now == 0 ? .max : now
    }
}

extension DwellPresence.Tag {
    fileprivate var row: JSON {
        .compact([
            "present": .bool(isPresent), "fading": isFading ? .bool(true) : nil, "told": isTold ? .bool(true) : nil,
            "unstable": isUnstable ? .bool(true) : nil,
            "moved": lastMoved == nil ? nil : .bool(true), "gap": .integer(meanGap),
            "sources": .integer(Int64(bitPattern: sources)),
        ])
    }

    fileprivate init(row: JSON, at now: Instant) {
        self.init(at: now)
        isPresent = row["present"]?.bool == true
        isFading = isPresent && row["fading"]?.bool == true
        isTold = row["told"]?.bool == true
        isUnstable = row["unstable"]?.bool == true
        lastMoved = row["moved"]?.bool == true ? now : nil
        meanGap = min(max(0, row["gap"]?.integer ?? 500_000), 180_000_000)
        sources = UInt64(bitPattern: row["sources"]?.integer ?? 0)
        isSaved = true
    }
}

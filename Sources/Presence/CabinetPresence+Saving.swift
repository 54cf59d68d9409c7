import Identifiers
import Readings

extension CabinetPresence {
    /// The name of the row that is there as soon as anything was saved.
    public static let headKey = "cabinet"
    private static let tagPrefix = "tag/"

    /// The rows that changed since the last call: `cabinet` with the episode, and one for each tag known.
    public mutating func takeChanges() -> [LearnedState] {
        var rows: [LearnedState] = []
        if headIsChanged {
            rows.append(LearnedState(name: Self.headKey, value: head))
            headIsChanged = false
        }
        for epc in forgotten { rows.append(LearnedState(name: Self.tagPrefix + epc.hex, value: nil)) }
        forgotten = []
        for position in tags.indices where tags[position].isChanged {
            rows.append(LearnedState(name: Self.tagPrefix + tags[position].epc.hex, value: tags[position].row))
            tags[position].isChanged = false
            tags[position].isSaved = true
        }
        return rows.sorted { $0.name < $1.name }
    }

    private var head: JSON {
        .compact([
            "episode": .integer(Int64(truncatingIfNeeded: episode)), "unfinished": phase == .idle ? nil : .bool(true),
            "antennas": .array(antennas.map { .integer(Int64($0)) }),
        ])
    }

    /// Rows that are not understood are left out: what they held is learned again.
    mutating func restore(_ rows: [LearnedState]) {
        for row in rows.sorted(by: { $0.name < $1.name }) {
            guard let value = row.value else { continue }
            if row.name == Self.headKey {
                let antennas = (value["antennas"]?.array ?? []).compactMap { $0.integer.flatMap(UInt8.init(exactly:)) }
                restoreHead(
                    phase: value["unfinished"]?.bool == true ? .open : .idle,
                    episode: UInt64(truncatingIfNeeded: value["episode"]?.integer ?? 0), antennas: Array(antennas.prefix(64)))
            } else if let epc = EPC(hex: String(row.name.dropFirst(Self.tagPrefix.count))), let tag = Tag(epc: epc, row: value),
                tags.count < settings.capacity
            {
                insert(tag)
            }
        }
    }
}

extension CabinetPresence.Tag {
    fileprivate var row: JSON {
        .compact([
            "inside": .bool(isInside), "p": probability.json, "open": isOpen ? .bool(true) : nil,
            "told": told.map(JSON.bool), "looks": .integer(Int64(experience)),
            "rates": .array(rates.map { .array([$0.seen.json, $0.missed.json]) }),
        ])
    }

    fileprivate init?(epc: EPC, row: JSON) {
        guard let isInside = row["inside"]?.bool, let probability = row["p"]?.double, (0...1).contains(probability) else { return nil }
        var rates: [CabinetEvidence.Rate] = []
        for pair in (row["rates"]?.array ?? []).prefix(64) {
            guard let pair = pair.array, pair.count == 2, let seen = pair[0].double, let missed = pair[1].double,
                (0.01...1_000).contains(seen), (0.01...1_000).contains(missed)
            else { return nil }
            rates.append(CabinetEvidence.Rate(seen: seen, missed: missed))
        }
        let experience = min(max(0, row["looks"]?.integer ?? 0), 10_000)
        // What was told provisionally before the end was recorded; the scan that follows tells what is different from that.
        let told = row["told"]?.bool
        self.init(
            epc: epc, isInside: told ?? isInside, probability: told.map { $0 ? 0.98 : 0.02 } ?? probability,
            isOpen: row["open"]?.bool == true, rates: rates, experience: Int(experience), isSaved: true)
    }
}

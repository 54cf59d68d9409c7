import Ledger
import Readings

/// Through which epochs a store went: tells a backup of it from one of a log that a restore has left behind.
enum StoreTimeline {
    /// All of them, by first number.
    case epochs([StoreEpoch.Entry])
    /// Only the newest is known.
    case newest(UInt64)
    case unknown

    /// What the damaged file says; where it cannot be read, the note of the last restore or recovery; before the first one of these there
    /// was one epoch, and the index knows it.
    init(of damaged: DamagedLog, directory: String, indexed: UInt64?) {
        if damaged.areEpochsWhole {
            self = .epochs(damaged.epochs)
        } else if let noted = Self.read(in: directory) {
            self = .epochs(noted)
        } else {
            self = indexed.map(Self.newest) ?? .unknown
        }
    }

    /// Whether every event of a backup is one of this store.
    func holds(_ backup: [StoreEpoch.Entry], last: Int64) -> Bool {
        switch self {
        case .unknown: return true
        case .newest(let epoch): return backup.last?.epoch == epoch
        case .epochs(let epochs):
            guard let newest = backup.last(where: { $0.first <= last }) ?? backup.first,
                let position = epochs.firstIndex(where: { $0.first == newest.first && $0.epoch == newest.epoch })
            else { return false }
            return position + 1 == epochs.count || last < epochs[position + 1].first
        }
    }

    // MARK: The note

    private static let fileName = "epochs"

    /// Notes the epochs in a folder, for the day on which `events.db` cannot tell them any more.
    static func write(_ epochs: [StoreEpoch.Entry], in folder: String) throws(StoreError) {
        let json = JSON.array(
            epochs.map { entry in
                [
                    "first": .integer(entry.first), "epoch": .string(StoreEpoch.text(entry.epoch)), "reason": .string(entry.reason),
                    "at": .string(entry.at),
                ]
            })
        try StoreFiles.write(json.canonicalBytes + [0x0A], to: "\(folder)/\(fileName)")
    }

    private static func read(in folder: String) -> [StoreEpoch.Entry]? {
        guard let bytes = try? StoreFiles.read("\(folder)/\(fileName)"), let list = (try? JSON(parsing: bytes))?.array, !list.isEmpty else {
            return nil
        }
        var epochs: [StoreEpoch.Entry] = []
        for json in list {
            guard let first = json["first"]?.integer, let epoch = json["epoch"]?.string.flatMap(StoreEpoch.value) else { return nil }
            epochs.append(.init(first: first, epoch: epoch, reason: json["reason"]?.string ?? "", at: json["at"]?.string ?? ""))
        }
        return epochs
    }
}

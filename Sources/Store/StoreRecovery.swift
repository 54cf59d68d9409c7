import Foundation
import GRDB
import Ledger
import Readings

/// Makes a store that can be used from a damaged one: the newest good backup, then every event that the archive and the damaged file
/// still hold and that continues the chain, which its hash proves.
struct StoreRecovery {
    private let directory: String
    private let gateway: String
    private let damaged: DamagedLog
    private let replacement: StoreReplacement
    private let index: (epoch: UInt64, position: Int64)?
    private let signer: String?
    private var report: RecoveryReport

    /// - Parameter backups: the folder with the backups; nil: there is none.
    static func run(
        directory: String, gateway: String, backups: String?, reason: StoreError, random: () -> UInt64
    ) throws(StoreError) -> RecoveryReport {
        let lock = try StoreLock(directory: directory)
        defer { lock.release() }
        var recovery = try StoreRecovery(directory: directory, gateway: gateway, reason: reason)
        do throws(StoreError) {
            try recovery.rebuild(backups, random)
            recovery.damaged.close()
            try recovery.replacement.commit()
        } catch {
            recovery.damaged.close()
            recovery.replacement.discard()
            throw error
        }
        return recovery.report
    }

    private init(directory: String, gateway: String, reason: StoreError) throws(StoreError) {
        self.directory = directory
        self.gateway = gateway
        replacement = try StoreReplacement(directory: directory, kind: "damaged")
        damaged = DamagedLog(path: "\(directory)/events.db")
        index = Self.indexPosition(directory)
        signer = GatewayKey.publicHex(directory: directory)
        report = RecoveryReport(reason: reason.context, setAside: replacement.asideName)
    }

    private mutating func rebuild(_ backups: String?, _ random: () -> UInt64) throws(StoreError) {
        let timeline = StoreTimeline(of: damaged, directory: directory, indexed: index?.epoch)
        let base = try findBase(backups, timeline)
        let file = DatabaseFile(path: "\(replacement.staging)/events.db", schema: .events, durability: .full)
        let queue = try file.openWriter()
        defer { try? queue.close() }
        let isForeign = base.map { !$0.isOfTimeline } ?? false
        let identities = try settleEpochs(queue, isForeign ? .unknown : timeline, random)
        var end = try LogEnd(reading: queue)
        var state = try storing("read the state") {
            try LedgerState(nextSequence: end.sequence + 1, rows: queue.inDatabase { try StateRow.all($0) })
        }
        if !isForeign { try takeCheckpoints(queue, identities, backups, &end, &state) }
        for row in damaged.learned { state.learn(row) }
        var chain = EventChain(identities: identities, lastHash: end.hash)
        try append(from: { Self.archivedEvents(directory, after: $0) }, to: queue, &chain, &state, &end.sequence)
        try append(from: damaged.events(after:), to: queue, &chain, &state, &end.sequence)
        report.last = end.sequence
        report.known = max(report.last, damaged.last ?? 0, index?.position ?? 0)
        report.acknowledged = damaged.cursors
        // A cursor past the end: either events are gone that it has seen, or it is wrong itself.
        report.isEndKnown = damaged.last.map { last in damaged.cursors.values.allSatisfy { $0 <= last } } ?? false
        try close(queue, state, random(), cursors: isForeign ? [:] : trustedCursors)
    }

    private mutating func findBase(_ backups: String?, _ timeline: StoreTimeline) throws(StoreError) -> RecoveryBackup? {
        guard let backups else { return nil }
        let search = RecoveryBackup.Search(
            parent: backups, directory: directory, gateway: gateway, signer: signer, timeline: timeline,
            // Where nothing of the log is left, a log that was once is better than none.
            acceptsAny: damaged.last == nil)
        guard let base = try RecoveryBackup.find(search, copyingTo: replacement.staging) else { return nil }
        report.backup = base.path
        report.backupLast = base.manifest.last
        // When the whole directory is gone, so are these.
        for name in ["gateway.key", "master.db"] where !StoreFiles.exists("\(directory)/\(name)") {
            guard let file = base.manifest.file(name) else { continue }
            let copy = "\(replacement.staging)/\(name)"
            if try StoreFiles.copy("\(base.path)/\(name)", to: copy).hex != file.digest { unlink(copy) }
        }
        if StoreFiles.exists("\(replacement.staging)/master.db") {
            try MasterErasure.repeatErasures(notedIn: directory, on: replacement.staging)
        }
        return base
    }

    /// The epochs by which the events to come are known: those of the backup, then those of the damaged log.
    private func settleEpochs(
        _ queue: DatabaseQueue, _ timeline: StoreTimeline, _ random: () -> UInt64
    ) throws(StoreError) -> EventIdentities {
        let (drawn, gateway, last) = (random(), gateway, report.backupLast)
        let known: [StoreEpoch.Entry] =
            switch timeline {
            case .epochs(let entries): entries
            case .newest(let epoch): [.init(first: 1, epoch: epoch, reason: "created", at: "")]
            case .unknown: []
            }
        let epochs = try storing("settle the epochs") {
            try queue.inTransaction(.immediate) { db in
                // One of the backup that had no event yet may have given way since.
                if !known.isEmpty { try db.execute(sql: "DELETE FROM epoch WHERE first > ?", arguments: [last]) }
                let held = try StoreEpoch.all(db).last?.first ?? 0
                var added = known.filter { $0.first > held }
                if held == 0, added.isEmpty { added = [.init(first: 1, epoch: drawn, reason: "created", at: "")] }
                for entry in added {
                    try db.execute(
                        sql: "INSERT INTO epoch(first, epoch, reason, at) VALUES (?, ?, ?, ?)",
                        arguments: [entry.first, StoreEpoch.text(entry.epoch), entry.reason, entry.at])
                }
                try db.execute(
                    sql: "INSERT OR IGNORE INTO meta(key, value) VALUES ('gateway', ?), ('created', ?)",
                    arguments: [gateway, EventStore.now()])
                return .commit
            }
            return try queue.inDatabase { try StoreEpoch.all($0) }
        }
        guard let identities = EventIdentities(gateway: gateway, epochs: epochs) else { throw StoreError(.corrupt, "no epoch") }
        return identities
    }

    /// Takes over what the damaged file says of the archive, as far as our key signed it: the chain runs on from there even where a file
    /// of the archive is gone.
    private mutating func takeCheckpoints(
        _ queue: DatabaseQueue, _ identities: EventIdentities, _ backups: String?, _ end: inout LogEnd, _ state: inout LedgerState
    ) throws(StoreError) {
        var genuine: [ArchiveCheckpoint] = []
        for checkpoint in damaged.checkpoints {
            guard checkpoint.signer == signer, checkpoint.first == (genuine.last?.last ?? 0) + 1, checkpoint.last >= checkpoint.first,
                checkpoint.isGenuine(gateway: gateway)
            else { break }
            genuine.append(checkpoint)
        }
        let held = try ArchiveCheckpoint.all(queue)
        guard let newest = genuine.last, newest.last > end.sequence, genuine.starts(with: held) else { return }
        let folder = "\(directory)/archive"
        for checkpoint in genuine {
            if let backups { Archive.fetch(checkpoint, gateway: gateway, from: "\(backups)/archive", to: folder) }
        }
        if let kept = Archive.keptState(in: folder, last: newest.last, digest: newest.state) {
            state = kept
        } else {
            let archive = Archive(directory: folder, checkpoints: genuine)
            for checkpoint in genuine where checkpoint.last > end.sequence {
                for event in (try? archive.events(of: checkpoint)) ?? [] where event.sequence > end.sequence {
                    try? state.take(event, of: identities)
                }
            }
            if ArchiveCheckpoint.digest(of: state) != newest.state {
                report.reason += "; files of the archive are missing, so the state of events up to \(newest.last) is not whole"
            }
        }
        (end.sequence, end.hash) = (newest.last, newest.hash)
        let added = genuine.dropFirst(held.count)
        try storing("take over the checkpoints") {
            try queue.inTransaction(.immediate) { db in
                for checkpoint in added { try checkpoint.insert(db) }
                try db.execute(sql: "DELETE FROM event WHERE seq <= ?", arguments: [newest.last])
                return .commit
            }
        }
    }

    /// Takes events as long as each continues the chain.
    private func append(
        from source: (Int64) -> (events: [StoredEvent], isEnd: Bool), to queue: DatabaseQueue, _ chain: inout EventChain,
        _ state: inout LedgerState, _ last: inout Int64
    ) throws(StoreError) {
        while true {
            var proven: [StoredEvent] = []
            let (events, isEnd) = source(last)
            for (position, event) in events.enumerated() {
                // The last one of a step waits for the one behind it.
                if !isEnd, position > 0, position == events.count - 1 { break }
                var longer = chain
                guard event.sequence == last + 1, longer.follow(event) == nil else { break }
                // One that was changed still continues the chain; the next one gives it away.
                var proof = longer
                if position + 1 < events.count, proof.follow(events[position + 1]) != nil { break }
                guard (try? state.take(event, of: chain.identities)) != nil else { break }
                chain = longer
                last = event.sequence
                proven.append(event)
            }
            guard !proven.isEmpty else { return }
            let taken = proven
            try storing("write events up to \(last)") {
                try queue.inTransaction(.immediate) { db in
                    let insert = try db.cachedStatement(sql: "INSERT INTO event(seq, body) VALUES (?, ?)")
                    for event in taken { try insert.execute(arguments: [event.sequence, Data(event.bytes)]) }
                    return .commit
                }
            }
        }
    }

    /// Cursors of the damaged file that can be believed. One that is too low costs repeated deliveries, one too high loses events.
    private var trustedCursors: [String: Int64] {
        guard damaged.hasSoundPages, let end = damaged.last else { return [:] }
        return damaged.cursors.filter { (1...max(end, 1)).contains($0.value) }.mapValues { min($0, report.last) }
    }

    private func close(
        _ queue: DatabaseQueue, _ state: LedgerState, _ epoch: UInt64, cursors: [String: Int64]
    ) throws(StoreError) {
        let (rows, report) = (state.rows, report)
        let epochs = try storing("write the state") {
            try queue.inTransaction(.immediate) { db in
                try db.execute(sql: "DELETE FROM state")
                let insert = try db.cachedStatement(sql: "INSERT INTO state(key, value) VALUES (?, ?)")
                for row in rows { try insert.execute(arguments: [row.key, (row.value ?? .null).canonicalText]) }
                for (destination, acknowledged) in cursors {
                    try db.execute(
                        sql: """
                            INSERT INTO cursor(destination, acked, written) VALUES (?, ?, '')
                            ON CONFLICT(destination) DO UPDATE SET acked = max(acked, excluded.acked)
                            """, arguments: [destination, acknowledged])
                }
                try StoreEpoch.begin(epoch, reason: "recovered", at: EventStore.now(), after: report.last, db)
                try db.execute(
                    sql: "INSERT OR REPLACE INTO meta(key, value) VALUES ('recovery', ?)", arguments: [report.json.canonicalText])
                return .commit
            }
            return try queue.inDatabase { try StoreEpoch.all($0) }
        }
        try StoreReplacement.settle(queue)
        try StoreTimeline.write(epochs, in: replacement.staging)
    }
}

/// What tells of events that were there.
extension StoreRecovery {
    /// What is wrong with a directory whose log is gone, though there was one: without a look a new one would begin at 1, under the same
    /// numbers, and in time throw out the last backups of the old one.
    /// - Returns: nil when the log is there, or there never was one.
    static func loss(directory: String, gateway: String, backups: String?) throws(StoreError) -> StoreError? {
        guard StoreFiles.exists(directory) else { return nil }
        let lock = try StoreLock(directory: directory)
        defer { lock.release() }
        // In the middle of a replacement the file is not there for a moment.
        try StoreReplacement.finish(in: directory)
        let path = "\(directory)/events.db"
        guard isEmpty(path) else { return nil }
        let isKnown =
            StoreFiles.names(in: "\(directory)/archive").contains { $0.hasSuffix(".ndjson") && $0 != Archive.keptStateName }
            || (indexPosition(directory)?.position ?? 0) > 0
            || backups.map { !StoreBackups.folders(in: $0, gateway: gateway).isEmpty } ?? false
        return isKnown ? StoreError(.corrupt, StoreFiles.exists(path) ? "\(path) is empty" : "\(path) is gone") : nil
    }

    /// Whether a log is not there or has nothing in it, not even its tables.
    private static func isEmpty(_ path: String) -> Bool {
        guard StoreFiles.size(path) > 0 else { return true }
        let file = DatabaseFile(path: path, schema: .events, durability: .full)
        guard let queue = try? file.openReader() else { return false }
        defer { try? queue.close() }
        return (try? queue.inDatabase { try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_schema") }) == 0
    }

    /// How far the index had read, and in which epoch.
    private static func indexPosition(_ directory: String) -> (epoch: UInt64, position: Int64)? {
        let file = DatabaseFile(path: "\(directory)/index.db", schema: .index, durability: .normal)
        guard StoreFiles.size(file.path) > 0, let queue = try? file.openReader() else { return nil }
        defer { try? queue.close() }
        return try? queue.inDatabase { db in
            func value(_ key: String) throws -> String? {
                try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
            }
            guard let epoch = try value("epoch").flatMap(StoreEpoch.value), let position = try value("position").flatMap(Int64.init) else {
                return nil
            }
            return (epoch, position)
        }
    }

    /// Events of the archive after a number: the file that holds the next one.
    private static func archivedEvents(_ directory: String, after sequence: Int64) -> (events: [StoredEvent], isEnd: Bool) {
        for name in StoreFiles.names(in: "\(directory)/archive") where name.hasSuffix(".ndjson") {
            let numbers = name.dropLast(7).split(separator: "-").compactMap { Int64($0) }
            guard numbers.count == 2, numbers[0] <= sequence + 1, numbers[1] > sequence,
                let bytes = try? StoreFiles.read("\(directory)/archive/\(name)")
            else { continue }
            return (Array(Archive.events(in: bytes, first: numbers[0]).drop { $0.sequence <= sequence }), false)
        }
        return ([], true)
    }
}

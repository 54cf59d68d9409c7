import CNIOLinux
import Control
import Engine
import Glibc
import Identifiers
import Ledger
import Logging
import Readings
import SiteConfiguration
import Store
import Synchronization

/// A person is forgotten: name, number, badges. What they did stays in the log under a random key that leads nowhere any more.
extension GatewayService {
    func erase(person reference: String, dryRun: Bool, by caller: Caller) async throws(OperationError) -> ErasureOutcome {
        try await importing { () throws(OperationError) in try await eraseInTurn(reference, dryRun: dryRun, client: caller.description) }
    }

    private func eraseInTurn(_ reference: String, dryRun: Bool, client: String) async throws(OperationError) -> ErasureOutcome {
        let (master, loans, isStale) = try await look {
            ($0.engine.ledger.master, $0.engine.ledger.state.loans, $0.engine.isStale)
        }
        guard !isStale else { throw OperationError(.notStored, "the store cannot be written at present; nothing was changed") }
        let masterStore = masterStore
        // What a full disk did not let happen the last time.
        try await blocking { try masterStore.scrub() }
        let all = try await blocking { try masterStore.load() + masterStore.tombstones() }
        let rows = all.rows(about: reference)
        guard let key = rows.first(where: { $0.set == .people })?.body["key"]?.string.flatMap(PersonKey.init) else {
            throw OperationError(.notFound, "there is no person \(reference.prefix(128))")
        }
        let open = loans.values.filter { $0.person == key }.map(\.number.description).sorted()
        guard open.isEmpty else {
            throw OperationError(
                .conflict, "has \(open.count) open loan\(open.count == 1 ? "" : "s"): nobody would know who has the tools",
                problems: open.prefix(20).map { .init("loan \($0)") })
        }
        let deletes = rows.filter { !$0.isDeleted }.map { MasterRow(set: $0.set, id: $0.id, isDeleted: true) }
        let next: MasterData
        let supervised = all.rows(supervisedBy: reference)
        do throws(MasterRefusal) { next = try master.applying(deletes + supervised.filter { !$0.isDeleted }) } catch {
            throw OperationError(.conflict, "cannot be erased", problems: error.problems.map { .init($0.description) })
        }
        var outcome = ErasureOutcome(isDryRun: dryRun, person: key, version: masterStore.version.number)
        for row in rows { outcome.rows[row.set, default: 0] += 1 }
        let gateway = try await look { $0.site.gateway }
        let folders = try await look { $0.foldersOfRecordings } + sources.withLock { $0.values.map(\.configuration) }.flatMap(\.folders)
        let damaged = "\(gateway.stateDirectory)/"
        outcome.files = try await blocking { try (Self.files(in: folders) + Self.damagedCopies(in: damaged)).count }
        guard !dryRun else { return outcome }

        // Files first: should the power go now, the person is still there to be erased once more.
        try await look { $0.stopRecordings() }
        do throws(OperationError) {
            outcome.files = try await blocking {
                try (Self.files(in: folders) + Self.damagedCopies(in: damaged)).map { try Self.remove($0) }.count
            }
            let time = try await look { $0.wallTime }
            let ids = rows.map { (set: $0.set, id: $0.id) }
            await backups.enter()
            let erased: Result<(copies: ErasedCopies, version: MasterVersion), OperationError>
            do throws(OperationError) {
                // No backup comes between the two: it would hold the person, and nobody would look into it again.
                erased = .success(
                    try await blocking {
                        let copies = try MasterErasure.eraseCopies(
                            of: key, in: gateway.stateDirectory, backups: gateway.backups, gateway: gateway.code, at: time.rfc3339)
                        return (copies, try masterStore.erase(ids, rewriting: supervised, at: time.rfc3339, source: "erasure by \(client)"))
                    })
            } catch { erased = .failure(error) }
            await backups.leave()
            let (cleaned, version) = try erased.get()
            outcome.files += cleaned.erased.count
            outcome.remaining = cleaned.failed.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
            outcome.version = version.number
            var applied = next
            applied.version = version.number
            let final = applied
            try await committed { engineLoop, answer in
                engineLoop.masterChanged(final, rows: [], digest: version.digest, by: client, answer: answer)
            }
            let tags = try await look { $0.engine.ledger.state.tags.filter { $0.value == .person(key) }.keys.sorted { $0.hex < $1.hex } }
            for tag in tags {
                try await committed { engineLoop, answer in try engineLoop.perform(.unbindTag(epc: tag), by: client, answer: answer) }
            }
            do throws(OperationError) { try await blocking { try masterStore.scrub() } } catch {
                outcome.remaining.append("\(gateway.stateDirectory)/master.db: \(error.detail)")
            }
        } catch {
            try await look { $0.startRing() }
            throw error
        }
        try await look { $0.startRing() }
        logger.notice("person erased", metadata: ["person": "\(key)", "by": "\(client)"])
        for file in outcome.remaining { logger.error("still holds what was to be erased", metadata: ["file": "\(file)"]) }
        return outcome
    }

    /// Everything that recordings and files of master data were kept in.
    private static func files(in folders: [String]) throws -> [String] {
        try Set(folders).sorted().flatMap { folder in
            // A folder that was never made holds nothing.
            guard access(folder, F_OK) == 0 else { return [String]() }
            return try folderEntries(folder).filter { $0 != "." && $0 != ".." }.map { "\(folder)/\($0)" }.filter { path in
                var status = stat()
                return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            }
        }
    }

    /// Master data that could not be read and were set aside: nothing can be erased from them.
    private static func damagedCopies(in directory: String) throws -> [String] {
        try folderEntries(directory).filter { $0.hasPrefix("master.db.damaged") }.map { "\(directory)\($0)" }
    }

    private static func remove(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw OperationError(.notStored, "remove \(path): errno \(errno)") }
    }
}

extension Site.Source {
    /// Where files lie that were taken in.
    fileprivate var folders: [String] {
        guard case .folder(let path) = kind else { return [] }
        return ["\(path)/\(MasterFolder.done)", "\(path)/\(MasterFolder.refused)"]
    }
}

extension EngineLoop {
    /// Recordings hold what badges told, byte by byte.
    fileprivate var foldersOfRecordings: [String] {
        [recordingFolder] + (site.gateway.recorder.map { [$0.directory] } ?? [])
    }

    fileprivate func stopRecordings() {
        recorder?.end()
        recorder = nil
        ring?.end()
        ring = nil
    }
}

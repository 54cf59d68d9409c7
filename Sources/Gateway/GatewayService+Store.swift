import Control
import Ledger
import Logging
import Readings
import ServiceLifecycle
import SiteConfiguration
import Store

/// What keeps the record whole: recovery, backups, the archive, verification.
extension GatewayService {
    /// Tells in the log, as an exception, what a recovery could not save.
    func recordRecovery() async {
        do {
            guard let report = try await blocking({ [store] in try store.recovery() }) else { return }
            logger.critical(
                "the ledger was damaged and was recovered",
                metadata: [
                    "reason": "\(report.reason)", "saved": "\(report.last)", "missing": "\(report.code)",
                    "backup": "\(report.backup ?? "none")", "damaged": "\(report.setAside)",
                ])
            try await committed { engineLoop, answer in
                try engineLoop.perform(
                    .reportRecovery(
                        missing: report.code, last: report.last, setAside: report.setAside, reason: report.reason, known: report.known,
                        acknowledged: report.acknowledged),
                    by: "gateway",
                    answer: answer)
            }
            try await blocking { [store] in try store.forgetRecovery() }
        } catch {
            // Asked for again at the next start.
            logger.error("the recovery is not recorded yet", metadata: ["error": "\(error)"])
        }
    }

    /// - Parameter directory: nil: where the site's backups go.
    func backUp(to directory: String?) async throws(OperationError) -> BackupOutcome {
        let gateway = try await look { $0.site.gateway }
        let folder = directory ?? gateway.backups
        guard folder.hasPrefix("/") else { throw OperationError(.invalid, "directory: must be an absolute path") }
        await backups.enter()
        let outcome: Result<BackupReport, OperationError>
        do throws(OperationError) {
            // A folder of somebody's own keeps what is in it.
            let keep = directory == nil ? gateway.backupKeep : Int.max
            outcome = .success(try await blocking { [store] in try store.backUp(to: folder, keep: keep) })
        } catch { outcome = .failure(error) }
        await backups.leave()
        let report = try outcome.get()
        return BackupOutcome(path: report.path, last: report.manifest.last, bytes: report.bytes, removed: report.removed)
    }

    func backUp(to directory: String?, by caller: Caller) async throws(OperationError) -> BackupOutcome {
        let outcome = try await backUp(to: directory)
        logger.notice("backed up", metadata: ["path": "\(outcome.path)", "by": "\(caller)"])
        return outcome
    }

    func verify() async -> AsyncStream<JSON> {
        let store = store
        return AsyncStream { continuation in
            let work = Task {
                do throws(OperationError) {
                    let report = try await blocking {
                        var shown: Int64 = 0
                        return try store.verify { progress in
                            if progress.events - shown >= 10_000 {
                                shown = progress.events
                                continuation.yield(["events": .integer(progress.events), "last": .integer(progress.last)])
                            }
                            return !Task.isCancelled
                        }
                    }
                    continuation.yield(["result": report.json])
                } catch {
                    continuation.yield(["problem": .string(error.detail)])
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in work.cancel() }
        }
    }

    /// Does what is due: a backup, and moving old events to the archive.
    ///
    /// One does not wait for the other: a disk for backups that is not there must not let the log grow for ever.
    func keepHouse() async {
        do {
            let (site, time) = try await look { ($0.site, $0.wallTime) }
            // Ages mean nothing to a clock that was never set.
            if time.quality != .unknown, site.gateway.backupHours > 0, try await isBackupDue(site.gateway) {
                let outcome = try await backUp(to: nil)
                logger.info("backed up", metadata: ["path": "\(outcome.path)", "events": "\(outcome.last)"])
            }
        } catch {
            logger.error("backup failed; tried again later", metadata: ["error": "\(error)"])
        }
        do {
            // What an erasure could not do on a full disk.
            try await blocking { [masterStore] in try masterStore.scrub() }
            // What it knows tells a recovery which events there were.
            _ = try await blocking { [store, index] in try index.update(from: store) }
            let (site, time) = try await look { ($0.site, $0.wallTime) }
            guard time.quality != .unknown else { return }
            let destinations = site.destinations.map(\.name)
            let policy = RetentionPolicy(days: Int64(site.gateway.retentionDays))
            let moved = try await blocking { [store] in try store.archive(policy, destinations: destinations, at: time, limit: 20) }
            if moved > 0 { logger.info("moved old events to the archive", metadata: ["events": "\(moved)"]) }
        } catch {
            logger.error("the archive could not be written; tried again later", metadata: ["error": "\(error)"])
        }
    }

    private func isBackupDue(_ gateway: Site.Gateway) async throws(OperationError) -> Bool {
        let newest = try await blocking { [store] in store.newestBackup(in: gateway.backups) }
        guard let newest = newest.flatMap(WallTime.init(rfc3339:)) else { return true }
        let now = try await look { $0.wallTime }
        return now.milliseconds - newest.milliseconds >= Int64(gateway.backupHours) * 3_600_000
    }
}

/// Ends the gateway when its store is damaged: systemd starts it again, and the start recovers what there is.
struct DamageWatch: Service {
    let service: GatewayService

    func run() async throws {
        for await error in service.damage.stream.cancelOnGracefulShutdown() { throw error }
    }
}

/// Looks every ten minutes whether something is due.
struct Housekeeping: Service {
    let service: GatewayService

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // The first time when the start is over.
                try? await Task.sleep(for: .seconds(600))
                if Task.isCancelled { return }
                await service.keepHouse()
            }
        }
    }
}

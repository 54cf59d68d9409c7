import Control
import Ledger
import Logging
import NIOCore
import Readings
import ServiceLifecycle
import SiteConfiguration
import Store
import Synchronization
import Upstream

/// Master data that comes down by itself.
extension GatewayService {
    struct Source: Sendable {
        var configuration: Site.Source
        /// nil for a folder, which has no thread of its own.
        var running: (any MasterSource)?
        /// What a folder is doing.
        var status: SourceStatus?
    }

    /// Starts the sources of a site, and ends those that are no longer in it or were changed.
    func startSources(of site: Site) {
        let old = sources.withLock { $0 }
        var new: [String: Source] = [:]
        for source in site.sources {
            if let same = old[source.name], same.configuration == source {
                same.running?.askNow()
                new[source.name] = same
                continue
            }
            _ = old[source.name]?.running?.stop()
            do throws(DeliveryError) {
                let running = try source.running(for: self, gateway: site.gateway)
                try running?.start()
                let status = running == nil ? SourceStatus(name: source.name, state: .asking) : nil
                new[source.name] = Source(configuration: source, running: running, status: status)
            } catch {
                logger.error("source cannot work", metadata: ["source": "\(source.name)", "error": "\(error)"])
            }
        }
        for (name, source) in old where new[name] == nil { _ = source.running?.stop() }
        let started = new
        sources.withLock { $0 = started }
    }

    func stopSources() {
        for (name, source) in sources.withLock({ $0 }) where source.running?.stop() == false {
            logger.warning("source did not end in time", metadata: ["source": "\(name)"])
        }
    }

    var sourceStates: [(configuration: Site.Source, status: SourceStatus)] {
        sources.withLock { Array($0.values) }.sorted { $0.configuration.name < $1.configuration.name }.compactMap { source in
            (source.running?.status() ?? source.status).map { (source.configuration, $0) }
        }
    }

    /// Takes a batch in with its cursor.
    /// - Returns: whether it changed anything.
    func take(_ batch: MasterBatch, from source: String) async throws(OperationError) -> Bool {
        let outcome = try await importMaster(
            batch.rows, source: "source \(source)", dryRun: false, client: nil, snapshot: batch.snapshot,
            cursor: batch.cursor.isEmpty ? nil : (source, batch.cursor))
        return !outcome.changes.isEmpty
    }

    /// Says once that somebody must look at what a source sends. Why stands in its status: log and journal quote no people.
    func reportRefusal(from source: String) async {
        do throws(OperationError) {
            try await committed { loop, answer in
                try loop.perform(.reportRefusedMaster(source: source), by: "gateway", answer: answer)
            }
        } catch {
            logger.error("not recorded that master data were refused", metadata: ["source": "\(source)", "error": "\(error)"])
        }
    }

    /// The service as a source's thread sees it: each call waits there, where waiting harms nobody.
    fileprivate struct Intake: MasterIntake {
        weak var service: GatewayService?

        func cursor(of source: String) throws(MasterIntakeError) -> String? {
            guard let service else { throw .notStored("the gateway is ending") }
            do throws(StoreError) { return try service.masterStore.cursor(of: source) } catch { throw .notStored(error.description) }
        }

        func hasPassed(_ cursor: String, of source: String) throws(MasterIntakeError) -> Bool {
            guard let service else { throw .notStored("the gateway is ending") }
            do throws(StoreError) { return try service.masterStore.hasPassed(cursor, of: source) } catch {
                throw .notStored(error.description)
            }
        }

        func take(_ batch: MasterBatch, from source: String) throws(MasterIntakeError) -> Bool {
            try waiting { (service) throws(OperationError) in try await service.take(batch, from: source) }
        }

        func reportRefusal(from source: String) {
            _ = try? waiting { (service) throws(OperationError) in
                await service.reportRefusal(from: source)
                return true
            }
        }

        func reportComplete(from source: String) {
            _ = try? waiting { (service) throws(OperationError) in
                await service.noteMasterComplete(from: source)
                return true
            }
        }

        private func waiting(
            _ body: @escaping @Sendable (GatewayService) async throws(OperationError) -> Bool
        ) throws(MasterIntakeError) -> Bool {
            guard let service else { throw .notStored("the gateway is ending") }
            let promise = service.loop.makePromise(of: Bool.self)
            promise.completeWithTask { try await body(service) }
            do { return try promise.futureResult.wait() } catch let error as OperationError {
                let reason = ([error.detail] + error.problems.prefix(5).map(\.text)).joined(separator: "; ")
                throw error.code == .invalid ? .refused(reason) : .notStored(reason)
            } catch { throw .notStored("\(error)") }
        }
    }
}

extension Site.Source {
    /// What takes it in on threads of its own; nil for a folder, which has none.
    fileprivate func running(for service: GatewayService, gateway: Site.Gateway) throws(DeliveryError) -> (any MasterSource)? {
        let intake = GatewayService.Intake(service: service)
        let told: @Sendable (SourceStatus) -> Void = { [logger = service.logger] status in
            let metadata: Logger.Metadata = ["source": "\(status.name)", "state": "\(status.state.rawValue)"]
            if status.state == .refused {
                logger.error("master data refused; `stockgate status` says why", metadata: metadata)
            } else if let error = status.lastError {
                logger.warning("master data do not come", metadata: metadata.merging(["error": "\(error)"]) { $1 })
            } else {
                logger.notice("master data come again", metadata: metadata)
            }
        }
        switch kind {
        case .folder: return nil
        case .pull(let pull): return try MasterPull(name: name, pull, intake: intake, onChange: told)
        case .mqtt(let broker): return MasterPush(name: name, broker, gateway: gateway, intake: intake, onChange: told)
        }
    }
}

/// Looks into the folders of the sources.
struct MasterFolders: Service {
    let service: GatewayService
    static let interval = Duration.seconds(2)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var folders: [String: MasterFolder] = [:]
            while !Task.isCancelled {
                let sources = service.sources.withLock { $0.values.map(\.configuration) }
                for source in sources {
                    guard case .folder(let path) = source.kind else { continue }
                    var folder = folders[source.name] ?? MasterFolder(path: path)
                    if folder.path != path { folder = MasterFolder(path: path) }
                    await service.lookInto(&folder, of: source.name)
                    folders[source.name] = folder
                }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }
}

extension GatewayService {
    fileprivate func lookInto(_ folder: inout MasterFolder, of source: String) async {
        do throws(MasterFolderError) {
            for name in try folder.look() {
                guard try await takeIn(name, of: &folder, source: source) else { return }
            }
            try folder.settleUnmoved()
            noteFolder(source) { status in
                status.state = .current
                status.lastError = nil
            }
        } catch {
            note(source, error.description, state: .backingOff)
        }
    }

    /// - Returns: false when the store cannot take it now: it stays for the next look.
    private func takeIn(_ name: String, of folder: inout MasterFolder, source: String) async throws(MasterFolderError) -> Bool {
        let file = "\(folder.path)/\(name)"
        var reasons: [String]?
        do throws(OperationError) {
            let read = try await blocking { Result { () throws(MasterFolderError) in try MasterFolder.read(file) } }
            switch read {
            case .success(let batch):
                let isChange = try await take(batch, from: source)
                if !batch.hasMore { await noteMasterComplete(from: source) }
                noteFolder(source) { $0.batches += isChange ? 1 : 0 }
                logger.notice("master data taken in", metadata: ["source": "\(source)", "file": "\(name)"])
            case .failure(let error): reasons = error.reasons
            }
        } catch {
            guard error.code == .invalid else {
                note(source, error.detail, state: .backingOff)
                return false
            }
            reasons = [error.detail] + error.problems.map(\.text)
        }
        if let reasons {
            logger.error(
                "master data refused; the reasons are beside the file",
                metadata: ["source": "\(source)", "file": "\(folder.path)/\(MasterFolder.refused)/\(name)", "reasons": "\(reasons.count)"])
            await reportRefusal(from: source)
        }
        try folder.settle(name, reasons: reasons)
        return true
    }

    private func note(_ source: String, _ problem: String, state: SourceStatus.State) {
        let isNew = noteFolder(source) { status in
            defer { (status.state, status.lastError) = (state, problem) }
            return status.lastError != problem
        }
        if isNew == true { logger.warning("master data do not come", metadata: ["source": "\(source)", "error": "\(problem)"]) }
    }

    @discardableResult
    private func noteFolder<Result>(_ source: String, _ change: (inout SourceStatus) -> Result) -> Result? {
        sources.withLock { sources in
            guard var status = sources[source]?.status else { return nil }
            defer { sources[source]?.status = status }
            return change(&status)
        }
    }
}

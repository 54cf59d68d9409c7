import Control
import Devices
import Glibc
import Ledger
import Logging
import NIOCore
import NIOPosix
import Profiles
import Readings
import ServiceLifecycle
import SiteConfiguration
import Store
import UnixSignals

/// The daemon from start to end: opens the store, starts the engine, the destinations and the API, and closes them in reverse order.
public enum Daemon {
    /// Exit codes of `stockgated` (sysexits.h).
    public enum ExitCode: Int32, Error {
        case success = 0
        /// Another instance has the store or socket.
        case unavailable = 69
        case failed = 70
        /// Something of the system is missing: a folder, a right.
        case systemError = 71
        /// The site file is wrong.
        case configuration = 78
    }

    /// Runs until SIGTERM or SIGINT; SIGHUP reloads the configuration.
    /// - Parameter clockAhead: nil but in demonstrations and tests.
    public static func run(configuration path: String, clockAhead: ClockAhead? = nil, logger: Logger) async -> ExitCode {
        let notifier = ServiceNotifier(environment: environmentVariables())
        let site: Site
        switch SiteFile.load(path: path) {
        case .success(let loaded): site = loaded
        case .failure(let problems):
            for problem in problems.problems { logger.critical("site file", metadata: ["problem": "\(problem)"]) }
            return .configuration
        }
        let library = ProfileLibrary(directories: site.gateway.profileDirectories)
        let problems = SiteCheck.missing(in: site, library) + SiteCheck.impossible(in: site, library)
        for problem in problems { logger.critical("site file", metadata: ["problem": "\(problem)"]) }
        guard problems.isEmpty else { return .configuration }
        // The ledger, its backups and recordings hold names: nobody else reads them.
        umask(0o027)
        WallClock.set(timeZone: site.gateway.timeZone)
        if let clockAhead { logger.warning("the time is made up, for a demonstration", metadata: ["file": "\(clockAhead.path)"]) }
        do {
            return try await run(site, path: path, clockAhead: clockAhead, notifier: notifier, logger: logger)
        } catch let error as StoreError {
            logger.critical("the store cannot be used", metadata: ["error": "\(error)"])
            return error.code == .locked ? .unavailable : .systemError
        } catch {
            logger.critical("ended by an error", metadata: ["error": "\(error)"])
            return .failed
        }
    }

    private static func run(
        _ site: Site, path: String, clockAhead: ClockAhead?, notifier: ServiceNotifier, logger: Logger
    ) async throws -> ExitCode {
        // A recovery, a new schema or a look through a large file takes its time; killed, it would begin again for ever.
        let patience = Task {
            while !Task.isCancelled {
                notifier.extendTimeout(seconds: 90)
                try? await Task.sleep(for: .seconds(30))
            }
        }
        defer { patience.cancel() }
        let (store, state, lastHash) = try EventStore.opened(
            directory: site.gateway.stateDirectory, gateway: site.gateway.code, backups: site.gateway.backups
        ) { UInt64.random(in: .min ... .max) }
        let (masterStore, rescue) = try MasterStore.opened(
            directory: site.gateway.stateDirectory, gateway: site.gateway.code, backups: site.gateway.backups)
        if let rescue {
            logger.critical(
                "the master data were damaged",
                metadata: [
                    "reason": "\(rescue.reason)", "damaged": "\(rescue.setAside)",
                    "taken from": "\(rescue.backup ?? "nowhere: import them again")",
                ])
        }
        let index = try EventIndex(directory: site.gateway.stateDirectory)
        let master = try loadMaster(masterStore, logger: logger)
        let library = ProfileLibrary(directories: site.gateway.profileDirectories)
        for problem in library.problems { logger.error("profile not used", metadata: ["problem": "\(problem)"]) }

        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        // Opening a sick USB device can block for seconds: such threads are lent to nobody else.
        let pool = NIOThreadPool(numberOfThreads: 4)
        pool.start()
        let loop = group.next()
        let service = try await loop.submit { () -> GatewayService in
            let engineLoop = EngineLoop(
                loop: loop, pool: pool, site: site, library: library, store: store, loaded: .init(state, lastHash: lastHash),
                master: master, masterDigest: masterStore.version.digest, clockAhead: clockAhead, logger: logger)
            let service = GatewayService(
                configurationPath: path, engineLoop: NIOLoopBound(engineLoop, eventLoop: loop), loop: loop, store: store,
                masterStore: masterStore, index: index, reminders: engineLoop.reminders, logger: logger)
            engineLoop.eventsCommitted = { [weak service] _ in service?.wakeDeliveries() }
            for device in site.devices { service.show(device.name, .absent(reason: "not seen since the start")) }
            engineLoop.storeDamaged = { [weak service] error in service?.damage.continuation.yield(error) }
            engineLoop.deviceChanged = { [weak service] name, state in service?.show(name, state) }
            engineLoop.start()
            return service
        }.get()
        do throws(OperationError) { try await service.recordMasterVersion(state) } catch {
            // A full disk must not keep the gate shut; the next start or import records it.
            logger.error("the version of the master data is not recorded", metadata: ["error": "\(error)"])
        }
        await service.recordRecovery()
        patience.cancel()
        service.startDeliveries(of: site)
        await service.loadMasterAge()
        service.startSources(of: site)
        let monitor = startMonitor(service, logger: logger)

        let diagnosis = PeerDiagnosis(environment: environmentVariables())
        let control = ControlServer(
            path: site.gateway.controlSocket, operations: service, diagnosis: diagnosis, logger: logger
        ) {
            logger.info("ready", metadata: ["socket": "\(site.gateway.controlSocket)", "events": "\(store.lastSequence)"])
            notifier.ready(status: "\(site.stations.count) stations, \(site.devices.count) devices")
        }
        let services = ServiceGroup(
            configuration: .init(
                services: [
                    .init(
                        service: control, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup),
                    .init(service: Watchdog(service: service, notifier: notifier)),
                    .init(service: Reloader(service: service, notifier: notifier)),
                    .init(service: MasterFolders(service: service)),
                    .init(service: Housekeeping(service: service)),
                    .init(service: DamageWatch(service: service), failureTerminationBehavior: .gracefullyShutdownGroup),
                ], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet(logger)))
        var failure: (any Error)?
        do { try await services.run() } catch { failure = error }

        notifier.stopping()
        logger.info("ending")
        monitor?.stop()
        try await service.onLoop { $0.stop() }.get()
        service.stopDeliveries()
        service.stopSources()
        if !store.close() { logger.error("the disk did not take everything in time") }
        masterStore.close()
        index.close()
        try await group.shutdownGracefully()
        try await pool.shutdownGracefully()
        if let failure {
            logger.critical("ended by an error", metadata: ["error": "\(failure)"])
            return failure is ControlSocketError ? .unavailable : .failed
        }
        return .success
    }

    private static func startMonitor(_ service: GatewayService, logger: Logger) -> DeviceMonitor? {
        let monitor = DeviceMonitor()
        do throws(DeviceError) {
            try monitor.start { event in service.take(event) }
            return monitor
        } catch {
            logger.warning("udev is not there; devices with a port are found all the same", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// A row that this version refuses is left out and named: stored master data must never keep a gateway from starting.
    private static func loadMaster(_ store: MasterStore, logger: Logger) throws -> MasterData {
        var rows = try store.load()
        while true {
            do throws(MasterRefusal) {
                var master = try MasterData().applying(rows)
                master.version = store.version.number
                return master
            } catch {
                for problem in error.problems { logger.error("master data row not used", metadata: ["problem": "\(problem)"]) }
                let bad = Set(error.problems.map(\.row))
                guard !bad.isEmpty else { throw error }
                rows = rows.enumerated().filter { !bad.contains($0.offset) }.map(\.element)
            }
        }
    }

    private static func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return quiet
    }

    private static func environmentVariables() -> [String: String] {
        var variables: [String: String] = [:]
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] {
            if let value = getenv(name) { variables[name] = String(cString: value) }
        }
        return variables
    }
}

/// Feeds systemd's watchdog with progress: a token goes through the engine loop and the store's writer and comes back here.
struct Watchdog: Service {
    let service: GatewayService
    let notifier: ServiceNotifier

    func run() async throws {
        guard let interval = notifier.watchdogInterval else { return try await gracefulShutdown() }
        await cancelWhenGracefulShutdown {
            while true {
                // A loop or writer that hangs never answers, so the watchdog goes hungry and systemd acts.
                await service.passToken()
                notifier.feedWatchdog()
                try? await Task.sleep(for: interval)
                if Task.isCancelled { return }
            }
        }
    }
}

/// Reads the configuration again on SIGHUP.
struct Reloader: Service {
    let service: GatewayService
    let notifier: ServiceNotifier

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) {
                notifier.reloading()
                do throws(OperationError) {
                    let outcome = try await service.reload()
                    service.logger.notice("reloaded", metadata: ["changed": "\(outcome.changed.joined(separator: ", "))"])
                } catch {
                    service.logger.error("not reloaded, nothing was changed", metadata: ["error": "\(error)"])
                    for problem in error.problems { service.logger.error("site file", metadata: ["problem": "\(problem.text)"]) }
                }
                notifier.ready(status: "reloaded")
            }
        }
    }
}

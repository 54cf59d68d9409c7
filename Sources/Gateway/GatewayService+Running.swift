import Control
import Devices
import Logging
import NIOCore
import Profiles
import Readings
import SiteConfiguration
import Store

/// What the running daemon asks of the gateway: nodes that came, the watchdog's token, a new configuration.
extension GatewayService {
    func take(_ event: DeviceMonitor.Event) {
        nodeEvent(event)
        loop.execute { [self] in
            withEngineLoop { engineLoop in
                switch event {
                case .appeared(let node): engineLoop.supervisor.nodeAppeared(node)
                case .disappeared(let node): engineLoop.supervisor.nodeDisappeared(node)
                case .enumerated, .unavailable: break
                }
            }
        }
    }

    /// Engine loop → store writer → here.
    func passToken() async {
        let store = store
        _ = try? await onLoop { _ in }
        await withCheckedContinuation { continuation in
            store.probe(token: 0) { _ in continuation.resume() }
        }
    }

    /// Reads the site file and the profiles again, all or nothing.
    func reload() async throws(OperationError) -> ReloadOutcome {
        await reloads.enter()
        let outcome: Result<ReloadOutcome, OperationError>
        do throws(OperationError) { outcome = .success(try await reloadInTurn()) } catch { outcome = .failure(error) }
        await reloads.leave()
        return try outcome.get()
    }

    private func reloadInTurn() async throws(OperationError) -> ReloadOutcome {
        let site: Site
        switch SiteFile.load(path: configurationPath).flatMap(SiteCheck.checked) {
        case .success(let loaded): site = loaded
        case .failure(let problems):
            throw OperationError(
                .invalid, "the site file is wrong; nothing was changed", problems: problems.problems.map { .init($0.description) })
        }
        let old = try await look { $0.site }
        let fixed = [
            ("code", old.gateway.code == site.gateway.code), ("state_directory", old.gateway.stateDirectory == site.gateway.stateDirectory),
            ("control_socket", old.gateway.controlSocket == site.gateway.controlSocket),
            ("time_zone", old.gateway.timeZone == site.gateway.timeZone),
        ].filter { !$0.1 }.map { "gateway.\($0.0): needs a restart" }
        guard fixed.isEmpty else {
            throw OperationError(.invalid, "a reload cannot change this; nothing was changed", problems: fixed.map { .init($0) })
        }
        let library = ProfileLibrary(directories: site.gateway.profileDirectories)
        for problem in library.problems { logger.error("profile not used", metadata: ["problem": "\(problem)"]) }
        do { try await onLoop { try $0.reconfigure(site, library: library) }.get() } catch {
            throw OperationError(.unavailable, "the store is busy; try again: \(error)")
        }
        // The new engine has not heard how old the master data are, and other sources may count now.
        await tellMasterAgeAnew()
        // Ending a delivery waits for its thread.
        try await blocking { [self] in
            startDeliveries(of: site)
            startSources(of: site)
        }
        return ReloadOutcome(changed: old.differences(to: site))
    }
}

extension Site {
    /// Devices, stations and destinations that came, went or changed.
    func differences(to new: Site) -> [String] {
        func compare<Value: Equatable>(_ kind: String, _ old: [Value], _ new: [Value], _ name: (Value) -> String) -> [String] {
            let before = Dictionary(old.map { (name($0), $0) }, uniquingKeysWith: { first, _ in first })
            let after = Dictionary(new.map { (name($0), $0) }, uniquingKeysWith: { first, _ in first })
            return Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted().map { "\(kind) \($0)" }
        }
        return compare("device", devices, new.devices, \.name) + compare("station", stations, new.stations, \.name)
            + compare("destination", destinations, new.destinations, \.name) + compare("source", sources, new.sources, \.name)
            + (policy == new.policy ? [] : ["policy"])
            + (gateway == new.gateway ? [] : ["gateway"])
    }
}

import Control
import Ledger
import Logging
import Readings
import SiteConfiguration
import Store
import Synchronization

/// When the master data were last known to be all there is: what rules with `master_hours` go by.
struct MasterAge: Sendable {
    /// By source; an import by hand has an empty name.
    var seen: [String: WallTime] = [:]
    /// What the ledger was told last.
    var told: WallTime?

    static let byHand = ""
    /// Ages are counted in hours, and a source may be asked every few seconds: in milliseconds.
    static let grain: Int64 = 300_000

    /// - Parameter sources: of the site.
    /// - Returns: nil while one of those that are asked, or push, has never said so: what it has is missing.
    func all(of sources: [Site.Source]) -> WallTime? {
        let active = sources.filter { if case .folder = $0.kind { false } else { true } }.map(\.name)
        func older(_ left: WallTime, _ right: WallTime) -> Bool { left.milliseconds < right.milliseconds }
        // Nobody can ask a folder or a person: what came last is all there is.
        guard !active.isEmpty else { return seen.values.max(by: older) }
        let times = active.compactMap { seen[$0] }
        return times.count == active.count ? times.min(by: older) : nil
    }
}

extension GatewayService {
    /// At start: what was known before.
    func loadMasterAge() async {
        do {
            let stored = try await blocking { [masterStore] in try masterStore.seen() }
            masterAge.withLock { $0.seen = stored.compactMapValues(WallTime.init(rfc3339:)) }
            await tellMasterAge()
        } catch {
            logger.warning("when master data were complete is not known", metadata: ["error": "\(error)"])
        }
    }

    /// A source said that there is nothing more, or somebody imported.
    func noteMasterComplete(from source: String) async {
        do throws(OperationError) {
            let now = try await look { $0.wallTime }
            // The age of anything is unknown by a clock that was never set.
            guard now.quality != .unknown else { return }
            let isNew = masterAge.withLock { age in
                if let old = age.seen[source], (0..<MasterAge.grain).contains(now.milliseconds - old.milliseconds) { return false }
                age.seen[source] = now
                return true
            }
            guard isNew else { return }
            await tellMasterAge()
            try await blocking { [masterStore] in try masterStore.setSeen(source, at: now.rfc3339) }
        } catch {
            // The next answer of the source says it again.
            logger.debug("when master data were complete is not kept", metadata: ["source": "\(source)", "error": "\(error)"])
        }
    }

    /// Tells a ledger that has heard nothing of it.
    func tellMasterAgeAnew() async {
        masterAge.withLock { $0.told = nil }
        await tellMasterAge()
    }

    /// Tells the ledger, which makes no event of it.
    func tellMasterAge() async {
        do throws(OperationError) {
            let sources = try await look { $0.site.sources }
            let news = masterAge.withLock { age -> WallTime? in
                guard let seen = age.all(of: sources), seen != age.told else { return nil }
                age.told = seen
                return seen
            }
            guard let news else { return }
            try await committed { loop, answer in try loop.perform(.noteMaster(seen: news), by: "gateway", answer: answer) }
        } catch {
            masterAge.withLock { $0.told = nil }
            logger.debug("the ledger does not know how old the master data are", metadata: ["error": "\(error)"])
        }
    }
}

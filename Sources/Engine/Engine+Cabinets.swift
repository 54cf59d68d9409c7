import Decoding
import Ledger
import Readings
import SiteConfiguration
import Stations

extension Engine {
    /// A badge was held at a cabinet.
    mutating func take(_ badge: BadgeRead, cabinet index: Int, into output: inout EngineOutput) {
        let name = cabinets[index].name
        guard !isPaused(name) else { return }
        // An opening that cannot be recorded is not invited.
        guard !isStale else { return give(.notRecorded, at: name, into: &output) }
        let result = cabinets[index].badge(ledger.mayOpen(badge.credential, station: name, at: wallTime), at: now)
        guard result.unlocks, !unlock(name, into: &output) else { return take(result, station: name, into: &output) }
        cabinets[index].withdrawOffer()
        give(.refused, at: name, into: &output)
    }

    /// Opens the lock of a cabinet for a moment.
    /// - Returns: false when nobody can hear it.
    private mutating func unlock(_ station: String, into output: inout EngineOutput) -> Bool {
        guard case .cabinet(let cabinet)? = site.stations.first(where: { $0.name == station })?.kind, let lock = cabinet.lock,
            let index = site.deviceIndex(named: lock.device)
        else { return false }
        let slot = Int(index.rawValue)
        guard devices[slot].session != nil else {
            // In a capture of readings no device can be spoken to; live, a device without a session is not there.
            let door = site.deviceIndex(named: cabinet.door.device).map { devices[Int($0.rawValue)] }
            guard let door, door.session == nil, door.state.isReading else { return false }
            output.happenings.append(.feedback(station: station, lock.pulse))
            return true
        }
        var session = SessionOutput()
        guard devices[slot].state.isReading, devices[slot].session?.give(lock.pulse, at: now, into: &session) == true else { return false }
        for bytes in session.transmissions { output.transmissions.append(.init(device: index, bytes: bytes)) }
        output.happenings.append(.feedback(station: station, lock.pulse))
        return true
    }
}

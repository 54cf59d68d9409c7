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
        // An opening that cannot be recorded is not invited; but who stands at the open door must be known all the same.
        guard !isStale || cabinets[index].stage == .open else { return give(.notRecorded, at: name, into: &output) }
        var result = cabinets[index].badge(
            badge.credential, ledger.mayOpen(badge.credential, station: name, at: wallTime), at: now)
        if isStale { result.feedback = .notRecorded }
        take(result, cabinet: index, into: &output)
    }

    /// Does what a cabinet wants, its lock first.
    private mutating func take(_ result: StationOutput, cabinet index: Int, into output: inout EngineOutput) {
        var result = result
        let name = cabinets[index].name
        if result.unlocks, !unlock(name, into: &output) {
            cabinets[index].withdrawOffer()
            result.feedback = .refused
        }
        take(result, station: name, into: &output)
    }

    /// - Throws: `CommandRefusal` when nobody can be let in now.
    func checkUnlocking(_ station: String) throws(CommandRefusal) {
        guard let cabinet = cabinets.first(where: { $0.name == station }) else { return }
        switch cabinet.obstacle {
        case nil: break
        case .open: throw CommandRefusal(.conflict, "\(station) is open")
        case .blind: throw CommandRefusal(.conflict, "\(station): its reader is not reading, so nobody would know what was taken")
        case .unwatched: throw CommandRefusal(.conflict, "\(station): its door is not watched, so nobody would know that it was opened")
        }
        guard lock(of: station).map({ hears($0.device) }) ?? false else {
            throw CommandRefusal(.conflict, "\(station): its lock does not answer")
        }
    }

    /// That somebody is let in is on the disk: now the lock opens.
    mutating func admit(_ admission: Admission, into output: inout EngineOutput) {
        guard let index = cabinets.firstIndex(where: { $0.name == admission.station }), mode(of: admission.station) == .running else {
            return
        }
        take(cabinets[index].admit(admission.party, asked: admission.asked, at: now), cabinet: index, into: &output)
    }

    private func lock(of station: String) -> Site.Cabinet.Lock? {
        guard case .cabinet(let cabinet)? = site.stations.first(where: { $0.name == station })?.kind else { return nil }
        return cabinet.lock
    }

    /// In a capture of readings no device can be spoken to; live, a device without a session is not there.
    private func hears(_ device: String) -> Bool {
        site.deviceIndex(named: device).map { devices[Int($0.rawValue)] }.map { $0.session == nil || $0.state.isReading } ?? false
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

import Control
import Devices
import Engine
import Presence
import Profiles
import Readings
import SiteConfiguration
import Stations

extension EngineLoop {
    var wallTime: WallTime { engine.wallTime(at: BootClock.now()) }

    /// nil while the wall clock is not known.
    func wallTime(at instant: Instant) -> WallTime? {
        let time = engine.wallTime(at: instant)
        return time.quality == .unknown ? nil : time
    }

    /// Why a station that runs decides nothing; nil: it does.
    func reasonToStop(_ station: Site.Station) -> String? {
        if engine.isStale { return "the store cannot be written" }
        let blind = station.inputDevices.filter { name in
            engine.devices.first { $0.name == name }.map { !$0.state.isReading } ?? true
        }
        switch station.kind {
        case .gate(let gate):
            let readers = blind.filter { name in gate.antennas.contains { $0.device == name } }
            return readers.isEmpty ? nil : "reader \(readers.joined(separator: ", ")) is not reading"
        case .putaway(let putaway):
            return putaway.scanners.allSatisfy(blind.contains) ? "no scanner is there" : nil
        case .cabinet(let cabinet):
            let needed = blind.filter { !cabinet.badgeReaders.contains($0) }
            return needed.isEmpty ? nil : "\(needed.joined(separator: ", ")) is not reading"
        case .dwell: return blind.isEmpty ? nil : "reader \(blind.joined(separator: ", ")) is not reading"
        }
    }

    /// What is odd about a station: how its readers are set, and what its reads have shown.
    func hints(for station: Site.Station) -> [StationHint] {
        let readers = Set(station.readers)
        let unsuited = site.devices.filter { readers.contains($0.name) && !station.kind.suits($0.radio.intent) }
        let gate = engine.gates.first { $0.name == station.name }
        let shown = gate?.hints(at: BootClock.now()) ?? []
        return unsuited.map { StationHint("intent", device: $0.name) }
            + shown.map { hint in
                switch hint {
                case .oneSided: StationHint("one_sided")
                case .noSignalLevels: StationHint("no_signal_levels")
                case .sidesAlike: StationHint("sides_alike")
                case .tagsFallSilent: StationHint("tags_fall_silent")
                case .silentAntenna(let antenna): StationHint("silent_antenna", device: gate?.name(ofAntenna: antenna))
                case .slowReturn(let antenna, let time):
                    StationHint("slow_return", device: gate?.name(ofAntenna: antenna), milliseconds: time.milliseconds)
                }
            }
    }

    /// Why a device is not used though it may be there: its profile is broken, or the site wants what its model cannot do.
    func obstacle(to name: String) -> String? {
        guard let device = site.devices.first(where: { $0.name == name }) else { return nil }
        if let problem = SiteCheck.broken(device, library) ?? SiteCheck.unreachable(device, library) { return problem.reason }
        let profile = supervisor.statuses.first { $0.name == name }?.profile.flatMap { library[$0] }
        return profile?.problems(of: device.radio).first?.description
    }

    /// Which profile a device of the site, or any node, has and why.
    /// - Parameter nodes: what udev shows.
    func profileReport(of name: String, nodes: [DeviceNode]) -> ProfileReport? {
        let device = site.devices.first { $0.name == name }
        let status = supervisor.statuses.first { $0.name == name }
        let node = status?.node ?? nodes.first { $0.answers(to: device?.port ?? name) }
        guard device != nil || node != nil else { return nil }
        let explanation = node.map { library.match(properties: $0.matchedProperties) }
        let candidates = (explanation?.candidates ?? []).map { candidate -> ProfileReport.Candidate in
            switch candidate.result {
            case .matched(let properties): .init(profile: candidate.profile, result: .matched(properties: properties))
            case .failed(let property, let expected, let found):
                .init(profile: candidate.profile, result: .failed(property: property, expected: expected, found: found))
            case .bindOnly: .init(profile: candidate.profile, result: .bindOnly)
            }
        }
        if let profile = device?.profile {
            let reason = library[profile] == nil ? "named in the site file, but there is no such profile" : "named in the site file"
            return ProfileReport(device: name, profile: library[profile]?.id, reason: reason, candidates: candidates)
        }
        guard let explanation else {
            return ProfileReport(
                device: name, profile: nil, reason: "no node that udev shows agrees with the site file's match", candidates: [])
        }
        let reason: String
        switch explanation.outcome {
        case .matched: reason = "its udev properties agree with the profile's"
        case .ambiguous(let profiles): reason = "ambiguous: \(profiles.joined(separator: ", ")) agree equally; name one in the site file"
        case .none: reason = "no profile's properties agree; name one in the site file"
        }
        return ProfileReport(device: name, profile: explanation.profile, reason: reason, candidates: candidates)
    }
}

extension DeviceStatus {
    /// What a technician should know although the device works.
    var remarks: [String] {
        guard !rivals.isEmpty else { return notes }
        return notes + [
            "\(rivals.count) nodes match (\(rivals.prefix(4).joined(separator: ", "))): add ID_PATH to its match, so that it gets its own"
        ]
    }

    /// Why a device is not open.
    var absence: String? {
        // Why it could not be opened says more than that it was not; but what went wrong on a node that is gone says nothing of now.
        state == .waiting ? stateAbsence : lastError ?? stateAbsence
    }

    private var stateAbsence: String? {
        switch state {
        case .waiting: portHolder.map { "port is in use by \($0)" } ?? "not plugged in"
        case .opening:
            if case .tcp(let endpoint) = transport, endpoint.listens { "it has not called yet" } else { "being opened" }
        case .stopped: "the gateway is ending"
        case .open, .closing, .backingOff: nil
        }
    }
}

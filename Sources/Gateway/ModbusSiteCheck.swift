import Decoding
import Devices
import Profiles
import SiteConfiguration

/// What only the profiles can tell of the Modbus units of a site: whether each can be addressed, and whether those on one bus agree.
enum ModbusSiteCheck {
    static func problems(of site: Site, _ library: ProfileLibrary) -> [TOMLProblem] {
        var problems: [TOMLProblem] = []
        var first: [String: (unit: ModbusUnit, device: String)] = [:]
        var taken: [String: String] = [:]
        for device in site.devices {
            guard let profile = device.profile.flatMap({ library[$0] }), case .modbus = profile.decoder else { continue }
            func problem(_ key: String, _ reason: String) {
                problems.append(SiteCheck.problem(device, key, reason))
            }
            guard let unit = profile.modbusUnit(for: device) else { continue }
            if unit.unit > 247, unit.unit != 255 { problem("unit", "\(unit.unit) is no address: 1 to 247, over TCP also 0 and 255") }
            if case .serial = unit.bus, !(1...247).contains(unit.unit) { problem("unit", "must be between 1 and 247 on a serial line") }
            // By the name that the kernel has for the port: a link and its target are one line.
            let (bus, real) = ("\(unit.bus)", unit.bus.resolved)
            let (line, address) = ("\(real)", "\(real)#\(unit.unit)")
            if let other = taken[address] { problem("unit", "\(other) is unit \(unit.unit) on \(bus) already") }
            if let other = first[line], other.unit.bus.resolved != real {
                problem("baud", "\(bus) has other line settings for \(other.device): all units of a bus talk alike")
            }
            taken[address] = taken[address] ?? device.name
            first[line] = first[line] ?? (unit, device.name)
        }
        return problems
    }

    /// What a device lacks to be found.
    static func missing(_ device: Site.Device, _ profile: DeviceProfile) -> DeviceBinding.Contradiction {
        if let network = device.network {
            return network.listens
                ? .init(key: "listen", reason: "a Modbus device is called, so it needs address")
                : .init(key: "address", reason: "\(profile.id) is on a serial line: it needs port")
        }
        guard device.port != nil else { return .init(key: "port", reason: "a Modbus device is found by port or address alone") }
        if case .tcp(_, nil) = profile.transport {
            return .init(key: "port", reason: "\(profile.id) is on the network: it needs address")
        }
        return .init(key: "unit", reason: "is missing: a serial line can have many units")
    }
}

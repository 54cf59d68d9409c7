import Decoding
import Devices
import Profiles
import Readings
import SiteConfiguration

/// Joins the devices of the site file with the profiles: which node is which device, and how it is opened.
struct DeviceBinding: Sendable {
    let site: Site
    let library: ProfileLibrary
    /// Counts reloads: each opens every device anew, so that its session begins with the new engine.
    var revision = 0

    var supervised: [SupervisedDevice] {
        site.devices.map { device in
            SupervisedDevice(name: device.name, revision: "\(revision)", source: source(of: device))
        }
    }

    private func source(of device: Site.Device) -> SupervisedDevice.Source {
        if let port = device.port {
            // The site file is checked for it; a profile that disappeared since leaves the device waiting, and `devices` says why.
            guard let match = device.profile.flatMap({ library[$0] }).map({ match($0, for: device) }) else { return .node { _ in nil } }
            return .port(port, match)
        }
        let binding = self
        return .node { node in
            guard
                device.match.allSatisfy({ pattern in
                    node.property(pattern.key).map { MatchRule.matches($0, pattern: pattern.value) } ?? false
                })
            else { return nil }
            let named = device.profile.flatMap { binding.library[$0] }
            // A match in the site file says what the device is; without one the profile's own rules must agree.
            if let named, !device.match.isEmpty {
                return named.transport.subsystem == node.subsystem ? binding.match(named, for: device) : nil
            }
            let found = binding.library.match(properties: node.matchedProperties).profile
            guard let found, named == nil || named?.id == found, let profile = binding.library[found] else { return nil }
            return binding.match(profile, for: device)
        }
    }

    private func match(_ profile: DeviceProfile, for device: Site.Device) -> DeviceMatch {
        switch profile.transport {
        case .evdev: return DeviceMatch(profile: profile.id, transport: .evdev)
        case .hidraw(let hid): return DeviceMatch(profile: profile.id, transport: .hidraw(featureReports: hid.featureReports))
        case .serial(let line), .tcp(_, let line?):
            var line = line
            if let baud = device.baud { line.baud = baud }
            return DeviceMatch(profile: profile.id, transport: .serial(SerialLine(line)))
        case .tcp: fatalError("not built yet")
        }
    }
}

extension DeviceProfile {
    /// What a session of this device of the site is made from.
    func program(for device: Site.Device) -> DeviceProgram { program(radio: device.radio, unit: device.unit) }
}

extension DeviceNode {
    /// The properties by which profiles match, the subsystem among them.
    var matchedProperties: [String: String] { properties.merging(["SUBSYSTEM": subsystem, "DEVNAME": path]) { $1 } }

    func property(_ name: String) -> String? { matchedProperties[name] }
}

extension SerialLine {
    init(_ line: DeviceProfile.SerialLine) {
        self.init(
            baud: UInt32(clamping: line.baud), dataBits: line.dataBits, parity: Parity(rawValue: line.parity.rawValue) ?? .none,
            stopBits: line.stopBits, flowControl: FlowControl(line.flow), dtr: line.dtr, rts: line.rts, openDelay: line.openDelay)
    }
}

extension SerialLine.FlowControl {
    fileprivate init(_ flow: DeviceProfile.SerialLine.Flow) {
        switch flow {
        case .none: self = .none
        case .hardware: self = .hardware
        case .software: self = .software
        }
    }
}

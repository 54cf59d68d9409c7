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
        if device.port != nil || device.network != nil {
            // The site file is checked for it; a profile that disappeared or changed since leaves the device waiting, and `devices`
            // says why.
            guard let match = device.profile.flatMap({ library[$0] }).flatMap({ match($0, for: device) }) else { return .node { _ in nil } }
            let path =
                switch match.transport {
                case .tcp(let endpoint): endpoint.path
                case .modbus(let unit): unit.path
                case .serial, .evdev, .hidraw: device.port ?? ""
                }
            return .port(path, match)
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
                return binding.isFit(node, for: named) ? binding.match(named, for: device) : nil
            }
            let found = binding.library.match(properties: node.matchedProperties).profile
            guard let found, named == nil || named?.id == found, let profile = binding.library[found] else { return nil }
            return binding.match(profile, for: device)
        }
    }

    /// A scanner that types has further event nodes, for keys such as volume: only the one with letters is a keyboard.
    private func isFit(_ node: DeviceNode, for profile: DeviceProfile) -> Bool {
        guard profile.transport.subsystem == node.subsystem else { return false }
        return profile.transport != .evdev || node.property("ID_INPUT_KEYBOARD") == "1"
    }

    private func match(_ profile: DeviceProfile, for device: Site.Device) -> DeviceMatch? {
        guard case .success(let transport) = Self.transport(of: device, profile) else { return nil }
        return DeviceMatch(profile: profile.id, transport: transport)
    }

    /// Why a device cannot be reached in the way that the site file says.
    struct Contradiction: Error, Hashable {
        /// The key of the site file that is at fault.
        var key: String
        var reason: String
    }

    /// How a device of the site with this profile is reached.
    static func transport(of device: Site.Device, _ profile: DeviceProfile) -> Result<DeviceTransport, Contradiction> {
        if case .modbus = profile.decoder {
            guard let unit = profile.modbusUnit(for: device) else { return .failure(ModbusSiteCheck.missing(device, profile)) }
            return .success(.modbus(unit))
        }
        guard let network = device.network else { return localTransport(of: device, profile) }
        if device.baud != nil {
            return .failure(Contradiction(key: "baud", reason: "is set in the device, or in its device server, where there is an address"))
        }
        let key = network.listens ? "listen" : "address"
        let port: UInt16?
        switch profile.transport {
        case .tcp(let profile, _):
            port = network.port ?? (network.tls == nil ? profile.port : profile.tlsPort)
            if port == nil { return .failure(Contradiction(key: key, reason: "needs a port: the profile names none for TLS")) }
        case .serial:
            // The bytes of a serial line, passed on by a device server.
            port = network.port
            if port == nil {
                return .failure(Contradiction(key: key, reason: "needs a port: a device server has one for each serial line"))
            }
        case .evdev, .hidraw:
            return .failure(
                Contradiction(key: key, reason: "the profile \"\(profile.id)\" is of a USB device: there is none on the network"))
        }
        let tls = network.tls.map {
            TLSFiles(
                authorityFile: $0.authorityFile, certificateFile: $0.certificateFile, keyFile: $0.keyFile, serverName: $0.serverName)
        }
        return .success(.tcp(TCPEndpoint(host: network.host, port: port ?? 0, listens: network.listens, tls: tls)))
    }

    private static func localTransport(of device: Site.Device, _ profile: DeviceProfile) -> Result<DeviceTransport, Contradiction> {
        let transport: DeviceTransport
        switch profile.transport {
        case .evdev: transport = .evdev
        case .hidraw(let hid): transport = .hidraw(featureReports: hid.featureReports)
        case .serial(let line), .tcp(_, let line?):
            var line = line
            if let baud = device.baud { line.baud = baud }
            return .success(.serial(SerialLine(line)))
        case .tcp:
            let key = device.port != nil ? "port" : device.match.isEmpty ? "profile" : "match"
            return .failure(
                Contradiction(key: key, reason: "the profile \"\(profile.id)\" is of a device on the network: give its address, or listen"))
        }
        if device.baud != nil { return .failure(Contradiction(key: "baud", reason: "only a serial device has a line speed")) }
        return .success(transport)
    }
}

extension DeviceProfile {
    /// The unit that a device of the site is, and on which bus; nil when it is none, or the site file does not say enough.
    func modbusUnit(for device: Site.Device) -> ModbusUnit? {
        guard case .modbus(let configuration) = decoder else { return nil }
        let bus: ModbusUnit.Bus
        let unit: UInt8?
        if let port = device.port, var line = serialLine {
            if let baud = device.baud { line.baud = baud }
            bus = .serial(path: port, Devices.SerialLine(line))
            unit = device.unit
        } else if let network = device.network, !network.listens, case .tcp(let settings, _) = transport {
            bus = .tcp(host: network.host, port: network.port ?? settings.port)
            unit = device.unit ?? configuration.defaultUnit ?? 1
        } else {
            return nil
        }
        return unit.map {
            ModbusUnit(
                bus: bus, unit: $0, polls: configuration.requests, interval: configuration.interval,
                responseTimeout: configuration.responseTimeout)
        }
    }

    /// The settings of its serial line, where it can have one.
    private var serialLine: DeviceProfile.SerialLine? {
        switch transport {
        case .serial(let line), .tcp(_, let line?): line
        case .evdev, .hidraw, .tcp: nil
        }
    }

    /// What a session of this device of the site is made from.
    /// - Throws: `RadioProblem` when the site file wants of its radio what the model cannot do.
    func program(for device: Site.Device, layouts: [String: KeyboardLayout]) throws(RadioProblem) -> DeviceProgram {
        try program(radio: device.radio, unit: device.unit, layout: device.layout.flatMap { layouts[$0] })
    }
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

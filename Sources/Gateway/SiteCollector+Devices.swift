import Glibc
import Profiles
import Readings
import SiteConfiguration

extension SiteCollector {
    mutating func readDevice(_ table: TOMLTableReader) {
        let name = name(of: table, kind: "device")
        var match: [String: String] = [:]
        if let properties = table.table("match") {
            for key in properties.keys { match[key] = properties.string(key) }
            properties.finish()
        }
        let port = table.string("port", maximum: 4_096)
        let profile = table.string("profile")
        if let port, !port.hasPrefix("/") { table.problem("port", "must be an absolute path such as /dev/ttyUSB0") }
        if port != nil, profile == nil { table.problem("port", "needs a profile beside it: a port does not tell what is behind it") }
        if port != nil, !match.isEmpty { table.problem("match", "stands beside port; one of them says where the device is") }
        if port == nil, match.isEmpty, profile == nil { table.problem(nil, "needs a port, a match or a profile to be found by") }
        let baud = table.integer("baud", in: 50...4_000_000).map(Int.init)
        let network = readNetwork(table)
        if network != nil, port != nil || !match.isEmpty { table.problem("address", "stands beside port or match; one of them says where") }
        if network != nil, profile == nil { table.problem("profile", "is missing: an address does not tell what is behind it") }
        let unit = table.integer("unit", in: 0...255).map { UInt8($0) }
        let radio = table.table("radio").map(RadioSettings.init) ?? RadioSettings()
        let layout = table.string("layout", maximum: 32)
        table.finish()
        checkBus(table, port ?? network.map { "\($0.host):\($0.port ?? 0)" }, unit, baud: baud)
        guard let name else { return }
        devices.append(
            Site.Device(
                name: name, profile: profile, port: port, match: match, baud: baud, network: network, unit: unit, radio: radio,
                layout: layout,
                origin: .init(file: table.document.file, line: table.document.line(of: table.path))))
    }

    /// Devices that share a line have an address each, and one speed.
    mutating func checkBus(_ table: TOMLTableReader, _ bus: String?, _ unit: UInt8?, baud: Int?) {
        guard let bus, let unit else { return }
        let place = "\(table.document.file):\(table.document.line(of: table.path) ?? 0)"
        let others = units[bus, default: []]
        if let other = others.first(where: { $0.unit == unit }) {
            table.problem("unit", "unit \(unit) on \(bus) stands twice, first in \(other.place)")
        }
        if let other = others.first, other.baud != baud {
            table.problem(baud == nil ? nil : "baud", "\(bus) has another speed in \(other.place): all devices of a bus talk alike")
        }
        units[bus, default: []].append((unit, baud, place))
    }

    /// `address = "host:port"` for a device that is called, `listen = "address:port"` for one that calls.
    func readNetwork(_ table: TOMLTableReader) -> Site.Device.Network? {
        let address = table.string("address", maximum: 300)
        let listen = table.string("listen", maximum: 300)
        let tls = table.table("tls").map { reader in
            defer { reader.finish() }
            return Site.Device.TLS(
                authorityFile: reader.string("authority_file"), certificateFile: reader.string("certificate_file"),
                keyFile: reader.string("key_file"), serverName: reader.string("server_name", maximum: 253))
        }
        if address != nil, listen != nil { table.problem("listen", "stands beside address; either we call or the device does") }
        if tls != nil, address == nil, listen == nil { table.problem("tls", "needs an address or listen") }
        if let tls {
            if tls.keyFile != nil, tls.certificateFile == nil { table.problem("tls", "has a key_file without a certificate_file") }
            if listen != nil, tls.certificateFile == nil {
                table.problem("tls", "needs a certificate_file: a device that calls must be shown a certificate")
            }
            // Without authorities its certificate is not even asked for, and the name would be compared with nothing.
            if listen != nil, tls.serverName != nil, tls.authorityFile == nil {
                table.problem("tls", "server_name needs authority_file where the device calls")
            }
        }
        guard let text = address ?? listen else { return nil }
        guard let (host, port) = hostAndPort(text) else {
            table.problem(address == nil ? "listen" : "address", "must be \"host:port\" or \"host\"; an IPv6 address stands in [brackets]")
            return nil
        }
        if listen != nil, !isAddress(host) {
            table.problem("listen", "must begin with an IP address of this machine, or 0.0.0.0 or [::] for all of them")
        }
        return Site.Device.Network(host: host, port: port, listens: address == nil, tls: tls)
    }
}

/// Whether a text is an IPv4 or IPv6 address.
func isAddress(_ text: String) -> Bool {
    var buffer = in6_addr()
    return inet_pton(AF_INET, text, &buffer) == 1 || inet_pton(AF_INET6, text, &buffer) == 1
}

/// Takes `host`, `host:port`, `[::1]` and `[::1]:port` apart; nil for anything else.
func hostAndPort(_ text: String) -> (host: String, port: UInt16?)? {
    var host = Substring(text)
    var rest: Substring = ""
    if text.hasPrefix("[") {
        guard let end = text.firstIndex(of: "]") else { return nil }
        host = text[text.index(after: text.startIndex)..<end]
        rest = text[text.index(after: end)...]
        guard rest.isEmpty || rest.first == ":" else { return nil }
    } else if let colon = text.firstIndex(of: ":") {
        (host, rest) = (text[..<colon], text[colon...])
    }
    guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != 0x2F }) else { return nil }
    guard !rest.isEmpty else { return (String(host), nil) }
    guard let port = UInt16(rest.dropFirst()), port > 0 else { return nil }
    return (String(host), port)
}

extension RadioSettings {
    /// `[device.radio]`
    init(_ table: TOMLTableReader) {
        defer { table.finish() }
        let names = RadioRegion.allCases.filter { !$0.name.isEmpty }
        var region: RadioRegion?
        if let name = table.string("region", maximum: 40) {
            region = names.first { $0.name == name }
            if region == nil { table.problem("region", "must be one of \(names.map(\.name).joined(separator: ", "))") }
        }
        let antennas = table.integers("antennas", in: 1...64, maximumCount: 64) ?? []
        self.init(
            region: region, power: table.number("power_dbm", in: -20...40).map { Int(($0 * 100).rounded()) },
            intent: table.choice("intent") ?? .gate, antennas: antennas.map { UInt8(truncatingIfNeeded: $0) })
    }
}

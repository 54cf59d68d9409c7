import CNIOLinux
import Glibc
import Ledger
import Profiles
import Readings
import SiteConfiguration

/// Reads the site configuration: one file and the drop-ins of the folder beside it.
public enum SiteFile {
    /// Reads `path` and `NAME.d/*.toml` beside it, in the order of their names.
    /// - Returns: the site, or everything that is wrong with it.
    public static func load(path: String) -> Result<Site, SiteProblems> {
        var collector = Collector()
        collector.read(path)
        let folder = path.hasSuffix(".toml") ? path.dropLast(5) + ".d" : path + ".d"
        for name in (try? folderEntries(String(folder)))?.sorted() ?? [] where name.hasSuffix(".toml") {
            collector.read("\(folder)/\(name)")
        }
        return collector.site()
    }

    /// Reads one text, for tests and for `config check -`.
    public static func parse(_ text: String, file: String) -> Result<Site, SiteProblems> {
        var collector = Collector()
        collector.read(text: text, file: file)
        return collector.site()
    }

    /// The whole of a small file; nil with `errno` set.
    static func contents(of path: String, limit: Int = 1 << 20, isText: Bool = true) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= limit {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 { return nil }
            if count == 0 { return isText ? String(validating: bytes, as: UTF8.self) : String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
        errno = EFBIG
        return nil
    }
}

/// Everything that is wrong with a site configuration.
public struct SiteProblems: Error, Sendable, CustomStringConvertible {
    public var problems: [TOMLProblem]

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Gathers the tables of several files into one site, and checks names across them.
private struct Collector {
    var problems: [TOMLProblem] = []
    var gateway: Site.Gateway?
    var policy: LoanPolicy?
    var devices: [Site.Device] = []
    var stations: [Site.Station] = []
    var destinations: [Site.Destination] = []
    /// Where every name was first given.
    private var names: [String: [String: String]] = [:]
    private var firstFile = ""
    /// Devices with an address on a line that they share, by the line.
    private var units: [String: [(unit: UInt8, baud: Int?, place: String)]] = [:]
    /// References to devices, to be checked when all files are read.
    private var references: [(device: String, problem: TOMLProblem)] = []

    mutating func read(_ path: String) {
        guard let text = SiteFile.contents(of: path) else {
            problems.append(TOMLProblem(file: path, line: nil, key: "", reason: "cannot be read: \(String(cString: strerror(errno)))"))
            return
        }
        read(text: text, file: path)
    }

    mutating func read(text: String, file: String) {
        if firstFile.isEmpty { firstFile = file }
        let document: TOMLDocument
        do { document = try TOMLDocument(file: file, text: text) } catch {
            problems.append(error)
            return
        }
        let root = TOMLTableReader(document)
        if let table = root.table("gateway") {
            if gateway != nil { table.problem(nil, "stands in another file already") }
            gateway = readGateway(table) ?? gateway
        }
        if let table = root.table("policy") {
            if policy != nil { table.problem(nil, "stands in another file already") }
            policy = readPolicy(table)
        }
        for table in root.tables("device", maximumCount: 1_000) { readDevice(table) }
        for table in root.tables("station", maximumCount: 1_000) { readStation(table) }
        for table in root.tables("destination") { if let destination = readDestination(table) { destinations.append(destination) } }
        root.finish()
        problems += root.problems
    }

    func site() -> Result<Site, SiteProblems> {
        var all = problems
        if gateway == nil, all.isEmpty { all.append(TOMLProblem(file: firstFile, line: nil, key: "gateway", reason: "is missing")) }
        let known = Set(devices.map(\.name))
        for reference in references where !known.contains(reference.device) { all.append(reference.problem) }
        guard let gateway, all.isEmpty else { return .failure(SiteProblems(problems: all)) }
        return .success(
            Site(gateway: gateway, devices: devices, stations: stations, destinations: destinations, policy: policy ?? LoanPolicy()))
    }

    /// The name of a device, station or destination: it goes into file names, topics and URLs.
    private mutating func name(of table: TOMLTableReader, kind: String) -> String? {
        guard let name = table.string("name", maximum: 64, isRequired: true) else { return nil }
        guard
            name.utf8.allSatisfy({
                ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || [0x2D, 0x2E, 0x5F].contains($0)
            })
        else {
            table.problem("name", "may hold letters, digits, - . _ only")
            return nil
        }
        if let other = names[kind]?[name] {
            table.problem("name", "the \(kind) \"\(name)\" stands twice, first in \(other)")
            return nil
        }
        names[kind, default: [:]][name] = "\(table.document.file):\(table.document.line(of: table.path) ?? 0)"
        return name
    }

    private mutating func deviceNames(_ key: String, in table: TOMLTableReader) -> [String] {
        let names = table.strings(key, maximumCount: 64, maximum: 64) ?? []
        for (index, name) in names.enumerated() { refer(to: name, at: table.path + [.key(key), .index(index)], in: table) }
        return names
    }

    private mutating func refer(to device: String, at path: [TOMLPathStep], in table: TOMLTableReader) {
        references.append((device, table.document.problem(path, "there is no device \"\(device)\"")))
    }

    // MARK: Tables

    private func readGateway(_ table: TOMLTableReader) -> Site.Gateway? {
        defer { table.finish() }
        let defaults = Site.Gateway(code: "", site: "")
        let code = table.string("code", maximum: 8, isRequired: true)
        if let code,
            !(2...8).contains(code.utf8.count) || !code.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x41 && $0 <= 0x5A) })
        {
            table.problem("code", "must be two to eight of A-Z and 0-9: it begins every loan number")
        }
        let site = table.string("site", maximum: 64, isRequired: true)
        var recorder: Site.Recorder?
        if let ring = table.table("recorder") {
            let directory = ring.string("directory", maximum: 4_096, isRequired: true)
            let megabytes = ring.integer("maximum_mb", in: 1...1_000_000) ?? 64
            if let directory { recorder = Site.Recorder(directory: directory, maximumBytes: megabytes << 20) }
            ring.finish()
        }
        let language: Site.Language? = table.choice("language")
        let prefix = table.string("uri_prefix") ?? defaults.uriPrefix
        if !(prefix.hasPrefix("https://") || prefix.hasPrefix("http://") || prefix.hasPrefix("urn:")) || prefix.hasSuffix("/") {
            table.problem("uri_prefix", "must begin with https://, http:// or urn: and not end with /")
        }
        let zone = table.string("time_zone", maximum: 64)
        if let zone, !WallClock.isKnown(timeZone: zone) { table.problem("time_zone", "there is no time zone \"\(zone)\" on this machine") }
        return Site.Gateway(
            code: code ?? "", site: site ?? "", language: language ?? .english, timeZone: zone,
            stateDirectory: table.string("state_directory", maximum: 4_096) ?? defaults.stateDirectory,
            controlSocket: table.string("control_socket", maximum: 100) ?? defaults.controlSocket,
            profileDirectories: table.strings("profiles", maximum: 4_096) ?? defaults.profileDirectories, uriPrefix: prefix,
            recorder: recorder)
    }

    private func readPolicy(_ table: TOMLTableReader) -> LoanPolicy {
        defer { table.finish() }
        var policy = LoanPolicy()
        if let choice: LoanPolicy.WithoutPermit = table.choice("without_permit") { policy.withoutPermit = choice }
        if let days = table.integer("due_days", in: 1...3_650) { policy.dueDays = Int(days) }
        if let hour = table.integer("due_hour", in: 0...23) { policy.dueHour = Int(hour) }
        policy.quota = table.integer("quota", in: 1...10_000).map(Int.init)
        return policy
    }

    private mutating func readDevice(_ table: TOMLTableReader) {
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
    private mutating func checkBus(_ table: TOMLTableReader, _ bus: String?, _ unit: UInt8?, baud: Int?) {
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
    private func readNetwork(_ table: TOMLTableReader) -> Site.Device.Network? {
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

    private mutating func readStation(_ table: TOMLTableReader) {
        let name = name(of: table, kind: "station")
        let location = table.string("location", maximum: 128)
        let feedback = deviceNames("feedback", in: table)
        let owner = table.string("owner", maximum: 64) ?? "storekeeper"
        let hours = table.integer("exception_hours", in: 1...8_760) ?? 24
        let word: StationKind? = table.choice("kind", isRequired: true)
        let kind: Site.Station.Kind?
        switch word {
        case .gate: kind = .gate(readGate(table))
        case .putaway: kind = .putaway(readPutaway(table))
        case nil: kind = nil
        }
        // Without a kind every other key would be called unknown, and hide the one real problem.
        if kind != nil { table.finish() }
        guard let name, let kind else { return }
        stations.append(
            Site.Station(name: name, location: location, feedbackDevices: feedback, owner: owner, exceptionHours: Int(hours), kind: kind))
    }

    private enum StationKind: String, CaseIterable {
        case gate, putaway
    }

    private mutating func readGate(_ table: TOMLTableReader) -> Site.Gate {
        let defaults = Site.Gate(antennas: [])
        var antennas: [Site.Gate.Antenna] = []
        var bare: [TOMLTableReader] = []
        for antenna in table.tables("antenna", maximumCount: 64) {
            let device = antenna.string("device", maximum: 64, isRequired: true)
            let port = antenna.integer("port", in: 1...255, isRequired: true)
            let side: GateSide? = antenna.choice("side", isRequired: true)
            let placement = readPlacement(antenna)
            if placement == nil { bare.append(antenna) }
            antenna.finish()
            if let device { refer(to: device, at: antenna.path + [.key("device")], in: antenna) }
            guard let device, let port, let side else { continue }
            if antennas.contains(where: { $0.device == device && $0.port == UInt8(port) }) {
                antenna.problem("port", "antenna \(port) of \(device) stands twice")
            }
            antennas.append(.init(device: device, port: UInt8(port), side: side, placement: placement))
        }
        if antennas.contains(where: { $0.placement != nil }) {
            for antenna in bare {
                antenna.problem(nil, "has no x_cm, y_cm, facing_deg: either every antenna of a gate has them, or none")
            }
        }
        if Set(antennas.map(\.side)).count < 2, table.tables("antenna", maximumCount: 64).count == antennas.count {
            table.problem("antenna", "a gate needs antennas on both sides, inside and outside, to tell directions apart")
        }
        return Site.Gate(
            antennas: antennas, badgeReaders: deviceNames("badge_readers", in: table),
            quiet: table.integer("quiet_ms", in: 200...60_000).map(Instant.Span.milliseconds) ?? defaults.quiet,
            badgeWindow: table.integer("badge_window_s", in: 1...600).map(Instant.Span.seconds) ?? defaults.badgeWindow,
            geometry: table.choice("geometry") ?? defaults.geometry)
    }

    /// Where an antenna stands: nothing, or the whole of it.
    private func readPlacement(_ antenna: TOMLTableReader) -> AntennaPlacement? {
        let x = antenna.integer("x_cm", in: -1_000...1_000).map(Int16.init(clamping:))
        let y = antenna.integer("y_cm", in: -1_000...1_000).map(Int16.init(clamping:))
        let z = antenna.integer("z_cm", in: 0...1_000).map(Int16.init(clamping:))
        let facing = antenna.integer("facing_deg", in: -180...180).map(Int16.init(clamping:))
        let keys = ["x_cm", "y_cm", "facing_deg"]
        guard (keys + ["z_cm"]).contains(where: antenna.has) else { return nil }
        for key in keys where !antenna.has(key) {
            antenna.problem(key, "is missing: x_cm, y_cm and facing_deg say together where an antenna stands")
        }
        guard let x, let y, let facing else { return nil }
        return z.map { AntennaPlacement(x: x, y: y, z: $0, facing: facing) } ?? AntennaPlacement(x: x, y: y, facing: facing)
    }

    private mutating func readPutaway(_ table: TOMLTableReader) -> Site.Putaway {
        let defaults = Site.Putaway(scanners: [])
        let scanners = deviceNames("scanners", in: table)
        if scanners.isEmpty { table.problem("scanners", "a putaway station needs at least one scanner") }
        return Site.Putaway(
            scanners: scanners, badgeReaders: deviceNames("badge_readers", in: table),
            duplicateWindow: table.integer("duplicate_ms", in: 0...10_000).map(Instant.Span.milliseconds) ?? defaults.duplicateWindow,
            pairTimeout: table.integer("pair_timeout_s", in: 1...3_600).map(Instant.Span.seconds) ?? defaults.pairTimeout)
    }

    private mutating func readDestination(_ table: TOMLTableReader) -> Site.Destination? {
        enum Word: String, CaseIterable { case file, epcis }
        let name = name(of: table, kind: "destination")
        let word: Word? = table.choice("kind", isRequired: true)
        let types = table.strings("types", maximum: 64) ?? []
        for (index, type) in types.enumerated() {
            let isKnown = Event.Body.types.contains { type.hasSuffix("*") ? $0.hasPrefix(type.dropLast()) : $0 == type }
            if !isKnown {
                table.problem(
                    at: table.path + [.key("types"), .index(index)], "no event has the type \"\(type)\"; docs/events.md lists them")
            }
        }
        let certainty: Certainty = table.choice("certainty") ?? .final
        if word == .epcis, certainty == .provisional {
            table.problem("certainty", "must be final: an EPCIS repository forgets nothing that was withdrawn")
        }
        let batch = table.integer("batch", in: 1...10_000).map(Int.init) ?? 500
        var kind: Site.Destination.Kind?
        switch word {
        case .file: kind = table.string("path", maximum: 4_096, isRequired: true).map { .file(path: $0) }
        case .epcis:
            let url = table.string("url", maximum: 2_048, isRequired: true)
            if let url, !url.hasPrefix("http://"), !url.hasPrefix("https://") {
                table.problem("url", "must begin with https:// or http://")
            }
            kind = url.map {
                .epcis(
                    .init(
                        url: $0.hasSuffix("/") ? String($0.dropLast()) : $0, tokenFile: table.string("token_file", maximum: 4_096),
                        authorityFile: table.string("authority_file", maximum: 4_096), usesOnlyCBV: table.bool("cbv_only") ?? false,
                        timeoutSeconds: Int(table.integer("timeout_s", in: 1...600) ?? 30)))
            }
        case nil: break
        }
        if word != nil { table.finish() }
        guard let name, let kind else { return nil }
        return Site.Destination(name: name, kind: kind, types: types, certainty: certainty, batch: batch)
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

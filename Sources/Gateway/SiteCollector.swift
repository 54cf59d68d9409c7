import Glibc
import Profiles
import Readings
import SiteConfiguration

/// Gathers the tables of several files into one site, and checks names across them.
struct SiteCollector {
    var problems: [TOMLProblem] = []
    var gateway: Site.Gateway?
    var policy: LoanPolicy?
    var devices: [Site.Device] = []
    var stations: [Site.Station] = []
    var destinations: [Site.Destination] = []
    var sources: [Site.Source] = []
    /// Where every name was first given.
    var names: [String: [String: String]] = [:]
    var firstFile = ""
    /// Devices with an address on a line that they share, by the line.
    var units: [String: [(unit: UInt8, baud: Int?, place: String)]] = [:]
    /// References to devices, to be checked when all files are read.
    var references: [(device: String, problem: TOMLProblem)] = []

    /// What walk tests found, by station.
    var tunings: [Tuning] = []

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
        for table in root.tables("tuning", maximumCount: 1_000) { readTuning(table) }
        for table in root.tables("destination") { if let destination = readDestination(table) { destinations.append(destination) } }
        for table in root.tables("source", maximumCount: 16) { if let source = readSource(table) { sources.append(source) } }
        root.finish()
        problems += root.problems
    }

    mutating func site() -> Result<Site, SiteProblems> {
        var all = problems
        if gateway == nil, all.isEmpty { all.append(TOMLProblem(file: firstFile, line: nil, key: "gateway", reason: "is missing")) }
        let known = Set(devices.map(\.name))
        for reference in references where !known.contains(reference.device) { all.append(reference.problem) }
        all += applyTunings()
        guard let gateway, all.isEmpty else { return .failure(SiteProblems(problems: all)) }
        return .success(
            Site(
                gateway: gateway, devices: devices, stations: stations, destinations: destinations, sources: sources,
                policy: policy ?? LoanPolicy()))
    }

    /// The name of a device, station or destination: it goes into file names, topics and URLs.
    mutating func name(of table: TOMLTableReader, kind: String) -> String? {
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

    mutating func deviceNames(_ key: String, in table: TOMLTableReader) -> [String] {
        let names = table.strings(key, maximumCount: 64, maximum: 64) ?? []
        for (index, name) in names.enumerated() { refer(to: name, at: table.path + [.key(key), .index(index)], in: table) }
        return names
    }

    mutating func refer(to device: String, at path: [TOMLPathStep], in table: TOMLTableReader) {
        references.append((device, table.document.problem(path, "there is no device \"\(device)\"")))
    }

    // MARK: Tables

    func readGateway(_ table: TOMLTableReader) -> Site.Gateway? {
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
            recorder: recorder, backupDirectory: table.string("backup_directory", maximum: 4_096),
            backupHours: table.integer("backup_every_h", in: 0...8_760).map(Int.init) ?? defaults.backupHours,
            backupKeep: table.integer("backup_keep", in: 1...1_000).map(Int.init) ?? defaults.backupKeep,
            retentionDays: table.integer("retention_days", in: 1...36_500).map(Int.init) ?? defaults.retentionDays)
    }
}

import DeviceSimulators
import Devices
import Glibc
import Identifiers
import Ledger
import Readings
import Simulation

/// The demonstration site: simulated devices on pseudo-terminals, for a daemon that does not know it.
final class DemoSite: Sendable {
    let directory: String
    let siteFile: String
    let socket: String
    let master: [MasterRow]
    private let reader: SimulatedDeviceRunner<SimulatedReader<GateScene>>
    private let badgeReader: SimulatedDeviceRunner<EM4100Reader>
    private let scanner: SimulatedDeviceRunner<SerialScannerDevice>
    private let cabinet: DemoCabinet
    let clock: DemoClock
    /// Badge numbers by employee number, EPCs by item.
    private let badges: [String: String]
    private let tags: [String: EPC]

    /// Where the antennas of the demonstration gate hang, in millimetres from its middle.
    private static let antennas: [GateScene.Antenna] = [
        .init(port: 1, position: -900), .init(port: 2, position: 900), .init(port: 3, position: -900), .init(port: 4, position: 900),
    ]

    /// The location of the cabinet in `master.json`.
    private static let cabinetLocation = "CAB-1"

    /// - Parameters:
    ///   - files: the folder with `site.toml`, `master.json` and `story.json`.
    ///   - profiles: the folder of device profiles.
    init(files: String, profiles: String, directory: String) throws {
        self.directory = directory
        siteFile = "\(directory)/site.toml"
        socket = "\(directory)/control.sock"
        try Self.makeFolder("\(directory)/dev")
        let template = String(decoding: try FileFailure.contents(of: "\(files)/site.toml"), as: UTF8.self)
        let filled = Array(template.replacing("@DIRECTORY@", with: directory).replacing("@PROFILES@", with: profiles).utf8)
        let file = try OutputFile(siteFile)
        try filled.withUnsafeBufferPointer { try file.write($0) }
        let rows = try (JSON(parsing: try FileFailure.contents(of: "\(files)/master.json")).array ?? []).map { try MasterRow(json: $0) }
        master = rows
        badges = Dictionary(
            rows.filter { $0.set == .credentials }.compactMap { row in row.body["person"]?.string.map { ($0, row.id) } },
            uniquingKeysWith: { first, _ in first })
        tags = Dictionary(
            rows.filter { $0.set == .tags }.compactMap { row in
                guard let item = row.body["item"]?.string, let epc = EPC(hex: row.id) else { return nil }
                return (item, epc)
            }, uniquingKeysWith: { first, _ in first })
        let scene = GateScene(antennas: Self.antennas, seed: 1)
        reader = try SimulatedDeviceRunner(
            SimulatedReader(.a0, tags: scene, dwell: .milliseconds(30)), at: .pseudoTerminal(link: "\(directory)/dev/gate-reader"))
        badgeReader = try SimulatedDeviceRunner(EM4100Reader(), at: .pseudoTerminal(link: "\(directory)/dev/gate-badge"))
        scanner = try SimulatedDeviceRunner(SerialScannerDevice(), at: .pseudoTerminal(link: "\(directory)/dev/bench-scanner"))
        cabinet = try DemoCabinet(
            devices: "\(directory)/dev", tags: tags,
            inside: Set(rows.filter { $0.set == .items && $0.body["home"]?.string == Self.cabinetLocation }.map(\.id)))
        clock = try DemoClock(path: "\(directory)/clock-ahead")
        reader.start()
        badgeReader.start()
        scanner.start()
    }

    private static func makeFolder(_ path: String) throws {
        var prefix = ""
        for part in path.split(separator: "/") {
            prefix += "/\(part)"
            if mkdir(prefix, 0o755) != 0, errno != EEXIST { throw FileFailure(errno: errno) }
        }
    }

    /// - Returns: what is wrong with the act; nil: it is under way.
    func perform(_ act: DemoAct) -> String? {
        switch act.deed {
        case .walk(let person, let items, let direction):
            if let problem = problem(items: items, person: person) { return problem }
            if let badge = person.flatMap({ badges[$0] }) { badgeReader.perform(.badge(badge)) }
            let walk = GateScene.Walk(epcs: items.compactMap { tags[$0] }, through: direction, start: BootClock.now())
            reader.change { reader, _ in
                reader.tags.add(walk)
                return []
            }
        case .scan(let codes):
            for (position, code) in codes.enumerated() {
                if position > 0 { usleep(900_000) }
                scanner.perform(.scan(Array(code.utf8)))
            }
        case .cabinet(let person, let take, let put):
            if let problem = problem(items: take + put, person: person) { return problem }
            guard let badge = badges[person] else { return nil }
            return cabinet.visit(badge: badge, take: take, put: put)
        case .days(let count, let hour):
            do { try clock.pass(days: count, until: hour) } catch { return "\(error)" }
        case .command: return "only the story types commands"
        }
        return nil
    }

    private func problem(items: [String], person: String?) -> String? {
        for item in items where tags[item] == nil {
            return "there is no tagged item \"\(item)\"; try \(tags.keys.sorted().joined(separator: ", "))"
        }
        if let person, badges[person] == nil {
            return "nobody with number \"\(person)\" has a badge; try \(badges.keys.sorted().joined(separator: ", "))"
        }
        return nil
    }

    func close() {
        reader.stop()
        badgeReader.stop()
        scanner.stop()
        cabinet.close()
    }
}

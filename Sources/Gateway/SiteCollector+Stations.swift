import Profiles
import Readings
import SiteConfiguration

extension SiteCollector {
    mutating func readStation(_ table: TOMLTableReader) {
        let name = name(of: table, kind: "station")
        let location = table.string("location", maximum: 128)
        let feedback = deviceNames("feedback", in: table)
        let owner = table.string("owner", maximum: 64) ?? "storekeeper"
        let exceptionHours = table.integer("exception_hours", in: 1...8_760) ?? 24
        let hours = readHours(table)
        let word: StationKind? = table.choice("kind", isRequired: true)
        let kind: Site.Station.Kind?
        switch word {
        case .gate: kind = .gate(readGate(table))
        case .putaway: kind = .putaway(readPutaway(table))
        case .dwell: kind = .dwell(readDwell(table))
        case .cabinet:
            if location == nil { table.problem("location", "a cabinet needs one: what is in it is counted there") }
            kind = readCabinet(table).map(Site.Station.Kind.cabinet)
        case nil: kind = nil
        }
        // Without a kind every other key would be called unknown, and hide the one real problem.
        if word != nil { table.finish() }
        guard let name, let kind else { return }
        stations.append(
            Site.Station(
                name: name, location: location, feedbackDevices: feedback, owner: owner, exceptionHours: Int(exceptionHours), hours: hours,
                kind: kind))
    }

    private enum StationKind: String, CaseIterable {
        case gate, putaway, dwell, cabinet
    }

    mutating func readGate(_ table: TOMLTableReader) -> Site.Gate {
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
        // With antennas on one side only it works as well as it can, and says so (`one_sided`).
        if antennas.isEmpty, table.tables("antenna", maximumCount: 64).isEmpty { table.problem("antenna", "a gate needs antennas") }
        return Site.Gate(
            antennas: antennas, badgeReaders: deviceNames("badge_readers", in: table),
            quiet: table.integer("quiet_ms", in: 200...60_000).map(Instant.Span.milliseconds) ?? defaults.quiet,
            badgeWindow: table.integer("badge_window_s", in: 1...600).map(Instant.Span.seconds) ?? defaults.badgeWindow,
            geometry: table.choice("geometry") ?? defaults.geometry)
    }

    /// Where an antenna stands: nothing, or the whole of it.
    func readPlacement(_ antenna: TOMLTableReader) -> AntennaPlacement? {
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

    mutating func readPutaway(_ table: TOMLTableReader) -> Site.Putaway {
        let defaults = Site.Putaway(scanners: [])
        let scanners = deviceNames("scanners", in: table)
        if scanners.isEmpty { table.problem("scanners", "a putaway station needs at least one scanner") }
        return Site.Putaway(
            scanners: scanners, badgeReaders: deviceNames("badge_readers", in: table),
            duplicateWindow: table.integer("duplicate_ms", in: 0...10_000).map(Instant.Span.milliseconds) ?? defaults.duplicateWindow,
            pairTimeout: table.integer("pair_timeout_s", in: 1...3_600).map(Instant.Span.seconds) ?? defaults.pairTimeout)
    }

    mutating func readDwell(_ table: TOMLTableReader) -> Site.Dwell {
        let readers = deviceNames("readers", in: table)
        if readers.isEmpty { table.problem("readers", "a place where things stay needs at least one reader") }
        return Site.Dwell(
            readers: readers, floor: table.number("floor_dbm", in: -120...0).map { Int16(($0 * 100).rounded()) })
    }

    /// `[[tuning]]`: what `stockgate gate tune` measured.
    struct Tuning {
        var table: TOMLTableReader
        var station: String
        /// Hundredths of a dBm.
        var floor: Int16?
        var antennas: [(device: String, port: UInt8, bias: Int16?, table: TOMLTableReader)]
    }

    mutating func readTuning(_ table: TOMLTableReader) {
        let station = table.string("station", maximum: 64, isRequired: true)
        let floor = table.number("floor_dbm", in: -120...0).map { Int16(($0 * 100).rounded()) }
        var antennas: [(device: String, port: UInt8, bias: Int16?, table: TOMLTableReader)] = []
        for antenna in table.tables("antenna", maximumCount: 64) {
            let device = antenna.string("device", maximum: 64, isRequired: true)
            let port = antenna.integer("port", in: 1...255, isRequired: true)
            let bias = antenna.number("bias_db", in: -20...20).map { Int16(($0 * 100).rounded()) }
            antenna.finish()
            if let device, let port { antennas.append((device, UInt8(port), bias, antenna)) }
        }
        table.finish()
        if let station { tunings.append(Tuning(table: table, station: station, floor: floor, antennas: antennas)) }
    }

    /// Drop-ins are read in the order of their names, so a tuning may stand before its station.
    mutating func applyTunings() -> [TOMLProblem] {
        var problems: [TOMLProblem] = []
        func problem(_ table: TOMLTableReader, _ key: String, _ reason: String) {
            problems.append(table.document.problem(table.path + [.key(key)], reason))
        }
        for tuning in tunings {
            guard let index = stations.firstIndex(where: { $0.name == tuning.station }), case .gate(var gate) = stations[index].kind else {
                problem(tuning.table, "station", "there is no gate \"\(tuning.station)\"")
                continue
            }
            gate.floor = tuning.floor
            for antenna in tuning.antennas {
                if let place = gate.antennas.firstIndex(where: { $0.device == antenna.device && $0.port == antenna.port }) {
                    gate.antennas[place].bias = antenna.bias
                } else {
                    problem(
                        antenna.table, "port",
                        "\(tuning.station) has no antenna \(antenna.port) of \(antenna.device); make the walk test again")
                }
            }
            stations[index].kind = .gate(gate)
        }
        return problems
    }
}

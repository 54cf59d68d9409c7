import Identifiers
import Profiles
import Readings
import SiteConfiguration

extension SiteCollector {
    /// nil: it cannot be used as it stands, and a problem says why.
    mutating func readCabinet(_ table: TOMLTableReader) -> Site.Cabinet? {
        let antennas = readCabinetAntennas(table)
        let badgeReaders = deviceNames("badge_readers", in: table)
        if badgeReaders.isEmpty { table.problem("badge_readers", "a cabinet needs at least one: whoever opens it holds a badge") }
        let door = readDoor(table)
        let lock = readLock(table)
        let tags = table.strings("reference_tags", maximumCount: 64, maximum: 124) ?? []
        for (index, tag) in tags.enumerated() where EPC(hex: tag) == nil {
            table.problem(at: table.path + [.key("reference_tags"), .index(index)], "must be the hexadecimal EPC of a tag")
        }
        let people = Int(table.integer("people", in: 1...2) ?? 1)
        let unlock = table.integer("unlock_s", in: 3...120).map(Instant.Span.seconds)
        let doorOpen = table.integer("door_open_s", in: 5...3_600).map(Instant.Span.seconds)
        let scan = table.number("scan_s", in: 2...60).map { Instant.Span.milliseconds(Int64(($0 * 1_000).rounded())) }
        let confirm = table.integer("confirm_s", in: 10...600).map(Instant.Span.seconds)
        guard let door, !antennas.isEmpty else { return nil }
        let defaults = Site.Cabinet(antennas: antennas, door: door)
        return Site.Cabinet(
            antennas: antennas, badgeReaders: badgeReaders, door: door, lock: lock, people: people, unlock: unlock ?? defaults.unlock,
            doorOpen: doorOpen ?? defaults.doorOpen, scan: scan ?? defaults.scan, confirm: confirm ?? defaults.confirm,
            referenceTags: Set(tags.compactMap { EPC(hex: $0) }))
    }

    private mutating func readCabinetAntennas(_ table: TOMLTableReader) -> [Site.Cabinet.Antenna] {
        var antennas: [Site.Cabinet.Antenna] = []
        let tables = table.tables("antenna", maximumCount: 64)
        for antenna in tables {
            let device = antenna.string("device", maximum: 64, isRequired: true)
            let port = antenna.integer("port", in: 1...255).map(UInt8.init(clamping:))
            antenna.finish()
            guard let device else { continue }
            refer(to: device, at: antenna.path + [.key("device")], in: antenna)
            let others = antennas.filter { $0.device == device }
            if others.contains(where: { $0.port == port || $0.port == nil }) || port == nil && !others.isEmpty {
                antenna.problem("device", "stands twice: without a port it is all antennas of the reader")
            }
            antennas.append(.init(device: device, port: port))
        }
        if tables.isEmpty { table.problem("antenna", "a cabinet needs antennas") }
        let readers = Set(antennas.map(\.device)).count
        if readers > Site.Cabinet.maximumReaders {
            table.problem("antenna", "names \(readers) readers; a cabinet has at most \(Site.Cabinet.maximumReaders)")
        }
        return antennas
    }

    private mutating func readDoor(_ table: TOMLTableReader) -> Site.Cabinet.Door? {
        guard let door = table.table("door") else {
            table.problem("door", "a cabinet needs a contact that tells whether its door is open")
            return nil
        }
        defer { door.finish() }
        let device = door.string("device", maximum: 64, isRequired: true)
        let input = door.integer("input", in: 0...255) ?? 0
        let open: Site.Cabinet.Door.Level = door.choice("open") ?? .inactive
        guard let device else { return nil }
        refer(to: device, at: door.path + [.key("device")], in: door)
        return .init(device: device, input: UInt8(input), open: open)
    }

    private mutating func readLock(_ table: TOMLTableReader) -> Site.Cabinet.Lock? {
        guard let lock = table.table("lock") else { return nil }
        defer { lock.finish() }
        let device = lock.string("device", maximum: 64, isRequired: true)
        let pulse = lock.integer("pulse", in: 1...Int64(Feedback.pulses.count)) ?? 1
        guard let device else { return nil }
        refer(to: device, at: lock.path + [.key("device")], in: lock)
        return .init(device: device, pulse: Feedback.pulses[Int(pulse) - 1])
    }
}

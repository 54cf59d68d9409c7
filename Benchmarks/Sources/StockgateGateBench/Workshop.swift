import Decoding
import Foundation
import Identifiers
import Ledger
import Readings
import SiteConfiguration

/// A works with four gates, as master data, as a value for the engine and as a site file for the daemon.
enum Workshop {
    static let code = "CRIB1"
    static let epoch: UInt64 = 0x0123_4567_89AB_CDEF
    static let people = 500
    static let tools = 5_000
    static let classes = 40
    static let gates = 4
    /// As the daemon has them in the site file below.
    static let quiet = Instant.Span.milliseconds(600)
    /// Antenna ports in the order in which a reader asks them.
    static let ports: [(port: UInt8, side: GateSide)] = [(1, .inside), (2, .outside), (3, .inside), (4, .outside)]
    /// What the lamp is sent for good news, and for what a person must look at.
    static let accepted: UInt8 = 0x41
    static let exception: UInt8 = 0x45

    static func tag(ofTool tool: Int) -> EPC { epc("3000", tool) }

    static func tag(ofPerson person: Int) -> EPC { epc("3001", person) }

    static func gate(_ index: Int) -> String { "gate-\(index)" }

    static func itemName(_ tool: Int) -> String { "TOOL-\(100_000 + tool)" }

    private static func epc(_ head: String, _ number: Int) -> EPC {
        guard let epc = EPC(hex: head + String(format: "%020X", number)) else { fatalError("no tag \(number)") }
        return epc
    }

    // MARK: Master data

    /// Every rule has something to look at, and few loans break one.
    static var master: [MasterRow] {
        var rows: [MasterRow] = []
        for index in 0..<classes {
            rows.append(
                MasterRow(
                    set: .classes, id: "class-\(index)",
                    body: [
                        "name": .string("Class \(index)"), "due_days": .integer(Int64(1 + index % 14)),
                        "value": .integer(Int64(1_000 * (index + 1))), "standing": index % 2 == 0 ? true : false,
                        "maintenance_uses": 100_000,
                    ]))
        }
        for tool in 0..<tools {
            rows.append(
                MasterRow(
                    set: .items, id: itemName(tool),
                    body: ["name": .string("Tool number \(tool)"), "class": .string("class-\(tool % classes)")]))
            rows.append(MasterRow(set: .tags, id: tag(ofTool: tool).hex, body: ["item": .string(itemName(tool))]))
        }
        for person in 0..<people {
            let number = String(1_000 + person)
            rows.append(
                MasterRow(
                    set: .people, id: number,
                    body: ["key": .string("p-" + String(repeating: "0", count: 12) + number), "name": .string("Person \(person)")]))
            rows.append(MasterRow(set: .tags, id: tag(ofPerson: person).hex, body: ["person": .string(number)]))
            // What is not lent on a standing permission is lent on one of these.
            for part in 0..<4 {
                let covered = (0..<classes).filter { $0 % 2 == 1 && $0 / 2 % 4 == part }.map { JSON.string("class-\($0)") }
                rows.append(
                    MasterRow(
                        set: .permits, id: "REQ-\(number)-\(part)",
                        body: ["person": .string(number), "classes": .array(covered), "quantity": 100_000]))
            }
        }
        return rows
    }

    // MARK: The site

    static let policy = LoanPolicy(
        quota: 100, maximumValue: 1_000_000_000, monthly: 10_000, minimumCredit: 1,
        overdueBlock: .init(count: 16, days: 30, blockDays: 1))

    static func site(in directory: String) -> Site {
        var devices: [Site.Device] = []
        var stations: [Site.Station] = []
        for index in 0..<gates {
            let (reader, lamp) = ("reader-\(index)", "lamp-\(index)")
            devices += [.init(name: reader), .init(name: lamp)]
            stations.append(
                .init(
                    name: gate(index), feedbackDevices: [lamp],
                    kind: .gate(
                        .init(antennas: ports.map { .init(device: reader, port: $0.port, side: $0.side) }, quiet: quiet))))
        }
        return Site(
            gateway: .init(code: code, site: "works", timeZone: "UTC", stateDirectory: directory), devices: devices, stations: stations,
            policy: policy)
    }

    /// Of the lamps, for the engine.
    static let lamp = DeviceProgram(
        decoder: .scannerLine(.init()),
        plan: SessionPlan(feedback: [.accepted: [.init(bytes: [accepted])], .exception: [.init(bytes: [exception])]]))

    /// Of the lamps, for the daemon: a device that says nothing and is told letters.
    static let lampProfile = """
        id = "bench/lamp"
        name = "A lamp"
        support = 1

        [transport]
        kind = "serial"
        baud = 115200

        [decoder]
        protocol = "scanner_line"
        terminator = "any"

        [feedback]
        accepted = [{ send = "41" }]
        exception = [{ send = "45" }]

        """

    /// - Parameter folder: where the devices' ports, the lamp's profile and the control socket are.
    static func siteFile(state: String, folder: String, profiles: String) -> String {
        var text = """
            [gateway]
            code = "\(code)"
            site = "works"
            time_zone = "UTC"
            state_directory = "\(state)"
            control_socket = "\(folder)/control.sock"
            profiles = ["\(profiles)", "\(folder)/profiles"]
            backup_every_h = 0

            [policy]
            quota = 100
            maximum_value = 1000000000
            monthly = 10000
            minimum_credit = 1
            overdue_block = { count = 16, days = 30, block_days = 1 }


            """
        for index in 0..<gates {
            for (device, profile) in [("reader-\(index)", "r2000/a0-uhf"), ("lamp-\(index)", "bench/lamp")] {
                text += "[[device]]\nname = \"\(device)\"\nprofile = \"\(profile)\"\nport = \"\(folder)/\(device)\"\n\n"
            }
        }
        for index in 0..<gates {
            let antennas = ports.map { "{ device = \"reader-\(index)\", port = \($0.port), side = \"\($0.side.rawValue)\" }" }
            text += "[[station]]\nname = \"\(gate(index))\"\nkind = \"gate\"\nfeedback = [\"lamp-\(index)\"]\n"
            text += "quiet_ms = \(quiet.milliseconds)\nantenna = [\(antennas.joined(separator: ", "))]\n\n"
        }
        return text
    }
}

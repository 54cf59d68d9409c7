import DeviceSimulators
import Foundation
import Identifiers
import Readings

/// A scanner on a pseudo-terminal whose profile (`ScannerProfile.text`) answers every feedback with a letter of its own.
final class BenchScanner {
    private let terminal: PseudoTerminal

    /// What the gateway sends back.
    enum Answer: UInt8 {
        case next = 0x4E
        case accepted = 0x41
        case exception = 0x45
        case refused = 0x52
        case notRecorded = 0x58
    }

    init(_ path: String) throws { terminal = try PseudoTerminal(link: path) }

    func scan(_ text: String) { send(Array(text.utf8) + [0x0D]) }

    /// Sends bytes; waits while the terminal is full, at most 5 s.
    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        var patience = 500
        while !rest.isEmpty, patience > 0 {
            rest = rest.dropFirst(terminal.write(Array(rest.prefix(1_024))))
            if !rest.isEmpty {
                patience -= 1
                usleep(10_000)
            }
        }
    }

    /// What was answered since the last call.
    func answers(waiting milliseconds: Int32 = 0) -> [Answer] { terminal.read(waiting: milliseconds).compactMap(Answer.init) }

    /// Waits for one answer; others before it are passed over.
    func awaits(_ answer: Answer, within limit: Duration = .seconds(10)) async throws {
        var seen: [Answer] = []
        do {
            try await eventually("the scanner is told \(answer)", within: limit) { () -> Bool? in
                let new = answers()
                seen += new
                return new.contains(answer) ? true : nil
            }
        } catch { throw StoryFailure(description: "\(error); it was told \(seen)") }
    }

    /// One box of goods with a lot of its own, and the shelf.
    func putAway(lot: String) async throws {
        scan(Bench.goods(lot: lot))
        try await awaits(.next)
        scan(Bench.shelf)
        try await awaits(.accepted)
    }
}

/// The goods, shelves and site of a bench where things are put away.
enum Bench {
    static let shelf = "LOC-A-01-03"

    /// GS1-128: GTIN and lot.
    static func goods(lot: String) -> String { "]C10109506000134352" + "10" + lot }

    static let master: [JSON] = [
        ["set": "products", "id": "BOLT-M8", "name": "Bolt M8 x 40, box of 100", "gtin": "09506000134352"],
        ["set": "locations", "id": "CRIB", "name": "Tool crib"],
        ["set": "locations", "id": "A-01-03", "name": "Rack A, bay 1, level 3"],
        ["set": "codes", "id": "LOC-A-01-03", "location": "A-01-03"],
        ["set": "items", "id": "DRILL-01", "name": "Cordless drill 18 V", "class": "power-tool"],
        ["set": "items", "id": "SAW-01", "name": "Circular saw", "class": "power-tool"],
        ["set": "items", "id": "METER-01", "name": "Multimeter", "class": "measuring"],
        ["set": "tags", "id": "3476451FD4000000000003E9", "item": "DRILL-01"],
        ["set": "tags", "id": "3476451FD4000000000003EB", "item": "SAW-01"],
        ["set": "people", "id": "1001", "key": "p-0000000000001001", "name": "李雷"],
        ["set": "people", "id": "1002", "key": "p-0000000000001002", "name": "Han Meimei"],
        ["set": "credentials", "id": "0000100001", "person": "1001"],
        ["set": "credentials", "id": "0000100002", "person": "1002"],
    ]

    /// A profile whose feedback is one letter each.
    static func profile(_ name: String, controls: String = "1D") -> String {
        """
        id = "test/\(name)"
        name = "Scanner that answers"
        support = 1

        [transport]
        kind = "serial"
        baud = 9600

        [decoder]
        protocol = "scanner_line"
        terminator = "any"
        controls = "\(controls)"

        [feedback]
        next = [{ send = "4E" }]
        accepted = [{ send = "41" }]
        exception = [{ send = "45" }]
        refused = [{ send = "52" }]
        not_recorded = [{ send = "58" }]

        """
    }

    /// The first part of a site file.
    static func gateway(_ place: Workplace, recorder: Bool = false) -> String {
        """
        [gateway]
        code = "TEST"
        site = "Test crib"
        state_directory = "\(place.file("state"))"
        control_socket = "\(place.file("control.sock"))"
        profiles = ["\(Setting.profiles)", "\(place.file("profiles"))"]
        uri_prefix = "https://example.com/stockgate"

        """ + (recorder ? "[gateway.recorder]\ndirectory = \"\(place.file("recordings"))\"\nmaximum_mb = 64\n\n" : "\n")
    }

    /// A device with a fixed port.
    static func device(_ name: String, _ profile: String, _ place: Workplace) -> String {
        "[[device]]\nname = \"\(name)\"\nprofile = \"\(profile)\"\nport = \"\(place.file("dev/\(name)"))\"\n\n"
    }

    /// A station where scans of these devices are paired, answered by the same devices.
    static func station(_ name: String, scanners: [String]) -> String {
        let list = scanners.map { "\"\($0)\"" }.joined(separator: ", ")
        return """
            [[station]]
            name = "\(name)"
            kind = "putaway"
            location = "CRIB"
            scanners = [\(list)]
            feedback = [\(list)]
            duplicate_ms = 0


            """
    }

    static func fileDestination(_ place: Workplace) -> String {
        "[[destination]]\nname = \"file\"\nkind = \"file\"\npath = \"\(place.file("events.ndjson"))\"\n\n"
    }

    static func serverDestination(_ url: String) -> String {
        "[[destination]]\nname = \"upstream\"\nkind = \"epcis\"\nurl = \"\(url)\"\n\n"
    }

    /// The usual bench: one scanner that answers, one station, a file; and its profile.
    static func set(up place: Workplace, recorder: Bool = false, more: String = "") throws {
        try place.write("profiles/test/answering/profile.toml", profile("answering"))
        try place.write(
            "site.toml",
            gateway(place, recorder: recorder) + device("scanner", "test/answering", place) + station("bench", scanners: ["scanner"])
                + fileDestination(place) + more)
    }
}

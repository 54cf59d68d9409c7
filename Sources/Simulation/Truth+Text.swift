import Identifiers
import Readings

/// Why a line of a truth file cannot be read.
public struct TruthError: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1.
    public var line: Int
    public var reason: String

    public var description: String { "line \(line): \(reason)" }
}

/// Truth files: JSON Lines, a header, then one line per fact in the order of time. `docs/simulation.md` is the document of record.
extension Truth {
    /// The version of the format that this code writes.
    static let version: Int64 = 1

    /// When a scene begins, for event files that tell wall time: what `ReaderClock.start` shows.
    public static let usualStart = "2026-01-05T08:00:00.000+00:00"

    /// The lines of a truth file, without line ends.
    public var lines: [JSON] {
        var facts: [(time: Int64, json: JSON)] = []
        for tool in tools {
            facts.append(
                (
                    0,
                    [
                        "t": 0, "kind": "tool", "epc": .string(tool.epc.hex), "side": .string(tool.side.rawValue),
                        "recorded": .string(tool.recorded?.rawValue ?? "unknown"),
                    ]
                ))
        }
        for person in people { facts.append((0, ["t": 0, "kind": "person", "id": .string(person.id), "badge": .string(person.badge)])) }
        var later: [(time: Int64, json: JSON)] = []
        for crossing in crossings {
            later.append(
                (
                    crossing.time.nanoseconds,
                    [
                        "t": .integer(crossing.time.nanoseconds), "kind": "crossing", "epc": .string(crossing.epc.hex),
                        "direction": .string(crossing.direction.rawValue), "person": .string(crossing.person),
                        "readable": .bool(crossing.isReadable),
                    ]
                ))
        }
        for visit in visits {
            later.append(
                (
                    visit.start.nanoseconds,
                    [
                        "t": .integer(visit.start.nanoseconds), "end": .integer(visit.end.nanoseconds), "kind": "visit",
                        "epc": .string(visit.epc.hex), "what": .string(visit.what.rawValue),
                    ]
                ))
        }
        for close in closes {
            later.append(
                (
                    close.time.nanoseconds,
                    [
                        "t": .integer(close.time.nanoseconds), "kind": "close", "number": .integer(Int64(close.number)),
                        "taken": .array(close.taken.map { .string($0.hex) }), "returned": .array(close.returned.map { .string($0.hex) }),
                        "person": .string(close.person),
                    ]
                ))
        }
        for presence in presences {
            later.append(
                (
                    presence.start.nanoseconds,
                    [
                        "t": .integer(presence.start.nanoseconds), "end": .integer(presence.end.nanoseconds), "kind": "presence",
                        "epc": .string(presence.epc.hex),
                    ]
                ))
        }
        for scan in scans {
            later.append(
                (
                    scan.time.nanoseconds,
                    [
                        "t": .integer(scan.time.nanoseconds), "kind": "scan", "device": .string(scan.device), "code": .string(scan.code),
                    ]
                ))
        }
        let order = later.indices.sorted { (later[$0].time, $0) < (later[$1].time, $1) }
        let header: JSON = [
            "truth": .integer(Self.version), "scenario": .string(scenario), "seed": seedJSON, "station": .string(station),
            "duration": .integer(duration.nanoseconds), "recorded": .string(began),
        ]
        return [header] + facts.map(\.json) + order.map { later[$0].json }
    }

    /// A number, as long as all readers of JSON can hold it; else text.
    private var seedJSON: JSON { Int64(exactly: seed).map(JSON.integer) ?? .string(String(seed)) }

    /// - Throws: `TruthError` for what is not of this format.
    public init(lines: some Sequence<[UInt8]>) throws(TruthError) {
        self.init(scenario: "", seed: 0, duration: .zero)
        var number = 0
        var hasHeader = false
        for line in lines {
            number += 1
            guard !line.isEmpty else { continue }
            guard let json = try? JSON(parsing: line) else { throw TruthError(line: number, reason: "not JSON") }
            do throws(CaptureError) {
                if hasHeader { try take(json) } else { try takeHeader(json) }
                hasHeader = true
            } catch {
                throw TruthError(line: number, reason: error.reason)
            }
        }
        guard hasHeader else { throw TruthError(line: 1, reason: "the file is empty") }
    }

    private mutating func takeHeader(_ json: JSON) throws(CaptureError) {
        guard let version = json["truth"]?.integer else { throw CaptureError("not a truth file: the first line has no \"truth\"") }
        guard version == Self.version else { throw CaptureError("a truth file of version \(version); this program reads \(Self.version)") }
        scenario = json["scenario"]?.string ?? ""
        seed = json["seed"]?.string.flatMap { UInt64($0) } ?? json["seed"]?.integer.flatMap(UInt64.init(exactly:)) ?? 0
        station = json["station"]?.string ?? "gate"
        began = json["recorded"]?.string ?? Self.usualStart
        duration = Instant.Span(nanoseconds: max(0, json["duration"]?.integer ?? 0))
    }

    private mutating func take(_ json: JSON) throws(CaptureError) {
        func text(_ key: String) throws(CaptureError) -> String {
            guard let value = json[key]?.string else { throw CaptureError("\"\(key)\" is missing") }
            return value
        }
        func epc(_ json: JSON?) throws(CaptureError) -> EPC {
            guard let epc = json?.string.flatMap(EPC.init(hex:)) else { throw CaptureError("\"epc\" is not one") }
            return epc
        }
        func epcs(_ key: String) throws(CaptureError) -> [EPC] {
            var result: [EPC] = []
            for element in json[key]?.array ?? [] { result.append(try epc(element)) }
            return result
        }
        func instant(_ key: String) -> Instant { Instant(nanoseconds: json[key]?.integer ?? 0) }
        switch try text("kind") {
        case "tool":
            guard let side = GateSide(rawValue: try text("side")) else { throw CaptureError("\"side\" must be inside or outside") }
            tools.append(Tool(epc: try epc(json["epc"]), side: side, recorded: GateSide(rawValue: try text("recorded"))))
        case "person": people.append(Person(id: try text("id"), badge: try text("badge")))
        case "crossing":
            guard let direction = Direction(rawValue: try text("direction")) else { throw CaptureError("\"direction\" must be in or out") }
            crossings.append(
                Crossing(
                    time: instant("t"), epc: try epc(json["epc"]), direction: direction, person: json["person"]?.string ?? "",
                    isReadable: json["readable"]?.bool ?? true))
        case "visit":
            guard let what = Visit.What(rawValue: try text("what")) else { throw CaptureError("a visit of no known kind") }
            visits.append(Visit(start: instant("t"), end: instant("end"), epc: try epc(json["epc"]), what: what))
        case "close":
            closes.append(
                Close(
                    time: instant("t"), number: Int(truncatingIfNeeded: json["number"]?.integer ?? 0), taken: try epcs("taken"),
                    returned: try epcs("returned"), person: json["person"]?.string ?? ""))
        case "presence": presences.append(Presence(epc: try epc(json["epc"]), start: instant("t"), end: instant("end")))
        case "scan": scans.append(Scan(time: instant("t"), device: try text("device"), code: try text("code")))
        default: throw CaptureError("a line of no known kind")
        }
    }
}

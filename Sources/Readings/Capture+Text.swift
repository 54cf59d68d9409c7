import Identifiers

/// Why a line of a capture cannot be read.
public struct CaptureError: Error, Hashable, Sendable, CustomStringConvertible {
    public var reason: String

    public init(_ reason: String) {
        self.reason = reason
    }

    public var description: String { reason }
}

extension Capture.Header {
    public var json: JSON {
        var members: [String: JSON] = ["capture": .integer(Capture.version), "recorded": .string(recorded), "note": .string(note)]
        if !devices.isEmpty { members["devices"] = .object(devices.mapValues(JSON.string)) }
        if let gateway {
            members["gateway"] = .string(gateway.gateway)
            members["epoch"] = .string(gateway.epoch)
            members["seq"] = .integer(gateway.nextSequence)
            members["prev"] = .string(gateway.previousHash)
            members["ticket"] = .integer(Int64(clamping: gateway.nextTicket))
            members["config"] = .string(gateway.configurationDigest)
            members["master"] = .string(gateway.masterDigest)
            members["master_version"] = .integer(gateway.masterVersion)
        }
        return .object(members)
    }

    /// - Throws: `CaptureError` when this is no header, or one of a later version.
    public init(json: JSON) throws(CaptureError) {
        guard let version = json["capture"]?.integer else { throw CaptureError("not a capture: the first line has no \"capture\"") }
        guard version == Capture.version else {
            throw CaptureError("a capture of version \(version); this program reads \(Capture.version)")
        }
        self.init(
            recorded: json["recorded"]?.string ?? "", note: json["note"]?.string ?? "",
            devices: (json["devices"]?.object ?? [:]).compactMapValues(\.string))
        if let gateway = json["gateway"]?.string {
            guard let epoch = json["epoch"]?.string, let sequence = json["seq"]?.integer, let previous = json["prev"]?.string else {
                throw CaptureError("a recording of a gateway needs epoch, seq and prev")
            }
            self.gateway = Capture.GatewayPosition(
                gateway: gateway, epoch: epoch, nextSequence: sequence, previousHash: previous,
                nextTicket: json["ticket"]?.integer.flatMap(UInt64.init(exactly:)) ?? 1,
                configurationDigest: json["config"]?.string ?? "", masterDigest: json["master"]?.string ?? "",
                masterVersion: json["master_version"]?.integer ?? 0)
        }
    }
}

extension Capture.Line {
    public var json: JSON {
        var members: [String: JSON] = ["t": .integer(time.nanoseconds)]
        if let device { members["d"] = .string(device) }
        switch content {
        case .received(let bytes): members["rx"] = .string(Hex.text(bytes))
        case .transmitted(let bytes): members["tx"] = .string(Hex.text(bytes))
        case .key(let code, let value): members["key"] = [.integer(Int64(code)), .integer(Int64(value))]
        case .inputLost: members["lost"] = true
        case .input(let change): members["in"] = [.integer(Int64(change.line)), .integer(change.isActive ? 1 : 0)]
        case .device(.opened(let profile)):
            members["dev"] = "opened"
            members["profile"] = profile.map(JSON.string)
        case .device(.running(let profile, let session)):
            members["dev"] = "running"
            members["profile"] = profile.map(JSON.string)
            members["session"] = session
        case .device(.closed(let reason)):
            members["dev"] = "closed"
            members["reason"] = .string(reason)
        case .tag(let read): members["tag"] = read.json
        case .scan(let scan):
            members["scan"] = .compact(["aim": scan.symbology.map { .string($0.description) }, "hex": .string(Hex.text(scan.data))])
        case .badge(let read): members["badge"] = ["id": .string(read.credential)]
        case .command(let command): members["cmd"] = command
        case .master(let master): members["master"] = master
        case .wall(let anchor):
            members["wall"] = .compact([
                "ms": .integer(anchor.milliseconds), "offset": .integer(Int64(anchor.offsetMinutes)),
                "quality": .string(anchor.quality.rawValue), "boot": anchor.boot.map { .string($0.bootText) },
                "uptime": anchor.boot.map { .integer($0.milliseconds) },
                // Moment and offset of each change to come, in turn.
                "changes": anchor.changes.isEmpty
                    ? nil : .array(anchor.changes.flatMap { [.integer($0.milliseconds), .integer(Int64($0.offsetMinutes))] }),
            ])
        case .state(let row): members["state"] = row
        case .committed(let ticket): members["committed"] = .integer(Int64(clamping: ticket))
        case .commitFailed(let ticket): members["failed"] = .integer(Int64(clamping: ticket))
        case .reloaded(let next): members["reloaded"] = .integer(next)
        case .released: members["released"] = true
        case .finished: members["finished"] = true
        }
        return .object(members)
    }

    /// - Throws: `CaptureError` for a line that is not of this format.
    public init(json: JSON) throws(CaptureError) {
        guard json.object != nil else { throw CaptureError("a line must be an object") }
        let time = Instant(nanoseconds: json["t"]?.integer ?? 0)
        self.init(time: time, device: json["d"]?.string, content: try Self.content(of: json, at: time))
    }

    private static func content(of json: JSON, at time: Instant) throws(CaptureError) -> Capture.Content {
        func hex(_ key: String) throws(CaptureError) -> [UInt8]? {
            guard let value = json[key] else { return nil }
            guard let bytes = value.string.flatMap(Hex.bytes) else { throw CaptureError("\"\(key)\" is not hexadecimal") }
            return bytes
        }
        if let bytes = try hex("rx") { return .received(bytes) }
        if let bytes = try hex("tx") { return .transmitted(bytes) }
        if let key = json["key"] {
            guard let pair = key.array, pair.count == 2, let code = pair[0].integer.flatMap(UInt16.init(exactly:)),
                let value = pair[1].integer.flatMap(Int32.init(exactly:))
            else { throw CaptureError("\"key\" must be [code, value]") }
            return .key(code: code, value: value)
        }
        if let input = json["in"] {
            guard let pair = input.array, pair.count == 2, let line = pair[0].integer.flatMap(UInt8.init(exactly:)),
                let level = pair[1].integer
            else { throw CaptureError("\"in\" must be [line, 0 or 1]") }
            return .input(InputChange(line: line, isActive: level != 0))
        }
        if let change = json["dev"]?.string {
            switch change {
            case "opened": return .device(.opened(profile: json["profile"]?.string))
            case "running": return .device(.running(profile: json["profile"]?.string, session: json["session"]))
            case "closed": return .device(.closed(reason: json["reason"]?.string ?? ""))
            default: throw CaptureError("\"dev\" must be opened, running or closed")
            }
        }
        if let tag = json["tag"] { return .tag(try TagRead(json: tag)) }
        if let scan = json["scan"] {
            guard let data = scan["hex"]?.string.flatMap(Hex.bytes) else { throw CaptureError("\"scan\" needs \"hex\"") }
            return .scan(Scan(data: data, symbology: scan["aim"]?.string.flatMap(AIMIdentifier.init)))
        }
        if let badge = json["badge"] {
            guard let credential = badge["id"]?.string else { throw CaptureError("\"badge\" needs \"id\"") }
            return .badge(BadgeRead(credential: credential))
        }
        if let command = json["cmd"] { return .command(command) }
        if let master = json["master"] { return .master(master) }
        if let wall = json["wall"] {
            guard let milliseconds = wall["ms"]?.integer, let offset = wall["offset"]?.integer,
                let quality = wall["quality"]?.string.flatMap(ClockQuality.init)
            else { throw CaptureError("\"wall\" needs ms, offset and quality") }
            let boot = wall["boot"]?.string.flatMap(BootTime.boot(text:)).flatMap { boot in
                wall["uptime"]?.integer.map { BootTime(boot: boot, milliseconds: $0) }
            }
            let numbers = (wall["changes"]?.array ?? []).prefix(2 * SiteZone.maximumChanges).compactMap(\.integer)
            let changes = stride(from: 0, to: numbers.count - 1, by: 2).map { index in
                SiteZone.Change(milliseconds: numbers[index], offsetMinutes: Int(clamping: numbers[index + 1]))
            }
            return .wall(
                WallAnchor(
                    instant: time, milliseconds: milliseconds, offsetMinutes: Int(offset), quality: quality, boot: boot, changes: changes))
        }
        if let row = json["state"] { return .state(row) }
        if let ticket = json["committed"]?.integer.flatMap(UInt64.init(exactly:)) { return .committed(ticket: ticket) }
        if let ticket = json["failed"]?.integer.flatMap(UInt64.init(exactly:)) { return .commitFailed(ticket: ticket) }
        if let next = json["reloaded"]?.integer { return .reloaded(nextSequence: next) }
        if json["released"] == true { return .released }
        if json["finished"] == true { return .finished }
        if json["lost"] == true { return .inputLost }
        throw CaptureError("a line of no known kind")
    }
}

extension TagRead {
    /// `{"epc","ant","rssi","phase","mhz","rt"}` with RSSI in dBm, phase in radians, the reader's own time in microseconds.
    public var json: JSON {
        .compact([
            "epc": .string(epc.hex),
            "ant": antenna == 0 ? nil : .integer(Int64(antenna)),
            "rssi": rssi == TagRead.noRSSI ? nil : .decimal(Int64(rssi), scale: 100),
            "mhz": frequency == 0 ? nil : .decimal(Int64(frequency), scale: 1_000),
            "phase": phase.map { .number(Double($0) * (2 * Double.pi / 65_536)) },
            "rt": readerTime.flatMap(Int64.init(exactly:)).map(JSON.integer),
        ])
    }

    /// - Throws: `CaptureError` when there is no valid `epc` or a number is out of range.
    public init(json: JSON) throws(CaptureError) {
        guard let epc = json["epc"]?.string.flatMap(EPC.init(hex:)) else { throw CaptureError("\"tag\" needs \"epc\"") }
        self.init(epc: epc)
        if let antenna = json["ant"]?.integer {
            guard let port = UInt8(exactly: antenna) else { throw CaptureError("\"ant\" is out of range") }
            self.antenna = port
        }
        if let rssi = json["rssi"]?.double {
            guard abs(rssi) < 300 else { throw CaptureError("\"rssi\" is out of range") }
            self.rssi = Int16(Self.nearest(rssi * 100))
        }
        if let megahertz = json["mhz"]?.double {
            guard megahertz >= 0, megahertz < 4_000_000 else { throw CaptureError("\"mhz\" is out of range") }
            frequency = UInt32(Self.nearest(megahertz * 1_000))
        }
        if let radians = json["phase"]?.double {
            let turns = radians / (2 * Double.pi)
            guard abs(turns) < 1_000_000 else { throw CaptureError("\"phase\" is out of range") }
            // Whole turns fall off at the top.
            phase = UInt16(truncatingIfNeeded: Self.nearest(turns * 65_536))
        }
        readerTime = json["rt"]?.integer.flatMap(UInt64.init(exactly:))
    }

    /// The nearest whole number; the caller has bounded the value. `rounded()` would need the C mathematics library.
    private static func nearest(_ value: Double) -> Int64 { Int64(value < 0 ? value - 0.5 : value + 0.5) }
}

extension JSON {
    /// `units / scale`, as an integer where it is one.
    public static func decimal(_ units: Int64, scale: Int64) -> JSON {
        units % scale == 0 ? .integer(units / scale) : .number(Double(units) / Double(scale))
    }
}

/// Upper-case hexadecimal text.
public enum Hex {
    private static let digits = Array("0123456789ABCDEF".utf8)

    public static func text(_ bytes: some Sequence<UInt8>) -> String {
        var characters: [UInt8] = []
        for byte in bytes {
            characters.append(digits[Int(byte >> 4)])
            characters.append(digits[Int(byte & 15)])
        }
        return String(decoding: characters, as: UTF8.self)
    }

    /// Spaces, tabs and new lines between bytes are passed over; nil for anything else that is not hexadecimal.
    public static func bytes(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text.utf8 {
            let nibble: UInt8
            switch character {
            case 0x30...0x39: nibble = character - 0x30
            case 0x41...0x46: nibble = character - 0x37
            case 0x61...0x66: nibble = character - 0x57
            case 0x20, 0x09, 0x0A, 0x0D:
                guard high == nil else { return nil }
                continue
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | nibble)
                high = nil
            } else {
                high = nibble
            }
        }
        return high == nil ? bytes : nil
    }
}

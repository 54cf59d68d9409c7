import Readings

/// A Keyence SR reader: reads while LON holds, or on its own trigger; says ERROR when the time for a read is over.
public struct KeyenceReaderDevice: SimulatedDevice {
    /// How long it looks for a code after LON.
    static let readTime = Instant.Span.seconds(2)

    /// Whether a trigger input starts reads, so that a code is read without LON.
    public var hasTrigger: Bool
    private var lines = CommandLines()
    private var readEnd: Instant?
    private var reads = 0
    private var failures = 0

    public init(hasTrigger: Bool = true) {
        self.hasTrigger = hasTrigger
    }

    public var nextDeadline: Instant? { readEnd }

    public mutating func advance(to now: Instant) -> [[UInt8]] {
        guard let end = readEnd, end <= now else { return [] }
        readEnd = nil
        failures += 1
        return [Array("ERROR\r".utf8)]
    }

    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        guard case .scan(let text) = action else { return nil }
        let code = SimulatedCode(text)
        guard hasTrigger || readEnd != nil else { return [] }
        readEnd = nil
        reads += 1
        return [code.text + [0x0D]]
    }

    public mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] {
        lines.take(bytes).map { command in
            let answer: String
            switch command {
            case "LON":
                answer = readEnd == nil ? "OK,LON" : "ER,LON,20"
                if readEnd == nil { readEnd = now + Self.readTime }
            case "LOFF":
                readEnd = nil
                answer = "OK,LOFF"
            case "NUM": answer = "OK,NUM,\(reads),\(failures)"
            default: answer = "ER,\(command.prefix(8)),00"
            }
            return Array("\(answer)\r".utf8)
        }
    }
}

/// A Cognex DataMan reader: DMCC commands, answers only in the response form that was set.
public struct DataManDevice: SimulatedDevice {
    /// The interval of its heartbeat; nil: it has none.
    public var heartbeat: Instant.Span?
    private var lines = CommandLines()
    private var isExtended = false
    private var nextBeat: Instant?

    public init(heartbeat: Instant.Span? = nil) {
        self.heartbeat = heartbeat
        nextBeat = heartbeat.map { Instant.zero + $0 }
    }

    public var nextDeadline: Instant? { nextBeat }

    public mutating func advance(to now: Instant) -> [[UInt8]] {
        guard let beat = nextBeat, beat <= now, let heartbeat else { return [] }
        nextBeat = now + heartbeat
        return [Array("HEARTBEAT\r\n".utf8)]
    }

    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        guard case .scan(let text) = action else { return nil }
        let code = SimulatedCode(text)
        return [code.text + [0x0D, 0x0A]]
    }

    /// The trigger came and nothing was read.
    public mutating func fail() -> [[UInt8]] { [Array("NOREAD\r\n".utf8)] }

    public mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] {
        lines.take(bytes).compactMap { line in
            guard line.hasPrefix("||"), let end = line.firstIndex(of: ">") else { return nil }
            let head = line[..<end]
            let command = line[line.index(after: end)...]
            var status = 0
            var value = ""
            switch command {
            case "SET COM.DMCC-RESPONSE 1": isExtended = true
            case "SET COM.DMCC-RESPONSE 0": isExtended = false
            case "GET DEVICE.TYPE": value = "DM370"
            case "TRIGGER ON", "TRIGGER OFF": break
            default: status = 101
            }
            if isExtended { return Array("\(head)[\(status)]\(value)\r\n".utf8) }
            return value.isEmpty ? nil : Array("\(value)\r\n".utf8)
        }
    }
}

/// A SICK scanner: CoLa-A telegrams between STX and ETX, results likewise.
public struct SICKScannerDevice: SimulatedDevice {
    /// Whether its reading gate is open.
    public private(set) var isGateOpen = false
    private var telegram: [UInt8]?

    public init() {}

    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        guard case .scan(let text) = action else { return nil }
        let code = SimulatedCode(text)
        return isGateOpen ? [Self.telegram(code.text)] : []
    }

    /// The gate was closed and nothing was read.
    public mutating func fail() -> [[UInt8]] { [Self.telegram(Array("NoRead".utf8))] }

    public mutating func beat() -> [[UInt8]] { [Self.telegram(Array("Heartbeat".utf8))] }

    public mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] {
        var answers: [[UInt8]] = []
        for byte in bytes {
            switch byte {
            case 0x02: telegram = []
            case 0x03:
                if let text = telegram { answers.append(Self.telegram(Array(answer(to: String(decoding: text, as: UTF8.self)).utf8))) }
                telegram = nil
            default: if telegram?.count ?? 0 < 1_024 { telegram?.append(byte) }
            }
        }
        return answers
    }

    private mutating func answer(to command: String) -> String {
        switch command {
        case "sRN DeviceIdent": return "sRA DeviceIdent 8 CLV650-0 5 V6.10"
        case "sMN mTCgateon":
            isGateOpen = true
            return "sAN mTCgateon 1"
        case "sMN mTCgateoff":
            isGateOpen = false
            return "sAN mTCgateoff 1"
        default: return "sFA 3"
        }
    }

    private static func telegram(_ text: [UInt8]) -> [UInt8] { [0x02] + text + [0x03] }
}

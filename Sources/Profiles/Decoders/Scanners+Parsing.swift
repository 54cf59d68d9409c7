import Decoding
import Identifiers
import Readings

extension ScannerLine.Configuration {
    init(_ reader: TOMLTableReader) {
        let terminator: ScannerLine.Terminator = reader.choice("terminator") ?? .any
        let start = reader.bytes("start", maximum: 1)?.first
        self.init(
            terminator: terminator, otherEnds: Set(reader.bytes("also_ends", maximum: 8) ?? []), start: start,
            gap: reader.milliseconds("gap_ms", in: 5...10_000) ?? .milliseconds(terminator == .gap ? 50 : 500),
            noRead: reader.linePatterns("no_read"), heartbeat: reader.linePatterns("heartbeat"), answers: reader.linePatterns("answers"),
            endsRounds: reader.bool("ends_rounds") ?? false, text: TextRule(reader))
        if let start, otherEnds.contains(start) { reader.problem("start", "stands in also_ends, too") }
    }
}

extension TOMLTableReader {
    /// Lines with `*` for any characters.
    fileprivate func linePatterns(_ key: String) -> [LinePattern] {
        let texts = strings(key, maximumCount: 50, maximum: 100) ?? []
        for (index, text) in texts.enumerated() where text.allSatisfy({ $0 == "*" }) {
            problem(at: path + [.key(key), .index(index)], "would match every line")
        }
        return texts.map(LinePattern.init)
    }
}

extension KeyboardWedge.Configuration {
    init?(_ reader: TOMLTableReader, layouts: [String: KeyboardLayout]) {
        let name = reader.string("layout", maximum: 32) ?? "us"
        let layout = layouts[name]
        if layout == nil {
            reader.problem("layout", "there is no keyboard layout \"\(name)\"; known: \(layouts.keys.sorted().joined(separator: ", "))")
        }
        var terminators = Set(KeyboardWedge.Terminator.allCases)
        if let names = reader.strings("terminators", maximumCount: 3) {
            terminators = Set(names.compactMap(KeyboardWedge.Terminator.init))
            if terminators.count != names.count {
                reader.problem(
                    "terminators", "must be of " + KeyboardWedge.Terminator.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))
            }
        }
        let separators = reader.integers("gs_keys", in: 1...767, maximumCount: 8) ?? []
        let interKey = reader.milliseconds("inter_key_ms", in: 5...10_000)
        let endOfScan = reader.milliseconds("end_of_scan_ms", in: 20...10_000) ?? .milliseconds(200)
        if let interKey, interKey > endOfScan { reader.problem("inter_key_ms", "must not be longer than end_of_scan_ms") }
        let ignoresCapsLock = reader.bool("ignore_caps_lock") ?? false
        let invertsCase = reader.bool("inverted_case") ?? false
        let text = TextRule(reader)
        guard let layout else { return nil }
        self.init(
            layout: layout, terminators: terminators, interKeyTimeout: interKey, endOfScanTimeout: endOfScan,
            separatorKeys: Set(separators.map { UInt16(truncatingIfNeeded: $0) }), ignoresCapsLock: ignoresCapsLock,
            invertsCase: invertsCase,
            text: text)
    }
}

extension TextRule {
    init(_ reader: TOMLTableReader) {
        let output: Output = reader.table("badge").map { .badge(Badge($0)) } ?? .scan
        let controls = reader.bytes("controls", maximum: 32) ?? [0x1D]
        if controls.contains(where: { $0 >= 0x20 && $0 != 0x7F }) { reader.problem("controls", "must be bytes below 20, or 7F") }
        self.init(
            prefix: reader.bytes("prefix", maximum: 16) ?? [],
            suffix: reader.bytes("suffix", maximum: 16) ?? [],
            aim: reader.choice("aim") ?? (output == .scan ? .optional : .never),
            codeIDLength: Int(reader.integer("code_id_length", in: 0...2) ?? 0), codeIDs: Self.codeIDs(reader),
            separatorSubstitute: reader.bytes("gs_substitute", maximum: 8) ?? [],
            allowedControls: Set(controls), output: output)
    }

    /// `[decoder.code_ids]`: a vendor's code id = AIM identifier.
    private static func codeIDs(_ reader: TOMLTableReader) -> [[UInt8]: AIMIdentifier] {
        guard let table = reader.table("code_ids") else { return [:] }
        defer { table.finish() }
        var identifiers: [[UInt8]: AIMIdentifier] = [:]
        for key in table.keys {
            guard let text = table.string(key, maximum: 3) else { continue }
            guard let identifier = AIMIdentifier(text), (1...2).contains(key.utf8.count) else {
                table.problem(key, "must be one or two characters and an AIM identifier such as \"]C1\"")
                continue
            }
            identifiers[Array(key.utf8)] = identifier
        }
        return identifiers
    }
}

extension TextRule.Badge {
    /// A number that arrives as text.
    init(_ reader: TOMLTableReader) {
        self.init(
            notation: reader.choice("reads") ?? .decimal, byteCount: Int(reader.integer("number_bytes", in: 1...8) ?? 4),
            bitCount: Int(reader.integer("wiegand_bits", in: 1...64) ?? 26),
            form: BadgeForm(reader, isWhole: false))
        reader.finish()
    }
}

extension HIDPointOfSale.Configuration {
    init(_ reader: TOMLTableReader) {
        let answers = reader.strings("answers", maximumCount: 10, maximum: 3)
        for (index, text) in (answers ?? []).enumerated() where !text.hasPrefix("]") || text.utf8.count < 2 {
            reader.problem(
                at: reader.path + [.key("answers"), .index(index)], "must be an AIM identifier, or the first two characters of one")
        }
        self.init(
            layout: reader.choice("layout") ?? .standard, reportID: UInt8(reader.integer("report_id", in: 1...255) ?? 2),
            reportBytes: Int(reader.integer("report_bytes", in: 16...1_024) ?? 64), answers: answers.map(Set.init) ?? ["]Z"],
            text: TextRule(reader))
    }
}

extension SSIProtocol.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init(acknowledges: reader.bool("acknowledge") ?? true, text: TextRule(reader))
    }
}

extension GM65Protocol.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init(line: ScannerLine.Configuration(reader))
    }
}

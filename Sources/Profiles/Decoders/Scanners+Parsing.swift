import Decoding
import Readings

extension ScannerLine.Configuration {
    init(_ reader: TOMLTableReader) {
        let terminator: ScannerLine.Terminator = reader.choice("terminator") ?? .any
        self.init(
            terminator: terminator,
            gap: reader.milliseconds("gap_ms", in: 5...10_000) ?? .milliseconds(terminator == .gap ? 50 : 500),
            text: TextRule(reader))
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
        let text = TextRule(reader)
        guard let layout else { return nil }
        self.init(
            layout: layout, terminators: terminators, interKeyTimeout: interKey, endOfScanTimeout: endOfScan,
            separatorKeys: Set(separators.map { UInt16(truncatingIfNeeded: $0) }), ignoresCapsLock: ignoresCapsLock, text: text)
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
            codeIDLength: Int(reader.integer("code_id_length", in: 0...2) ?? 0),
            separatorSubstitute: reader.bytes("gs_substitute", maximum: 8) ?? [],
            allowedControls: Set(controls), output: output)
    }
}

extension TextRule.Badge {
    /// A number that arrives as text.
    init(_ reader: TOMLTableReader) {
        self.init(
            notation: reader.choice("reads") ?? .decimal, byteCount: Int(reader.integer("number_bytes", in: 1...8) ?? 4),
            form: BadgeForm(reader, isWhole: false))
        reader.finish()
    }
}

extension HIDPointOfSale.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init()
    }
}

extension SSIProtocol.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init()
    }
}

extension GM65Protocol.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init()
    }
}

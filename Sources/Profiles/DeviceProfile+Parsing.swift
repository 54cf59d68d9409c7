import Decoding
import Readings

extension DeviceProfile {
    /// Reads a profile; every problem found is noted with the reader.
    /// - Parameter id: `vendor/model`, from the folders; the file must say the same.
    /// - Returns: nil when there are problems.
    init?(_ reader: TOMLTableReader, id: String, layouts: [String: KeyboardLayout]) {
        if let stated = reader.string("id", maximum: 64, isRequired: true), stated != id {
            reader.problem("id", "must be \"\(id)\", like the folders of the file")
        }
        let name = reader.string("name", maximum: 100, isRequired: true)
        let models = reader.strings("models", maximumCount: 50, maximum: 100) ?? []
        let support = reader.integer("support", in: 1...5, isRequired: true).flatMap { SupportLevel(rawValue: Int($0)) }
        let quirks = reader.strings("quirks", maximumCount: 30, maximum: 500) ?? []
        let sources = reader.strings("sources", maximumCount: 30, maximum: 300) ?? []
        if reader.has("sources"), sources.isEmpty { reader.problem("sources", "is empty") }
        let transport = reader.table("transport", isRequired: true).flatMap(Transport.init)
        let rules = reader.tables("match", maximumCount: 50).map(MatchRule.init)
        let decoder = reader.table("decoder", isRequired: true).flatMap { DecoderConfiguration($0, layouts: layouts) }
        let radioReader = reader.table("radio")
        var radio = radioReader.map { RadioRules($0) } ?? RadioRules()
        let session = SessionTemplate(
            session: reader.table("session"), feedback: reader.table("feedback"), rules: CommandRules(decoder: decoder, radio: radio))
        // One byte of whole dBm is coarser than the hundredths of others.
        if session.templates.contains(where: { $0.tokens.contains(.powerWhole) }) { radio.powerStep = 100 }
        if radioReader != nil { radio.reportUnused(session, to: reader) }
        let failsafe: Failsafe? = reader.choice("failsafe")
        // A gateway that dies in the middle must not leave a door open.
        for pulse in Feedback.pulses where session.base.feedback[pulse].map({ $0.count > 1 }) ?? false && failsafe != .hostWatchdog {
            reader.problem(
                "feedback", "\(pulse.rawValue): one command whose end the device times itself; several need failsafe = \"host_watchdog\"")
        }
        if case .modbus = decoder {
            if !session.base.feedback.isEmpty, failsafe == nil, !reader.has("failsafe") {
                reader.problem("feedback", "needs failsafe beside it: what becomes of the outputs when the gateway falls silent")
            }
            switch transport {
            case .evdev, .hidraw: reader.problem("transport", "Modbus needs kind serial or tcp")
            case .serial(let line) where line.dataBits != 8: reader.problem("transport", "Modbus RTU has 8 data bits")
            default: break
            }
        }
        reader.finish()
        if let transport, let decoder, (transport == .evdev) != decoder.takesKeys {
            reader.problem("decoder", "\(decoder.protocolName) cannot be read over this transport")
        }
        if let transport, transport == .evdev, !session.steps.isEmpty || session.inventory != nil || !session.base.feedback.isEmpty {
            reader.problem("session", "nothing can be sent to a keyboard")
        }
        guard reader.problems.isEmpty, let name, let support, let transport, let decoder else { return nil }
        self.init(
            id: id, name: name, models: models, support: support, transport: transport, rules: rules, decoder: decoder, radio: radio,
            session: session, failsafe: failsafe, quirks: quirks, sources: sources, file: reader.document.file)
    }
}

extension DeviceProfile.Transport {
    private enum Kind: String, CaseIterable {
        case serial, evdev, hidraw, tcp
    }

    init?(_ reader: TOMLTableReader) {
        let kind = reader.choice("kind", of: Kind.self, isRequired: true)
        defer { reader.finish() }
        switch kind {
        case .evdev: self = .evdev
        case .serial: self = .serial(DeviceProfile.SerialLine(reader))
        case .hidraw:
            let reports = reader.strings("feature_reports", maximumCount: 8) ?? []
            self = .hidraw(
                DeviceProfile.HID(
                    featureReports: reports.map { text in
                        guard let bytes = BytePattern(text)?.bytes.compactMap(\.self), !bytes.isEmpty else {
                            reader.problem("feature_reports", "must be bytes in hexadecimal, the report id first")
                            return []
                        }
                        return bytes
                    }))
        case .tcp:
            let serial = reader.table("serial").map { table in
                defer { table.finish() }
                return DeviceProfile.SerialLine(table)
            }
            self = .tcp(
                DeviceProfile.Network(
                    port: UInt16(reader.integer("port", in: 1...65_535, isRequired: true) ?? 1),
                    tlsPort: reader.integer("tls_port", in: 1...65_535).map { UInt16($0) }),
                serial: serial)
        case nil: return nil
        }
    }
}

extension DeviceProfile.SerialLine {
    init(_ reader: TOMLTableReader) {
        self.init(
            baud: Int(reader.integer("baud", in: 50...4_000_000, isRequired: true) ?? 9_600),
            dataBits: Int(reader.integer("data_bits", in: 7...8) ?? 8),
            parity: reader.choice("parity") ?? .none,
            stopBits: Int(reader.integer("stop_bits", in: 1...2) ?? 1),
            flow: reader.choice("flow") ?? .none,
            dtr: reader.bool("dtr"), rts: reader.bool("rts"),
            openDelay: reader.milliseconds("open_delay_ms", in: 0...10_000) ?? .zero)
    }
}

extension MatchRule {
    init(_ reader: TOMLTableReader) {
        var properties: [String: String] = [:]
        for key in reader.keys {
            guard let pattern = reader.string(key, maximum: 200) else { continue }
            if key.utf8.contains(where: { !(0x41...0x5A).contains($0) && !(0x30...0x39).contains($0) && $0 != 0x5F }) || key == "SUBSYSTEM"
            {
                reader.problem(key, key == "SUBSYSTEM" ? "follows from the transport" : "is no udev property: those are upper case")
            }
            if key == "ID_VENDOR_ID" || key == "ID_MODEL_ID",
                pattern.utf8.count != 4 || UInt16(pattern, radix: 16) == nil || pattern != pattern.lowercased()
            {
                reader.problem(key, "must be four hexadecimal digits in lower case")
            }
            properties[key] = pattern
        }
        self.init(properties: properties)
        if let weakness { reader.problem(properties["ID_MODEL_ID"] == nil ? nil : "ID_MODEL_ID", weakness) }
    }
}

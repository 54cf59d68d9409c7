import Decoding
import Readings

extension SessionPlan {
    init(session reader: TOMLTableReader?, feedback feedbackReader: TOMLTableReader?, decoder: DecoderConfiguration?) {
        self.init()
        if let reader {
            steps = reader.tables("step", maximumCount: 32).map { Step($0, decoder: decoder) }
            inventory = reader.table("inventory").map { Inventory($0, decoder: decoder) }
            livenessTimeout = reader.milliseconds("liveness_ms", in: 200...600_000)
            if reader.has("stop") { stop = reader.commands("stop", decoder: decoder) }
            if let inventory, let livenessTimeout, livenessTimeout <= inventory.watchdog {
                reader.problem("liveness_ms", "must be longer than the watchdog of the inventory")
            }
            if inventory != nil, livenessTimeout == nil {
                reader.problem("inventory", "needs liveness_ms: a reader that is asked must be shown to answer")
            }
            for (index, step) in steps.enumerated() where steps[..<index].contains(where: { $0.name == step.name }) {
                reader.problem(at: reader.path + [.key("step"), .index(index), .key("name")], "stands twice")
            }
            reader.finish()
        }
        if let feedbackReader { readFeedback(feedbackReader, decoder: decoder) }
    }

    private mutating func readFeedback(_ reader: TOMLTableReader, decoder: DecoderConfiguration?) {
        for kind in Feedback.allCases {
            let transmissions = reader.tables(kind.rawValue, maximumCount: 16).map { reader in
                defer { reader.finish() }
                return Transmission(
                    pause: reader.milliseconds("pause_ms", in: 0...5_000) ?? .zero,
                    bytes: reader.command("send", decoder: decoder))
            }
            guard !transmissions.isEmpty else { continue }
            if let other = feedback.first(where: { $0.value == transmissions })?.key {
                reader.problem(kind.rawValue, "is the same as \(other.rawValue): nobody could tell them apart")
            }
            feedback[kind] = transmissions
        }
        reader.finish()
    }
}

extension SessionPlan.Step {
    init(_ reader: TOMLTableReader, decoder: DecoderConfiguration?) {
        let expect = reader.pattern("expect")
        let answer = reader.pattern("answer")
        let check = reader.table("check").map { reader in
            defer { reader.finish() }
            return SessionPlan.Check(
                send: reader.command("send", decoder: decoder),
                answer: reader.pattern("answer", isRequired: true) ?? BytePattern(bytes: []),
                wanted: reader.pattern("wanted", isRequired: true) ?? BytePattern(bytes: []))
        }
        if let decoder, !decoder.hasAnswers {
            for (key, isThere) in [("expect", expect != nil), ("answer", answer != nil), ("check", check != nil)] where isThere {
                reader.problem(key, "\(decoder.protocolName) has no answers that could be compared")
            }
        }
        self.init(
            name: reader.string("name", maximum: 40, isRequired: true) ?? "", send: reader.command("send", decoder: decoder),
            expect: expect, answer: answer, check: check,
            timeout: reader.milliseconds("timeout_ms", in: 10...30_000) ?? .milliseconds(500),
            retries: Int(reader.integer("retries", in: 0...10) ?? 2), isOptional: reader.bool("optional") ?? false,
            settle: reader.milliseconds("settle_ms", in: 0...10_000) ?? .zero, identifies: reader.bool("identifies") ?? false)
        reader.finish()
    }
}

extension SessionPlan.Inventory {
    init(_ reader: TOMLTableReader, decoder: DecoderConfiguration?) {
        if let decoder, !decoder.hasAnswers { reader.problem(nil, "\(decoder.protocolName) has no rounds") }
        self.init(
            reader.choice("mode") ?? .rounds, commands: reader.commands("command", decoder: decoder),
            watchdog: reader.milliseconds("watchdog_ms", in: 100...60_000) ?? .milliseconds(1_500),
            faultPause: reader.milliseconds("fault_pause_ms", in: 50...5_000) ?? .milliseconds(500),
            faultLimit: Int(reader.integer("fault_limit", in: 1...64) ?? 1))
        reader.finish()
    }
}

extension TOMLTableReader {
    /// Bytes to send, which must be a whole frame where the protocol has frames.
    fileprivate func command(_ key: String, decoder: DecoderConfiguration?) -> [UInt8] {
        guard let bytes = bytes(key, isRequired: true) else { return [] }
        if let fault = decoder?.fault(ofFrame: bytes) { problem(key, fault) }
        return bytes
    }

    /// One command, or several in a list.
    fileprivate func commands(_ key: String, decoder: DecoderConfiguration?) -> [[UInt8]] {
        guard isList(key), let texts = strings(key, maximumCount: 32, maximum: 800) else { return [command(key, decoder: decoder)] }
        if texts.isEmpty { problem(key, "is empty") }
        return texts.map { text in
            let bytes = BytePattern(text)?.bytes.compactMap(\.self) ?? []
            if bytes.isEmpty { problem(key, "must be bytes in hexadecimal") }
            if let fault = decoder?.fault(ofFrame: bytes) { problem(key, fault) }
            return bytes
        }
    }

    fileprivate func pattern(_ key: String, isRequired: Bool = false) -> BytePattern? {
        guard let text = string(key, maximum: 800, isRequired: isRequired) else { return nil }
        guard let pattern = BytePattern(text) else {
            problem(key, "must be bytes in hexadecimal, ?? for any one, ... at the end for any more")
            return nil
        }
        return pattern
    }
}

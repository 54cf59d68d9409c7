import Decoding
import Readings

/// What the commands of a profile are checked against.
struct CommandRules {
    var decoder: DecoderConfiguration?
    var radio: RadioRules
}

extension SessionTemplate {
    init(session reader: TOMLTableReader?, feedback feedbackReader: TOMLTableReader?, rules: CommandRules) {
        self.init()
        if let reader, let decoder = rules.decoder, decoder.hasOwnSession {
            reader.problem(nil, "\(decoder.protocolName) finds out by itself what to send; it can have feedback only")
        } else if let reader {
            steps = reader.tables("step", maximumCount: 32).compactMap { Step($0, rules) }
            inventory = reader.table("inventory").map { Inventory($0, rules) }
            base.livenessTimeout = reader.milliseconds("liveness_ms", in: 200...600_000)
            if reader.has("stop") { base.stop = reader.templates("stop", rules).map { reader.fixed($0, "stop", rules) } }
            if let inventory, let timeout = base.livenessTimeout, timeout <= inventory.base.watchdog {
                reader.problem("liveness_ms", "must be longer than the watchdog of the inventory")
            }
            if inventory != nil, base.livenessTimeout == nil {
                reader.problem("inventory", "needs liveness_ms: a reader that is asked must be shown to answer")
            }
            for (index, step) in steps.enumerated() where steps[..<index].contains(where: { $0.base.name == step.base.name }) {
                reader.problem(at: reader.path + [.key("step"), .index(index), .key("name")], "stands twice")
            }
            reader.finish()
        }
        if let feedbackReader { readFeedback(feedbackReader, rules) }
    }

    private mutating func readFeedback(_ reader: TOMLTableReader, _ rules: CommandRules) {
        for kind in Feedback.allCases {
            let transmissions = reader.tables(kind.rawValue, maximumCount: 16).map { reader in
                defer { reader.finish() }
                return SessionPlan.Transmission(
                    pause: reader.milliseconds("pause_ms", in: 0...5_000) ?? .zero,
                    bytes: reader.template("send", rules).map { reader.fixed($0, "send", rules) } ?? [])
            }
            guard !transmissions.isEmpty else { continue }
            let length = transmissions.reduce(0) { $0 + $1.pause.milliseconds }
            if kind.isPulse, length > Feedback.longestPulse.milliseconds {
                reader.problem(kind.rawValue, "takes \(length) ms: a lock is held open for 10 s at most")
            }
            if let other = base.feedback.first(where: { $0.value == transmissions })?.key {
                reader.problem(kind.rawValue, "is the same as \(other.rawValue): nobody could tell them apart")
            }
            base.feedback[kind] = transmissions
        }
        reader.finish()
    }
}

extension SessionTemplate.Step {
    init?(_ reader: TOMLTableReader, _ rules: CommandRules) {
        let expect = reader.answer("expect", rules)
        let answer = reader.answer("answer", rules).flatMap { reader.fixedPattern($0, "answer", rules) }
        let check = reader.table("check").flatMap { Check($0, rules) }
        if let decoder = rules.decoder, !decoder.hasAnswers {
            for key in ["expect", "answer", "check"] where reader.has(key) {
                reader.problem(key, "\(decoder.protocolName) has no answers that could be compared")
            }
        }
        let base = SessionPlan.Step(
            name: reader.string("name", maximum: 40, isRequired: true) ?? "", send: [], answer: answer,
            timeout: reader.milliseconds("timeout_ms", in: 10...30_000) ?? .milliseconds(500),
            retries: Int(reader.integer("retries", in: 0...10) ?? 2), isOptional: reader.bool("optional") ?? false,
            settle: reader.milliseconds("settle_ms", in: 0...10_000) ?? .zero, identifies: reader.bool("identifies") ?? false)
        let send = reader.template("send", rules)
        if send?.isPerAntenna == true { reader.problem("send", "{antenna} may stand in commands of the inventory only") }
        reader.finish()
        guard let send else { return nil }
        self.init(base: base, send: send, expect: expect, check: check)
    }
}

extension SessionTemplate.Step.Check {
    init?(_ reader: TOMLTableReader, _ rules: CommandRules) {
        defer { reader.finish() }
        let send = reader.template("send", rules)
        let answer = reader.answer("answer", rules, isRequired: true).flatMap { reader.fixedPattern($0, "answer", rules) }
        let wanted = reader.answer("wanted", rules, isRequired: true)
        guard let send, let answer, let wanted else { return nil }
        self.init(send: send, answer: answer, wanted: wanted)
    }
}

extension SessionTemplate.Inventory {
    init(_ reader: TOMLTableReader, _ rules: CommandRules) {
        if let decoder = rules.decoder, !decoder.hasRounds { reader.problem(nil, "\(decoder.protocolName) has no rounds") }
        let mode: SessionPlan.Inventory.Mode = reader.choice("mode") ?? .rounds
        self.init(
            base: SessionPlan.Inventory(
                mode, commands: [],
                watchdog: reader.milliseconds("watchdog_ms", in: 100...60_000) ?? .milliseconds(1_500),
                faultPause: reader.milliseconds("fault_pause_ms", in: 50...5_000) ?? .milliseconds(500),
                faultLimit: Int(reader.integer("fault_limit", in: 1...64) ?? 1)),
            commands: Commands(reader, rules, mode: mode))
        for intent in RadioIntent.allCases {
            byIntent[intent] = reader.table(intent.rawValue).map { table in
                defer { table.finish() }
                return Commands(table, rules, mode: mode)
            }
        }
        reader.finish()
    }
}

extension SessionTemplate.Inventory.Commands {
    init(_ reader: TOMLTableReader, _ rules: CommandRules, mode: SessionPlan.Inventory.Mode) {
        self.init(
            commands: reader.templates("command", rules),
            select: reader.table("select").flatMap { SessionTemplate.Inventory.Select($0, rules) })
        if select != nil, mode == .stream { reader.problem("select", "goes before rounds, not before a stream") }
    }
}

extension SessionTemplate.Inventory.Select {
    init?(_ reader: TOMLTableReader, _ rules: CommandRules) {
        defer { reader.finish() }
        let send = reader.template("send", rules)
        let expect = reader.answer("expect", rules, isRequired: true).flatMap { reader.fixedPattern($0, "expect", rules) }
        let answer = reader.answer("answer", rules, isRequired: true).flatMap { reader.fixedPattern($0, "answer", rules) }
        guard let send, let expect, let answer else { return nil }
        self.init(send: send, expect: expect, answer: answer)
    }
}

extension TOMLTableReader {
    /// A command, which must be a whole frame where the protocol has frames.
    fileprivate func template(_ key: String, _ rules: CommandRules) -> CommandTemplate? {
        string(key, maximum: 800, isRequired: true).flatMap { template(key, text: $0, rules, isAnswer: false) }
    }

    /// One command, or several in a list.
    fileprivate func templates(_ key: String, _ rules: CommandRules) -> [CommandTemplate] {
        guard isList(key), let texts = strings(key, maximumCount: 32, maximum: 800) else {
            return [template(key, rules)].compactMap(\.self)
        }
        if texts.isEmpty { problem(key, "is empty") }
        return texts.compactMap { template(key, text: $0, rules, isAnswer: false) }
    }

    fileprivate func answer(_ key: String, _ rules: CommandRules, isRequired: Bool = false) -> CommandTemplate? {
        string(key, maximum: 800, isRequired: isRequired).flatMap { template(key, text: $0, rules, isAnswer: true) }
    }

    /// A command that carries no setting of the site.
    fileprivate func fixed(_ template: CommandTemplate, _ key: String, _ rules: CommandRules) -> [UInt8] {
        let bytes = rules.decoder.flatMap { template.command(RadioValues(), decoder: $0) }
        if template.usesRegion || template.usesPower || template.usesAntennas { problem(key, "may not carry a setting of the radio") }
        return bytes ?? []
    }

    fileprivate func fixedPattern(_ template: CommandTemplate, _ key: String, _ rules: CommandRules) -> BytePattern? {
        if !template.tokens.isEmpty { problem(key, "may not carry a setting of the radio") }
        return rules.decoder.flatMap { template.pattern(RadioValues(), decoder: $0) }
    }

    private func template(_ key: String, text: String, _ rules: CommandRules, isAnswer: Bool) -> CommandTemplate? {
        let template: CommandTemplate
        do throws(CommandTemplate.Flaw) { template = try CommandTemplate(text, isAnswer: isAnswer) } catch {
            switch error {
            case .unknownToken(let token): problem(key, "nothing can be put in the place of \(token)")
            case .notHexadecimal where isAnswer:
                problem(key, "must be bytes in hexadecimal, ?? for any one, ... at the end for any more")
            case .notHexadecimal: problem(key, "must be 1 to 256 bytes in hexadecimal")
            }
            return nil
        }
        if template.usesRegion, rules.radio.regions.isEmpty { problem(key, "needs the regions in [radio.regions]") }
        if template.usesPower, rules.radio.power == nil { problem(key, "needs power_dbm in [radio]") }
        if template.usesAntennas, rules.radio.antennas.isEmpty { problem(key, "needs antennas in [radio]") }
        if template.tokens.contains(.check), let decoder = rules.decoder, decoder.check(behind: []) == nil {
            problem(key, "\(decoder.protocolName) has no check that could be put in")
        }
        guard !isAnswer, let decoder = rules.decoder else { return template }
        let commands = rules.radio.samples.compactMap { template.command($0, decoder: decoder) }
        if let fault = commands.lazy.compactMap({ decoder.fault(ofFrame: $0) }).first { problem(key, fault) }
        return template
    }
}

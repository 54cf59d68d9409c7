import Readings

extension LLRPSession {
    /// Messages other than reports are no longer than this, in bytes: the capabilities of a reader have a few kilobytes.
    static let longestMessage = 1 << 18
    static let limits = LLRPLimits(depth: 12, parameters: 10_000)

    /// A message that is neither a report nor a keepalive.
    mutating func received(_ frame: [UInt8], at now: Instant, into output: inout SessionOutput) {
        guard frame.count >= LLRPMessage.headerLength, let header = LLRPHeader(frame) else { return }
        let pending: Pending? = if case .step(let pending) = phase { pending } else { nil }
        let isAnswer = pending.map { $0.ids.contains(header.id) && $0.step.answerType == header.type } ?? false
        // Late answers, and what nobody asked for, need not be read.
        guard isAnswer || [12, 13, 36, 63, 100].contains(header.type) else { return }
        guard frame.count <= Self.longestMessage, let message = try? LLRPMessage(frame, limits: Self.limits) else {
            counters.rejects.count(.malformed)
            output.batch.rejects.count(.malformed)
            return
        }
        if isAnswer, let pending {
            if pending.step == .capabilities { capabilitiesAnswer = frame }
            return answered(pending, message, at: now, into: &output)
        }
        switch header.type {
        case 63: if let data = message.parameter("ReaderEventNotificationData") { received(events: data, at: now, into: &output) }
        case 100:
            // Some readers leave the id 0 when they did not understand a message at all.
            let fault = Self.fault(in: message) ?? "ERROR_MESSAGE"
            guard let pending, pending.ids.contains(header.id) || header.id == 0 else {
                if check?.ids.contains(header.id) == true { return checkRefused(fault, into: &output) }
                return countFault("the reader refused a message", detail: fault, at: now)
            }
            refused(pending.step, fault, at: now, into: &output)
        case 36: if check?.ids.contains(header.id) == true { checked(message, at: now, into: &output) }
        case 12: if phase == .running || phase == .refused { takeInputs(message, into: &output) }
        case 13: if let fault = Self.fault(in: message) { countFault("the reader refused to switch an output", detail: fault, at: now) }
        default: break
        }
    }

    // MARK: Events

    private mutating func received(events: LLRPParameter, at now: Instant, into output: inout SessionOutput) {
        if let attempt = events.parameter("ConnectionAttemptEvent") {
            connectionAttempted(attempt.integer("Status") ?? 3, events, at: now, into: &output)
        }
        if events.parameter("ConnectionCloseEvent") != nil { return fail("connection", "the reader closed the connection", into: &output) }
        if let event = events.parameter("ROSpecEvent"), let inventory, event.unsigned32("ROSpecID") == inventory.roSpecID {
            switch event.integer("EventType") {
            case 0: break
            case 1: if !inventory.restartsItself { inventoryEnded("end of inventory", at: now, into: &output) }
            default: inventoryEnded("another inventory took its place", at: now, into: &output)
            }
            ownEvent(at: Self.time(of: events), isStart: event.integer("EventType") == 0, now, into: &output)
        }
        if let event = events.parameter("AntennaEvent") { antennaChanged(event, at: now, into: &output) }
        if let event = events.parameter("ReaderExceptionEvent") {
            var text = Self.printable(event.text("Message") ?? "")
            if let antenna = event.parameter("AntennaID")?.integer("AntennaID") { text += " (antenna \(antenna))" }
            countFault("reader exception", detail: text, at: now)
        }
        if let event = events.parameter("ReportBufferLevelWarningEvent") {
            countFault("report buffer filling up", detail: "\(event.integer("ReportBufferPercentageFull") ?? 0) %", at: now)
        }
        if events.parameter("ReportBufferOverflowErrorEvent") != nil { countFault("report buffer overflowed: reads were lost", at: now) }
    }

    private mutating func connectionAttempted(
        _ status: Int, _ events: LLRPParameter, at now: Instant, into output: inout SessionOutput
    ) {
        guard case .greeting = phase else {
            if status == 4 { countFault("another client tried to connect", at: now) }
            return
        }
        guard status == 0 else {
            let reason =
                switch status {
                case 1: "the reader has called another client, and is connected to it"
                case 2: "another client is connected"
                case 4: "another client tried to connect at the same time"
                default: "the reader refuses the connection"
                }
            return fail("connection", reason, into: &output)
        }
        isGreeted = true
        if let time = Self.time(of: events) { history = History(anchor: time, at: now) }
        let asks = configuration.version == .auto && !avoidsVersionQuestion
        if asks { begin(.supportedVersion, at: now, into: &output) } else { done(.setVersion, at: now, into: &output) }
    }

    private mutating func antennaChanged(_ event: LLRPParameter, at now: Instant, into output: inout SessionOutput) {
        guard let antenna = event.integer("AntennaID"), (1...255).contains(antenna) else { return }
        if event.integer("EventType") == 0 {
            guard lostAntennas.insert(UInt16(antenna)).inserted else { return }
            countFault(antenna <= 32 ? "antenna \(antenna) disconnected" : "an antenna disconnected", at: now)
        } else {
            lostAntennas.remove(UInt16(antenna))
            // An antenna that was not there at the start, where the site file leaves it to the reader which there are.
            if phase == .running, restartAt == nil, radio.antennas.isEmpty, let used = inventory?.antennas,
                hasNoAntenna || !used.isEmpty && !used.contains(UInt16(antenna))
            {
                report(.silent(reason: "antenna \(antenna) was connected: the inventory begins anew"), into: &output)
                inventory = nil
                return begin(.deleteROSpecs, at: now, into: &output)
            }
        }
        if phase == .running, restartAt == nil { reportReading(into: &output) }
    }

    /// The reader's time of an event, in microseconds.
    static func time(of events: LLRPParameter) -> UInt64? {
        (events.parameter("UTCTimestamp") ?? events.parameter("Uptime"))?.unsigned("Microseconds")
    }

    // MARK: Words

    /// What is wrong, by the LLRPStatus of an answer; nil: nothing.
    static func fault(in message: LLRPMessage) -> String? {
        guard let status = message.parameter("LLRPStatus") else { return "the answer has no status" }
        guard let code = status.integer("StatusCode"), code != 0 else { return nil }
        let word = status.word("StatusCode") ?? ""
        var text = word == "\(code)" ? "status \(code)" : "\(word) (\(code))"
        let description = printable(status.text("ErrorDescription") ?? "")
        if !description.isEmpty { text += ", \"\(description)\"" }
        // The innermost parameter is the one that the reader means.
        var place = status.parameter("ParameterError")
        for _ in 0..<8 {
            guard let inner = place?.parameter("ParameterError") else { break }
            place = inner
        }
        if let type = place?.integer("ParameterType"), let number = UInt16(exactly: type) {
            text += ", parameter \(LLRPDefinitions.parameter(.standard(number))?.name ?? "\(number)")"
        }
        if let field = (place?.parameter("FieldError") ?? status.parameter("FieldError"))?.integer("FieldNum") {
            text += ", field \(field)"
        }
        return text
    }

    /// A text from a reader, short and without control characters.
    static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(120).map { $0.properties.isWhitespace ? " " : $0 }.filter { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .surrogate, .privateUse, .unassigned: false
                    default: true
                    }
                }))
    }
}

extension LLRPInventoryPlan {
    /// For people.
    func summary(intent: RadioIntent) -> String {
        let ports = antennas.isEmpty ? "all antennas" : "antenna " + antennas.prefix(16).map { "\($0)" }.joined(separator: ", ")
        let turn = if case .stays(let milliseconds, _) = rotation { "\(milliseconds) ms each" } else { "in the reader's own turn" }
        return "\(intent.rawValue): session S\(session), \(target == .dual ? "dual" : "single") target, \(ports), \(turn)"
    }
}

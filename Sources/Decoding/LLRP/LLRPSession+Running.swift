import Readings

extension LLRPSession {
    /// The reader must have said something within this time.
    var watchdog: Instant.Span { Instant.Span(nanoseconds: configuration.keepalive.nanoseconds &* Self.missingKeepalives) }

    var dueNext: Instant? {
        var deadline = decoder.nextDeadline
        func consider(_ other: Instant?) {
            guard let other else { return }
            deadline = deadline.map { min($0, other) } ?? other
        }
        switch phase {
        case .closed, .failed: return nil
        case .greeting(let end): consider(end)
        case .step(let pending): consider(pending.deadline)
        case .running:
            consider(lastLife + watchdog)
            consider(restartAt)
            if inventory != nil, restartAt == nil { consider(check?.deadline ?? checkDue) }
        case .refused: consider(lastLife + watchdog)
        }
        consider(history?.deadline)
        if canSwitchOutputs { consider(feedback.nextDeadline) }
        return deadline
    }

    mutating func forget() {
        decoder.reset()
        decoder.channels = []
        version = 1
        lastID = 0
        capabilities = nil
        capabilitiesAnswer = []
        inventory = nil
        vendor = .none
        connectedAntennas = []
        lostAntennas = []
        hasNoAntenna = false
        history = nil
        isGreeted = false
        restartAt = nil
        restarts = 0
        check = nil
        checkFault = nil
        lastCheck = .zero
        isEnabled = false
        isPlain = false
        isConfigurationPlain = false
    }

    mutating func report(_ state: DeviceState, into output: inout SessionOutput) {
        guard state != self.state else { return }
        self.state = state
        output.batch.readings.append(.state(state))
    }

    /// - Parameter isReachable: the reader is thought to hear what is sent, so that what is left of a feedback goes out. Otherwise it is
    ///   sent when the reader is back.
    mutating func fail(_ step: String, _ reason: String, isReachable: Bool = true, into output: inout SessionOutput) {
        let canSend = isReachable && canSwitchOutputs
        phase = .failed
        // A rest that cannot be put into a message never could.
        if canSend { for bytes in feedback.takeRest() { try? sendOutputs(bytes, into: &output) } }
        let failure = SessionFailure(step: step, reason: reason)
        output.failure = failure
        report(.silent(reason: failure.description), into: &output)
    }

    /// Meanings are few: they come from here, never from the reader.
    mutating func countFault(_ meaning: String, detail: String = "", at now: Instant) {
        counters.faults[meaning, default: 0] &+= 1
        counters.lastFault = SessionCounters.Fault(code: 0, meaning: detail.isEmpty ? meaning : "\(meaning): \(detail)", time: now)
    }

    // MARK: What the decoder found

    mutating func digest(since before: DeviceSession.Mark, at now: Instant, into output: inout SessionOutput) {
        counters.rejects += output.batch.rejects.since(before.rejects)
        let end = output.batch.readings.count
        // The greeting tells the reader's time, and what was kept may come in the same bytes.
        let isGreeting = if case .greeting = phase { true } else { false }
        if !isGreeting { take(before.readings..<end, at: now, into: &output) }
        var index = before.signals
        while index < output.batch.signals.count, phase != .failed, phase != .closed {
            let signal = output.batch.signals[index]
            index += 1
            switch signal {
            case .answer(let frame):
                lastLife = now
                received(frame, at: now, into: &output)
            case .reply(let bytes): output.transmissions.append(bytes)
            case .alive: lastLife = now
            case .interrupted, .noRead, .roundEnded, .roundFailed, .fault, .antennaFault: break
            }
        }
        if isGreeting { take(before.readings..<end, at: now, into: &output) }
    }

    private mutating func take(_ range: Range<Int>, at now: Instant, into output: inout SessionOutput) {
        guard !range.isEmpty else { return }
        lastLife = now
        var end = range.upperBound
        if history != nil || !isGreeted { end = sortHistory(in: range, at: now, into: &output) }
        counters.readings &+= UInt64(output.batch.readings[range.lowerBound..<end].count { if case .late = $0 { false } else { true } })
        let hasTags = output.batch.readings[range.lowerBound..<end].contains { if case .tag = $0 { true } else { false } }
        guard hasTags else { return }
        lastTag = now
        restarts = 0
        guard checkFault != nil else { return }
        checkFault = nil
        if phase == .running, restartAt == nil { reportReading(into: &output) }
    }

    // MARK: The inventory

    /// Reading, unless something says that tags could be there unseen.
    mutating func reportReading(into output: inout SessionOutput) {
        if let blindness { report(.silent(reason: blindness), into: &output) } else { report(.reading, into: &output) }
    }

    /// Why tags that are there may not be seen though the inventory was started; nil: nothing says so. What an antenna does not see
    /// must not be taken for gone, and a gate that sees one side only decides wrongly.
    private var blindness: String? {
        if hasNoAntenna { return "no antenna is connected" }
        let used = inventory?.antennas ?? []
        let missing = lostAntennas.filter { used.isEmpty || used.contains($0) }.sorted()
        if !missing.isEmpty {
            let names = missing.prefix(8).map { "\($0)" }.joined(separator: ", ")
            return missing.count == 1 ? "antenna \(names) is not connected" : "antennas \(names) are not connected"
        }
        if let checkFault { return "the reader does not say whether it reads: \(checkFault)" }
        return isCatchingUp ? "catching up with what the reader kept" : nil
    }

    /// The inventory ended though nobody asked for it: it is begun again after a pause.
    mutating func inventoryEnded(_ reason: String, at now: Instant, into output: inout SessionOutput) {
        guard phase == .running, restartAt == nil else { return }
        check = nil
        checkFault = nil
        counters.failedRounds &+= 1
        restarts += 1
        countFault("inventory ended by itself", detail: reason, at: now)
        guard restarts <= Self.restartLimit else {
            return fail("inventory", "ended \(restarts) times in a row: \(reason)", into: &output)
        }
        report(.silent(reason: "inventory ended: \(reason)"), into: &output)
        restartAt = now + min(.seconds(Int64(1) << Int64(min(restarts - 1, 4))), Self.longestRestartPause)
    }

    mutating func advanceInventory(to now: Instant, into output: inout SessionOutput) {
        guard phase == .running else { return }
        if let restartAt {
            guard restartAt <= now else { return }
            self.restartAt = nil
            return begin(.deleteROSpecs, at: now, into: &output)
        }
        guard inventory != nil else { return }
        if let check, check.deadline > now { return }
        if let check, check.ids.count >= Self.attempts {
            self.check = nil
            return fail("inventory", "connected but silent: no answer to GET_ROSPECS", isReachable: false, into: &output)
        }
        guard check != nil || checkDue <= now else { return }
        lastCheck = now
        do throws(LLRPError) {
            let id = try send("GET_ROSPECS", into: &output)
            check = Check(ids: (check?.ids ?? []) + [id], deadline: now + Self.answerTimeout)
        } catch { fail("inventory", "\(error)", into: &output) }
    }

    /// When the reader is asked whether its inventory is still there.
    var checkDue: Instant { max(lastTag, lastCheck) + configuration.keepalive }

    /// No tags were seen for a while: what shows that the reader would see them is that its inventory is active; or inactive for the
    /// moment, where it begins again by itself. One that is disabled never does.
    mutating func checked(_ message: LLRPMessage, at now: Instant, into output: inout SessionOutput) {
        if let fault = Self.fault(in: message) { return checkRefused(fault, into: &output) }
        check = nil
        guard phase == .running, restartAt == nil, let inventory else { return }
        let spec = message.parameters(named: "ROSpec").first { $0.unsigned32("ROSpecID") == inventory.roSpecID }
        let state = spec?.word("CurrentState")
        if state == "Active" || state == "Inactive" && inventory.restartsItself {
            checkFault = nil
            return reportReading(into: &output)
        }
        inventoryEnded(spec == nil ? "the reader knows it no longer" : "the reader stopped it", at: now, into: &output)
    }

    /// Nothing shows that the reader reads, until a tag or an answer does.
    mutating func checkRefused(_ fault: String, into output: inout SessionOutput) {
        check = nil
        guard phase == .running, restartAt == nil else { return }
        checkFault = fault
        reportReading(into: &output)
    }

    // MARK: Outputs

    /// The reader was set up far enough to know its outputs.
    var canSwitchOutputs: Bool {
        switch phase {
        case .running, .refused: true
        // Where there was an inventory already, it is begun again, and all else is as it was.
        case .step(let pending): pending.step.isAfterConfiguration || inventory != nil
        default: false
        }
    }

    /// What is wrong with one transmission of a feedback; nil: it is pairs of an output's number, from 1, and 0 or 1.
    static func fault(ofFeedback bytes: [UInt8]) -> String? {
        let isGood =
            !bytes.isEmpty && bytes.count % 2 == 0
            && stride(from: 0, to: bytes.count, by: 2).allSatisfy { bytes[$0] > 0 && bytes[$0 + 1] <= 1 }
        return isGood ? nil : "must be pairs of an output, from 01, and 00 or 01"
    }

    /// The reader has the outputs.
    func isSwitchable(_ bytes: [UInt8]) -> Bool {
        guard Self.fault(ofFeedback: bytes) == nil else { return false }
        guard let capabilities else { return true }
        return stride(from: 0, to: bytes.count, by: 2).allSatisfy { Int(bytes[$0]) <= capabilities.outputCount }
    }

    mutating func sendFeedback(at now: Instant, into output: inout SessionOutput) {
        guard canSwitchOutputs else { return }
        do throws(LLRPError) {
            for bytes in feedback.takeDue(at: now) { try sendOutputs(bytes, into: &output) }
        } catch { fail("feedback", "\(error)", into: &output) }
    }

    mutating func sendOutputs(_ bytes: [UInt8], into output: inout SessionOutput) throws(LLRPError) {
        var parameters: [LLRPParameter] = []
        for index in stride(from: 0, to: bytes.count - 1, by: 2) {
            parameters.append(try Self.output(UInt16(bytes[index]), isOn: bytes[index + 1] != 0))
        }
        try send("SET_READER_CONFIG", parameters: parameters, into: &output)
    }

    static func output(_ port: UInt16, isOn: Bool) throws(LLRPError) -> LLRPParameter {
        try LLRPParameter("GPOWriteData", fields: ["GPOPortNumber": LLRPValue(port), "GPOData": LLRPValue(isOn)])
    }

    // MARK: Sending

    /// - Returns: the id that the answer will carry.
    @discardableResult
    mutating func send(
        _ name: String, _ fields: LLRPFields = [:], parameters: [LLRPParameter] = [], version: UInt8? = nil,
        into output: inout SessionOutput
    ) throws(LLRPError) -> UInt32 {
        let id = nextID()
        output.transmissions.append(
            try LLRPMessage(name, id: id, fields: fields, parameters: parameters, version: version ?? self.version).encoded())
        return id
    }

    mutating func nextID() -> UInt32 {
        lastID = lastID == .max ? 1 : lastID + 1
        return lastID
    }
}

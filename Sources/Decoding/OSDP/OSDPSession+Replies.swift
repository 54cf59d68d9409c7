import Readings

extension OSDPSession {
    public mutating func receive(_ bytes: UnsafeRawBufferPointer, at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        guard phase != .closed else { return }
        counters.bytes &+= UInt64(bytes.count)
        let before = output.batch.rejects
        for packet in framer.take(bytes, at: now, rejects: &output.batch.rejects) { take(packet, at: now, into: &output) }
        counters.rejects += output.batch.rejects.since(before)
    }

    mutating func take(_ packet: OSDPPacket, at now: Instant, into output: inout SessionOutput) {
        // Some adapters hear what they send.
        guard packet.isReply else { return }
        guard packet.address == address || address == OSDPPacket.broadcast else { return output.batch.rejects.count(.unexpectedInput) }
        // A reply to nothing: the repetition of one that came late, while the command was sent again.
        guard let turn, !turn.isBusy else { return output.batch.rejects.count(.duplicate) }
        let reply = packet.securityBlock == nil ? OSDPReply(packet) : .other
        switch reply {
        case .busy:
            // It holds for whatever was asked, and carries no number of its own.
            self.turn?.isBusy = true
            hindrance = "the reader is busy"
            self.turn?.deadline = now + configuration.poll
            return
        case .refused(code: 1):
            // The reader has not seen the command, nor its number.
            hinder(1, at: now, into: &output)
            self.turn?.deadline = now + configuration.poll
            return
        case .refused(code: 4):
            hinder(4, at: now, into: &output)
            counters.failedRounds &+= 1
            startAnew(at: now)
            nextTurn = now + configuration.poll
            return
        default: break
        }
        guard turn.sequence == nil || turn.sequence == packet.sequence else { return output.batch.rejects.count(.duplicate) }
        sequence = packet.sequence % 3 + 1
        self.turn = nil
        lastReply = now
        isOffline = false
        hindrance = nil
        nextTurn = now + configuration.poll
        counters.rounds &+= 1
        defer {
            // A command that was sent again may be answered again, and numbers return after three turns: what is late must come first.
            if turn.tries > 1 {
                quietUntil = turn.deadline
                nextTurn = max(nextTurn, turn.deadline)
            }
        }
        if let reply {
            answered(turn, by: reply, at: now, into: &output)
        } else {
            output.batch.rejects.count(.malformed)
            answered(turn, by: .other, at: now, into: &output)
        }
    }

    private mutating func answered(_ turn: Turn, by reply: OSDPReply, at now: Instant, into output: inout SessionOutput) {
        if case .refused(let code) = reply, code == 5 || code == 6 {
            if turn.kind == .feedback { feedback.putBack(turn.command, at: now) }
            return refused(code, at: now, into: &output)
        }
        let signals = output.batch.signals.count
        let readings = output.batch.readings.count
        report.take(reply, into: &output.batch)
        counters.readings &+= UInt64(output.batch.readings.count - readings)
        noteFaults(from: signals, at: now, in: output)
        switch turn.kind {
        case .question(let question):
            note(reply, to: question)
            goOn(after: question, at: now)
        case .poll:
            isRefused = false
            isInitialised = true
            tell(.reading, into: &output)
        case .feedback: break
        }
    }

    private mutating func note(_ reply: OSDPReply, to question: Question) {
        switch (question, reply) {
        case (.identification, .identification(let text)): stepAnswers[question.rawValue] = Array(text.utf8)
        case (.capabilities, .capabilities(let capabilities)):
            stepAnswers[question.rawValue] = Array(capabilities.map(\.text).joined(separator: ", ").utf8)
            hasInputs = capabilities.contains { $0.function == OSDPCapability.inputs && $0.count > 0 }
        case (.localStatus, .localStatus(let isTampered, let hasPowerFault)):
            let text = isTampered || hasPowerFault ? (isTampered ? "housing opened " : "") + (hasPowerFault ? "power fault" : "") : "normal"
            stepAnswers[question.rawValue] = Array(text.utf8)
        case (.inputs, .inputs(let states)): stepAnswers[question.rawValue] = states.map { $0 ? 0x31 : 0x30 }
        default: skippedSteps.append(question.rawValue)
        }
    }

    private mutating func goOn(after question: Question, at now: Instant) {
        let next: Question? =
            switch question {
            case .identification: .capabilities
            case .capabilities: .localStatus
            case .localStatus: hasInputs ? .inputs : nil
            case .inputs: nil
            }
        phase = next.map(Phase.asking) ?? .polling
        nextTurn = now + Self.turnaround
    }

    /// The reader speaks only through the secure channel. Somebody may change that, so it is asked again from time to time.
    private mutating func refused(_ code: UInt8, at now: Instant, into output: inout SessionOutput) {
        let answers = stepAnswers
        hinder(code, at: now, into: &output)
        isRefused = true
        isInitialised = false
        feedback.keepRest(at: now)
        startAnew(at: now)
        stepAnswers = answers
        nextTurn = now + Self.refusedPause
        tell(
            .silent(
                reason: "the reader demands the secure channel of OSDP (NAK \(code)), which is not supported: "
                    + "allow plain connections in its settings"),
            into: &output)
    }

    /// A refusal after which the exchange cannot simply go on.
    private mutating func hinder(_ code: UInt8, at now: Instant, into output: inout SessionOutput) {
        hindrance = OSDPReply.refusal(code)
        let signals = output.batch.signals.count
        report.take(.refused(code: code), into: &output.batch)
        noteFaults(from: signals, at: now, in: output)
    }

    private mutating func noteFaults(from first: Int, at now: Instant, in output: SessionOutput) {
        for signal in output.batch.signals.dropFirst(first) {
            guard case .fault(let code, let meaning, _) = signal else { continue }
            counters.faults[meaning, default: 0] &+= 1
            counters.lastFault = SessionCounters.Fault(code: code, meaning: meaning, time: now)
        }
    }
}

extension OSDPPacket {
    /// What is wrong with a command of a profile, code and data; nil: nothing. The session puts it into a packet.
    static func fault(ofCommand bytes: [UInt8]) -> String? {
        guard let code = bytes.first else { return "is empty" }
        let count = bytes.count - 1
        return switch code {
        case 0x68: count > 0 && count.isMultiple(of: 4) ? nil : "an output command (68) has 4 bytes for each output"
        case 0x69: count > 0 && count.isMultiple(of: 14) ? nil : "a light command (69) has 14 bytes for each light"
        case 0x6A: count == 5 ? nil : "a buzzer command (6A) has 5 bytes"
        case 0x6B:
            count > 6 && Int(bytes[6]) == count - 6 ? nil : "a text command (6B) has 6 bytes and as many characters as the sixth says"
        case 0x80: (4...120).contains(count) ? nil : "a command of a manufacturer (80) has 4 to 120 bytes"
        default: "must begin with 68 (output), 69 (light), 6A (buzzer), 6B (text) or 80 (manufacturer), then its data"
        }
    }
}

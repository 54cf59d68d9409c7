import Readings

extension DeviceSession {
    /// Asks for a round, or for a stream to begin.
    mutating func startRound(at now: Instant, into output: inout SessionOutput) {
        guard let plan = plan.inventory, !plan.commands.isEmpty else { return }
        switch plan.mode {
        case .rounds:
            let index = inventory.nextCommand % plan.commands.count
            inventory.nextCommand = (index + 1) % plan.commands.count
            inventory.selected = plan.selects.indices.contains(index) ? plan.commands[index] : nil
            output.transmissions.append(plan.selects.indices.contains(index) ? plan.selects[index] : plan.commands[index])
        case .stream: output.transmissions += plan.commands
        }
        inventory.isInRound = true
        inventory.isFresh = true
        inventory.watchdog = now + plan.watchdog
        inventory.resume = nil
        inventory.faults = 0
        inventory.hasLastingFault = false
    }

    /// The answer to what is sent before a command.
    mutating func selectAnswered(_ command: [UInt8], into output: inout SessionOutput) {
        inventory.selected = nil
        inventory.isFresh = true
        output.transmissions.append(command)
    }

    mutating func roundEnded(at now: Instant, into output: inout SessionOutput) {
        guard let plan = plan.inventory else { return alive(at: now, into: &output) }
        if inventory.faults >= max(1, plan.faultLimit) { return roundFailed(at: now, into: &output) }
        counters.rounds &+= 1
        alive(at: now, into: &output)
        inventory.failedRounds = 0
        inventory.lastingFailures = 0
        guard plan.mode == .rounds, phase == .running, inventory.isInRound, !inventory.isFresh else { return }
        inventory.isInRound = false
        inventory.watchdog = nil
        nextRound(at: now, into: &output)
    }

    mutating func roundFailed(at now: Instant, into output: inout SessionOutput) {
        guard let plan = plan.inventory, phase == .running, inventory.isInRound, !inventory.isFresh else { return }
        // A stream that ended by a fault is begun again after the pause, like a round.
        counters.failedRounds &+= 1
        inventory.lastingFailures = inventory.hasLastingFault ? inventory.lastingFailures + 1 : 0
        if inventory.lastingFailures >= Self.lastingFailureLimit {
            let reason = "\(counters.lastFault?.meaning ?? "inventory failed"), \(inventory.lastingFailures) times"
            return fail(SessionFailure(step: "inventory", reason: reason), into: &output)
        }
        inventory.isInRound = false
        inventory.watchdog = nil
        // The reader answers, so it need not be initialised again.
        inventory.watchdogs = 0
        inventory.failedRounds = min(inventory.failedRounds + 1, 128)
        let turns = plan.mode == .rounds ? min(plan.commands.count, 64) : 1
        if inventory.failedRounds >= Self.failedRoundLimit + turns - 1 {
            report(.silent(reason: counters.lastFault?.meaning ?? "inventory failed"), into: &output)
        }
        // One of several antennas that is missing must not slow down the others: only when all have failed in turn is there a pause.
        guard inventory.failedRounds >= turns else { return nextRound(at: now, into: &output) }
        var pause = plan.faultPause
        for _ in turns..<inventory.failedRounds where pause < Self.longestPause {
            pause = Instant.Span(nanoseconds: pause.nanoseconds &* 2)
        }
        inventory.resume = now + min(pause, Self.longestPause)
        sendFeedback(at: now, into: &output)
    }

    /// A round ended well: feedback that is due comes first, then the next round.
    private mutating func nextRound(at now: Instant, into output: inout SessionOutput) {
        let waiting = output.transmissions.count
        sendFeedback(at: now, into: &output)
        if output.transmissions.count > waiting {
            inventory.resume = now + Self.answerWait
        } else {
            startRound(at: now, into: &output)
        }
    }

    mutating func advanceInventory(to now: Instant, into output: inout SessionOutput) {
        guard plan.inventory != nil else { return }
        if inventory.isInRound {
            guard let watchdog = inventory.watchdog, watchdog <= now else { return }
            counters.watchdogFires &+= 1
            inventory.watchdogs += 1
            if inventory.watchdogs >= Self.watchdogLimit {
                fail(SessionFailure(step: "inventory", reason: "no round ended after \(inventory.watchdogs) commands"), into: &output)
            } else {
                startRound(at: now, into: &output)
            }
        } else if let resume = inventory.resume, resume <= now {
            startRound(at: now, into: &output)
        }
    }

    // MARK: Feedback

    /// Shows a feedback by the commands that the plan has for it; between two rounds, or after `longestFeedbackWait` at the latest.
    ///
    /// A feedback that is still going on is cut short: what is left of it (mostly "off") is sent at once, so that no lamp stays lit.
    /// - Returns: false when the plan has none, or the device is not initialised, or too much is waiting already.
    public mutating func give(_ kind: Feedback, at now: Instant, into output: inout SessionOutput) -> Bool {
        defer { deadlineChanged() }
        guard phase == .running, let transmissions = plan.feedback[kind], !transmissions.isEmpty,
            feedback.count + transmissions.count <= Self.feedbackLimit
        else { return false }
        for index in feedback.indices {
            feedback[index].due = min(feedback[index].due, now)
            feedback[index].pauseAfter = nil
        }
        var due = now
        for (index, transmission) in transmissions.enumerated() {
            due = due + transmission.pause
            let next = index + 1 < transmissions.count ? transmissions[index + 1].pause : nil
            feedback.append(WaitingFeedback(due: due, bytes: transmission.bytes, pauseAfter: next))
        }
        sendFeedback(at: now, into: &output)
        return true
    }

    /// Only rounds have an end that feedback can wait for.
    private var waitsForRound: Bool { inventory.isInRound && plan.inventory?.mode == .rounds }

    var feedbackDeadline: Instant? {
        feedback.first.map { waitsForRound ? $0.due + Self.longestFeedbackWait : $0.due }
    }

    /// Sends what is due, in order.
    mutating func sendFeedback(at now: Instant, into output: inout SessionOutput) {
        while let first = feedback.first {
            // Between rounds what is due is sent; within a round it waits for the end, but not for ever.
            let limit = waitsForRound ? first.due + Self.longestFeedbackWait : first.due
            guard limit <= now else { return }
            feedback.removeFirst()
            output.transmissions.append(first.bytes)
            // A pause counts from what was really sent before: a pulse must not become shorter because its start was late.
            if let pause = first.pauseAfter, let next = feedback.first, next.due < now + pause { feedback[0].due = now + pause }
        }
    }
}

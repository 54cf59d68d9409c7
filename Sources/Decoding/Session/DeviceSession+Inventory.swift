import Readings

extension DeviceSession {
    /// Asks for a round, or for a stream to begin.
    mutating func startRound(at now: Instant, into output: inout SessionOutput) {
        guard let plan = plan.inventory, !plan.commands.isEmpty else { return }
        switch plan.mode {
        case .rounds:
            let index = inventory.nextCommand % plan.commands.count
            inventory.nextCommand = (index + 1) % plan.commands.count
            inventory.antenna = plan.antennas.indices.contains(index) ? plan.antennas[index] : nil
            if let selects = plan.selection?.commands, selects.indices.contains(index) {
                inventory.selected = plan.commands[index]
                output.transmissions.append(selects[index])
            } else {
                inventory.selected = nil
                output.transmissions.append(plan.commands[index])
            }
        case .stream: output.transmissions += plan.commands
        }
        inventory.isInRound = true
        inventory.isFresh = true
        inventory.watchdog = now + plan.watchdog
        inventory.resume = nil
        inventory.faults = 0
        inventory.hasLastingFault = false
        inventory.antennaFaults = [:]
    }

    /// An answer came while the command waits for the one to what was sent before it.
    mutating func selectAnswered(_ frame: [UInt8], _ command: [UInt8], at now: Instant, into output: inout SessionOutput) {
        guard let selection = plan.inventory?.selection else { return }
        if selection.expect.matches(frame) {
            inventory.selected = nil
            // What was told meanwhile was of the round before.
            inventory.faults = 0
            inventory.hasLastingFault = false
            inventory.antennaFaults = [:]
            inventory.isFresh = true
            output.transmissions.append(command)
        } else if selection.answer.matches(frame) {
            // The round would be one with another antenna.
            let meaning = "antenna could not be chosen"
            inventory.selected = nil
            counters.faults[meaning, default: 0] &+= 1
            counters.lastFault = SessionCounters.Fault(code: 0, meaning: meaning, time: now)
            roundFailed(at: now, into: &output)
        }
    }

    // MARK: Antennas

    /// Keeps account of the antennas when a round is over.
    /// - Parameter failure: why the whole round failed; nil: it ended.
    private mutating func noteAntennas(failure: String?, at now: Instant) {
        if let antenna = inventory.antenna {
            inventory.antennaFaults[antenna] = inventory.antennaFaults[antenna] ?? failure
            if inventory.antennaFaults[antenna] == nil { inventory.failedAntennas[antenna] = nil }
        } else if failure == nil {
            for antenna in inventory.failedAntennas.keys where inventory.antennaFaults[antenna] == nil {
                inventory.failedAntennas[antenna] = nil
            }
        }
        for (antenna, meaning) in inventory.antennaFaults {
            var failed = inventory.failedAntennas[antenna] ?? FailedAntenna(meaning: meaning, since: now)
            failed.meaning = meaning
            failed.rounds = min(failed.rounds + 1, 128)
            let isLong = plan.livenessTimeout.map { failed.since + $0 < now } ?? false
            if failed.rounds >= Self.antennaFaultLimit || isLong { failed.isMissing = true }
            inventory.failedAntennas[antenna] = failed
        }
        inventory.antennaFaults = [:]
    }

    /// The antennas that see nothing while others read, for people; nil: none.
    var missingAntennas: String? {
        // The hot path: mostly there are none.
        guard !inventory.failedAntennas.isEmpty else { return nil }
        let missing = inventory.failedAntennas.filter(\.value.isMissing).sorted { $0.key < $1.key }
        return missing.isEmpty ? nil : missing.map { "antenna \($0.key): \($0.value.meaning)" }.joined(separator: "; ")
    }

    mutating func roundEnded(at now: Instant, into output: inout SessionOutput) {
        // Before its command is out a round cannot end: this is a late end of the one before.
        guard let plan = plan.inventory, inventory.selected == nil else { return alive(at: now, into: &output) }
        if inventory.faults >= max(1, plan.faultLimit) { return roundFailed(at: now, into: &output) }
        if inventory.isInRound, !inventory.isFresh { noteAntennas(failure: nil, at: now) }
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
        guard let plan = plan.inventory, phase == .running, inventory.isInRound, !inventory.isFresh, inventory.selected == nil else {
            return
        }
        // A stream that ended by a fault is begun again after the pause, like a round.
        counters.failedRounds &+= 1
        noteAntennas(failure: counters.lastFault?.meaning ?? "inventory failed", at: now)
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
        } else if let missing = missingAntennas {
            report(.silent(reason: missing), into: &output)
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

    /// A round is over and the next need not wait: feedback that is due comes first.
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
            if inventory.antenna != nil { noteAntennas(failure: "no round ended", at: now) }
            if let missing = missingAntennas { report(.silent(reason: missing), into: &output) }
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
    /// While a device that worked is initialised again it waits for the end of that.
    /// - Returns: false when the plan has none, or the device was never initialised, or too much is waiting already.
    public mutating func give(_ kind: Feedback, at now: Instant, into output: inout SessionOutput) -> Bool {
        defer { deadlineChanged() }
        guard phase == .running || isInitialisingAgain, let transmissions = plan.feedback[kind], feedback.add(kind, transmissions, at: now)
        else { return false }
        if phase == .running { sendFeedback(at: now, into: &output) }
        return true
    }

    /// Between rounds what is due is sent; within a round it waits for the end, but not for ever. Only rounds have such an end.
    private var feedbackDelay: Instant.Span {
        inventory.isInRound && plan.inventory?.mode == .rounds ? Self.longestFeedbackWait : .zero
    }

    var feedbackDeadline: Instant? { feedback.nextDeadline.map { $0 + feedbackDelay } }

    /// Sends what is due, in order.
    mutating func sendFeedback(at now: Instant, into output: inout SessionOutput) {
        output.transmissions += feedback.takeDue(at: now, delay: feedbackDelay)
    }
}

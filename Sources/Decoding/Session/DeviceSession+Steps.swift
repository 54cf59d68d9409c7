import Readings

extension DeviceSession {
    /// Sends the command of a step, and of those after it that expect no answer.
    mutating func begin(step index: Int, at now: Instant, into output: inout SessionOutput) {
        var index = index
        while index < plan.steps.count {
            let step = plan.steps[index]
            if let check = step.check {
                output.transmissions.append(check.send)
                phase = .step(StepState(index: index, isChecking: true, deadline: now + step.timeout))
                return
            }
            output.transmissions.append(step.send)
            if step.expect != nil {
                phase = .step(StepState(index: index, isChecking: false, deadline: now + step.timeout))
                return
            }
            if step.settle > .zero { return settle(index, step, at: now) }
            index += 1
        }
        phase = .running
        isInitialisingAgain = false
        lastLife = now
        if plan.livenessTimeout == nil { report(.reading, into: &output) }
        if plan.inventory != nil { startRound(at: now, into: &output) }
    }

    /// The device may have lost its settings: makes them again, where there are outputs that would else stay as they came up. What waits
    /// to be shown waits for the end of it, and a feedback that is going on begins again then.
    /// - Returns: whether it does.
    mutating func initialiseAgain(at now: Instant, into output: inout SessionOutput) -> Bool {
        guard !plan.steps.isEmpty, !plan.feedback.isEmpty || !plan.stop.isEmpty else { return false }
        switch phase {
        case .closed, .failed: return false
        case .step(let state) where state.index == 0: return false
        case .step: break
        case .running: isInitialisingAgain = true
        }
        feedback.beginAgain(at: now)
        skippedSteps = []
        begin(step: 0, at: now, into: &output)
        return true
    }

    mutating func answered(_ frame: [UInt8], at now: Instant, into output: inout SessionOutput) {
        switch phase {
        case .closed, .failed: return
        case .running:
            feedback.answered()
            if inventory.isInRound, !inventory.isFresh, let command = inventory.selected {
                return selectAnswered(frame, command, at: now, into: &output)
            }
            // The answer to feedback: the next round need not wait longer.
            guard plan.inventory != nil, !inventory.isInRound, inventory.failedRounds == 0, inventory.resume != nil else { return }
            if let due = feedback.nextDeadline, due <= now { return }
            startRound(at: now, into: &output)
        case .step(var state):
            guard plan.steps.indices.contains(state.index), !state.isSettling else { return }
            let step = plan.steps[state.index]
            let check = state.isChecking ? step.check : nil
            if let expect = check?.wanted ?? step.expect, expect.matches(frame) {
                return finish(step, with: frame, at: now, into: &output)
            }
            if let refusal = decoder.refusal(of: check?.send ?? step.send, in: frame) {
                return refused(step, state, refusal, frame, at: now, into: &output)
            }
            if let check {
                if check.answer.matches(frame) { write(step, state, at: now, into: &output) }
                return
            }
            // Late answers to commands before are passed over; only a wrong answer to this command is one.
            guard let answer = step.answer, answer.matches(frame) else { return }
            state.lastAnswer = frame
            state.refusal = nil
            retry(step, state, at: now, into: &output)
        }
    }

    /// What will be refused again need not be asked again: the wrong model was chosen. Otherwise the device gets the time of the step.
    private mutating func refused(
        _ step: SessionPlan.Step, _ state: StepState, _ refusal: Refusal, _ frame: [UInt8], at now: Instant,
        into output: inout SessionOutput
    ) {
        var state = state
        state.lastAnswer = frame
        state.refusal = refusal.meaning
        if refusal.isLasting { state.retries = max(state.retries, step.retries) }
        phase = .step(state)
        if refusal.isLasting { retry(step, state, at: now, into: &output) }
    }

    mutating func stepTimedOut(_ state: StepState, at now: Instant, into output: inout SessionOutput) {
        guard plan.steps.indices.contains(state.index) else { return }
        if state.isSettling { return begin(step: state.index + 1, at: now, into: &output) }
        retry(plan.steps[state.index], state, at: now, into: &output)
    }

    /// The question showed that the setting must be written.
    private mutating func write(_ step: SessionPlan.Step, _ state: StepState, at now: Instant, into output: inout SessionOutput) {
        output.transmissions.append(step.send)
        if step.expect == nil {
            if step.settle > .zero { return settle(state.index, step, at: now) }
            begin(step: state.index + 1, at: now, into: &output)
        } else {
            phase = .step(StepState(index: state.index, isChecking: false, deadline: now + step.timeout))
        }
    }

    private mutating func finish(_ step: SessionPlan.Step, with frame: [UInt8], at now: Instant, into output: inout SessionOutput) {
        guard case .step(let state) = phase else { return }
        stepAnswers[step.name] = frame
        if step.settle > .zero { return settle(state.index, step, at: now) }
        begin(step: state.index + 1, at: now, into: &output)
    }

    /// What comes in the pause after a step is no answer to anything.
    private mutating func settle(_ index: Int, _ step: SessionPlan.Step, at now: Instant) {
        phase = .step(StepState(index: index, isChecking: false, isSettling: true, deadline: now + step.settle))
    }

    private mutating func retry(_ step: SessionPlan.Step, _ state: StepState, at now: Instant, into output: inout SessionOutput) {
        if state.retries < step.retries {
            counters.retries &+= 1
            var next = state
            next.retries += 1
            next.deadline = now + step.timeout
            output.transmissions.append(state.isChecking ? step.check?.send ?? step.send : step.send)
            phase = .step(next)
        } else if step.isOptional {
            skippedSteps.append(step.name)
            begin(step: state.index + 1, at: now, into: &output)
        } else {
            let reason = state.refusal ?? (state.lastAnswer == nil ? "no answer" : "wrong answer")
            fail(SessionFailure(step: step.name, reason: reason, received: state.lastAnswer), into: &output)
        }
    }
}

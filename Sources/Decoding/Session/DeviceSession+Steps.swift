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
        lastLife = now
        if plan.livenessTimeout == nil { report(.reading, into: &output) }
        if plan.inventory != nil { startRound(at: now, into: &output) }
    }

    mutating func answered(_ frame: [UInt8], at now: Instant, into output: inout SessionOutput) {
        switch phase {
        case .closed, .failed: return
        case .running:
            if inventory.isInRound, !inventory.isFresh, let command = inventory.selected { return selectAnswered(command, into: &output) }
            // The answer to feedback: the next round need not wait longer.
            guard plan.inventory != nil, !inventory.isInRound, inventory.failedRounds == 0, inventory.resume != nil else { return }
            if let due = feedback.first?.due, due <= now { return }
            startRound(at: now, into: &output)
        case .step(var state):
            guard plan.steps.indices.contains(state.index), !state.isSettling else { return }
            let step = plan.steps[state.index]
            if state.isChecking, let check = step.check {
                if check.wanted.matches(frame) {
                    finish(step, with: frame, at: now, into: &output)
                } else if check.answer.matches(frame) {
                    write(step, state, at: now, into: &output)
                }
                return
            }
            if let expect = step.expect, expect.matches(frame) {
                finish(step, with: frame, at: now, into: &output)
                return
            }
            // Late answers to commands before are passed over; only a wrong answer to this command is one.
            guard let answer = step.answer, answer.matches(frame) else { return }
            state.lastAnswer = frame
            retry(step, state, at: now, into: &output)
        }
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
            let reason = state.lastAnswer == nil ? "no answer" : "wrong answer"
            fail(SessionFailure(step: step.name, reason: reason, received: state.lastAnswer), into: &output)
        }
    }
}

import Readings

extension DeviceSession {
    /// All that decides what comes next, as far as the session knows it: of the decoder what it keeps of whole frames (see
    /// `Decoder.snapshot`), not the half frame or the half scan that it waits for the rest of.
    public func snapshot(at now: Instant) -> JSON {
        let clock = SnapshotClock(now: now)
        guard phase != .closed else { return .compact(["closed": true, "state": state.snapshot, "feedback": feedback.snapshot(clock)]) }
        var step: JSON?
        if case .step(let state) = phase {
            step = .compact([
                "index": .integer(Int64(state.index)), "retries": .integer(Int64(state.retries)), "checking": .flag(state.isChecking),
                "settling": .flag(state.isSettling), "deadline": clock.json(state.deadline), "answer": state.lastAnswer.map(JSON.bytes),
                "refusal": state.refusal.map(JSON.string),
            ])
        }
        return .compact([
            "state": state.snapshot, "step": step, "failed": .flag(phase == .failed), "life": clock.json(lastLife),
            "inventory": inventory.snapshot(clock), "fault": counters.lastFault.map { .string($0.meaning) },
            "feedback": feedback.snapshot(clock), "again": .flag(isInitialisingAgain), "decoder": decoder.snapshot(at: now),
        ])
    }

    mutating func restore(_ snapshot: JSON, at now: Instant) {
        let clock = SnapshotClock(now: now)
        feedback = FeedbackSchedule(snapshot["feedback"], clock)
        guard !snapshot.isSet("closed") else {
            phase = .closed
            inventory = Inventory()
            return
        }
        if let decoderSnapshot = snapshot["decoder"] { decoder.restore(decoderSnapshot, at: now) }
        isInitialisingAgain = snapshot.isSet("again")
        if let step = snapshot["step"], step.count("index") < plan.steps.count {
            phase = .step(
                StepState(
                    index: step.count("index"), retries: step.count("retries"), isChecking: step.isSet("checking"),
                    isSettling: step.isSet("settling"), deadline: clock.instant(step["deadline"]) ?? now, lastAnswer: step["answer"]?.bytes,
                    refusal: step["refusal"]?.string))
        } else {
            phase = snapshot.isSet("failed") ? .failed : .running
        }
        lastLife = clock.instant(snapshot["life"]) ?? now
        inventory = Inventory(snapshot["inventory"] ?? .null, clock)
        if let meaning = snapshot["fault"]?.string { counters.lastFault = SessionCounters.Fault(code: 0, meaning: meaning, time: now) }
    }
}

extension DeviceSession.Inventory {
    fileprivate func snapshot(_ clock: SnapshotClock) -> JSON {
        .compact([
            "in_round": .flag(isInRound), "selected": selected.map(JSON.bytes), "watchdog": clock.json(watchdog),
            "resume": clock.json(resume), "next": .integer(Int64(nextCommand)), "faults": .integer(Int64(faults)),
            "lasting": .flag(hasLastingFault), "failed_rounds": .integer(Int64(failedRounds)),
            "lasting_failures": .integer(Int64(lastingFailures)), "watchdogs": .integer(Int64(watchdogs)),
            "antenna": antenna.map { .integer(Int64($0)) },
            "antenna_faults": antennaFaults.isEmpty ? nil : .object(Self.byPort(antennaFaults) { .string($0) }),
            "failed_antennas": failedAntennas.isEmpty ? nil : .object(Self.byPort(failedAntennas) { $0.snapshot(clock) }),
        ])
    }

    fileprivate init(_ snapshot: JSON, _ clock: SnapshotClock) {
        isInRound = snapshot.isSet("in_round")
        selected = snapshot["selected"]?.bytes
        watchdog = clock.instant(snapshot["watchdog"])
        resume = clock.instant(snapshot["resume"])
        nextCommand = snapshot.count("next")
        faults = snapshot.count("faults")
        hasLastingFault = snapshot.isSet("lasting")
        failedRounds = min(snapshot.count("failed_rounds"), 128)
        lastingFailures = snapshot.count("lasting_failures")
        watchdogs = snapshot.count("watchdogs")
        antenna = snapshot["antenna"]?.integer.flatMap(UInt8.init(exactly:))
        antennaFaults = Self.ports(snapshot["antenna_faults"]) { $0.string }
        failedAntennas = Self.ports(snapshot["failed_antennas"]) { DeviceSession.FailedAntenna($0, clock) }
    }

    private static func byPort<Value>(_ values: [UInt8: Value], _ json: (Value) -> JSON) -> [String: JSON] {
        Dictionary(uniqueKeysWithValues: values.map { ("\($0.key)", json($0.value)) })
    }

    private static func ports<Value>(_ json: JSON?, _ value: (JSON) -> Value?) -> [UInt8: Value] {
        var ports: [UInt8: Value] = [:]
        for (port, json) in json?.object ?? [:] {
            if let port = UInt8(port), let value = value(json) { ports[port] = value }
        }
        return ports
    }
}

extension DeviceSession.FailedAntenna {
    fileprivate func snapshot(_ clock: SnapshotClock) -> JSON {
        .compact([
            "meaning": .string(meaning), "rounds": .integer(Int64(rounds)), "since": clock.json(since), "missing": .flag(isMissing),
        ])
    }

    fileprivate init(_ snapshot: JSON, _ clock: SnapshotClock) {
        meaning = snapshot["meaning"]?.string ?? ""
        rounds = snapshot.count("rounds")
        since = clock.instant(snapshot["since"]) ?? clock.now
        isMissing = snapshot.isSet("missing")
    }
}

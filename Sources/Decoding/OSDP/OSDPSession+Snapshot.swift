import Readings

extension OSDPSession {
    /// All that decides what comes next, but a packet of which only a part came.
    public func snapshot(at now: Instant) -> JSON {
        let clock = SnapshotClock(now: now)
        var phaseName = "closed"
        switch phase {
        case .closed: break
        case .asking(let question): phaseName = question.rawValue
        case .polling: phaseName = "polling"
        }
        return .compact([
            "phase": .string(phaseName), "state": state.snapshot, "initialised": .flag(isInitialised), "turn": turn?.snapshot(clock),
            "sequence": .integer(Int64(sequence)), "next": clock.json(nextTurn), "quiet": clock.json(quietUntil),
            "reply": clock.json(lastReply), "offline": .flag(isOffline), "hindrance": hindrance.map(JSON.string),
            "refused": .flag(isRefused), "has_inputs": .flag(hasInputs), "report": report.snapshot, "feedback": feedback.snapshot(clock),
        ])
    }

    mutating func restore(_ snapshot: JSON, at now: Instant) {
        let clock = SnapshotClock(now: now)
        let name = snapshot["phase"]?.string ?? "closed"
        phase = name == "polling" ? .polling : Question(rawValue: name).map(Phase.asking) ?? .closed
        isInitialised = snapshot.isSet("initialised")
        turn = snapshot["turn"].flatMap { Turn($0, clock) }
        sequence = Turn.number(snapshot["sequence"]) ?? 0
        nextTurn = clock.instant(snapshot["next"]) ?? now
        quietUntil = clock.instant(snapshot["quiet"]) ?? now
        lastReply = clock.instant(snapshot["reply"]) ?? now
        isOffline = snapshot.isSet("offline")
        hindrance = snapshot["hindrance"]?.string
        isRefused = snapshot.isSet("refused")
        hasInputs = snapshot.isSet("has_inputs")
        report.restore(snapshot["report"] ?? .null)
        feedback = FeedbackSchedule(snapshot["feedback"], clock)
    }
}

extension OSDPSession.Turn {
    fileprivate func snapshot(_ clock: SnapshotClock) -> JSON {
        let name =
            switch kind {
            case .question(let question): question.rawValue
            case .poll: "poll"
            case .feedback: "feedback"
            }
        return .compact([
            "kind": .string(name), "command": .bytes(command), "sequence": sequence.map { .integer(Int64($0)) },
            "deadline": clock.json(deadline), "tries": .integer(Int64(tries)), "busy": .flag(isBusy),
        ])
    }

    /// nil for a turn of no kind.
    fileprivate init?(_ snapshot: JSON, _ clock: SnapshotClock) {
        let name = snapshot["kind"]?.string ?? ""
        switch name {
        case "poll": kind = .poll
        case "feedback": kind = .feedback
        default:
            guard let question = OSDPSession.Question(rawValue: name) else { return nil }
            kind = .question(question)
        }
        command = snapshot["command"]?.bytes ?? []
        sequence = Self.number(snapshot["sequence"])
        deadline = clock.instant(snapshot["deadline"]) ?? clock.now
        tries = snapshot.count("tries")
        isBusy = snapshot.isSet("busy")
    }

    /// A sequence number: 0...3.
    fileprivate static func number(_ json: JSON?) -> UInt8? { json?.integer.map { UInt8(truncatingIfNeeded: $0) & 3 } }
}

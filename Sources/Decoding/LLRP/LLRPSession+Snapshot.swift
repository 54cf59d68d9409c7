import Readings

extension LLRPSession {
    /// All that decides what comes next. A closed session keeps two things: whether the reader bears the question for its version, and
    /// what is left of a feedback.
    public func snapshot(at now: Instant) -> JSON {
        let clock = SnapshotClock(now: now)
        guard phase != .closed else {
            return .compact([
                "phase": "closed", "state": state.snapshot, "avoids_version": .flag(avoidsVersionQuestion),
                "feedback": feedback.snapshot(clock),
            ])
        }
        var members: [String: JSON?] = [
            "phase": .string(phaseName), "state": state.snapshot, "avoids_version": .flag(avoidsVersionQuestion),
            "version": .integer(Int64(version)), "id": .integer(Int64(lastID)), "greeted": .flag(isGreeted),
            "capabilities": capabilitiesAnswer.isEmpty ? nil : .bytes(capabilitiesAnswer),
            "vendor": .string(vendor.rawValue), "rospec": inventory.map { .integer(Int64($0.roSpecID)) },
            "antennas": .ports(connectedAntennas), "lost": .ports(lostAntennas.sorted()), "no_antenna": .flag(hasNoAntenna),
            "history": history?.snapshot(clock), "feedback": feedback.snapshot(clock), "decoder": decoder.snapshot(clock),
            "life": clock.json(lastLife), "tag": clock.json(lastTag), "checked": clock.json(lastCheck),
        ]
        if case .greeting(let deadline) = phase { members["deadline"] = clock.json(deadline) }
        if case .step(let pending) = phase {
            members["deadline"] = clock.json(pending.deadline)
            members["ids"] = .ids(pending.ids)
        }
        members["restart"] = clock.json(restartAt)
        members["restarts"] = .integer(Int64(restarts))
        members["check"] = check.map { .compact(["ids": .ids($0.ids), "deadline": clock.json($0.deadline)]) }
        members["check_fault"] = checkFault.map(JSON.string)
        members["plain"] = .flag(isPlain)
        members["plain_configuration"] = .flag(isConfigurationPlain)
        members["enabled"] = .flag(isEnabled)
        return .compact(members)
    }

    private var phaseName: String {
        switch phase {
        case .closed: "closed"
        case .greeting: "greeting"
        case .step(let pending): pending.step.rawValue
        case .running: "running"
        case .refused: "refused"
        case .failed: "failed"
        }
    }

    mutating func restore(_ snapshot: JSON, at now: Instant) {
        let clock = SnapshotClock(now: now)
        avoidsVersionQuestion = snapshot.isSet("avoids_version")
        version = snapshot["version"]?.integer == 2 ? 2 : 1
        lastID = UInt32(clamping: snapshot["id"]?.integer ?? 0)
        isGreeted = snapshot.isSet("greeted")
        restart(from: snapshot["capabilities"]?.bytes ?? [])
        vendor = snapshot["vendor"]?.string.flatMap(Vendor.init) ?? .none
        connectedAntennas = JSON.ports(snapshot["antennas"])
        lostAntennas = Set(JSON.ports(snapshot["lost"]))
        hasNoAntenna = snapshot.isSet("no_antenna")
        if let id = snapshot["rospec"]?.integer, let capabilities {
            // Made from the same facts as at first.
            inventory = try? LLRPInventoryPlan(
                capabilities, radio: radio, configuration: configuration, vendor: vendor, connected: connectedAntennas, version: version)
            inventory?.roSpecID = UInt32(clamping: id)
        }
        history = snapshot["history"].map { History($0, clock) }
        feedback = FeedbackSchedule(snapshot["feedback"], clock)
        decoder.restore(snapshot["decoder"] ?? .null, clock)
        lastLife = clock.instant(snapshot["life"]) ?? now
        lastTag = clock.instant(snapshot["tag"]) ?? now
        lastCheck = clock.instant(snapshot["checked"]) ?? now
        restartAt = clock.instant(snapshot["restart"])
        restarts = snapshot.count("restarts")
        check = snapshot["check"].map { Check(ids: JSON.ids($0["ids"]), deadline: clock.instant($0["deadline"]) ?? now) }
        checkFault = snapshot["check_fault"]?.string
        isPlain = snapshot.isSet("plain")
        isConfigurationPlain = snapshot.isSet("plain_configuration")
        isEnabled = snapshot.isSet("enabled")
        let deadline = clock.instant(snapshot["deadline"]) ?? now
        let name = snapshot["phase"]?.string ?? "running"
        phase =
            switch name {
            case "closed": .closed
            case "greeting": .greeting(deadline: deadline)
            case "refused": .refused
            case "failed": .failed
            default:
                Step(rawValue: name).map { .step(Pending(step: $0, ids: JSON.ids(snapshot["ids"]), deadline: deadline)) } ?? .running
            }
    }

    private mutating func restart(from answer: [UInt8]) {
        guard answer.count <= Self.longestMessage, let message = try? LLRPMessage(answer, limits: Self.limits) else { return }
        capabilitiesAnswer = answer
        _ = take(capabilities: message)
    }
}

extension LLRPSession.History {
    fileprivate func snapshot(_ clock: SnapshotClock) -> JSON {
        .compact([
            // As bits: times beyond 2^63 come from hostile readers only, and are kept all the same.
            "anchor": .integer(Int64(bitPattern: anchor)), "anchored": clock.json(anchoredAt), "begun": .flag(hasBegun),
            "report": clock.json(lastReport), "settled": .flag(isSettled), "inputs": .flag(hasDroppedInputs),
            "late_since": clock.json(lateSince), "late": clock.json(lastLate), "mixed": .flag(isMixed), "caught_up": .flag(hasCaughtUp),
        ])
    }

    fileprivate init(_ snapshot: JSON, _ clock: SnapshotClock) {
        self.init(
            anchor: UInt64(bitPattern: snapshot["anchor"]?.integer ?? 0), at: clock.instant(snapshot["anchored"]) ?? clock.now)
        hasBegun = snapshot.isSet("begun")
        lastReport = clock.instant(snapshot["report"]) ?? clock.now
        isSettled = snapshot.isSet("settled")
        hasDroppedInputs = snapshot.isSet("inputs")
        lateSince = clock.instant(snapshot["late_since"])
        lastLate = clock.instant(snapshot["late"]) ?? clock.now
        isMixed = snapshot.isSet("mixed")
        hasCaughtUp = snapshot.isSet("caught_up")
    }
}

extension LLRPReportDecoder {
    /// The beginning of a message whose end has not come, and the values that stand in for those that reports leave out.
    fileprivate func snapshot(_ clock: SnapshotClock) -> JSON {
        .compact(["held": heldBytes.isEmpty ? nil : .bytes(heldBytes), "bytes": clock.json(lastBytes), "last": lastReported])
    }

    fileprivate mutating func restore(_ snapshot: JSON, _ clock: SnapshotClock) {
        restore(held: snapshot["held"]?.bytes ?? [], at: clock.instant(snapshot["bytes"]) ?? clock.now)
        lastReported = snapshot["last"] ?? .null
    }
}

extension JSON {
    fileprivate static func ports(_ ports: [UInt16]) -> JSON { .array(ports.map { .integer(Int64($0)) }) }

    fileprivate static func ports(_ json: JSON?) -> [UInt16] {
        (json?.array ?? []).prefix(256).compactMap { $0.integer.flatMap(UInt16.init(exactly:)) }
    }

    fileprivate static func ids(_ ids: [UInt32]) -> JSON { .array(ids.map { .integer(Int64($0)) }) }

    fileprivate static func ids(_ json: JSON?) -> [UInt32] {
        (json?.array ?? []).prefix(LLRPSession.attempts).compactMap { $0.integer.flatMap(UInt32.init(exactly:)) }
    }
}

import Decoding
import Ledger
import Readings
import SiteConfiguration
import Stations

extension Engine {
    var wallTime: WallTime { wallTime(at: now) }

    /// What the wall clock was last said to be.
    public var lastAnchor: WallAnchor? { wall }

    /// The wall time of an instant; without an anchor, counted from 1970 and of unknown quality.
    ///
    /// What happened before the clock was stepped has the time that was right then, unless nothing was known of it then.
    public func wallTime(at instant: Instant) -> WallTime {
        guard let wall else { return WallTime(milliseconds: instant.nanoseconds / 1_000_000, offsetMinutes: 0, quality: .unknown) }
        guard instant < wall.instant, let earlier = earlierWalls.last(where: { $0.instant <= instant }), earlier.quality != .unknown else {
            return wall.wallTime(at: instant)
        }
        return earlier.wallTime(at: instant)
    }

    func mode(of station: String) -> StationMode { ledger.state.modes[station, default: .running] }

    /// Asked for every few bytes: mostly no station is anything but running.
    func isPaused(_ name: @autoclosure () -> String) -> Bool {
        !ledger.state.modes.isEmpty && mode(of: name()) == .paused
    }

    /// Takes what the session of a device brought and empties the scratch for the next.
    mutating func drain(_ device: DeviceIndex, into output: inout EngineOutput) {
        for bytes in scratch.transmissions { output.transmissions.append(.init(device: device, bytes: bytes)) }
        if let failure = scratch.failure { output.failures.append(.init(device: device, failure: failure)) }
        // Taken out for the loop, so that stations may use the scratch for feedback; put back to keep its capacity.
        var batch = scratch.batch
        scratch.batch = DecodedBatch()
        scratch.removeAll()
        if !batch.readings.isEmpty { distribute(batch.readings, from: device, into: &output) }
        batch.removeAll()
        if scratch.batch.readings.isEmpty { scratch.batch = batch }
    }

    private mutating func distribute(_ readings: [Reading], from device: DeviceIndex, into output: inout EngineOutput) {
        let slot = Int(device.rawValue)
        if isWatched {
            for reading in readings { if case .state = reading { continue } else { output.happenings.append(.reading(device, reading)) } }
        }
        var index = 0
        while index < readings.count {
            switch readings[index] {
            case .state, .late: break
            default: devices[slot].lastReading = now
            }
            switch readings[index] {
            case .tag:
                var end = index + 1
                while end < readings.count, case .tag = readings[end] { end += 1 }
                for gate in gatesByDevice[slot] where !isPaused(gates[gate].name) {
                    gates[gate].observe(readings[index..<end], from: device, at: now)
                }
                for dwell in dwellsByDevice[slot] { dwells[dwell].observe(readings[index..<end], from: device, at: now) }
                for cabinet in cabinetsByDevice[slot] { cabinets[cabinet].observe(readings[index..<end], from: device, at: now) }
                index = end
                continue
            case .late(let read):
                devices[slot].lateReads &+= 1
                for gate in gatesByDevice[slot] where !isPaused(gates[gate].name) {
                    gates[gate].observeLate(read, from: device, at: now)
                }
            case .scan(let scan):
                for putaway in putawaysByDevice[slot] where !isPaused(putaways[putaway].name) {
                    let result = putaways[putaway].scan(scan, from: device, at: now, known: ledger.known(scan))
                    take(result, station: putaways[putaway].name, into: &output)
                }
            case .badge(let badge): take(badge, slot: slot, into: &output)
            case .input(let change):
                for cabinet in cabinetsByDevice[slot] {
                    let result = cabinets[cabinet].input(change, from: device, at: now)
                    take(result, station: cabinets[cabinet].name, into: &output)
                }
            case .state(let state):
                devices[slot].state = state
                devices[slot].since = now
                output.happenings.append(.deviceState(device, state))
                for gate in gatesByDevice[slot] { gates[gate].deviceChanged(device, isReading: state.isReading, at: now) }
                for dwell in dwellsByDevice[slot] { dwells[dwell].deviceChanged(device, isReading: state.isReading, at: now) }
                for cabinet in cabinetsByDevice[slot] {
                    let result = cabinets[cabinet].deviceChanged(device, isReading: state.isReading, at: now)
                    take(result, station: cabinets[cabinet].name, into: &output)
                }
            }
            index += 1
        }
    }

    private mutating func take(_ badge: BadgeRead, slot: Int, into output: inout EngineOutput) {
        for gate in gatesByBadgeReader[slot] where !isPaused(gates[gate].name) {
            gates[gate].badge(badge, at: now)
            // A gate that cannot see must not invite anybody to walk through.
            give(gates[gate].isReading ? .next : .refused, at: gates[gate].name, into: &output)
        }
        for putaway in putawaysByBadgeReader[slot] where !isPaused(putaways[putaway].name) {
            let result = putaways[putaway].badge(badge, at: now)
            take(result, station: putaways[putaway].name, into: &output)
        }
        for cabinet in cabinetsByBadgeReader[slot] { take(badge, cabinet: cabinet, into: &output) }
    }

    mutating func take(_ result: StationOutput, station: String, into output: inout EngineOutput) {
        if isWatched {
            for sighting in result.sightings { output.happenings.append(.sighting(station: station, sighting)) }
            for stay in result.stays { output.happenings.append(.stay(station: station, stay)) }
        }
        if let feedback = result.feedback { give(feedback, at: station, into: &output) }
        lostLateReads &+= result.lostLateReads
        learning.take(result.learned, by: station, at: now)
        for proposal in result.proposals { decide(proposal, into: &output) }
        if result.isUrgent { saveLearned(into: &output) }
    }

    private mutating func decide(_ proposal: Proposal, into output: inout EngineOutput) {
        let recorded = wallTime
        let time = proposal.at.map { wallTime(at: min($0, now)) } ?? recorded
        let retry = proposal.canBeRepeated ? nil : Unrecorded(proposal: proposal, time: time, recorded: recorded, since: now)
        if mode(of: proposal.station) == .testing {
            guard !wasTested(proposal) else { return }
            let plan = ledger.plan(proposal, at: time, recorded: recorded)
            output.happenings.append(.tested(station: proposal.station, plan))
            if let feedback = plan.feedback { give(feedback, at: proposal.station, into: &output) }
            return
        }
        guard !isStale else {
            if let retry { keep(retry) }
            if proposal.isAwaited, proposal.isFirstWord { give(.notRecorded, at: proposal.station, into: &output) }
            return
        }
        findClones(proposal, at: time, into: &output)
        let plan = ledger.plan(proposal, at: time, recorded: recorded)
        let ticket: UInt64
        if plan.events.isEmpty {
            ledger.note(plan)
            guard let feedback = plan.feedback else { return }
            // "Already yours" rests on decisions that may still be on their way to the disk.
            guard let newest = openTickets.filter({ $0 < Self.firstLearningTicket }).max() else {
                return give(feedback, at: proposal.station, into: &output)
            }
            ticket = newest
        } else {
            ticket = commit(plan, into: &output)
        }
        var again = retry
        again?.lastSequence = plan.events.last?.sequence ?? 0
        // Who was answered already waits for nothing more, unless there is something else to say.
        guard proposal.isAwaited, let feedback = plan.feedback else {
            pending[ticket, default: []].append(.unheard(at: proposal.station, retry: again))
            return
        }
        pending[ticket, default: []].append(
            PendingAnswer(station: proposal.station, feedback: feedback, deadline: now + Self.feedbackDeadline, retry: again))
    }

    /// A tag that two stations read at once raises an exception before anything is decided on it.
    private mutating func findClones(_ proposal: Proposal, at time: WallTime, into output: inout EngineOutput) {
        guard case .crossing(let crossing) = proposal.content else { return }
        for (epc, other) in recentTags.take(crossing.tags, at: proposal.station) {
            guard let plan = ledger.plan(clone: epc, station: proposal.station, other: other, at: time) else { continue }
            _ = commit(plan, into: &output)
        }
    }

    mutating func keep(_ retry: Unrecorded) {
        guard let reads = retry.proposal.lateReads else {
            if unrecorded.count < Self.maximumUnrecorded { unrecorded.append(retry) } else { lostCrossings &+= 1 }
            return
        }
        let room = min(Self.maximumUnrecordedLate, Self.maximumUnrecorded - unrecorded.count)
        if unrecorded.count(where: { $0.proposal.lateReads != nil }) < room { unrecorded.append(retry) } else { lostLateReads &+= reads }
    }

    mutating func commit(_ plan: Plan, into output: inout EngineOutput) -> UInt64 {
        let ticket = nextTicket
        nextTicket += 1
        commit(plan, ticket: ticket, into: &output)
        return ticket
    }

    /// Says in the log that the clock was wrong that stamped events before, should it have been. What cannot be recorded now is recorded
    /// when the image was loaded again: the state still has the wrong clock then.
    mutating func correctClock(into output: inout EngineOutput) {
        guard !isStale, let wall, let plan = ledger.plan(clock: wall) else { return }
        _ = commit(plan, into: &output)
    }

    mutating func commit(_ plan: Plan, ticket: UInt64, into output: inout EngineOutput) {
        openTickets.insert(ticket)
        let learned = learning.save(with: ticket)
        output.commits.append(.init(ticket: ticket, generation: generation, decision: ledger.commit(plan, learned: learned)))
    }

    /// Tells the people at a station, by every device of it that can show this feedback.
    mutating func give(_ feedback: Feedback, at station: String, into output: inout EngineOutput) {
        output.happenings.append(.feedback(station: station, feedback))
        guard let configuration = site.stations.first(where: { $0.name == station }) else { return }
        for name in configuration.feedbackDevices {
            guard let index = site.deviceIndex(named: name) else { continue }
            let slot = Int(index.rawValue)
            var session = SessionOutput()
            _ = devices[slot].session?.give(feedback, at: now, into: &session)
            for bytes in session.transmissions { output.transmissions.append(.init(device: index, bytes: bytes)) }
        }
    }
}

extension Proposal {
    /// Whether the person who was there can do it again; else the gateway must remember it until it is recorded.
    fileprivate var canBeRepeated: Bool {
        switch content {
        case .crossing, .retraction, .observedLate, .cabinet, .cabinetDoor: false
        case .putAway, .control, .unknownCode, .cabinetRefusal: true
        }
    }

    /// How many late reads it is of; nil: of none, but of something that happened now.
    var lateReads: UInt64? {
        guard case .observedLate(let observed) = content else { return nil }
        return observed.tags.reduce(0) { $0 &+ UInt64(clamping: $1.reads) }
    }

    /// Whether somebody stands there and waits for a signal.
    fileprivate var isAwaited: Bool {
        lateReads == nil
    }

    /// Whether nothing was said before about what it is about: a final word follows a provisional one.
    fileprivate var isFirstWord: Bool {
        switch content {
        case .crossing(let crossing): crossing.decision == nil || crossing.certainty == .provisional
        case .cabinet(let cabinet): cabinet.certainty == .provisional
        case .retraction, .cabinetDoor, .cabinetRefusal: false
        case .putAway, .control, .unknownCode, .observedLate: true
        }
    }
}

extension WallTime {
    var localYear: Int {
        localDate.year
    }
}

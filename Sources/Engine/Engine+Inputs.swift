import Decoding
import Ledger
import Readings
import Stations

extension Engine {
    /// A device was opened.
    /// - Parameter program: what its profile and the site say about its protocol and about steering it.
    public mutating func opened(_ device: DeviceIndex, program: DeviceProgram, at now: Instant, into output: inout EngineOutput) {
        advance(to: now, into: &output)
        guard devices.indices.contains(Int(device.rawValue)) else { return }
        let slot = Int(device.rawValue)
        prepare(slot, program)
        devices[slot].session?.opened(at: self.now, into: &scratch)
        drain(device, into: &output)
    }

    /// A device was in use already when a recording began: a replay takes it over in the middle of its work.
    /// - Parameter snapshot: how its session stood then (`DeviceSteering.snapshot`); nil: initialised and working.
    public mutating func resumed(
        _ device: DeviceIndex, program: DeviceProgram, from snapshot: JSON? = nil, at now: Instant, into output: inout EngineOutput
    ) {
        advance(to: now, into: &output)
        guard devices.indices.contains(Int(device.rawValue)) else { return }
        prepare(Int(device.rawValue), program)
        devices[Int(device.rawValue)].session?.resumed(from: snapshot, at: self.now, into: &scratch)
        drain(device, into: &output)
    }

    /// Another device in the same place may have another profile.
    private mutating func prepare(_ slot: Int, _ program: DeviceProgram) {
        guard devices[slot].session == nil || devices[slot].program != program else { return }
        devices[slot].session = program.makeSession()
        devices[slot].program = program
    }

    /// The gateway ends, or takes over new settings: what stations can still say of walks under way is said now.
    public mutating func finish(at now: Instant, into output: inout EngineOutput) {
        advance(to: now, into: &output)
        for index in gates.indices {
            // What a reader had kept was gathered before the pause, and stands.
            let result = isPaused(gates[index].name) ? gates[index].finishLate() : gates[index].finish { ledger.known($0) }
            take(result, station: gates[index].name, into: &output)
        }
        for index in dwells.indices {
            let result = dwells[index].finish(at: self.now)
            take(result, station: dwells[index].name, into: &output)
        }
        abandon(nil, into: &output)
        saveLearned(into: &output)
    }

    /// The gateway is about to close all devices: what they must be told before.
    public mutating func release(at now: Instant, into output: inout EngineOutput) {
        advance(to: now, into: &output)
        for slot in devices.indices {
            devices[slot].session?.release(at: self.now, into: &scratch)
            drain(DeviceIndex(UInt16(slot)), into: &output)
        }
    }

    /// A device was closed, unplugged or lost.
    public mutating func closed(_ device: DeviceIndex, reason: String, at now: Instant, into output: inout EngineOutput) {
        advance(to: now, into: &output)
        guard devices.indices.contains(Int(device.rawValue)) else { return }
        if devices[Int(device.rawValue)].session == nil {
            // A capture of readings alone has no session that could say so.
            if devices[Int(device.rawValue)].state.isReading { scratch.batch.readings.append(.state(.absent(reason: reason))) }
        } else {
            devices[Int(device.rawValue)].session?.closed(reason: reason, at: self.now, into: &scratch)
        }
        drain(device, into: &output)
    }

    /// Bytes came from a device.
    public mutating func received(
        _ bytes: UnsafeRawBufferPointer, from device: DeviceIndex, at now: Instant, into output: inout EngineOutput
    ) {
        advance(to: now, into: &output)
        guard devices.indices.contains(Int(device.rawValue)) else { return }
        devices[Int(device.rawValue)].session?.receive(bytes, at: self.now, into: &scratch)
        drain(device, into: &output)
    }

    /// A key event came from a device.
    public mutating func key(_ code: UInt16, value: Int32, from device: DeviceIndex, at now: Instant, into output: inout EngineOutput) {
        advance(to: now, into: &output)
        guard devices.indices.contains(Int(device.rawValue)) else { return }
        devices[Int(device.rawValue)].session?.key(code, value: value, at: self.now, into: &scratch)
        drain(device, into: &output)
    }

    /// Input of a device was lost, because the kernel's queue overran.
    public mutating func inputLost(from device: DeviceIndex, at now: Instant, into output: inout EngineOutput) {
        advance(to: now, into: &output)
        guard devices.indices.contains(Int(device.rawValue)) else { return }
        devices[Int(device.rawValue)].session?.inputLost(at: self.now, into: &scratch)
        drain(device, into: &output)
    }

    /// A reading that was decoded elsewhere: from a capture of readings, or of a simulator.
    public mutating func read(_ reading: Reading, from device: DeviceIndex, at now: Instant, into output: inout EngineOutput) {
        advance(to: now, into: &output)
        guard devices.indices.contains(Int(device.rawValue)) else { return }
        // Whoever reads is reading: such captures have no session that could say so.
        if !devices[Int(device.rawValue)].state.isReading { scratch.batch.readings.append(.state(.reading)) }
        scratch.batch.readings.append(reading)
        drain(device, into: &output)
    }

    /// The wall clock was read: at start, hourly, and whenever it or its offset steps.
    public mutating func wallChanged(_ anchor: WallAnchor, into output: inout EngineOutput) {
        advance(to: anchor.instant, into: &output)
        if let wall { earlierWalls = earlierWalls.suffix(7) + [wall] }
        wall = anchor
        if anchor.quality != .unknown { ledger.referenceYear = wallTime.localYear }
        ledger.zone = anchor.zone
        remindersPaused = nil
        correctClock(into: &output)
    }

    /// A person or program asks for a change. The answer may be given when the commit with the returned ticket is on the disk.
    /// - Throws: `CommandRefusal`; nothing was changed then.
    public mutating func perform(_ command: Command, by client: String, at now: Instant, into output: inout EngineOutput)
        throws(CommandRefusal)
        -> UInt64
    {
        advance(to: now, into: &output)
        guard !isStale else { throw CommandRefusal(.notStored, "the store cannot be written at present") }
        if case .noteMaster(let seen) = command { ledger.masterSeen = seen }
        let plan = try ledger.plan(command, by: client, at: wallTime)
        if case .openStation(let station, _, _) = command { try checkUnlocking(station) }
        let ticket = commit(plan, into: &output)
        if case .openStation(let station, let person, let reason) = command {
            let people = person.map { [$0.text] } ?? []
            admissions[ticket] = Admission(
                station: station,
                party: .init(people: people, hasStranger: people.isEmpty, admission: .init(client: client, note: reason)),
                asked: self.now)
        }
        if case .setStationMode(let station, _) = command { resetStation(station, into: &output) }
        return ticket
    }

    /// New master data came.
    public mutating func masterChanged(
        _ master: MasterData, digest: String, rows: Int, by client: String?, at now: Instant, into output: inout EngineOutput
    ) -> UInt64 {
        advance(to: now, into: &output)
        let plan = ledger.replaceMaster(master, digest: digest, rows: rows, by: client, at: wallTime)
        return commit(plan, into: &output)
    }

    /// A decision is on the disk: now the person may be told.
    public mutating func committed(ticket: UInt64, at now: Instant, into output: inout EngineOutput) {
        advance(to: now, into: &output)
        openTickets.remove(ticket)
        learning.saved(with: ticket)
        if openTickets.isEmpty { ledger.settled() }
        if let admission = admissions.removeValue(forKey: ticket) { admit(admission, into: &output) }
        // Who was told "not recorded" a moment ago is told the truth; later nobody stands there any more.
        for answer in pending.removeValue(forKey: ticket) ?? []
        where !answer.wasTold || self.now - answer.deadline <= Self.lateFeedback && answer.deadline <= self.now {
            give(answer.feedback, at: answer.station, into: &output)
        }
    }

    /// A decision is not on the disk, and with it everything that was decided after it. Nothing is decided until `reloaded`.
    public mutating func commitFailed(ticket: UInt64, at now: Instant, into output: inout EngineOutput) {
        advance(to: now, into: &output)
        isStale = true
        openTickets.remove(ticket)
        admissions[ticket] = nil
        learning.failed(with: ticket, at: self.now)
        for answer in pending.removeValue(forKey: ticket) ?? [] {
            if let retry = answer.retry { keep(retry) }
            if !answer.wasTold { give(.notRecorded, at: answer.station, into: &output) }
        }
    }

    /// The image was loaded again from the store. Crossings that could not be recorded are decided now, with the time at which they
    /// happened: nobody can walk through the gate again for us.
    public mutating func reloaded(_ state: LedgerState, at now: Instant, into output: inout EngineOutput) {
        advance(to: now, into: &output)
        ledger.reload(state)
        generation += 1
        isStale = false
        correctClock(into: &output)
        // The outcome of a commit can be unknown: what the store holds after all is not decided twice.
        let waiting = unrecorded.filter { $0.lastSequence == 0 || $0.lastSequence >= state.nextSequence }
            .sorted { $0.since < $1.since }
        unrecorded = []
        for retry in waiting {
            let plan = ledger.plan(retry.proposal, at: retry.time, recorded: retry.recorded)
            guard let last = plan.events.last?.sequence else {
                ledger.note(plan)
                continue
            }
            let ticket = commit(plan, into: &output)
            var again = retry
            again.lastSequence = last
            pending[ticket] = [.unheard(at: retry.proposal.station, retry: again)]
        }
        // What waited can have been stamped by the clock of then.
        correctClock(into: &output)
        if ledger.hasOrphans { settlingTime = self.now + .seconds(1) }
    }

    private mutating func resetStation(_ name: String, into output: inout EngineOutput) {
        for index in gates.indices where gates[index].name == name { gates[index].reset(at: now) }
        for index in putaways.indices where putaways[index].name == name { putaways[index].reset() }
        for index in dwells.indices where dwells[index].name == name { dwells[index].pause(mode(of: name) == .paused, at: now) }
        for index in cabinets.indices where cabinets[index].name == name {
            let result = cabinets[index].reset(isPaused: mode(of: name) == .paused, at: now)
            take(result, station: name, into: &output)
        }
        tested.removeAll { $0.station == name }
        abandon(name, into: &output)
    }
}

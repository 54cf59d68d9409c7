import Readings

/// What a Modbus bus does next, and what its units are told: decides, and leaves the doing to the bus thread.
///
/// Commands come before polls. Polls go round among the units that are due, one request each, so that a unit with many polls does not
/// hold up one with a single input. A silent unit is asked again after a pause that doubles, and given up after a few times. A command
/// without an answer stays where it is and is sent again, since a lamp or a lock that was not switched off stays on: every write of
/// Modbus may be sent twice.
struct ModbusSchedule {
    /// A response that did not change is told again this often, to show that the unit works.
    static let repetition = Instant.Span.milliseconds(500)
    /// The pause after a first request without an answer; it doubles with the second.
    static let silencePause = Instant.Span.milliseconds(100)
    /// So many requests without an answer in a row end the opening: the unit must be initialised again when it comes back.
    static let silenceLimit = 3
    /// So many spoilt answers in a row do.
    static let garbleLimit = 10
    /// Commands of one unit that may wait.
    static let commandLimit = 64

    enum Job: Hashable {
        case poll(unit: UInt64, index: Int)
        case command(unit: UInt64)

        var unit: UInt64 {
            switch self {
            case .poll(let unit, _), .command(let unit): unit
            }
        }
    }

    /// What became of a request.
    enum Result: Hashable {
        /// A response of this unit to this request, exceptions included.
        case answer([UInt8])
        case silence
        /// Something that is no answer to it.
        case garbled(String)
    }

    enum Report: Hashable {
        /// The unit answers.
        case opened
        case received([UInt8])
        /// The unit is no longer asked.
        case ended(detail: String)
    }

    struct Unit {
        let settings: ModbusUnit
        var isOpen = false
        var nextPoll = 0
        /// When it may be asked again.
        var due: Instant
        var cycleStart: Instant
        var commands: [Command] = []
        /// The last response to each poll, and when it was told.
        var told: [(response: [UInt8], time: Instant)?]
        /// Responses that are told though they did not change: after a change one whole cycle, because what belongs together (a
        /// level and its counter) stands in different responses.
        var fresh = 0
        var silences = 0
        var garbles = 0
    }

    struct Command {
        var request: [UInt8]
        /// A number for its place among the commands of all units.
        var turn: UInt64
    }

    private(set) var units: [UInt64: Unit] = [:]
    private var turn: UInt64 = 0

    var isEmpty: Bool { units.isEmpty }

    mutating func add(_ id: UInt64, _ settings: ModbusUnit, at now: Instant) {
        units[id] = Unit(settings: settings, due: now, cycleStart: now, told: Array(repeating: nil, count: settings.polls.count))
    }

    @discardableResult
    mutating func remove(_ id: UInt64) -> Bool { units.removeValue(forKey: id) != nil }

    /// A command is dropped when the unit has been given up meanwhile.
    mutating func enqueue(_ request: [UInt8], for id: UInt64) {
        guard let count = units[id]?.commands.count, count < Self.commandLimit else { return }
        turn &+= 1
        units[id]?.commands.append(Command(request: request, turn: turn))
    }

    func request(of job: Job) -> (unit: ModbusUnit, request: [UInt8])? {
        guard let unit = units[job.unit] else { return nil }
        switch job {
        case .poll(_, let index): return unit.settings.polls.indices.contains(index) ? (unit.settings, unit.settings.polls[index]) : nil
        case .command: return unit.commands.first.map { (unit.settings, $0.request) }
        }
    }

    /// Whether a frame that was told says that a command is done with, well or badly: not, when it has to be sent again.
    static func endsCommand(_ frame: [UInt8]) -> Bool {
        guard frame.first == ModbusCode.command else { return false }
        let response = Array(frame.dropFirst(2))
        guard response.count == 2, response[0] & ModbusCode.exceptionFlag != 0 else { return true }
        return !ModbusCode.isSilence(response[1]) && response[1] != ModbusCode.spoilt
    }

    static func isGatewaySilence(_ response: [UInt8]) -> Bool {
        response.count == 2 && response[0] & ModbusCode.exceptionFlag != 0 && ModbusCode.isGatewaySilence(response[1])
    }

    /// What is to be done at `now`; nil: nothing before `nextDue`.
    func next(at now: Instant) -> Job? {
        // A unit that was silent is not asked before its pause is over, not even by commands: they would hold up the others.
        let commands = units.compactMap { id, unit in
            unit.silences > 0 && unit.due > now ? nil : unit.commands.first.map { (turn: $0.turn, id: id) }
        }
        if let first = commands.min(by: { $0.turn < $1.turn }) { return .command(unit: first.id) }
        let due = units.filter { !$0.value.settings.polls.isEmpty && $0.value.due <= now }
        guard let (id, unit) = due.min(by: { ($0.value.due, $0.key) < ($1.value.due, $1.key) }) else { return nil }
        return .poll(unit: id, index: unit.nextPoll)
    }

    /// When there will be something to do.
    var nextDue: Instant? {
        units.values.lazy.filter { !$0.settings.polls.isEmpty || !$0.commands.isEmpty }.map(\.due).min()
    }

    /// Takes the outcome of a job, and says what its unit is to be told. A unit that ended is no longer known.
    mutating func finished(_ job: Job, _ result: Result, at now: Instant) -> [Report] {
        guard var unit = units[job.unit] else { return [] }
        var reports: [Report] = []
        switch result {
        case .answer(let response) where Self.isGatewaySilence(response):
            reports = missed(job, &unit, response, at: now)
        // No device has these codes: nobody could tell them from those of the bus.
        case .answer(let response)
        where response.count == 2 && response[0] & ModbusCode.exceptionFlag != 0 && response[1] >= ModbusCode.spoilt:
            reports = spoilt(job, &unit, at: now)
        case .answer(let response): reports = answered(job, &unit, response, at: now)
        case .silence: reports = missed(job, &unit, nil, at: now)
        case .garbled: reports = spoilt(job, &unit, at: now)
        }
        // What has to be sent again comes after the commands of the others.
        if case .command = job, case .received(let frame)? = reports.last, !Self.endsCommand(frame), !unit.commands.isEmpty {
            turn &+= 1
            unit.commands[0].turn = turn
        }
        if case .ended = reports.last { units[job.unit] = nil } else { units[job.unit] = unit }
        return reports
    }

    private func answered(_ job: Job, _ unit: inout Unit, _ response: [UInt8], at now: Instant) -> [Report] {
        var reports: [Report] = []
        (unit.silences, unit.garbles) = (0, 0)
        if !unit.isOpen {
            unit.isOpen = true
            reports.append(.opened)
        }
        switch job {
        case .command:
            unit.commands.removeFirst()
            unit.fresh = unit.settings.polls.count
            reports.append(.received(Self.frame(ModbusCode.command, response)))
        case .poll(_, let index):
            let before = unit.told[index]
            if before?.response != response {
                unit.fresh = unit.settings.polls.count
                reports.append(.received(Self.frame(UInt8(truncatingIfNeeded: index), response)))
                unit.told[index] = (response, now)
            } else if let before, unit.fresh > 0 || now - before.time >= Self.repetition {
                unit.fresh = max(0, unit.fresh - 1)
                reports.append(.received(Self.frame(UInt8(truncatingIfNeeded: index), response)))
                unit.told[index] = (response, now)
            }
            advance(&unit, at: now)
        }
        return reports
    }

    /// Goes on to the next poll, at once within a cycle.
    private func advance(_ unit: inout Unit, at now: Instant) {
        unit.nextPoll += 1
        unit.due = now
        guard unit.nextPoll >= unit.settings.polls.count else { return }
        unit.nextPoll = 0
        unit.due = max(now, unit.cycleStart + unit.settings.interval)
        unit.cycleStart = unit.due
    }

    private func missed(_ job: Job, _ unit: inout Unit, _ response: [UInt8]?, at now: Instant) -> [Report] {
        unit.silences += 1
        let what = response == nil ? "does not answer" : "does not answer behind its gateway"
        if !unit.isOpen || unit.silences >= Self.silenceLimit { return [.ended(detail: "unit \(unit.settings.unit) \(what)")] }
        unit.due = now + Instant.Span(nanoseconds: Self.silencePause.nanoseconds << Int64(unit.silences - 1))
        unit.cycleStart = unit.due
        return [.received(failure(of: job, &unit, response?[1] ?? ModbusCode.noAnswer))]
    }

    private func spoilt(_ job: Job, _ unit: inout Unit, at now: Instant) -> [Report] {
        unit.garbles += 1
        if unit.garbles >= Self.garbleLimit { return [.ended(detail: "unit \(unit.settings.unit) gives spoilt answers")] }
        // Asked again at once, after the others that are due: noise is short.
        unit.due = now
        if !unit.isOpen { return [] }
        return [.received(failure(of: job, &unit, ModbusCode.spoilt))]
    }

    /// A response that the bus makes up for a request without one.
    private func failure(of job: Job, _ unit: inout Unit, _ code: UInt8) -> [UInt8] {
        switch job {
        case .command:
            let function = unit.commands.first?.request.first ?? 0
            return Self.frame(ModbusCode.command, [function | ModbusCode.exceptionFlag, code])
        case .poll(_, let index):
            unit.told[index] = nil
            let function = unit.settings.polls[index].first ?? 0
            return Self.frame(UInt8(truncatingIfNeeded: index), [function | ModbusCode.exceptionFlag, code])
        }
    }

    /// What the event loop gets: where the response belongs, its length, the response.
    private static func frame(_ index: UInt8, _ response: [UInt8]) -> [UInt8] {
        [index, UInt8(clamping: response.count)] + response
    }
}

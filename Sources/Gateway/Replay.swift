import Decoding
import Engine
import Ledger
import Presence
import Profiles
import Readings
import SiteConfiguration
import Store

/// Runs a capture through the engine as fast as the machine can: the same inputs, configuration, master data and start state give the
/// same events, ids and hashes included.
public struct Replay {
    private let site: Site
    private let library: ProfileLibrary
    private var engine: Engine
    private var chain: EventChain
    /// What the store would hold: the start state and every event committed since.
    private var stored: LedgerState
    private var waiting: [UInt64: Decision] = [:]
    /// A recording of a gateway says itself what was committed; elsewhere every decision is.
    private let isRecording: Bool
    private var now = Instant.zero
    private var output = EngineOutput()
    /// Called with every event, in order.
    public var onEvent: (StoredEvent) -> Void = { _ in }
    /// Called with every sighting.
    public var onSighting: ((String, Sighting) -> Void)? {
        didSet { engine.isWatched = onSighting != nil || onStay != nil }
    }

    /// Called with everything that came to a place where things stay, or left it.
    public var onStay: ((String, DwellEvent) -> Void)? {
        didSet { engine.isWatched = onSighting != nil || onStay != nil }
    }

    /// How long a capture that is no recording of a gateway goes on after its last line, so that open visits end.
    private static let runOn = Instant.Span.seconds(60)
    /// The same for places where things stay: longer than the longest time-out of a tag.
    private static let runOnOfStays = Instant.Span.seconds(200)

    /// - Parameters:
    ///   - header: the capture's first line.
    ///   - state: the rows of the `state` lines, or of a file; nil: an empty store.
    public init(
        site: Site, library: ProfileLibrary, master: MasterData, state: [StateRow] = [], header: Capture.Header
    ) throws(ReplayError) {
        self.site = site
        self.library = library
        let position = header.gateway
        isRecording = position != nil
        guard let epoch = position.map({ StoreEpoch.value($0.epoch) }) ?? 0 else {
            throw ReplayError(line: 1, reason: "epoch is not hexadecimal")
        }
        if let code = position?.gateway, code != site.gateway.code {
            throw ReplayError(line: 1, reason: "recorded by gateway \(code), but the site file is of \(site.gateway.code)")
        }
        do {
            stored = try LedgerState(nextSequence: position?.nextSequence ?? 1, rows: state)
        } catch { throw ReplayError(line: 1, reason: error.description) }
        chain = EventChain(
            identity: EventIdentity(gateway: site.gateway.code, epoch: epoch), lastHash: position?.previousHash ?? EventChain.origin)
        var master = master
        if let version = position?.masterVersion, version > 0 { master.version = version }
        engine = Engine(site: site, epoch: epoch, state: stored, master: master, startingAt: .zero, nextTicket: position?.nextTicket ?? 1)
        if !isRecording, let time = WallTime(rfc3339: header.recorded) {
            engine.wallChanged(
                WallAnchor(instant: .zero, milliseconds: time.milliseconds, offsetMinutes: time.offsetMinutes, quality: .synchronised),
                into: &output)
        }
    }

    /// Takes one line.
    public mutating func take(_ line: Capture.Line, number: Int) throws(ReplayError) {
        // What was sent is for people; it is written after the inputs that made it, and must not move time.
        switch line.content {
        case .transmitted, .state: return
        default: break
        }
        now = max(now, line.time)
        // What was due until then comes first: a line may say what became of a decision that time alone brought.
        engine.advance(to: now, into: &output)
        settle()
        let device = try line.device.map { (name: String) throws(ReplayError) in try index(of: name, line: number) }
        switch line.content {
        case .received(let bytes):
            let device = try required(device, line: number)
            open(device)
            bytes.withUnsafeBytes { engine.received($0, from: device, at: now, into: &output) }
        case .key(let code, let value):
            let device = try required(device, line: number)
            open(device)
            engine.key(code, value: value, from: device, at: now, into: &output)
        case .inputLost: engine.inputLost(from: try required(device, line: number), at: now, into: &output)
        case .tag(let read): engine.read(.tag(read), from: try required(device, line: number), at: now, into: &output)
        case .scan(let scan): engine.read(.scan(scan), from: try required(device, line: number), at: now, into: &output)
        case .badge(let badge): engine.read(.badge(badge), from: try required(device, line: number), at: now, into: &output)
        case .input(let change): engine.read(.input(change), from: try required(device, line: number), at: now, into: &output)
        case .device(.opened(let profile)):
            let device = try required(device, line: number)
            guard let id = profile ?? site.devices[Int(device.rawValue)].profile, let profile = library[id] else {
                throw ReplayError(line: number, reason: "the profile \(profile ?? "of the device") is not there")
            }
            engine.opened(device, program: try program(of: profile, for: device, line: number), at: now, into: &output)
        case .device(.running(let profile, let session)):
            let device = try required(device, line: number)
            guard let id = profile, let profile = library[id] else {
                throw ReplayError(line: number, reason: "the profile \(profile ?? "of the device") is not there")
            }
            let program = try program(of: profile, for: device, line: number)
            engine.resumed(device, program: program, from: session, at: now, into: &output)
        case .device(.closed(let reason)): engine.closed(try required(device, line: number), reason: reason, at: now, into: &output)
        case .wall(var anchor):
            anchor.instant = now
            engine.wallChanged(anchor, into: &output)
        case .command(let json): try command(json, line: number)
        case .master(let json): try master(json, line: number)
        case .committed(let ticket): commit(ticket)
        case .commitFailed(let ticket): engine.commitFailed(ticket: ticket, at: now, into: &output)
        case .reloaded(let next):
            // A failed decision may stand all the same: its outcome was unknown, and the store told the truth later.
            for ticket in waiting.keys.sorted() {
                let decision = waiting.removeValue(forKey: ticket)
                for event in decision?.events ?? [] where event.sequence < next { store(event) }
            }
            engine.reloaded(stored, at: now, into: &output)
        case .released: engine.release(at: now, into: &output)
        case .finished: engine.finish(at: now, into: &output)
        case .transmitted, .state: break
        }
        settle()
    }

    /// The capture is over.
    public mutating func finish() {
        guard !isRecording else { return }
        let end = now + (engine.dwells.isEmpty ? Self.runOn : Self.runOnOfStays)
        // Commits are answered as they come, so that feedback and later decisions find what they would find live.
        while let deadline = engine.nextDeadline, deadline <= end {
            now = deadline
            engine.advance(to: deadline, into: &output)
            settle()
        }
    }

    private mutating func settle() {
        if let onSighting {
            for case .sighting(let station, let sighting) in output.happenings { onSighting(station, sighting) }
        }
        if let onStay {
            for case .stay(let station, let stay) in output.happenings { onStay(station, stay) }
        }
        while !output.commits.isEmpty {
            let commits = output.commits
            output.removeAll()
            for commit in commits { waiting[commit.ticket] = commit.decision }
            if !isRecording { for commit in commits { self.commit(commit.ticket) } }
        }
        output.removeAll()
    }

    private mutating func commit(_ ticket: UInt64) {
        guard let decision = waiting.removeValue(forKey: ticket) else { return }
        for event in decision.events { store(event) }
        for row in decision.rows { stored.learn(row) }
        engine.committed(ticket: ticket, at: now, into: &output)
    }

    private mutating func store(_ event: Event) {
        _ = stored.apply(event)
        onEvent(chain.seal(event))
    }

    private mutating func command(_ json: JSON, line: Int) throws(ReplayError) {
        guard let command = json["command"].flatMap(Command.init(json:)), let client = json["client"]?.string else {
            throw ReplayError(line: line, reason: "a command of no known kind")
        }
        // What was refused live is refused again.
        _ = try? engine.perform(command, by: client, at: now, into: &output)
    }

    private mutating func master(_ json: JSON, line: Int) throws(ReplayError) {
        guard let version = json["version"]?.integer, let digest = json["digest"]?.string, let rows = json["rows"]?.array else {
            throw ReplayError(line: line, reason: "master data need version, digest and rows")
        }
        do {
            var master = try engine.ledger.master.applying(rows.map { try MasterRow(json: $0) })
            master.version = version
            _ = engine.masterChanged(master, digest: digest, rows: rows.count, by: json["client"]?.string, at: now, into: &output)
        } catch { throw ReplayError(line: line, reason: "\(error)") }
    }

    /// A capture of one device need not say that it was opened.
    private mutating func open(_ device: DeviceIndex) {
        let slot = Int(device.rawValue)
        guard engine.devices[slot].session == nil, let profile = site.devices[slot].profile.flatMap({ library[$0] }),
            let program = try? profile.program(for: site.devices[slot], layouts: library.layouts)
        else { return }
        engine.opened(device, program: program, at: now, into: &output)
    }

    private func program(of profile: DeviceProfile, for device: DeviceIndex, line: Int) throws(ReplayError) -> DeviceProgram {
        do throws(RadioProblem) { return try profile.program(for: site.devices[Int(device.rawValue)], layouts: library.layouts) } catch {
            throw ReplayError(line: line, reason: "\(site.devices[Int(device.rawValue)].name): \(error)")
        }
    }

    private func index(of name: String, line: Int) throws(ReplayError) -> DeviceIndex {
        guard let index = site.deviceIndex(named: name) else {
            throw ReplayError(line: line, reason: "there is no device \"\(name)\" in the site file")
        }
        return index
    }

    private func required(_ device: DeviceIndex?, line: Int) throws(ReplayError) -> DeviceIndex {
        guard let device else { throw ReplayError(line: line, reason: "\"d\", the device, is missing") }
        return device
    }
}

/// Why a capture cannot be replayed.
public struct ReplayError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Counted from 1; nil when it is about the file as a whole.
    public var line: Int?
    public var reason: String

    public init(line: Int?, reason: String) {
        self.line = line
        self.reason = reason
    }

    public var description: String { (line.map { "line \($0): " } ?? "") + reason }
}

import Control
import Decoding
import Devices
import Engine
import Identifiers
import Ledger
import Logging
import NIOCore
import Profiles
import Readings
import SiteConfiguration
import Stations
import Store
import Upstream

extension GatewayService: GatewayOperations {
    func now() async -> WallTime {
        (try? await look { $0.wallTime }) ?? WallTime(milliseconds: 0, offsetMinutes: 0, quality: .unknown)
    }

    func status() async throws(OperationError) -> GatewayStatus {
        let (last, version, started) = (store.lastSequence, masterStore.version, started)
        let sources = sourceStates.map { configuration, status in
            MasterSourceReport(
                name: configuration.name, kind: configuration.kind.name, state: status.state.rawValue, cursor: status.cursor,
                age: status.age.map { $0 / 1_000 }, batches: status.batches, problem: status.lastError)
        }
        let storeReport = storeReport
        return try await look { loop in
            let (ledger, now) = (loop.engine.ledger, loop.wallTime)
            let states = loop.engine.devices.map(\.state)
            var status = GatewayStatus(
                gateway: loop.site.gateway.code, site: loop.site.gateway.site, version: GatewayVersion.text,
                language: loop.site.gateway.language.rawValue, uptimeSeconds: (BootClock.now() - started).milliseconds / 1_000,
                clock: now.quality, masterVersion: version.number, masterApplied: version.pulledAt, masterSources: sources, events: last,
                openLoans: ledger.state.loans.count,
                overdueLoans: ledger.state.loans.values.count { $0.due.quality != .unknown && $0.due.milliseconds < now.milliseconds },
                openExceptions: ledger.state.exceptions.count, devicesReading: states.count(where: \.isReading),
                devicesSilent: states.count { if case .silent = $0 { true } else { false } },
                devicesAbsent: states.count { if case .absent = $0 { true } else { false } },
                lostCrossings: loop.engine.lostCrossings, lostLateReads: loop.engine.lostLateReads,
                recording: loop.recordingReport ?? loop.ring.map(loop.report))
            status.store = storeReport
            return status
        }
    }

    private var storeReport: StoreReport {
        let statistics = store.statistics
        var report = StoreReport()
        report.bytesPerEvent = statistics.bytesPerEvent.map { Int64($0) }
        report.writeAheadBytes = statistics.walBytes
        report.archivedThrough = store.archivedThrough
        report.hasReserve = statistics.hasReserve
        report.problem = statistics.lastError?.description
        return report
    }

    func devices() async throws(OperationError) -> [DeviceReport] {
        try await look { loop in
            zip(loop.engine.devices, loop.supervisor.statuses).map { slot, status in
                var state = slot.state
                if case .absent(let reason) = state {
                    state = .absent(reason: loop.obstacle(to: slot.name) ?? status.absence ?? reason)
                }
                return DeviceReport(
                    name: slot.name, state: state, since: loop.wallTime(at: slot.since)?.rfc3339,
                    lastReading: slot.lastReading.flatMap { loop.wallTime(at: $0)?.rfc3339 },
                    readings: slot.session?.counters.readings ?? 0, noReads: slot.session?.counters.noReads ?? 0,
                    lateReads: slot.lateReads,
                    rejects: Dictionary(
                        uniqueKeysWithValues: (slot.session?.counters.rejects.byReason ?? []).map { ("\($0.reason)", $0.count) }),
                    faults: slot.session?.counters.faults ?? [:], answers: (slot.session?.stepAnswers ?? [:]).mapValues(Self.readable),
                    skipped: slot.session?.skippedSteps ?? [], advice: slot.advice?.rawValue, port: status.path, profile: status.profile,
                    failsafe: status.profile.flatMap { loop.library[$0] }?.failsafe?.rawValue, deviceName: status.deviceName,
                    notes: status.remarks, grabMilliseconds: status.grabDelay.map { $0.nanoseconds / 1_000_000 })
            }
        }
    }

    /// Text where it is text, else hexadecimal.
    private static func readable(_ bytes: [UInt8]) -> String {
        bytes.allSatisfy { (0x20...0x7E).contains($0) } ? String(decoding: bytes, as: UTF8.self) : Hex.text(bytes)
    }

    func stations() async throws(OperationError) -> [StationReport] {
        try await look { loop in
            loop.site.stations.map { station in
                let location = station.location.flatMap(LocationKey.init)
                let gate = loop.engine.gates.first { $0.name == station.name }
                let cabinet = loop.engine.cabinets.first { $0.name == station.name }
                return StationReport(
                    name: station.name, kind: station.kind.name,
                    mode: loop.engine.ledger.state.modes[station.name, default: .running].rawValue, location: station.location,
                    locationName: location.flatMap { loop.engine.ledger.name(.location($0)) }, owner: station.owner,
                    devices: station.inputDevices, antennas: station.antennas, hints: loop.hints(for: station),
                    readsBelowFloor: gate?.readsBelowFloor ?? 0, readsWithoutSide: gate?.readsWithoutSide ?? 0,
                    stage: cabinet?.stage.rawValue, insideTags: cabinet?.insideTags, stopped: loop.reasonToStop(station))
            }
        }
    }

    func destinations() async throws(OperationError) -> [DestinationReport] {
        let letters = try await look { loop in
            loop.engine.ledger.state.exceptions.values.filter { $0.raised.kind == .deliveryRefused }.compactMap(\.raised.code)
        }
        return deliveryStates.map { configuration, status in
            let kind =
                switch configuration.kind {
                case .file: "file"
                case .epcis: "epcis"
                case .webhook: "webhook"
                case .mqtt: "mqtt"
                case .postgresql: "postgresql"
                case .mail: "mail"
                }
            return DestinationReport(
                name: configuration.name, kind: kind, state: status.state.rawValue, cursor: status.cursor, waiting: status.pending,
                oldest: status.oldest, deadLetters: Int64(letters.count { $0.hasPrefix("\(configuration.name)/") }),
                outdated: status.counters.outdated, withoutAddress: status.counters.withoutAddress, problem: status.lastError)
        }
    }

    // MARK: Ledger

    func stock(at location: String?) async throws(OperationError) -> [JSON] {
        let ledger = try await look { $0.engine.ledger }
        // What somebody has on loan is not on its shelf.
        let places = ledger.state.places.filter { ledger.state.loans[$0.key] == nil }
        var rows: [(location: LocationKey, path: String, subject: StockSubject, count: Int64)] = places.map { item, place in
            (place, StockSubject.item(item).path, .item(item), 1)
        }
        rows += ledger.state.stock.map { ($0.key.location, $0.key.subject.path, $0.key.subject, $0.value) }
        return rows.filter { location == nil || $0.location.text == location }.sorted { ($0.location, $0.path) < ($1.location, $1.path) }
            .map { row in
                var members = row.subject.json.object ?? [:]
                members["location"] = .string(row.location.text)
                members["quantity"] = .integer(row.count)
                return JSON.object(members).naming(ledger.name)
            }
    }

    func exceptions() async throws(OperationError) -> [JSON] {
        let ledger = try await look { $0.engine.ledger }
        return ledger.state.exceptions.values
            .sorted { ($0.raised.deadline.milliseconds, $0.number) < ($1.raised.deadline.milliseconds, $1.number) }
            .map { $0.row.naming(ledger.name) }
    }

    func exception(_ number: Int64) async throws(OperationError) -> JSON {
        let row = try await look { loop in loop.engine.ledger.state.exceptions[number]?.row.naming(loop.engine.ledger.name) }
        guard let row else { throw OperationError(.notFound, "there is no open exception \(number)") }
        return row
    }

    func tags() async throws(OperationError) -> [TagReport] {
        let ledger = try await look { $0.engine.ledger }
        return ledger.state.tags.sorted { $0.key < $1.key }.map { TagReport(epc: $0, bearer: $1, name: ledger.name($1), source: .local) }
    }

    func tag(_ epc: EPC) async throws(OperationError) -> TagReport {
        let report = try await look { loop -> TagReport? in
            let ledger = loop.engine.ledger
            return ledger.bearer(of: epc).map {
                TagReport(epc: epc, bearer: $0, name: ledger.name($0), source: ledger.state.tags[epc] == nil ? .master : .local)
            }
        }
        guard let report else { throw OperationError(.notFound, "tag \(epc.hex) is bound to nothing") }
        return report
    }

    func perform(_ command: Command, by caller: Caller) async throws(OperationError) -> CommandOutcome {
        let client = caller.description
        let events = try await committed { loop, answer in try loop.perform(command, by: client, answer: answer) }
        var outcome = CommandOutcome(events: events.map(\.sequence))
        if case .loan(.request) = command {
            outcome.permit = events.lazy.compactMap { try? $0.json()["data"]?["permit"]?.string }.first.flatMap(PermitKey.init)
        }
        return outcome
    }

    func importMaster(_ rows: [MasterRow], dryRun: Bool, by caller: Caller) async throws(OperationError) -> ImportOutcome {
        let outcome = try await importMaster(rows, source: "import by \(caller)", dryRun: dryRun, client: caller.description)
        if !dryRun { await noteMasterComplete(from: MasterAge.byHand) }
        return outcome
    }

    // MARK: Profiles

    func explainProfile(device: String) async throws(OperationError) -> ProfileReport {
        let nodes = knownNodes
        let report = try await look { loop -> ProfileReport? in loop.profileReport(of: device, nodes: nodes) }
        guard let report else { throw OperationError(.notFound, "there is no device \"\(device)\" in the site file, and no such node") }
        return report
    }

    // MARK: Watching and recording

    func watch() async -> AsyncStream<JSON> {
        let service = self
        guard let watchers = try? await look({ $0.watchers }) else { return AsyncStream { $0.finish() } }
        let stream = watchers.watch { Task { try? await service.look { $0.setWatched(!$0.watchers.isEmpty) } } }
        try? await look { $0.setWatched(true) }
        return stream
    }

    func follow() async -> AsyncStream<StoredEvent> {
        guard let watchers = try? await look({ $0.watchers }) else { return AsyncStream { $0.finish() } }
        return watchers.follow()
    }

    func startRecording(note: String, by caller: Caller) async throws(OperationError) -> RecordingReport {
        try await answered(whenSettled: true) { (loop) throws(OperationError) in try loop.startRecording(note: note) }
    }

    func stopRecording(by caller: Caller) async throws(OperationError) -> RecordingReport {
        try await answered { (loop) throws(OperationError) in
            guard let report = loop.recordingReport else { throw OperationError(.notFound, "no recording is under way") }
            loop.recorder?.end()
            loop.recorder = nil
            return report
        }
    }

    func recording() async throws(OperationError) -> RecordingReport? {
        try await look { $0.recordingReport }
    }

    func recordingFile(named name: String) async throws(OperationError) -> String {
        guard name.hasSuffix(".capture"), !name.contains("/"), !name.hasPrefix("."), name.utf8.count < 128 else {
            throw OperationError(.notFound, "there is no such recording")
        }
        let folder = try await look { $0.recordingFolder }
        return "\(folder)/\(name)"
    }

    func reload(by caller: Caller) async throws(OperationError) -> ReloadOutcome {
        logger.notice("reload", metadata: ["by": "\(caller)"])
        return try await reload()
    }

    /// Runs a body on the loop whose errors are answers.
    /// - Parameter whenSettled: at a moment when every decision is final and on the disk, or after 10 s.
    private func answered<Value: Sendable>(
        whenSettled: Bool = false, _ body: @escaping @Sendable (EngineLoop) throws(OperationError) -> Value
    ) async throws(OperationError) -> Value {
        do {
            return whenSettled ? try await onLoop { $0.whenSettled(isFinal: true, body) }.get() : try await onLoop { try body($0) }
        } catch let error as OperationError { throw error } catch {
            throw OperationError(.unavailable, "the gateway is ending")
        }
    }
}

import Control
import Decoding
import Devices
import Engine
import Glibc
import Ledger
import Logging
import NIOCore
import Readings
import SiteConfiguration
import Store

extension EngineLoop {
    /// A recording of the running gateway ends at this size; it is for hours, not for years.
    static let maximumRecording: Int64 = 1 << 30

    var recordingFolder: String { "\(site.gateway.stateDirectory)/recordings" }

    var recordingReport: RecordingReport? { recorder.map(report) }

    func report(of recorder: CaptureWriter) -> RecordingReport {
        let name = recorder.path.split(separator: "/").last.map(String.init) ?? recorder.path
        return RecordingReport(
            name: name, since: wallTime(at: recorder.start)?.rfc3339 ?? "", lines: recorder.lines, bytes: recorder.bytesWritten,
            failure: recorder.failure)
    }

    /// Begins to record every input, from the state as it is now.
    ///
    /// A recording that begins with the gateway replays to the same events. One that begins later lacks the visits and half frames of
    /// that moment: what comes after them is the same again. How the sessions of devices stood is written into it.
    func startRecording(note: String) throws(OperationError) -> RecordingReport {
        guard recorder == nil else { throw OperationError(.conflict, "a recording is under way already") }
        guard isSettled else { throw OperationError(.unavailable, "decisions are not final yet; try again in a few seconds") }
        do throws(CaptureWriterError) {
            recorder = try recording(in: recordingFolder, note: note, bound: Self.maximumRecording)
            repeatMasterAge()
        } catch { throw OperationError(.unavailable, error.description) }
        guard let report = recordingReport else { throw OperationError(.internal, "the recording did not begin") }
        return report
    }

    /// Records all the time, if the site file wants that: from the start of the gateway or of its configuration, and on from there in
    /// a new file when one is full.
    func startRing() {
        guard let configuration = site.gateway.recorder, ring == nil else { return }
        do throws(CaptureWriterError) {
            try makeFolder(configuration.directory)
            try pruneRecordings(in: configuration.directory, to: configuration.maximumBytes / 2)
            ring = try recording(in: configuration.directory, note: "recorded all the time", bound: configuration.maximumBytes / 2)
            repeatMasterAge()
        } catch {
            isRingFull = error.errno == EAGAIN
            guard !isRingFull else { return }
            logger.error("inputs are not recorded", metadata: ["error": "\(error)"])
        }
    }

    /// How old the master data are stands in no state row: a recording hears it again, as its first input.
    private func repeatMasterAge() {
        guard let seen = engine.ledger.masterSeen else { return }
        // A store that cannot be written refuses it, and decides nothing either.
        try? perform(.noteMaster(seen: seen), by: "gateway") { _ in }
    }

    /// Once a second: what was recorded reaches the disk, and an always-on recording that could not go on at once does so.
    func flushRecordings() {
        recorder?.flush()
        ring?.flush()
        dropEndedRecordings()
        continueRing()
    }

    private func continueRing() {
        guard isRingFull, isSettled else { return }
        isRingFull = false
        startRing()
    }

    func dropEndedRecordings() {
        if let recorder, let failure = recorder.failure {
            logger.error("recording ended", metadata: ["reason": "\(failure)"])
            self.recorder = nil
        }
        if let ring, let failure = ring.failure {
            self.ring = nil
            isRingFull = ring.isFull
            guard isRingFull else { return logger.error("inputs are no longer recorded", metadata: ["reason": "\(failure)"]) }
            // A state that fills a file by itself is not written more often than once a second.
            guard BootClock.now() - ring.start > .seconds(1) else { return }
            // Behind the input that is just being recorded: the next file begins with what came of it.
            let bound = NIOLoopBound(self, eventLoop: loop)
            loop.execute { bound.value.continueRing() }
        }
    }

    /// Whether the state is what is stored: no decision is on its way to the disk, and none is provisional of which a station has more to
    /// say than a replay can know. What is made final by itself after a start can be timed for one recording only.
    private var isSettled: Bool {
        outstanding == 0 && !engine.isStale && !engine.hasOpenDecisions && !(engine.isSettling && (recorder != nil || ring != nil))
    }

    /// Brings the engine to this moment, and its wall clock to a full millisecond of it: counted from here and counted from an anchor
    /// of before, the same time would be rounded differently, and a replay knows only this one.
    private func settleClock() -> Instant {
        let now = BootClock.now()
        if let wall = engine.lastAnchor {
            var anchor = WallAnchor(instant: now, wall.wallTime(at: now))
            anchor.changes = wall.changes
            record(.wall(anchor), at: now)
            input { $0.wallChanged(anchor, into: &$1) }
        }
        return now
    }

    private func recording(in folder: String, note: String, bound: Int64) throws(CaptureWriterError) -> CaptureWriter {
        try makeFolder(folder)
        let now = settleClock()
        // Something may have been due until this moment, and is on its way to the disk.
        guard isSettled else { throw CaptureWriterError(path: folder, errno: EAGAIN) }
        let start = now.stepBegin
        input { engine, _ in engine.recordingBegins(at: start) }
        let ledger = engine.ledger
        var devices: [String: String] = [:]
        for (slot, status) in zip(engine.devices, supervisor.statuses) { devices[slot.name] = status.profile }
        let header = Capture.Header(
            recorded: wallTime.rfc3339, note: note,
            gateway: .init(
                gateway: site.gateway.code, epoch: StoreEpoch.text(store.epoch), nextSequence: ledger.state.nextSequence,
                previousHash: newestEvent.map { SHA256Digest(of: $0.bytes).hex } ?? loaded.lastHash, nextTicket: engine.nextTicket,
                configurationDigest: SHA256Digest(of: Array(site.canonicalText.utf8)).hex, masterDigest: masterDigest,
                masterVersion: ledger.master.version), devices: devices)
        let state = engine.startRows(at: start).map { row -> JSON in ["key": .string(row.key), "value": row.value ?? .null] }
        let writer = try CaptureWriter(
            path: try freeName(in: folder, WallClock.stamp()), header: header, state: state, startingAt: start, maximumBytes: bound)
        if let wall = engine.lastAnchor { writer.write(.wall(wall), at: now) }
        // A recording that begins while devices are open says so: the replay steers and decodes them from here.
        for slot in engine.devices {
            guard let profile = devices[slot.name], let session = slot.session else { continue }
            let snapshot = session.snapshot(at: now)
            if !snapshot.isNull {
                writer.write(.device(.running(profile: profile, session: snapshot)), device: slot.name, at: now)
                continue
            }
            if case .absent = slot.state { continue }
            let change: Capture.DeviceChange = session.isInitialised ? .running(profile: profile) : .opened(profile: profile)
            writer.write(.device(change), device: slot.name, at: now)
        }
        writer.flush()
        return writer
    }

    /// The time, and where two recordings begin within a second, a number, so that names sort by age.
    private func freeName(in folder: String, _ stamp: String) throws(CaptureWriterError) -> String {
        for number in 1...99 {
            let path = "\(folder)/\(stamp)\(number == 1 ? "" : "_\(number < 10 ? "0" : "")\(number)").capture"
            if access(path, F_OK) != 0 { return path }
        }
        throw CaptureWriterError(path: "\(folder)/\(stamp).capture", errno: EEXIST)
    }
}

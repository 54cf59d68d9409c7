import Control
import Devices
import Engine
import Ledger
import Logging
import Readings
import SiteConfiguration
import Store

extension EngineLoop {
    /// A recording of the running gateway ends at this size; it is for hours, not for years.
    static let maximumRecording: Int64 = 1 << 30

    var recordingFolder: String { "\(site.gateway.stateDirectory)/recordings" }

    var recordingReport: RecordingReport? {
        guard let recorder else { return nil }
        let name = recorder.path.split(separator: "/").last.map(String.init) ?? recorder.path
        return RecordingReport(
            name: name, since: wallTime(at: recorder.start)?.rfc3339 ?? "", lines: recorder.lines, bytes: recorder.bytesWritten,
            failure: recorder.failure)
    }

    /// Begins to record every input, from the state as it is now.
    ///
    /// A recording that begins with the gateway replays to the same events. One that begins later lacks the visits and half frames of
    /// that moment: what comes after them is the same again.
    func startRecording(note: String, masterDigest: String, lastHash: String) throws(OperationError) -> RecordingReport {
        guard recorder == nil else { throw OperationError(.conflict, "a recording is under way already") }
        do throws(CaptureWriterError) { try makeFolder(recordingFolder) } catch { throw OperationError(.unavailable, error.description) }
        let stamp = wallTime.rfc3339.prefix(19).filter { $0 != ":" }
        try record(
            to: "\(recordingFolder)/\(stamp).capture", note: note, masterDigest: masterDigest, lastHash: lastHash, bound: Self.maximumRecording)
        guard let report = recordingReport else { throw OperationError(.internal, "the recording did not begin") }
        return report
    }

    /// Records from the start of the gateway, if the site file wants that.
    func startRing(masterDigest: String, lastHash: String) {
        guard let ring = site.gateway.recorder else { return }
        do {
            try makeFolder(ring.directory)
            try pruneRecordings(in: ring.directory, to: ring.maximumBytes / 2)
            let stamp = WallClock.stamp()
            try record(
                to: "\(ring.directory)/\(stamp).capture", note: "recorded since the gateway was started", masterDigest: masterDigest,
                lastHash: lastHash, bound: ring.maximumBytes / 2)
            isRingRecording = true
        } catch {
            logger.error("inputs are not recorded", metadata: ["error": "\(error)"])
        }
    }

    private func record(to path: String, note: String, masterDigest: String, lastHash: String, bound: Int64) throws(OperationError) {
        let now = BootClock.now()
        let ledger = engine.ledger
        var devices: [String: String] = [:]
        for (slot, status) in zip(engine.devices, supervisor.statuses) { devices[slot.name] = status.profile }
        let header = Capture.Header(
            recorded: wallTime.rfc3339, note: note,
            gateway: .init(
                gateway: site.gateway.code, epoch: StoreEpoch.text(store.epoch), nextSequence: ledger.state.nextSequence, previousHash: lastHash,
                configurationDigest: SHA256Digest(of: Array("\(site)".utf8)).hex, masterDigest: masterDigest), devices: devices)
        let state = ledger.state.rows.map { row -> JSON in ["key": .string(row.key), "value": row.value ?? .null] }
        do throws(CaptureWriterError) {
            recorder = try CaptureWriter(path: path, header: header, state: state, startingAt: now, maximumBytes: bound)
        } catch { throw OperationError(.unavailable, error.description) }
        if let wall = engine.lastAnchor { record(.wall(WallAnchor(instant: now, wall.wallTime(at: now))), at: now) }
        // A recording that begins while devices are open says so: the replay steers and decodes them from here.
        for (index, slot) in engine.devices.enumerated() {
            guard let profile = devices[slot.name], slot.session != nil, let number = UInt16(exactly: index) else { continue }
            if case .absent = slot.state { continue }
            record(.device(.opened(profile: profile)), device: DeviceIndex(number), at: now)
        }
        recorder?.flush()
    }
}

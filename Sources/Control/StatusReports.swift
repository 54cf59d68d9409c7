import Readings
import SiteConfiguration

/// The gateway as a whole.
public struct GatewayStatus: Hashable, Sendable {
    /// The code that begins every loan number.
    public var gateway: String
    public var site: String
    public var version: String
    /// `en` or `zh`: the site's language.
    public var language: String
    public var uptimeSeconds: Int64
    public var clock: ClockQuality
    /// 0: none yet.
    public var masterVersion: Int64
    /// RFC 3339; when that version was applied.
    public var masterApplied: String?
    /// Where master data come from by themselves.
    public var masterSources: [MasterSourceReport]
    /// Events in the log.
    public var events: Int64
    public var openLoans: Int
    public var overdueLoans: Int
    public var openExceptions: Int
    public var devicesReading: Int
    public var devicesSilent: Int
    public var devicesAbsent: Int
    /// Crossings that could not be recorded and are lost, since the gateway or its site file was loaded.
    public var lostCrossings: UInt64
    /// Reads that readers had kept and that are lost, since then.
    public var lostLateReads: UInt64
    public var recording: RecordingReport?
    public var store = StoreReport()

    public init(
        gateway: String, site: String, version: String, language: String, uptimeSeconds: Int64, clock: ClockQuality, masterVersion: Int64,
        masterApplied: String?, masterSources: [MasterSourceReport] = [], events: Int64, openLoans: Int, overdueLoans: Int,
        openExceptions: Int, devicesReading: Int,
        devicesSilent: Int,
        devicesAbsent: Int, lostCrossings: UInt64 = 0, lostLateReads: UInt64 = 0, recording: RecordingReport? = nil
    ) {
        self.gateway = gateway
        self.site = site
        self.version = version
        self.language = language
        self.uptimeSeconds = uptimeSeconds
        self.clock = clock
        self.masterVersion = masterVersion
        self.masterApplied = masterApplied
        self.masterSources = masterSources
        self.events = events
        self.openLoans = openLoans
        self.overdueLoans = overdueLoans
        self.openExceptions = openExceptions
        self.devicesReading = devicesReading
        self.devicesSilent = devicesSilent
        self.devicesAbsent = devicesAbsent
        self.lostCrossings = lostCrossings
        self.lostLateReads = lostLateReads
        self.recording = recording
    }

    var json: JSON {
        .compact([
            "gateway": .string(gateway), "site": .string(site), "version": .string(version), "language": .string(language),
            "uptime_s": .integer(uptimeSeconds), "clock": .string(clock.rawValue),
            "master": .compact([
                "version": .integer(masterVersion), "applied": masterApplied.map(JSON.string),
                "sources": masterSources.isEmpty ? nil : .array(masterSources.map(\.json)),
            ]),
            "events": .integer(events),
            "open": [
                "loans": .integer(Int64(openLoans)), "overdue": .integer(Int64(overdueLoans)),
                "exceptions": .integer(Int64(openExceptions)),
            ],
            "devices": [
                "reading": .integer(Int64(devicesReading)), "silent": .integer(Int64(devicesSilent)),
                "absent": .integer(Int64(devicesAbsent)),
            ],
            "lost": lostCrossings == 0 && lostLateReads == 0
                ? nil : ["crossings": .integer(Int64(clamping: lostCrossings)), "late_reads": .integer(Int64(clamping: lostLateReads))],
            "recording": recording?.json, "store": store.json,
        ])
    }
}

/// What the ledger costs the disk, since the gateway started.
public struct StoreReport: Hashable, Sendable {
    /// Bytes written for each event, its state rows and checkpoints included; nil before the first.
    public var bytesPerEvent: Int64?
    public var writeAheadBytes: Int64 = 0
    /// The newest event that was moved to the archive; 0: none.
    public var archivedThrough: Int64 = 0
    /// Whether the space kept back for a full disk is there.
    public var hasReserve = true
    /// What went wrong last.
    public var problem: String?

    public init() {}

    var json: JSON {
        .compact([
            "bytes_per_event": bytesPerEvent.map(JSON.integer), "wal_bytes": .integer(writeAheadBytes),
            "archived_through": .integer(archivedThrough), "reserve": .bool(hasReserve), "problem": problem.map(JSON.string),
        ])
    }
}

/// One source of master data.
public struct MasterSourceReport: Hashable, Sendable {
    public var name: String
    /// `pull`, `folder`.
    public var kind: String
    /// `current`, `asking`, `backing_off`, `refused`, `ended`.
    public var state: String
    /// Up to where it was taken in.
    public var cursor: String?
    /// Seconds since it last said that there is nothing more; nil: not since the gateway started.
    public var age: Int64?
    /// Batches that changed something since the gateway started.
    public var batches: Int64
    public var problem: String?

    public init(name: String, kind: String, state: String, cursor: String?, age: Int64?, batches: Int64, problem: String?) {
        self.name = name
        self.kind = kind
        self.state = state
        self.cursor = cursor
        self.age = age
        self.batches = batches
        self.problem = problem
    }

    var json: JSON {
        .compact([
            "name": .string(name), "kind": .string(kind), "state": .string(state), "cursor": cursor.map(JSON.string),
            "age_s": age.map(JSON.integer), "batches": .integer(batches), "problem": problem.map(JSON.string),
        ])
    }
}

/// One device and whether it reads.
public struct DeviceReport: Hashable, Sendable {
    public var name: String
    public var state: DeviceState
    /// RFC 3339; since when it is in that state.
    public var since: String?
    /// RFC 3339.
    public var lastReading: String?
    /// Since it was opened.
    public var readings: UInt64
    /// How often a scanner looked for a code and found none, since it was opened.
    public var noReads: UInt64
    /// Tag reads that the device had kept while nobody listened, since the gateway took it up.
    public var lateReads: UInt64
    /// Bytes, keys or frames that gave no reading, by reason (`RejectReason`), since it was opened.
    public var rejects: [String: UInt64]
    /// Faults that the device told of, by meaning.
    public var faults: [String: UInt64]
    /// What the device said about itself when it was initialised, by step: text where it is text, else hexadecimal.
    public var answers: [String: String]
    /// Steps that the device could not do and is used without.
    public var skipped: [String]
    /// What to look at next (`DeviceAdvice`).
    public var advice: String?
    /// The device node, or the address of a device on the network.
    public var port: String?
    public var profile: String?
    /// What its outputs do when the gateway falls silent: `none` or `host_watchdog`; nil: it has none, or nobody knows.
    public var failsafe: String?
    /// What the device calls itself, or where it called from; from a stranger.
    public var deviceName: String?
    /// What a technician should know although the device works.
    public var notes: [String]
    /// From the appearance of its node to its being taken for the gateway alone; nil where that does not matter or is not known.
    public var grabMilliseconds: Int64?

    public init(
        name: String, state: DeviceState, since: String? = nil, lastReading: String? = nil, readings: UInt64 = 0, noReads: UInt64 = 0,
        lateReads: UInt64 = 0, rejects: [String: UInt64] = [:], faults: [String: UInt64] = [:], answers: [String: String] = [:],
        skipped: [String] = [],
        advice: String? = nil, port: String? = nil, profile: String? = nil, failsafe: String? = nil,
        deviceName: String? = nil, notes: [String] = [], grabMilliseconds: Int64? = nil
    ) {
        self.name = name
        self.failsafe = failsafe
        self.state = state
        self.since = since
        self.lastReading = lastReading
        self.readings = readings
        self.noReads = noReads
        self.lateReads = lateReads
        self.rejects = rejects
        self.faults = faults
        self.answers = answers
        self.skipped = skipped
        self.advice = advice
        self.port = port
        self.profile = profile
        self.deviceName = deviceName
        self.notes = notes
        self.grabMilliseconds = grabMilliseconds
    }

    var json: JSON {
        .compact([
            "name": .string(name), "state": .string(state.word), "reason": state.reason.map(JSON.string), "since": since.map(JSON.string),
            "last_reading": lastReading.map(JSON.string), "readings": .integer(Int64(clamping: readings)),
            "no_reads": noReads == 0 ? nil : .integer(Int64(clamping: noReads)),
            "late_reads": lateReads == 0 ? nil : .integer(Int64(clamping: lateReads)),
            "rejects": .object(rejects.mapValues { .integer(Int64(clamping: $0)) }),
            "faults": faults.isEmpty ? nil : .object(faults.mapValues { .integer(Int64(clamping: $0)) }),
            "answers": answers.isEmpty ? nil : .object(answers.mapValues(JSON.string)),
            "skipped": skipped.isEmpty ? nil : .array(skipped.map(JSON.string)), "advice": advice.map(JSON.string),
            "port": port.map(JSON.string),
            "profile": profile.map(JSON.string), "failsafe": failsafe.map(JSON.string),
            "device_name": deviceName.map(JSON.string), "notes": notes.isEmpty ? nil : .array(notes.map(JSON.string)),
            "grab_ms": grabMilliseconds.map(JSON.integer),
        ])
    }
}

extension DeviceState {
    /// `reading`, `silent` or `absent`.
    public var word: String {
        switch self {
        case .reading: "reading"
        case .silent: "silent"
        case .absent: "absent"
        }
    }

    var reason: String? {
        switch self {
        case .reading: nil
        case .silent(let reason), .absent(let reason): reason
        }
    }
}

/// One station and whether it decides.
public struct StationReport: Hashable, Sendable {
    public var name: String
    /// `gate`, `putaway` …
    public var kind: String
    /// `running`, `paused` or `testing`.
    public var mode: String
    public var location: String?
    public var locationName: String?
    public var owner: String
    public var devices: [String]
    /// Of a gate.
    public var antennas: [Site.Gate.Antenna]
    /// What should be looked at, though it works.
    public var hints: [StationHint]
    /// Of a gate: reads weaker than the floor that a walk test found, and reads of antennas that have no side. They decide nothing.
    public var readsBelowFloor: UInt64
    public var readsWithoutSide: UInt64
    /// Of a cabinet: where it is in the course of an opening (`CabinetStage`), and how many tags are believed to be inside.
    public var stage: String?
    public var insideTags: Int?
    /// Why it decides nothing although it runs; nil: it decides.
    public var stopped: String?

    public init(
        name: String, kind: String, mode: String, location: String? = nil, locationName: String? = nil, owner: String, devices: [String],
        antennas: [Site.Gate.Antenna] = [], hints: [StationHint] = [], readsBelowFloor: UInt64 = 0, readsWithoutSide: UInt64 = 0,
        stage: String? = nil, insideTags: Int? = nil, stopped: String? = nil
    ) {
        self.name = name
        self.kind = kind
        self.mode = mode
        self.location = location
        self.locationName = locationName
        self.owner = owner
        self.devices = devices
        self.antennas = antennas
        self.hints = hints
        self.readsBelowFloor = readsBelowFloor
        self.readsWithoutSide = readsWithoutSide
        self.stage = stage
        self.insideTags = insideTags
        self.stopped = stopped
    }

    var json: JSON {
        func count(_ reads: UInt64) -> JSON? { reads == 0 ? nil : .integer(Int64(clamping: reads)) }
        return .compact([
            "name": .string(name), "kind": .string(kind), "mode": .string(mode), "location": location.map(JSON.string),
            "location_name": locationName.map(JSON.string), "owner": .string(owner), "devices": .array(devices.map(JSON.string)),
            "antennas": antennas.isEmpty
                ? nil
                : .array(
                    antennas.map {
                        ["device": .string($0.device), "port": .integer(Int64($0.port)), "side": .string($0.side.rawValue)]
                    }),
            "hints": hints.isEmpty ? nil : .array(hints.map(\.json)),
            "reads_below_floor": count(readsBelowFloor), "reads_without_side": count(readsWithoutSide),
            "stage": stage.map(JSON.string), "inside_tags": insideTags.map { .integer(Int64($0)) },
            "state": stopped == nil ? "deciding" : "stopped", "reason": stopped.map(JSON.string),
        ])
    }
}

/// Something odd about a station, found by itself.
public struct StationHint: Hashable, Sendable {
    /// `one_sided`, `no_signal_levels`, `slow_return`, `sides_alike`, `tags_fall_silent`, `silent_antenna` or `intent`; `docs/api.yaml` says what they mean.
    public var code: String
    /// A device of the station, or one of its antennas as `DEVICE:PORT`.
    public var device: String?
    public var milliseconds: Int64?

    public init(_ code: String, device: String? = nil, milliseconds: Int64? = nil) {
        self.code = code
        self.device = device
        self.milliseconds = milliseconds
    }

    var json: JSON {
        .compact(["hint": .string(code), "device": device.map(JSON.string), "ms": milliseconds.map(JSON.integer)])
    }
}

/// One destination and how far it got.
public struct DestinationReport: Hashable, Sendable {
    public var name: String
    /// `file`, `epcis` …
    public var kind: String
    /// The delivery's own state: `idle`, `sending`, `backing_off`, `refused` or `ended`.
    public var state: String
    /// Everything up to this event is settled.
    public var cursor: Int64
    /// Events above the cursor; nil: the log could not be asked.
    public var waiting: Int64?
    /// RFC 3339; the time of the first event that waits.
    public var oldest: String?
    public var deadLetters: Int64
    /// Reminders since the start that were no longer true when they would have been sent.
    public var outdated: Int64
    /// Reminders since the start for somebody without a mail address.
    public var withoutAddress: Int64
    /// The latest failure; nil after a success.
    public var problem: String?

    public init(
        name: String, kind: String, state: String, cursor: Int64, waiting: Int64? = nil, oldest: String? = nil, deadLetters: Int64 = 0,
        outdated: Int64 = 0, withoutAddress: Int64 = 0, problem: String? = nil
    ) {
        self.outdated = outdated
        self.withoutAddress = withoutAddress
        self.name = name
        self.kind = kind
        self.state = state
        self.cursor = cursor
        self.waiting = waiting
        self.oldest = oldest
        self.deadLetters = deadLetters
        self.problem = problem
    }

    var json: JSON {
        .compact([
            "name": .string(name), "kind": .string(kind), "state": .string(state), "cursor": .integer(cursor),
            "waiting": waiting.map(JSON.integer), "oldest": oldest.map(JSON.string), "dead_letters": .integer(deadLetters),
            "outdated": outdated > 0 ? .integer(outdated) : nil, "without_address": withoutAddress > 0 ? .integer(withoutAddress) : nil,
            "problem": problem.map(JSON.string),
        ])
    }
}

/// A recording under way or just ended.
public struct RecordingReport: Hashable, Sendable {
    /// The file's name in the folder of recordings, for example `2026-11-21T101530.capture`.
    public var name: String
    /// RFC 3339.
    public var since: String
    public var lines: Int64
    public var bytes: Int64
    /// Why it ended early.
    public var failure: String?

    public init(name: String, since: String, lines: Int64, bytes: Int64, failure: String? = nil) {
        self.name = name
        self.since = since
        self.lines = lines
        self.bytes = bytes
        self.failure = failure
    }

    var json: JSON {
        .compact([
            "name": .string(name), "since": .string(since), "lines": .integer(lines), "bytes": .integer(bytes),
            "failure": failure.map(JSON.string),
        ])
    }
}

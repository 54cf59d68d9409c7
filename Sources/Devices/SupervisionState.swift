import Readings

/// Which device is opened on which node, and when: decides, and leaves the doing to `DeviceSupervisor`.
///
/// A device has at most one attempt (an opening and, if that succeeds, the open connection) at a time, a node is used by at most one
/// attempt, and an attempt holds its node until it is released. Time and node events come in; actions come out.
public struct SupervisionState: Sendable {
    /// What is to be done, in this order.
    public enum Action: Hashable, Sendable {
        /// Open the node; answer with `opened` or `failed`.
        case open(attempt: UInt64, device: DeviceIndex, path: String, transport: DeviceTransport)
        /// Close what this attempt opened or is opening; answer with `closed` and `released`, or `failed`.
        case close(attempt: UInt64, reason: String)
        /// Tell the gateway that the device can be used.
        case announceOpened(DeviceIndex, DeviceMatch, path: String)
        /// Tell the gateway that it no longer can.
        case announceClosed(DeviceIndex, reason: String)
        /// The device's status is a new one.
        case changed(DeviceIndex)
    }

    /// The pause before the second attempt. It doubles with each failure up to `longestPause`.
    public static let shortestPause = Instant.Span.milliseconds(100)
    public static let longestPause = Instant.Span.seconds(5)
    /// A device that was open this long counts as healthy again: its next failure starts with the shortest pause.
    public static let healthyAfter = Instant.Span.seconds(30)

    struct Attempt {
        enum Stage { case opening, open, closing }
        /// nil: the configuration no longer has the device.
        var device: Int?
        var path: String
        var match: DeviceMatch
        var node: DeviceNode?
        var stage = Stage.opening
        var openedAt: Instant?
        /// Whether the gateway was told of the opening, so that it is told of the end too.
        var isAnnounced = false
        /// Set when it is to be closed; opening cannot be stopped half way.
        var closeReason: String?
        /// Whether the closing was asked for because the device does not work.
        var isFaulty = false
    }

    struct Slot {
        enum Phase: Equatable {
            case waiting
            case busy(attempt: UInt64)
            case backingOff(until: Instant)
        }
        var device: SupervisedDevice
        var phase = Phase.waiting
        var since: Instant
        var opens: UInt64 = 0
        var failures = 0
        var lastError: String?
        var lastPath: String?
        var lastMatch: DeviceMatch?
        /// The node it was last open on, to know it again.
        var identity: [String?]?
        /// How long after its node appeared it was taken.
        var grabDelay: Instant.Span?
        var measuredAppearance: Instant?
        /// A node that could not be opened is tried after all others.
        var failedPath: String?
        /// A node of it appeared while an attempt was ending.
        var retriesAtOnce = false
    }

    var slots: [Slot]
    var attempts: [UInt64: Attempt] = [:]
    var nodes: [String: DeviceNode] = [:]
    var lastAttempt: UInt64 = 0
    var isStopping = false

    /// At most 65,536 devices; more are ignored.
    public init(devices: [SupervisedDevice], now: Instant) {
        slots = devices.prefix(Int(UInt16.max) + 1).map { Slot(device: $0, since: now) }
    }

    /// When `advance` must be called next; nil when only events can change anything.
    public var nextDeadline: Instant? {
        slots.lazy.compactMap { if case .backingOff(let until) = $0.phase { until } else { nil } }.min()
    }

    /// Whether nothing is open, opening or closing.
    public var isQuiescent: Bool { attempts.isEmpty }

    /// Begins the first attempts.
    public mutating func start(now: Instant) -> [Action] { placeAll(now) }

    /// Begins the attempts whose pause is over.
    public mutating func advance(to now: Instant) -> [Action] {
        var actions: [Action] = []
        for index in slots.indices {
            if case .backingOff(let until) = slots[index].phase, until <= now { actions += place(index, now) }
        }
        return actions
    }

    // MARK: - Nodes

    /// A node is there, or there again, or udev knows more about it. Duplicates do no harm.
    public mutating func nodeAppeared(_ node: DeviceNode, now: Instant) -> [Action] {
        var actions: [Action] = []
        // Another device under the same name: the removal of the old one was lost.
        if let old = nodes[node.path], old.systemPath != node.systemPath { actions += nodeDisappeared(old, now: now) }
        nodes[node.path] = node
        // A device that was on just this port goes first, so that two equal scanners do not change places.
        let candidates = slots.indices.filter { recognises(slots[$0].device, node) }
        let known = candidates.filter { slots[$0].identity == node.identity }
        for index in known + candidates.filter({ !known.contains($0) }) {
            if case .busy(let id) = slots[index].phase {
                if let attempt = attempts[id], attempt.stage != .open || attempt.closeReason != nil { slots[index].retriesAtOnce = true }
            } else {
                actions += place(index, now)
            }
        }
        return actions
    }

    /// A node is gone. What is still open on it is closed.
    public mutating func nodeDisappeared(_ node: DeviceNode, now: Instant) -> [Action] {
        guard nodes[node.path]?.systemPath == node.systemPath else { return [] }
        nodes[node.path] = nil
        var actions: [Action] = []
        for id in attempts.keys.sorted() where attempts[id].map({ uses($0, node) }) ?? false {
            actions += end(id, reason: "unplugged")
        }
        // A device in a pause has nothing to wait for any more but the next node.
        for index in slots.indices {
            if case .backingOff = slots[index].phase { actions += settle(index, now) }
        }
        return actions
    }

    // MARK: - Attempts

    /// The attempt's node is open.
    /// - Parameter takenAt: when it was taken for the gateway alone; nil where that does not matter.
    public mutating func opened(_ id: UInt64, takenAt: Instant? = nil, now: Instant) -> [Action] {
        guard var attempt = attempts[id] else { return [] }
        attempt.stage = .open
        attempt.openedAt = now
        attempt.isAnnounced = attempt.device != nil && attempt.closeReason == nil
        attempts[id] = attempt
        guard attempt.isAnnounced, let index = attempt.device else {
            return [.close(attempt: id, reason: attempt.closeReason ?? "no longer configured")]
        }
        slots[index].since = now
        slots[index].opens &+= 1
        slots[index].retriesAtOnce = false
        slots[index].failedPath = nil
        // What went wrong before does not explain what comes after.
        slots[index].lastError = nil
        slots[index].identity = attempt.node?.identity
        // Only the first opening after the node appeared tells how long it lay open.
        if let takenAt, attempt.node?.appearedAt == nil || attempt.node?.appearedAt != slots[index].measuredAppearance {
            slots[index].measuredAppearance = attempt.node?.appearedAt
            slots[index].grabDelay = (attempt.node?.appearedAt).map { max(.zero, takenAt - $0) }
        }
        return [.announceOpened(number(index), attempt.match, path: attempt.path), .changed(number(index))]
    }

    /// The attempt's node could not be opened; nothing is open.
    public mutating func failed(_ id: UInt64, error: String, now: Instant) -> [Action] {
        guard let attempt = attempts.removeValue(forKey: id) else { return [] }
        var actions: [Action] = []
        if let index = attempt.device {
            if attempt.closeReason == nil {
                slots[index].lastError = error
                slots[index].failedPath = attempt.path
                slots[index].failures += 1
            }
            actions += retry(index, now)
        }
        return actions + placeWaiting(now)
    }

    /// What the attempt had opened can no longer be used; its node is not free yet.
    public mutating func closed(_ id: UInt64, reason: String, isFault: Bool, now: Instant) -> [Action] {
        guard var attempt = attempts[id], attempt.stage == .open else { return [] }
        attempt.stage = .closing
        let isFault = isFault || attempt.isFaulty
        attempts[id] = attempt
        guard let index = attempt.device else { return [] }
        if let openedAt = attempt.openedAt, now - openedAt >= Self.healthyAfter { slots[index].failures = 0 }
        if isFault { slots[index].lastError = attempt.closeReason ?? reason }
        // Going away counts too: a device that comes and goes all the time is not opened in a tight loop. One that calls may hang up
        // when it pleases: listening for its next call begins after the shortest pause.
        if attempt.isFaulty || !attempt.match.transport.listens { slots[index].failures += 1 }
        slots[index].since = now
        let announcement: [Action] = attempt.isAnnounced ? [.announceClosed(number(index), reason: attempt.closeReason ?? reason)] : []
        return announcement + [.changed(number(index))]
    }

    /// The attempt's node is free again.
    public mutating func released(_ id: UInt64, now: Instant) -> [Action] {
        guard let attempt = attempts.removeValue(forKey: id) else { return [] }
        return (attempt.device.map { retry($0, now) } ?? []) + placeWaiting(now)
    }

    /// The device does not work although it is open: close it and open it again after the usual pause.
    public mutating func restart(_ device: DeviceIndex, reason: String, now: Instant) -> [Action] {
        let index = Int(device.rawValue)
        guard slots.indices.contains(index), case .busy(let id) = slots[index].phase else { return [] }
        attempts[id]?.isFaulty = true
        return end(id, reason: reason)
    }

    /// Closes everything and begins nothing any more; done when `isQuiescent`.
    public mutating func shutdown(now: Instant) -> [Action] {
        isStopping = true
        var actions: [Action] = []
        for id in attempts.keys.sorted() { actions += end(id, reason: "the gateway is closing") }
        for index in slots.indices {
            if case .busy = slots[index].phase { continue }
            slots[index].phase = .waiting
            slots[index].since = now
            actions.append(.changed(number(index)))
        }
        return actions
    }

    /// Takes a new list of devices. One with the same name and revision keeps its connection, whatever its new place is.
    public mutating func reconfigure(_ devices: [SupervisedDevice], now: Instant) -> [Action] {
        let old = slots
        var places: [Int: Int] = [:]
        slots = devices.prefix(Int(UInt16.max) + 1).enumerated().map { place, device in
            guard let index = old.firstIndex(where: { $0.device.name == device.name }) else { return Slot(device: device, since: now) }
            places[index] = place
            var slot = old[index]
            slot.device = device
            return slot
        }
        attempts = attempts.mapValues { attempt in
            var attempt = attempt
            attempt.device = attempt.device.flatMap { places[$0] }
            return attempt
        }
        var actions: [Action] = []
        for id in attempts.keys.sorted() where attempts[id]?.device == nil { actions += end(id, reason: "no longer configured") }
        for (index, place) in places.sorted(by: { $0.value < $1.value }) where old[index].device.revision != slots[place].device.revision {
            slots[place].failures = 0
            slots[place].lastError = nil
            if case .busy(let id) = slots[place].phase {
                slots[place].retriesAtOnce = true
                actions += end(id, reason: "configured anew")
            } else {
                slots[place].phase = .waiting
            }
        }
        return actions + placeAll(now)
    }
}

import Readings

/// Which node a device gets, and how long a pause it makes.
extension SupervisionState {
    func number(_ index: Int) -> DeviceIndex { DeviceIndex(UInt16(truncatingIfNeeded: index)) }

    /// Whether this node could be that device.
    func recognises(_ device: SupervisedDevice, _ node: DeviceNode) -> Bool {
        switch device.source {
        case .port(let path, _): node.answers(to: device.source.namedNode ?? path)
        case .node(let match): match(node) != nil
        }
    }

    /// The node that a path means, through the other names that udev gives it; the path itself when udev does not know it.
    private func resolved(_ path: String) -> String {
        if nodes[path] != nil { return path }
        return nodes.values.first { $0.answers(to: path) }?.path ?? path
    }

    /// All nodes that fit a device that is found by its properties, where there is more than one.
    func rivals(of device: SupervisedDevice) -> [String] {
        guard case .node(let match) = device.source else { return [] }
        let paths = nodes.values.filter { match($0) != nil }.map(\.path)
        return paths.count > 1 ? paths.sorted() : []
    }

    /// Whether an attempt is lost when this node goes: it is open on it, or is a unit on the bus behind it.
    func uses(_ attempt: Attempt, _ node: DeviceNode) -> Bool {
        if case .modbus(let unit) = attempt.match.transport { return node.answers(to: "\(unit.bus)") }
        return attempt.path == node.path
    }

    private func isInUse(_ path: String) -> Bool { attempts.values.contains { $0.path == path } }

    /// The name of another device that is on the port of this one.
    func holder(ofPortOf index: Int) -> String? {
        guard case .port(let port, _) = slots[index].device.source else { return nil }
        let path = resolved(port)
        let owner = attempts.values.first { $0.path == path }?.device
        return owner.flatMap { $0 == index ? nil : slots[$0].device.name }
    }

    /// Whether this node belongs to another device that is in a pause just now: the operator named it, or it was open on it. Else
    /// two equal scanners would change places when one of them is opened anew.
    private func isReserved(_ node: DeviceNode, for index: Int) -> Bool {
        slots.indices.contains { other in
            guard other != index else { return false }
            if let port = slots[other].device.source.namedNode { return resolved(port) == node.path }
            guard case .backingOff = slots[other].phase else { return false }
            return slots[other].lastPath == node.path && slots[other].identity == node.identity
        }
    }

    private func target(of index: Int) -> (path: String, match: DeviceMatch, node: DeviceNode?)? {
        let slot = slots[index]
        switch slot.device.source {
        case .port(let port, let match):
            let path = resolved(port)
            return isInUse(path) ? nil : (path, match, nodes[path])
        case .node(let match):
            let free = nodes.values.filter { !isInUse($0.path) && !isReserved($0, for: index) }
            let best = free.compactMap { node in match(node).map { (node: node, match: $0) } }.min { left, right in
                rank(left.node, slot) < rank(right.node, slot)
            }
            return best.map { ($0.node.path, $0.match, $0.node) }
        }
    }

    /// The node it was on before comes first, one that just failed last; otherwise by name, so that every start is the same.
    private func rank(_ node: DeviceNode, _ slot: Slot) -> (Int, Int, String) {
        (node.path == slot.failedPath ? 1 : 0, node.identity == slot.identity ? 0 : 1, node.path)
    }

    /// Begins an attempt if the device has none and there is a node for it.
    mutating func place(_ index: Int, _ now: Instant) -> [Action] {
        if case .busy = slots[index].phase { return [] }
        guard !isStopping else { return [] }
        guard let target = target(of: index) else {
            guard slots[index].phase != .waiting else { return [] }
            slots[index].phase = .waiting
            slots[index].since = now
            return [.changed(number(index))]
        }
        lastAttempt &+= 1
        attempts[lastAttempt] = Attempt(device: index, path: target.path, match: target.match, node: target.node)
        slots[index].phase = .busy(attempt: lastAttempt)
        slots[index].since = now
        slots[index].lastPath = target.path
        slots[index].lastMatch = target.match
        slots[index].retriesAtOnce = false
        return [
            .open(attempt: lastAttempt, device: number(index), path: target.path, transport: target.match.transport),
            .changed(number(index)),
        ]
    }

    mutating func placeAll(_ now: Instant) -> [Action] {
        var actions: [Action] = []
        for index in slots.indices { actions += place(index, now) }
        return actions
    }

    /// A node became free: whoever waits may have it. Pauses are not cut short.
    mutating func placeWaiting(_ now: Instant) -> [Action] {
        var actions: [Action] = []
        for index in slots.indices where slots[index].phase == .waiting { actions += place(index, now) }
        return actions
    }

    /// After an attempt has ended: at once when its node came anew meanwhile, after a pause when there is a node, else not at all.
    mutating func retry(_ index: Int, _ now: Instant) -> [Action] {
        slots[index].phase = .waiting
        slots[index].since = now
        if slots[index].retriesAtOnce { return place(index, now) + [.changed(number(index))] }
        if !isStopping, target(of: index) != nil {
            slots[index].phase = .backingOff(until: now + Self.pause(device: index, failures: slots[index].failures))
        }
        return [.changed(number(index))]
    }

    /// A device whose node has gone during its pause waits for the next node instead.
    mutating func settle(_ index: Int, _ now: Instant) -> [Action] {
        guard target(of: index) == nil else { return [] }
        slots[index].phase = .waiting
        slots[index].since = now
        return [.changed(number(index))]
    }

    /// Asks for the end of an attempt, once.
    mutating func end(_ id: UInt64, reason: String) -> [Action] {
        guard attempts[id]?.closeReason == nil, attempts[id]?.stage != .closing else { return [] }
        attempts[id]?.closeReason = reason
        return [.close(attempt: id, reason: reason)]
    }

    /// Doubles from 0.1 s to 5 s, less up to a quarter. What is taken off depends on the device's place and the count only, so that
    /// ten readers on one hub do not all come back in the same instant, and a test knows when they do.
    static func pause(device: Int, failures: Int) -> Instant.Span {
        let doublings = min(max(failures, 1) - 1, 16)
        let full = min(shortestPause.nanoseconds << doublings, longestPause.nanoseconds)
        // SplitMix64 (Steele, Lea, Flood 2014): spreads neighbouring numbers over the whole range.
        var mixed = UInt64(truncatingIfNeeded: device) &* 0x1_0001 &+ UInt64(truncatingIfNeeded: failures) &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return Instant.Span(nanoseconds: full - Int64(mixed % 1_024) * (full / 4) / 1_024)
    }
}

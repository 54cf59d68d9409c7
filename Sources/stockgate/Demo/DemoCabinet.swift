import DeviceSimulators
import Glibc
import Identifiers
import Readings
import Synchronization

/// The tool cabinet of the demonstration: a reader inside, a badge reader, and a panel with the door's contact and the lock.
final class DemoCabinet: Sendable {
    private let reader: SimulatedDeviceRunner<SimulatedReader<TagField>>
    private let badgeReader: SimulatedDeviceRunner<EM4100Reader>
    private let panel: SimulatedDeviceRunner<OSDPReaderSimulator>
    private let tags: [String: EPC]
    /// What is inside; one person at a time stands before it.
    private let inside: Mutex<Set<String>>

    /// `osdp_OUT`: what the panel is told when the lock is to open (OSDP v2, command 68).
    private static let output: UInt8 = 0x68

    /// - Parameters:
    ///   - devices: the folder of the pseudo-terminals.
    ///   - tags: EPCs of everything that has one, by item.
    ///   - inside: the items that are in it.
    init(devices: String, tags: [String: EPC], inside: Set<String>) throws {
        self.tags = tags
        self.inside = Mutex(inside)
        let field = TagField(inside.sorted().compactMap { tags[$0] }.map { SimulatedTag(epc: $0, antenna: 1) }, readsPerSecond: 100)
        reader = try SimulatedDeviceRunner(
            SimulatedReader(.a0, tags: field, dwell: .milliseconds(30)), at: .pseudoTerminal(link: "\(devices)/cabinet-reader"))
        badgeReader = try SimulatedDeviceRunner(EM4100Reader(), at: .pseudoTerminal(link: "\(devices)/cabinet-badge"))
        var unit = OSDPReaderSimulator(inputs: 1)
        unit.setInput(0, true)
        panel = try SimulatedDeviceRunner(unit, at: .pseudoTerminal(link: "\(devices)/cabinet-panel"))
        reader.start()
        badgeReader.start()
        panel.start()
    }

    /// Somebody holds a badge, and when the lock opens takes tools out and puts others in.
    /// - Returns: why nothing of it happened; nil: it did.
    func visit(badge: String, take: [String], put: [String]) -> String? {
        inside.withLock { inside in
            for item in take where !inside.contains(item) {
                return "\"\(item)\" is not in the cabinet; there are \(inside.sorted().joined(separator: ", "))"
            }
            for item in put where inside.contains(item) { return "\"\(item)\" is in the cabinet" }
            guard unlocks(for: badge) else { return "the lock stayed shut" }
            usleep(700_000)
            panel.perform(.input(line: 0, isActive: false))
            usleep(1_500_000)
            for item in take { move(item, isInside: false, &inside) }
            for item in put { move(item, isInside: true, &inside) }
            usleep(1_500_000)
            panel.perform(.input(line: 0, isActive: true))
            return nil
        }
    }

    /// Whether the lock opens within two seconds of the badge.
    private func unlocks(for badge: String) -> Bool {
        let before = panel.device.shown.count
        badgeReader.perform(.badge(badge))
        for _ in 0..<40 {
            usleep(50_000)
            if panel.device.shown.dropFirst(before).contains(where: { $0.first == Self.output }) { return true }
        }
        return false
    }

    private func move(_ item: String, isInside: Bool, _ inside: inout Set<String>) {
        guard let epc = tags[item] else { return }
        if isInside {
            inside.insert(item)
            reader.perform(.tag(epc, antenna: 1))
        } else {
            inside.remove(item)
            reader.perform(.remove(epc))
        }
    }

    func close() {
        reader.stop()
        badgeReader.stop()
        panel.stop()
    }
}

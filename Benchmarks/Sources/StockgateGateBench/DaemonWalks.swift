import DeviceSimulators
import Devices
import Foundation
import Identifiers
import Readings
import Simulation
import Synchronization

/// Simulated readers and lamps on pseudo-terminals, and people who walk through in real time.
///
/// The gate decides when a tag has been silent for long enough; its event says at which millisecond that was. From there to the lamp's
/// letter on its line is what a person waits for after presence has decided.
final class DaemonWalks {
    private let readers: [SimulatedDeviceRunner<SimulatedReader<GateScene>>]
    private let lamps: [PseudoTerminal]
    private let watch: LampWatch
    /// Seconds between two people at one gate.
    private static let pause = 6.0

    init(folder: String) throws {
        let antennas = Workshop.ports.map { GateScene.Antenna(port: $0.port, position: $0.side == .inside ? -900 : 900) }
        readers = try (0..<Workshop.gates).map { index in
            try SimulatedDeviceRunner(
                SimulatedReader(.a0, tags: GateScene(antennas: antennas, seed: UInt64(index)), dwell: .milliseconds(15)),
                at: .pseudoTerminal(link: "\(folder)/reader-\(index)"))
        }
        lamps = try (0..<Workshop.gates).map { try PseudoTerminal(link: "\(folder)/lamp-\($0)") }
        for reader in readers { reader.start() }
        watch = LampWatch(descriptors: lamps.map(\.descriptor))
        Thread { [watch] in watch.run() }.start()
    }

    func end() {
        watch.end()
        for reader in readers { reader.stop() }
        for lamp in lamps { lamp.hangUp() }
    }

    /// Lets people walk, each through the next gate, first all of them out and then all back in: a tag that returned before the gate has
    /// said its last word would have been in one visit.
    /// - Parameter tools: that are inside.
    /// - Returns: milliseconds from the decision to the lamp, and how many walks showed none.
    func walk(_ count: Int, tools: [Int], control: ControlSocket) throws -> (times: [Double], unheard: Int) {
        let last = try control.newestEvent()
        _ = watch.take()
        let speed: Int64 = 2_500
        for walk in 0..<count {
            let gate = walk % Workshop.gates
            let isOut = walk < count / 2
            let tool = Workshop.tag(ofTool: tools[walk % (count / 2)])
            let epcs = isOut ? [tool, Workshop.tag(ofPerson: walk % Workshop.people)] : [tool]
            let way = GateScene.Walk(epcs: epcs, start: BootClock.now(), from: isOut ? -3_200 : 3_200, speed: isOut ? speed : -speed)
            readers[gate].change { reader, _ in
                reader.tags.add(way)
                return []
            }
            Thread.sleep(forTimeInterval: Self.pause / Double(Workshop.gates))
        }
        Thread.sleep(forTimeInterval: Self.pause)
        var decided = Array(repeating: Set<Int64>(), count: Workshop.gates)
        for event in try control.events(after: last) {
            guard event["corrects"] == nil, let station = event["station"]?.string,
                let gate = (0..<Workshop.gates).first(where: { Workshop.gate($0) == station }), var moment = event["uptime"]?.integer
            else { continue }
            if let recorded = event["recorded"]?.string.flatMap(WallTime.init(rfc3339:)),
                let time = event["time"]?.string.flatMap(WallTime.init(rfc3339:))
            {
                moment += recorded.milliseconds - time.milliseconds
            }
            decided[gate].insert(moment)
        }
        var times: [Double] = []
        for lamp in watch.take() {
            let at = Double(lamp.at.nanoseconds) / 1e6
            // Moments are whole milliseconds, cut off.
            guard let moment = decided[lamp.gate].filter({ Double($0) <= at + 1 }).max(), at - Double(moment) < 2_000 else { continue }
            times.append(at - Double(moment))
        }
        return (times, count - times.count)
    }
}

/// Notes when a lamp is told something.
private final class LampWatch: Sendable {
    private let descriptors: [Int32]
    private let shown = Mutex<[(gate: Int, at: Instant)]>([])
    private let isOver = Mutex(false)

    init(descriptors: [Int32]) { self.descriptors = descriptors }

    func run() {
        var requests = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var buffer = [UInt8](repeating: 0, count: 256)
        while !isOver.withLock({ $0 }) {
            guard poll(&requests, nfds_t(requests.count), 100) > 0 else { continue }
            let now = BootClock.now()
            for (gate, request) in requests.enumerated() where request.revents & Int16(POLLIN) != 0 {
                let count = read(request.fd, &buffer, buffer.count)
                guard count > 0 else { continue }
                shown.withLock { $0 += buffer[..<count].map { _ in (gate, now) } }
            }
        }
    }

    func take() -> [(gate: Int, at: Instant)] {
        shown.withLock { shown in
            defer { shown = [] }
            return shown
        }
    }

    func end() { isOver.withLock { $0 = true } }
}

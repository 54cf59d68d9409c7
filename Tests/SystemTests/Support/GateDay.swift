import DeviceSimulators
import Devices
import Foundation
import Identifiers
import Readings
import Simulation

/// A gate with a badge reader and a bench with a scanner, and the people who work there.
final class GateDay {
    let reader: SimulatedDeviceRunner<SimulatedReader<GateScene>>
    let badges: SimulatedDeviceRunner<EM4100Reader>
    let scanner: BenchScanner

    static let drill = "3476451FD4000000000003E9"
    static let saw = "3476451FD4000000000003EB"
    static let meter = "3476451FD4000000000003EC"
    static let stranger = "3476451FD40000000000FFFF"

    /// Plugs everything in at the places that `site` names.
    init(at place: Workplace, seed: UInt64) throws {
        let antennas = [(1, -900), (2, 900), (3, -900), (4, 900)].map { GateScene.Antenna(port: UInt8($0.0), position: Int64($0.1)) }
        reader = try SimulatedDeviceRunner(
            SimulatedReader(.a0, tags: GateScene(antennas: antennas, seed: seed), dwell: .milliseconds(15)),
            at: .pseudoTerminal(link: place.file("dev/gate-reader")))
        badges = try SimulatedDeviceRunner(EM4100Reader(), at: .pseudoTerminal(link: place.file("dev/gate-badge")))
        scanner = try BenchScanner(place.file("dev/scanner"))
        reader.start()
    }

    deinit {
        reader.stop()
        badges.stop()
    }

    /// Somebody walks through, briskly, perhaps with a badge held up before.
    func walk(_ tags: String..., badge: String? = nil, to direction: Direction) {
        if let badge { badges.perform(.badge(badge)) }
        let isOut = direction == .out
        let walk = GateScene.Walk(
            epcs: tags.compactMap { EPC(hex: $0) }, start: BootClock.now(), from: isOut ? -3_200 : 3_200, speed: isOut ? 2_500 : -2_500)
        reader.change { reader, _ in
            reader.tags.add(walk)
            return []
        }
    }

    static func site(_ place: Workplace) throws {
        try place.write("profiles/test/answering/profile.toml", Bench.profile("answering"))
        var text = Bench.gateway(place, recorder: true) + Bench.device("gate-reader", "r2000/a0-uhf", place)
        text += Bench.device("gate-badge", "em4100/serial-ascii", place) + Bench.device("scanner", "test/answering", place)
        text += """
            [[station]]
            name = "gate"
            kind = "gate"
            location = "CRIB"
            badge_readers = ["gate-badge"]
            feedback = ["gate-reader"]
            quiet_ms = 600


            """
        for (port, side) in [(1, "inside"), (2, "outside"), (3, "inside"), (4, "outside")] {
            text += "[[station.antenna]]\ndevice = \"gate-reader\"\nport = \(port)\nside = \"\(side)\"\n\n"
        }
        try place.write("site.toml", text + Bench.station("bench", scanners: ["scanner"]) + Bench.fileDestination(place))
    }

    /// Until the gate is able to see and the bench to answer.
    func isReady(_ gateway: RunningGateway) async throws {
        for device in ["gate-reader", "gate-badge", "scanner"] { try await gateway.reads(device) }
    }
}

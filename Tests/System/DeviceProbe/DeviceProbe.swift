import Devices
import Glibc
import NIOCore
import NIOPosix
import Readings

/// A gateway reduced to its devices, for tests on the mock USB bus of `usb_bench.py`: supervises one device for every argument and
/// prints what it is told, one line each. SIGTERM ends it.
///
///     device-probe NAME=serial:VID:PID[:ID_PATH] NAME=keyboard:VID:PID NAME=hid:USAGE NAME=port:PATH
@main
enum DeviceProbe {
    static func main() throws {
        var termination = sigset_t()
        sigemptyset(&termination)
        sigaddset(&termination, SIGTERM)
        // Before any thread starts, so that all of them inherit it and the signal waits for sigwait.
        pthread_sigmask(SIG_BLOCK, &termination, nil)

        let devices = CommandLine.arguments.dropFirst().compactMap(device)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let monitor = DeviceMonitor()
        let running = try loop.submit {
            let probe = Probe(names: devices.map(\.name))
            let supervisor = DeviceSupervisor(loop: loop, devices: devices, delegate: probe)
            supervisor.start()
            let events = supervisor.nodeEvents()
            try monitor.start { event in
                switch event {
                case .enumerated: say("enumerated")
                case .unavailable(let reason): say("unavailable \(reason)")
                case .appeared, .disappeared: break
                }
                events(event)
            }
            return NIOLoopBound((supervisor, probe), eventLoop: loop)
        }.wait()
        var signal: Int32 = 0
        sigwait(&termination, &signal)
        monitor.stop()
        try loop.flatSubmit { running.value.0.shutdown() }.wait()
        say("stopped")
        try group.syncShutdownGracefully()
    }

    /// Past stdio: its buffer would hold lines back in a pipe.
    static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(1, bytes, bytes.count)
    }

    private static func device(_ argument: String) -> SupervisedDevice? {
        let sides = argument.split(separator: "=", maxSplits: 1).map(String.init)
        guard sides.count == 2 else { return nil }
        let parts = sides[1].split(separator: ":", maxSplits: 3).map(String.init)
        let serial = DeviceTransport.serial(SerialLine(baud: 9_600))
        switch (parts.first, parts.count) {
        case ("port", 2):
            return SupervisedDevice(name: sides[0], revision: "", source: .port(parts[1], DeviceMatch(profile: "port", transport: serial)))
        case ("hid", 3):
            // A usage is two numbers with a colon. The second report is one that the mock does not know.
            let match = DeviceMatch(profile: "hid", transport: .hidraw(featureReports: [[0xFE, 0x01], [0x07, 0x00]]))
            let usage = "\(parts[1]):\(parts[2])"
            return SupervisedDevice(
                name: sides[0], revision: "",
                source: .node { node in node.subsystem == "hidraw" && node.properties["STOCKGATE_HID_USAGE"] == usage ? match : nil })
        case ("serial", 3...), ("keyboard", 3):
            let place = parts.count > 3 ? parts[3] : nil
            let match = DeviceMatch(profile: parts[0], transport: parts[0] == "serial" ? serial : .evdev)
            let subsystem = parts[0] == "serial" ? "tty" : "input"
            return SupervisedDevice(
                name: sides[0], revision: "",
                source: .node { node in
                    node.subsystem == subsystem && node.properties["ID_VENDOR_ID"] == parts[1] && node.properties["ID_MODEL_ID"] == parts[2]
                        && (place == nil || node.properties["ID_PATH"]?.contains(place ?? "") == true)
                        ? match : nil
                })
        default:
            return nil
        }
    }
}

private final class Probe: DeviceSupervisorDelegate {
    let names: [String]

    init(names: [String]) {
        self.names = names
    }

    private func say(_ device: DeviceIndex, _ text: String) { DeviceProbe.say("\(names[Int(device.rawValue)]) \(text)") }

    func supervisor(_ supervisor: DeviceSupervisor, opened device: DeviceIndex, as match: DeviceMatch, path: String, at now: Instant) {
        let status = supervisor.statuses[Int(device.rawValue)]
        say(device, "opened \(path) \(match.profile) serial=\(status.node?.properties["ID_SERIAL_SHORT"] ?? "-")")
        if let delay = status.grabDelay { say(device, "taken after \(delay.nanoseconds / 1_000) us") }
        if let name = status.deviceName { say(device, "name \(name)") }
        for note in status.notes { say(device, "note \(note)") }
        if !status.rivals.isEmpty { say(device, "rivals \(status.rivals.joined(separator: " "))") }
    }

    func supervisor(_ supervisor: DeviceSupervisor, closed device: DeviceIndex, reason: String, at now: Instant) {
        say(device, "closed \(reason)")
    }

    func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, received bytes: UnsafeRawBufferPointer, at now: Instant) {
        say(device, "rx \(bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())")
        // An answer, so that both directions are proved.
        supervisor.write([0x06], to: device)
    }

    func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, key code: UInt16, value: Int32, at now: Instant) {
        say(device, "key \(code) \(value)")
    }

    func supervisor(_ supervisor: DeviceSupervisor, overran device: DeviceIndex, at now: Instant) { say(device, "overrun") }

    func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, droppedWrite count: Int) { say(device, "dropped \(count)") }

    func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, is status: DeviceStatus) {
        say(device, "state \(status.state.rawValue) \(status.lastError ?? "")")
    }
}

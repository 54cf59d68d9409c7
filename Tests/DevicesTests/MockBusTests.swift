import Foundation
import Testing
import USBBench

/// The monitor, the supervisor and the connections on a mock USB bus: another process finds its devices through libudev there.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct MockBusTests {
    /// An executable of this package, built beside the tests.
    private static let probe = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("device-probe").path

    private func bench(_ devices: String...) throws -> USBBench { try USBBench(program: Self.probe, arguments: devices) }

    @Test func findsAScannerThatIsThereAndFollowsItThroughUnplugging() async throws {
        let bench = try bench("scanner=serial:05f9:4204")
        try await bench.command("plug-serial ttyUSB0 05f9 4204 S1")
        try await bench.command("plug-serial ttyUSB5 0403 6001 F1")
        try await bench.command("start")
        try await bench.await("scanner opened /dev/ttyUSB0 serial serial=S1")
        try await bench.command("send-serial ttyUSB0 5d433130")
        try await bench.await("scanner rx 5d433130")
        #expect(try await bench.command("receive-serial ttyUSB0 1 5") == "06")
        for round in 1...3 {
            // Pulled in the middle of a scan, and plugged in again under the same name.
            try await bench.command("send-serial ttyUSB0 3\(round)")
            try await bench.await("scanner rx 3\(round)")
            try await bench.command("unplug ttyUSB0")
            try await bench.await { $0.hasPrefix("scanner closed") }
            try await bench.command("plug-serial ttyUSB0 05f9 4204 S1")
            try await bench.await("scanner opened /dev/ttyUSB0 serial serial=S1")
        }
        // The same device on another port gets another name.
        try await bench.command("unplug ttyUSB0")
        try await bench.await { $0.hasPrefix("scanner closed") }
        try await bench.command("plug-serial ttyUSB1 05f9 4204 S1 1-9")
        try await bench.await("scanner opened /dev/ttyUSB1 serial serial=S1")
        #expect(try await bench.command("stop") == "0")
        try await bench.await("stopped")
    }

    @Test func findsAScannerThatComesLaterAndClosesOneThatUdevAloneMisses() async throws {
        let bench = try bench("scanner=serial:05f9:4204")
        try await bench.command("start")
        try await bench.await("enumerated")
        // Without what a udev daemon would add: the USB device above the node says who it is.
        try await bench.command("plug-serial ttyACM0 05f9 4204 S1 bare")
        try await bench.await("scanner opened /dev/ttyACM0 serial serial=S1")
        try await bench.command("forget ttyACM0")
        try await bench.await("scanner closed unplugged")
        // The other way round: the line hangs up, and udev has not noticed.
        try await bench.command("uevent ttyACM0 add")
        try await bench.await("scanner opened /dev/ttyACM0 serial serial=S1")
        try await bench.command("yank ttyACM0")
        try await bench.await("scanner closed the device is gone")
        try await bench.await { $0.hasPrefix("scanner state backing_off open /dev/ttyACM0: No such file or directory (ENOENT)") }
        try await bench.command("forget ttyACM0")
        try await bench.await { $0.hasPrefix("scanner state waiting") }
        try await bench.command("stop")
    }

    @Test func takesAKeyboardForItselfEveryTimeItComes() async throws {
        let bench = try bench("wedge=keyboard:05e0:1200")
        try await bench.command("plug-keyboard event7 05e0 1200 -")
        try await bench.command("start")
        for _ in 0..<3 {
            try await bench.await("grab event7")
            try await bench.await("wedge opened /dev/input/event7 keyboard serial=-")
            try await bench.command(#"type event7 A\n"#)
            for key in ["42 1", "30 1", "30 0", "42 0", "28 1", "28 0"] { try await bench.await("wedge key \(key)") }
            try await bench.command("overrun event7")
            try await bench.await("wedge overrun")
            // In the middle of a scan.
            try await bench.command("key event7 2 1")
            try await bench.await("wedge key 2 1")
            try await bench.command("unplug event7")
            try await bench.await { $0.hasPrefix("wedge closed") }
            try await bench.command("plug-keyboard event7 05e0 1200 -")
        }
        try await bench.await("wedge opened /dev/input/event7 keyboard serial=-")
        try await bench.command("stop")
    }

    @Test func refusesAKeyboardThatSomebodyElseHas() async throws {
        // Two names for one device: the second one must not read along.
        let bench = try bench("a=keyboard:05e0:1200", "b=keyboard:05e0:1200")
        try await bench.command("plug-keyboard event7 05e0 1200 -")
        try await bench.command("start")
        try await bench.await("a opened /dev/input/event7 keyboard serial=-")
        try await bench.command("type event7 1")
        try await bench.await { line in
            #expect(!line.hasPrefix("b "), "\(line)")
            return line == "a key 2 0"
        }
        try await bench.command("stop")
    }

    @Test func readsTheReportsOfAScannerThatIsNoKeyboard() async throws {
        let bench = try bench("scanner=hid:008c:0002")
        try await bench.command("plug-hid hidraw3 0c2e 0b61 H1")
        try await bench.command("start")
        for _ in 0..<2 {
            // Found by its report descriptor, known by what stands above its node.
            try await bench.await("scanner opened /dev/hidraw3 hid serial=H1")
            try await bench.await("scanner name Mock hidraw3")
            try await bench.await("scanner note does not take feature report 07: Broken pipe (EPIPE)")
            #expect(try await bench.command("features hidraw3") == "fe01")
            let report = "02035d5831414243" + String(repeating: "00", count: 56)
            try await bench.command("send-report hidraw3 \(report)")
            try await bench.await("scanner rx \(report)")
            #expect(try await bench.command("receive-report hidraw3 1 5") == "06")
            try await bench.command("unplug hidraw3")
            try await bench.await { $0.hasPrefix("scanner closed") }
            try await bench.command("plug-hid hidraw3 0c2e 0b61 H1")
        }
        try await bench.await("scanner opened /dev/hidraw3 hid serial=H1")
        #expect(try await bench.command("stop") == "0")
    }

    /// While a keyboard is not taken, a badge number is typed at the console's login prompt, too.
    @Test func takesAKeyboardWithinASecondOfItsAppearance() async throws {
        let bench = try bench("wedge=keyboard:05e0:1200")
        try await bench.command("start")
        try await bench.await("enumerated")
        var slowest = 0
        for _ in 0..<5 {
            try await bench.command("plug-keyboard event7 05e0 1200 -")
            let line = try await bench.await { $0.hasPrefix("wedge taken after ") }
            slowest = max(slowest, try #require(line.split(separator: " ").dropLast().last.flatMap { Int($0) }))
            try await bench.command("unplug event7")
            try await bench.await { $0.hasPrefix("wedge closed") }
        }
        print("grab window: at most \(slowest) us from the node's appearance to EVIOCGRAB")
        #expect(slowest < 1_000_000)
        try await bench.command("stop")
    }

    /// CH340 adapters have no serial numbers: only the port tells them apart.
    @Test func tellsEqualAdaptersApartByTheirPorts() async throws {
        let bench = try bench("gate=serial:1a86:7523:usb-0:1", "dock=serial:1a86:7523:usb-0:2")
        // In the wrong order, and with the wrong names.
        try await bench.command("plug-serial ttyUSB0 1a86 7523 - 1-2")
        try await bench.command("plug-serial ttyUSB1 1a86 7523 - 1-1")
        try await bench.command("start")
        try await both(bench, ["gate opened /dev/ttyUSB1 serial serial=-", "dock opened /dev/ttyUSB0 serial serial=-"])
        // Both come back in the other order: the name that comes first is the other one's now. The mock cannot give a name to another
        // port, so they are new names.
        for name in ["ttyUSB0", "ttyUSB1"] { try await bench.command("unplug \(name)") }
        try await both(bench, ["gate closed", "dock closed"])
        try await bench.command("plug-serial ttyUSB2 1a86 7523 - 1-1")
        try await bench.await("gate opened /dev/ttyUSB2 serial serial=-")
        try await bench.command("plug-serial ttyUSB3 1a86 7523 - 1-2")
        try await bench.await("dock opened /dev/ttyUSB3 serial serial=-")
        try await bench.command("stop")
    }

    @Test func saysThatTwoNodesFitOneDevice() async throws {
        let bench = try bench("gate=serial:1a86:7523")
        try await bench.command("plug-serial ttyUSB0 1a86 7523 - 1-1")
        try await bench.command("plug-serial ttyUSB1 1a86 7523 - 1-2")
        try await bench.command("start")
        try await bench.await { $0.hasPrefix("gate opened /dev/ttyUSB") }
        try await bench.command("unplug ttyUSB0")
        try await bench.command("plug-serial ttyUSB0 1a86 7523 - 1-1")
        try await bench.command("unplug ttyUSB1")
        try await bench.command("plug-serial ttyUSB1 1a86 7523 - 1-2")
        try await bench.await("gate rivals /dev/ttyUSB0 /dev/ttyUSB1")
        try await bench.command("stop")
    }

    /// Lines that begin so, in any order.
    private func both(_ bench: USBBench, _ lines: [String]) async throws {
        var missing = lines
        while !missing.isEmpty {
            try await bench.await { line in
                let place = missing.firstIndex { line.hasPrefix($0) }
                if let place { missing.remove(at: place) }
                return place != nil
            }
        }
    }
}

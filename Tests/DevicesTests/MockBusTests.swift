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
}

import CLinux
import DeviceSimulators
import Devices
import Foundation
import Readings
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct DeviceConnectionTests {
    private func opened(
        _ path: String, _ line: SerialLine = SerialLine()
    ) async throws -> (ConnectionHarness, AsyncStream<ConnectionEvent>.Iterator) {
        let harness = try await ConnectionHarness(path, .serial(line))
        var events = harness.events.makeAsyncIterator()
        try #require(await events.next() == .opened)
        return (harness, events)
    }

    /// The error of an opening that must fail, and that nothing follows it.
    private func failure(_ path: String, _ transport: DeviceTransport) async throws -> DeviceError {
        let harness = try await ConnectionHarness(path, transport)
        var story: [ConnectionEvent] = []
        for await event in harness.events { story.append(event) }
        try await harness.close()
        guard story.count == 1, case .failed(let error) = story[0] else {
            throw DeviceError(.open, path: path, detail: "it did not fail: \(story)")
        }
        return error
    }

    @Test func carriesEveryByteBothWays() async throws {
        let terminal = try PseudoTerminal()
        var (harness, events) = try await opened(terminal.path)
        let all = (0...255).map(UInt8.init)
        terminal.write(all)
        #expect(await events.bytes(256) == all)
        #expect(try await harness.write(all))
        var answer: [UInt8] = []
        while answer.count < 256 {
            let more = terminal.read(waiting: 1_000)
            try #require(!more.isEmpty)
            answer += more
        }
        #expect(answer == all)
        try await harness.close()
        #expect(await events.next() == .closed(.requested(reason: "test")))
        #expect(await events.next() == .released)
        #expect(await events.next() == nil)
    }

    @Test func carriesNoiseOfAnyKindUnchanged() async throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let noise = (0..<200_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let terminal = try PseudoTerminal()
        var (harness, events) = try await opened(terminal.path)
        var received: [UInt8] = []
        var sent = 0
        while received.count < noise.count {
            sent += terminal.write(Array(noise[sent..<min(sent + 2_000, noise.count)]))
            received += await events.bytes(1)
        }
        #expect(received == noise, "seed \(seed)")
        try await harness.close()
    }

    @Test func tellsThatThePlugWasPulledInTheMiddleOfAFrame() async throws {
        let terminal = try PseudoTerminal()
        var (harness, events) = try await opened(terminal.path)
        terminal.write([0xA0, 0x13, 0x01])
        #expect(await events.bytes(3) == [0xA0, 0x13, 0x01])
        terminal.hangUp()
        #expect(await events.next() == .closed(.gone))
        #expect(await events.next() == .released)
        #expect(try await !harness.write([1]))
        // Too late is no error.
        try await harness.close()
        #expect(await events.next() == nil)
    }

    @Test func survivesAPulledPlugWithUnsentBytes() async throws {
        let terminal = try PseudoTerminal()
        var (harness, events) = try await opened(terminal.path)
        // More than a terminal takes, so that the event loop waits to write.
        try await harness.write([UInt8](repeating: 1, count: 60_000))
        terminal.hangUp()
        #expect(await events.next() == .closed(.gone))
        #expect(await events.next() == .released)
    }

    @Test func neverQueuesMoreThanItsBound() async throws {
        let terminal = try PseudoTerminal()
        var (harness, events) = try await opened(terminal.path)
        var accepted = 0
        while try await harness.write([UInt8](repeating: 1, count: 10_000)), accepted < 1 << 20 { accepted += 10_000 }
        // What waits, and what the terminal itself has taken.
        #expect(accepted >= 50_000 && accepted <= maximumPendingBytes + 20_000)
        #expect(await events.next() == .dropped(10_000))
        // The device takes bytes again: so does the connection.
        var drained = 0
        while drained < accepted {
            let more = terminal.read(waiting: 1_000)
            try #require(!more.isEmpty)
            drained += more.count
        }
        #expect(try await harness.write([2]))
        #expect(terminal.read(waiting: 1_000) == [2])
        try await harness.close()
    }

    @Test(arguments: [9_600, 115_200, 250_000, 123_456, 4_097, 3_000_000] as [UInt32])
    func setsAnySpeed(baud: UInt32) async throws {
        let terminal = try PseudoTerminal()
        // Before the connection: its exclusive use would keep this out.
        let node = open(terminal.path, O_RDWR | O_NOCTTY)
        defer { close(node) }
        let (harness, _) = try await opened(terminal.path, SerialLine(baud: baud))
        var speed: UInt32 = 0
        #expect(clinux_get_line_speed(node, &speed) == 0)
        #expect(speed == baud)
        try await harness.close()
    }

    @Test func setsTheLineRaw() async throws {
        let terminal = try PseudoTerminal()
        let line = SerialLine(baud: 9_600, stopBits: 2, flowControl: .hardware, dtr: true, rts: false)
        let node = open(terminal.path, O_RDWR | O_NOCTTY)
        defer { close(node) }
        let (harness, _) = try await opened(terminal.path, line)
        var settings = termios()
        #expect(tcgetattr(node, &settings) == 0)
        #expect(settings.c_lflag == 0 && settings.c_oflag == 0 && settings.c_iflag == tcflag_t(IGNBRK))
        #expect(settings.c_cflag & tcflag_t(CSTOPB) != 0 && settings.c_cflag & tcflag_t(CRTSCTS) != 0)
        #expect(settings.c_cflag & tcflag_t(HUPCL) == 0)
        #expect(cfgetospeed(&settings) == speed_t(B9600))
        try await harness.close()
    }

    @Test func throwsAwayWhatComesBeforeTheDeviceIsReady() async throws {
        let delay = Instant.Span.milliseconds(200)
        while true {
            let terminal = try PseudoTerminal()
            terminal.write(Array("left over".utf8))
            let start = BootClock.now()
            let harness = try await ConnectionHarness(terminal.path, .serial(SerialLine(openDelay: delay)))
            var events = harness.events.makeAsyncIterator()
            terminal.write(Array("booting".utf8))
            // On a busy machine this may have come too late to be thrown away.
            let wasInTime = BootClock.now() - start < delay
            #expect(await events.next() == .opened)
            #expect(BootClock.now() - start >= delay)
            if wasInTime {
                terminal.write(Array("ready".utf8))
                #expect(await events.bytes(5) == Array("ready".utf8))
            }
            try await harness.close()
            while let event = await events.next(), event != .released {}
            if wasInTime { break }
        }
    }

    @Test func isTheOnlyOneWhoUsesALine() async throws {
        let terminal = try PseudoTerminal()
        let (first, _) = try await opened(terminal.path)
        let error = try await failure(terminal.path, .serial(SerialLine()))
        // TIOCEXCL keeps out everybody but root, and the lock root too.
        #expect(geteuid() == 0 ? error.operation == .lock : error.operation == .open && error.errorNumber == EBUSY)
        #expect(error.description.hasSuffix("another program uses this device"))
        try await first.close()
        var events = first.events.makeAsyncIterator()
        while let event = await events.next(), event != .released {}
        let (third, _) = try await opened(terminal.path)
        try await third.close()
    }

    @Test(arguments: [
        ("/dev/stockgate-none", "open /dev/stockgate-none: No such file or directory (ENOENT)"),
        ("/dev/null", "configure /dev/null: Inappropriate ioctl for device (ENOTTY): this is no serial line"),
        ("/", "open /: Is a directory (EISDIR)"),
    ])
    func saysWhyALineCannotBeOpened(path: String, message: String) async throws {
        #expect(try await failure(path, .serial(SerialLine())).description == message)
    }

    @Test func refusesAFile() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("file-\(UUID())").path
        try Data([7]).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try await failure(path, .serial(SerialLine())).description == "open \(path): this is no device")
        #expect(try await failure(path, .evdev).description == "open \(path): this is no device")
    }

    @Test(arguments: [SerialLine(baud: 0), SerialLine(baud: 5_000_000), SerialLine(dataBits: 9), SerialLine(stopBits: 0)])
    func refusesImpossibleSettings(line: SerialLine) async throws {
        let terminal = try PseudoTerminal()
        #expect(try await failure(terminal.path, .serial(line)).operation == .configure)
    }

    @Test func refusesAnInputDeviceThatCannotBeTaken() async throws {
        let terminal = try PseudoTerminal()
        let error = try await failure(terminal.path, .evdev)
        #expect(error.operation == .grab && error.detail == "this is no input device")
    }

    @Test(arguments: [Instant.Span.zero, .milliseconds(500)])
    func canBeClosedWhileItOpens(delay: Instant.Span) async throws {
        let terminal = try PseudoTerminal()
        for _ in 0..<50 {
            let harness = try await ConnectionHarness(terminal.path, .serial(SerialLine(openDelay: delay)))
            try await harness.close("changed my mind")
            var story: [ConnectionEvent] = []
            for await event in harness.events { story.append(event) }
            let cancelled = ConnectionEvent.failed(DeviceError(.cancel, path: terminal.path, detail: "changed my mind"))
            #expect(story == [cancelled] || story == [.opened, .closed(.requested(reason: "changed my mind")), .released])
        }
    }
}

@Suite(.timeLimit(.minutes(2)))
struct DescriptorLeakTests {
    /// What this process holds open on pseudo-terminals, or on those whose node fits.
    private func descriptors(on node: String = "/dev/pts/") throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count { name in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
            return node.hasSuffix("/") ? target?.hasPrefix(node) == true : target == node
        }
    }

    @Test func twoHundredOpeningsLeaveNothingOpen() async throws {
        let terminal = try PseudoTerminal()
        #expect(try descriptors(on: terminal.nodePath) == 1)
        for cycle in 0..<200 {
            let harness = try await ConnectionHarness(terminal.path)
            var events = harness.events.makeAsyncIterator()
            #expect(await events.next() == .opened)
            if cycle == 0 { #expect(try descriptors(on: terminal.nodePath) == 4) }
            try await harness.close()
            while let event = await events.next(), event != .released {}
        }
        #expect(try descriptors(on: terminal.nodePath) == 1)
    }

    /// Names of nodes are used again at once, also by other tests, so all of them count; one leak per cycle would show.
    @Test func twoHundredUnplugsLeaveNothingOpen() async throws {
        for cycle in 0..<200 {
            let terminal = try PseudoTerminal()
            let harness = try await ConnectionHarness(terminal.path)
            var events = harness.events.makeAsyncIterator()
            #expect(await events.next() == .opened)
            terminal.write([0xA0])
            if cycle.isMultiple(of: 2) { try await harness.write([UInt8](repeating: 0, count: 20_000)) }
            terminal.hangUp()
            while let event = await events.next(), event != .released {}
        }
        #expect(try descriptors() < 100)
    }

    @Test func twoHundredFailuresLeaveNothingOpen() async throws {
        let terminal = try PseudoTerminal()
        for _ in 0..<200 {
            let harness = try await ConnectionHarness(terminal.path, .evdev)
            for await _ in harness.events {}
        }
        #expect(try descriptors(on: terminal.nodePath) == 1)
    }
}

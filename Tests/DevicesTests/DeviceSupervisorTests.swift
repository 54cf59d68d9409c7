import DeviceSimulators
import Devices
import Foundation
import NIOCore
import NIOPosix
import Readings
import Testing

/// Real pseudo-terminals under the supervisor.
@Suite(.timeLimit(.minutes(1)))
struct DeviceSupervisorTests {
    private enum Event: Hashable, Sendable {
        case opened(UInt16, String)
        case closed(UInt16, String)
        case received(UInt16, [UInt8])
    }

    private final class Recorder: DeviceSupervisorDelegate {
        let tell: AsyncStream<Event>.Continuation

        init(_ tell: AsyncStream<Event>.Continuation) {
            self.tell = tell
        }

        func supervisor(_ supervisor: DeviceSupervisor, opened device: DeviceIndex, as match: DeviceMatch, path: String, at now: Instant) {
            tell.yield(.opened(device.rawValue, path))
        }
        func supervisor(_ supervisor: DeviceSupervisor, closed device: DeviceIndex, reason: String, at now: Instant) {
            tell.yield(.closed(device.rawValue, reason))
        }
        func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, received bytes: UnsafeRawBufferPointer, at now: Instant) {
            tell.yield(.received(device.rawValue, Array(bytes)))
        }
        func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, key code: UInt16, value: Int32, at now: Instant) {}
        func supervisor(_ supervisor: DeviceSupervisor, overran device: DeviceIndex, at now: Instant) {}
        func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, droppedWrite count: Int) {}
        func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, is status: DeviceStatus) {}
    }

    private struct Bound {
        let supervisor: DeviceSupervisor
        let recorder: Recorder
    }

    private final class Harness: Sendable {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let events: AsyncStream<Event>
        private let bound: NIOLoopBound<Bound>

        init(_ devices: [SupervisedDevice]) async throws {
            let (events, tell) = AsyncStream.makeStream(of: Event.self)
            self.events = events
            let loop = loop
            bound = try await loop.submit {
                let recorder = Recorder(tell)
                let supervisor = DeviceSupervisor(loop: loop, devices: devices, delegate: recorder)
                supervisor.start()
                return NIOLoopBound(Bound(supervisor: supervisor, recorder: recorder), eventLoop: loop)
            }.get()
        }

        func run<Result: Sendable>(_ body: @escaping @Sendable (DeviceSupervisor) -> Result) async throws -> Result {
            try await loop.submit { body(self.bound.value.supervisor) }.get()
        }

        func shutdown() async throws {
            try await loop.flatSubmit { self.bound.value.supervisor.shutdown() }.get()
        }
    }

    private func device(_ name: String, _ path: String, revision: String = "1") -> SupervisedDevice {
        let match = DeviceMatch(profile: "test", transport: .serial(SerialLine()))
        return SupervisedDevice(name: name, revision: revision, source: .port(path, match))
    }

    private func temporaryPath() -> String { FileManager.default.temporaryDirectory.appendingPathComponent("pty-\(UUID())").path }

    @Test func followsANamedPortThroughUnpluggingAndPlugging() async throws {
        let path = temporaryPath()
        // The port is not there yet.
        let harness = try await Harness([device("gate", path)])
        var events = harness.events.makeAsyncIterator()
        for round in UInt8(1)...3 {
            let terminal = try PseudoTerminal(link: path)
            #expect(await events.next() == .opened(0, path))
            terminal.write([0xA0, round])
            #expect(await events.next() == .received(0, [0xA0, round]))
            #expect(try await harness.run { $0.write([round], to: DeviceIndex(0)) })
            #expect(terminal.read(waiting: 1_000) == [round])
            terminal.hangUp()
            #expect(await events.next() == .closed(0, "the device is gone"))
            #expect(try await harness.run { !$0.write([round], to: DeviceIndex(0)) })
        }
        let status = try await harness.run { $0.statuses[0] }
        #expect(status.opens == 3 && status.name == "gate" && status.profile == "test")
        try await harness.shutdown()
        #expect(try await harness.run { $0.statuses[0].state } == .stopped)
    }

    @Test func saysWhatIsWrongInTheSystemsWords() async throws {
        let harness = try await Harness([device("gate", "/dev/stockgate-none")])
        var status = try await harness.run { $0.statuses[0] }
        while status.failures < 2 {
            await Task.yield()
            status = try await harness.run { $0.statuses[0] }
        }
        #expect(status.lastError == "open /dev/stockgate-none: No such file or directory (ENOENT)")
        try await harness.shutdown()
    }

    @Test func restartsADeviceThatDoesNotDoItsWork() async throws {
        let terminal = try PseudoTerminal()
        let path = terminal.path
        let harness = try await Harness([device("gate", path)])
        var events = harness.events.makeAsyncIterator()
        #expect(await events.next() == .opened(0, path))
        let before = BootClock.now()
        try await harness.run { $0.restart(DeviceIndex(0), reason: "no answer") }
        #expect(await events.next() == .closed(0, "no answer"))
        #expect(await events.next() == .opened(0, path))
        #expect(BootClock.now() - before >= .milliseconds(75))
        try await harness.shutdown()
        #expect(await events.next() == .closed(0, "the gateway is closing"))
    }

    @Test func keepsADeviceOpenUnderItsNewNumber() async throws {
        let (one, two) = (try PseudoTerminal(), try PseudoTerminal())
        let (a, b) = (device("a", one.path), device("b", two.path))
        let harness = try await Harness([a, b])
        var events = harness.events.makeAsyncIterator()
        #expect(Set([await events.next(), await events.next()]) == [.opened(0, one.path), .opened(1, two.path)])
        try await harness.run { $0.reconfigure([b]) }
        two.write([1])
        #expect(await events.next() == .received(0, [1]))
        #expect(try await harness.run { $0.write([2], to: DeviceIndex(0)) })
        #expect(two.read(waiting: 1_000) == [2])
        try await harness.shutdown()
    }

    @Test func shutsDownWhileDevicesAreOpening() async throws {
        let terminals = try (0..<8).map { _ in try PseudoTerminal() }
        for _ in 0..<20 {
            let harness = try await Harness(terminals.enumerated().map { device("\($0)", $1.path) })
            try await harness.shutdown()
            #expect(try await harness.run { $0.statuses.allSatisfy { $0.state == .stopped } })
        }
    }
}

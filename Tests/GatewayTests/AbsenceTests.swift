import Devices
import Readings
import Testing

@testable import Gateway

@Suite("Why a device is absent")
struct AbsenceTests {
    private static let serial = DeviceMatch(profile: "x/y", transport: .serial(SerialLine()))
    private static let node = DeviceNode(
        path: "/dev/ttyUSB0", subsystem: "tty", systemPath: "/sys/usb/1/ttyUSB0", properties: ["ID_MODEL_ID": "6001"])

    private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    @Test("An error that was overcome does not explain why the plug is pulled later")
    func overcome() throws {
        let device = SupervisedDevice(
            name: "scanner", revision: "1", source: .node { $0.properties["ID_MODEL_ID"] == "6001" ? Self.serial : nil })
        var state = SupervisionState(devices: [device], now: .zero)
        _ = state.start(now: .zero)
        #expect(state.statuses[0].absence == "not plugged in")
        _ = state.nodeAppeared(Self.node, now: at(1))
        _ = state.failed(1, error: "open /dev/ttyUSB0: Permission denied (EACCES)", now: at(2))
        #expect(state.statuses[0].absence == "open /dev/ttyUSB0: Permission denied (EACCES)")
        _ = state.advance(to: try #require(state.nextDeadline))
        _ = state.opened(2, now: at(500))
        #expect(state.statuses[0].absence == nil)
        _ = state.nodeDisappeared(Self.node, now: at(100_000))
        _ = state.closed(2, reason: "unplugged", isFault: false, now: at(100_001))
        _ = state.released(2, now: at(100_002))
        #expect(state.statuses[0].state == .waiting && state.statuses[0].absence == "not plugged in")
        // Nor does what went wrong on a node that is gone.
        _ = state.nodeAppeared(Self.node, now: at(200_000))
        _ = state.failed(3, error: "open /dev/ttyUSB0: Permission denied (EACCES)", now: at(200_001))
        _ = state.nodeDisappeared(Self.node, now: at(200_002))
        #expect(state.statuses[0].state == .waiting && state.statuses[0].absence == "not plugged in")
    }

    @Test("A device whose port another one has is told which")
    func inUse() {
        let devices = ["door", "cabinet"].map { SupervisedDevice(name: $0, revision: "1", source: .port("/dev/ttyS0", Self.serial)) }
        var state = SupervisionState(devices: devices, now: .zero)
        _ = state.start(now: .zero)
        _ = state.opened(1, now: at(1))
        #expect(state.statuses.map(\.absence) == [nil, "port is in use by door"])
    }
}

import Readings
import TestSupport
import Testing

@testable import Devices

private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

private let serial = DeviceMatch(profile: "scanner", transport: .serial(SerialLine()))

private func portDevice(_ name: String, _ path: String, revision: String = "1") -> SupervisedDevice {
    SupervisedDevice(name: name, revision: revision, source: .port(path, serial))
}

/// A device known by its USB product.
private func usbDevice(_ name: String, _ product: String = "6001", revision: String = "1") -> SupervisedDevice {
    SupervisedDevice(name: name, revision: revision, source: .node { $0.properties["ID_MODEL_ID"] == product ? serial : nil })
}

private func node(_ name: String, _ product: String = "6001", port: String = "1", links: String = "", instance: String = "") -> DeviceNode {
    DeviceNode(
        path: "/dev/\(name)", subsystem: "tty", systemPath: "/sys/usb/\(port)/\(name)\(instance)",
        properties: ["ID_MODEL_ID": product, "ID_PATH": "usb-\(port)", "DEVLINKS": links])
}

private let first = DeviceIndex(0)
private let second = DeviceIndex(1)

/// The state machine with everything it ever asked for, played by a world where each wish comes true at once or never.
private struct Stage {
    var state: SupervisionState
    var opening: [(attempt: UInt64, device: DeviceIndex, path: String)] = []
    var closing: [UInt64] = []
    var announced: [String] = []

    init(_ devices: [SupervisedDevice]) {
        state = SupervisionState(devices: devices, now: .zero)
    }

    mutating func take(_ actions: [SupervisionState.Action]) {
        for action in actions {
            switch action {
            case .open(let attempt, let device, let path, _): opening.append((attempt, device, path))
            case .close(let attempt, _): closing.append(attempt)
            case .announceOpened(let device, _, let path): announced.append("\(device.rawValue) opened \(path)")
            case .announceClosed(let device, let reason): announced.append("\(device.rawValue) closed \(reason)")
            case .changed: break
            }
        }
    }

    mutating func open(_ milliseconds: Int64) throws {
        let attempt = try #require(opening.last)
        opening.removeLast()
        take(state.opened(attempt.attempt, now: at(milliseconds)))
    }

    mutating func refuse(_ milliseconds: Int64, _ error: String = "refused") throws {
        let attempt = try #require(opening.last)
        opening.removeLast()
        take(state.failed(attempt.attempt, error: error, now: at(milliseconds)))
    }

    /// What was open is gone, and its node free.
    mutating func lose(_ attempt: UInt64, _ milliseconds: Int64) {
        take(state.closed(attempt, reason: "gone", isFault: false, now: at(milliseconds)))
        take(state.released(attempt, now: at(milliseconds)))
    }

    func states() -> [DeviceStatus.State] { state.statuses.map(\.state) }
}

@Suite struct SupervisionStateTests {
    @Test func triesAPortAgainWithAPauseThatDoublesUpToFiveSeconds() throws {
        var stage = Stage([portDevice("gate", "/dev/ttyS9")])
        stage.take(stage.state.start(now: .zero))
        var now: Int64 = 0
        var pauses: [Double] = []
        for _ in 0..<12 {
            try stage.refuse(now, "open /dev/ttyS9: No such file or directory (ENOENT)")
            #expect(stage.states() == [.backingOff])
            let due = try #require(stage.state.nextDeadline)
            #expect(stage.state.statuses[0].retryAt == due)
            pauses.append(Double((due - at(now)).nanoseconds) / 1e9)
            // Not a moment before its time.
            stage.take(stage.state.advance(to: Instant(nanoseconds: due.nanoseconds - 1)))
            #expect(stage.opening.isEmpty)
            stage.take(stage.state.advance(to: due))
            #expect(stage.opening.count == 1)
            now = due.nanoseconds / 1_000_000
        }
        for (pause, full) in zip(pauses, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5, 5, 5, 5]) {
            #expect(pause <= full + 0.001 && pause >= full * 0.749)
        }
        #expect(stage.state.statuses[0].failures == 12)
        #expect(stage.state.statuses[0].lastError == "open /dev/ttyS9: No such file or directory (ENOENT)")
    }

    @Test func pausesStayInTheirBoundsForEveryDevice() {
        for device in 0..<500 {
            for failures in [0, 1, 2, 7, 60, 1_000_000, Int.max] {
                let pause = SupervisionState.pause(device: device, failures: failures)
                #expect(pause >= .milliseconds(75) && pause <= .seconds(5))
            }
        }
        // Devices do not come back in step.
        #expect(Set((0..<100).map { SupervisionState.pause(device: $0, failures: 6).nanoseconds }).count > 80)
    }

    @Test func forgetsAnErrorWhenTheDeviceCouldBeOpened() throws {
        var stage = Stage([usbDevice("scanner")])
        stage.take(stage.state.start(now: .zero))
        stage.take(stage.state.nodeAppeared(node("ttyUSB0"), now: at(1)))
        try stage.refuse(2, "open /dev/ttyUSB0: Permission denied (EACCES)")
        #expect(stage.state.statuses[0].lastError == "open /dev/ttyUSB0: Permission denied (EACCES)")
        stage.take(stage.state.advance(to: try #require(stage.state.nextDeadline)))
        try stage.open(500)
        #expect(stage.state.statuses[0].lastError == nil)
        // A month later somebody pulls the plug: that is all there is to say.
        stage.take(stage.state.nodeDisappeared(node("ttyUSB0"), now: at(2_592_000_000)))
        stage.lose(2, 2_592_000_001)
        #expect(stage.states() == [.waiting] && stage.state.statuses[0].lastError == nil)
    }

    @Test func saysWhoHasItsPort() throws {
        var stage = Stage([portDevice("door", "/dev/ttyS0"), portDevice("cabinet", "/dev/ttyS0"), portDevice("gate", "/dev/ttyS1")])
        stage.take(stage.state.start(now: .zero))
        #expect(stage.state.statuses.map(\.state) == [.opening, .waiting, .opening])
        #expect(stage.state.statuses.map(\.portHolder) == [nil, "door", nil])
        // By another name of the node, too.
        var linked = Stage([portDevice("door", "/dev/ttyUSB0"), portDevice("cabinet", "/dev/reader")])
        linked.take(linked.state.nodeAppeared(node("ttyUSB0", links: "/dev/reader"), now: .zero))
        #expect(linked.state.statuses.map(\.portHolder) == [nil, "door"])
    }

    @Test func waitsForItsNodeAndFollowsItToAnotherPort() throws {
        var stage = Stage([usbDevice("scanner")])
        stage.take(stage.state.start(now: .zero))
        #expect(stage.states() == [.waiting] && stage.state.nextDeadline == nil)
        stage.take(stage.state.nodeAppeared(node("ttyUSB7", "ffff"), now: at(1)))
        #expect(stage.opening.isEmpty)
        stage.take(stage.state.nodeAppeared(node("ttyUSB0"), now: at(2)))
        try stage.open(3)
        // The hang-up comes before udev's removal.
        stage.lose(1, 100)
        #expect(stage.states() == [.backingOff])
        stage.take(stage.state.nodeDisappeared(node("ttyUSB0"), now: at(101)))
        #expect(stage.states() == [.waiting])
        stage.take(stage.state.nodeAppeared(node("ttyUSB1", port: "2"), now: at(150)))
        try stage.open(151)
        #expect(stage.announced == ["0 opened /dev/ttyUSB0", "0 closed gone", "0 opened /dev/ttyUSB1"])
        #expect(stage.state.statuses[0].opens == 2 && stage.state.statuses[0].lastError == nil)
    }

    @Test func closesWhatUdevRemovesAndOpensWhatComesMeanwhileAtOnce() throws {
        var stage = Stage([usbDevice("scanner")])
        stage.take(stage.state.nodeAppeared(node("ttyUSB0"), now: .zero))
        try stage.open(1)
        stage.take(stage.state.nodeDisappeared(node("ttyUSB0"), now: at(10)))
        #expect(stage.closing == [1])
        // Plugged in again under the same name before the driver has let go.
        stage.take(stage.state.nodeAppeared(node("ttyUSB0", instance: "b"), now: at(11)))
        #expect(stage.opening.isEmpty)
        stage.lose(1, 20)
        #expect(stage.opening.map(\.path) == ["/dev/ttyUSB0"])
        try stage.open(21)
        #expect(stage.announced == ["0 opened /dev/ttyUSB0", "0 closed unplugged", "0 opened /dev/ttyUSB0"])
    }

    @Test func takesAnAddOfAnotherDeviceUnderTheSameNameForARemovalToo() throws {
        var stage = Stage([usbDevice("scanner")])
        stage.take(stage.state.nodeAppeared(node("ttyUSB0"), now: .zero))
        try stage.open(1)
        stage.take(stage.state.nodeAppeared(node("ttyUSB0", "ffff", instance: "b"), now: at(10)))
        #expect(stage.closing == [1])
        stage.lose(1, 11)
        #expect(stage.states() == [.waiting])
        // The late removal of the first one does not take the second one away.
        stage.take(stage.state.nodeDisappeared(node("ttyUSB0"), now: at(12)))
        #expect(stage.state.nodes["/dev/ttyUSB0"] != nil)
    }

    @Test func duplicatesDoNoHarm() throws {
        var stage = Stage([usbDevice("scanner")])
        for _ in 0..<3 { stage.take(stage.state.nodeAppeared(node("ttyUSB0"), now: .zero)) }
        #expect(stage.opening.count == 1)
        try stage.open(1)
        for _ in 0..<3 { stage.take(stage.state.nodeAppeared(node("ttyUSB0"), now: at(2))) }
        #expect(stage.opening.isEmpty && stage.closing.isEmpty)
    }

    @Test func aNodeThatAppearsEndsThePause() throws {
        var stage = Stage([portDevice("gate", "/dev/serial/by-id/usb-1")])
        stage.take(stage.state.start(now: .zero))
        #expect(stage.opening.map(\.path) == ["/dev/serial/by-id/usb-1"])
        for now in 0..<8 {
            try stage.refuse(Int64(now) * 10_000)
            stage.take(stage.state.advance(to: at(Int64(now) * 10_000 + 9_000)))
        }
        try stage.refuse(90_000)
        stage.take(stage.state.nodeAppeared(node("ttyUSB3", links: "/dev/x /dev/serial/by-id/usb-1"), now: at(90_001)))
        #expect(stage.opening.map(\.path) == ["/dev/ttyUSB3"])
    }

    @Test func aNodeThatAppearsWhileItsOpeningFailsIsTriedAtOnce() throws {
        var stage = Stage([usbDevice("scanner")])
        stage.take(stage.state.nodeAppeared(node("ttyUSB0"), now: .zero))
        // udev has set the permissions now.
        stage.take(stage.state.nodeAppeared(node("ttyUSB0"), now: at(1)))
        try stage.refuse(2, "open /dev/ttyUSB0: Permission denied (EACCES)")
        #expect(stage.opening.count == 1)
        try stage.refuse(3)
        #expect(stage.states() == [.backingOff])
    }

    @Test func twoDevicesNeverShareANode() throws {
        var stage = Stage([usbDevice("a"), usbDevice("b"), portDevice("c", "/dev/serial/by-id/c")])
        stage.take(stage.state.start(now: .zero))
        try stage.refuse(1)
        stage.take(stage.state.nodeAppeared(node("ttyUSB0"), now: at(2)))
        stage.take(stage.state.nodeAppeared(node("ttyUSB1", port: "2", links: "/dev/serial/by-id/c"), now: at(3)))
        #expect(stage.opening.map { "\($0.device.rawValue) \($0.path)" } == ["0 /dev/ttyUSB0", "2 /dev/ttyUSB1"])
        #expect(stage.states() == [.opening, .waiting, .opening])
        // While the third is in a pause, its node still belongs to nobody else.
        try stage.refuse(4)
        #expect(stage.states() == [.opening, .waiting, .backingOff])
        stage.take(stage.state.nodeAppeared(node("ttyUSB2", port: "3"), now: at(5)))
        #expect(stage.opening.map { "\($0.device.rawValue) \($0.path)" } == ["0 /dev/ttyUSB0", "1 /dev/ttyUSB2"])
    }

    @Test func equalDevicesKeepTheirPorts() throws {
        var stage = Stage([usbDevice("a"), usbDevice("b")])
        stage.take(stage.state.nodeAppeared(node("ttyUSB0", port: "1"), now: .zero))
        try stage.open(1)
        stage.take(stage.state.nodeAppeared(node("ttyUSB1", port: "2"), now: at(2)))
        try stage.open(3)
        for (attempt, gone) in [(UInt64(1), node("ttyUSB0", port: "1")), (2, node("ttyUSB1", port: "2"))] {
            stage.lose(attempt, 10)
            stage.take(stage.state.nodeDisappeared(gone, now: at(10)))
        }
        #expect(stage.states() == [.waiting, .waiting])
        // Port 2 is plugged in first, under the other name.
        stage.take(stage.state.nodeAppeared(node("ttyUSB0", port: "2"), now: at(20)))
        stage.take(stage.state.nodeAppeared(node("ttyUSB1", port: "1"), now: at(21)))
        #expect(stage.opening.map { "\($0.device.rawValue) \($0.path)" } == ["1 /dev/ttyUSB0", "0 /dev/ttyUSB1"])
    }

    @Test func aDeviceInItsPauseKeepsItsNode() throws {
        var stage = Stage([usbDevice("a"), usbDevice("b")])
        stage.take(stage.state.nodeAppeared(node("ttyUSB0", port: "1"), now: .zero))
        try stage.open(1)
        stage.take(stage.state.nodeAppeared(node("ttyUSB1", port: "2"), now: at(2)))
        try stage.open(3)
        stage.take(stage.state.nodeDisappeared(node("ttyUSB0", port: "1"), now: at(10)))
        stage.lose(1, 10)
        // The second one is opened anew while the first one would take any node.
        stage.take(stage.state.restart(second, reason: "no answer", now: at(20)))
        stage.lose(2, 21)
        #expect(stage.states() == [.waiting, .backingOff])
        stage.take(stage.state.advance(to: at(5_021)))
        #expect(stage.opening.map { "\($0.device.rawValue) \($0.path)" } == ["1 /dev/ttyUSB1"])
    }

    @Test func triesAnotherNodeAfterOneThatFailed() throws {
        var stage = Stage([usbDevice("scanner")])
        stage.take(stage.state.nodeAppeared(node("ttyUSB0"), now: .zero))
        stage.take(stage.state.nodeAppeared(node("ttyUSB1", port: "2"), now: .zero))
        try stage.refuse(1)
        // It was retried at once for the node that came meanwhile.
        #expect(stage.opening.map(\.path) == ["/dev/ttyUSB1"])
    }

    @Test func restartsWithAPauseThatGrowsUntilTheDeviceIsHealthy() throws {
        var stage = Stage([portDevice("gate", "/dev/ttyS0")])
        stage.take(stage.state.start(now: .zero))
        var now: Int64 = 0
        var pauses: [Int64] = []
        for attempt in 1...4 {
            try stage.open(now)
            stage.take(stage.state.restart(first, reason: "no answer to \"version\"", now: at(now + 2_000)))
            #expect(stage.closing.last == UInt64(attempt))
            stage.lose(UInt64(attempt), now + 2_001)
            #expect(stage.states() == [.backingOff])
            #expect(stage.state.statuses[0].lastError == "no answer to \"version\"")
            let due = try #require(stage.state.nextDeadline)
            pauses.append((due - at(now + 2_001)).milliseconds)
            stage.take(stage.state.advance(to: due))
            now = due.nanoseconds / 1_000_000
        }
        #expect(pauses == pauses.sorted() && pauses[3] > 500)
        #expect(stage.announced.filter { $0.contains("closed") } == Array(repeating: "0 closed no answer to \"version\"", count: 4))
        try stage.open(now)
        stage.lose(5, now + 30_000)
        #expect(stage.state.statuses[0].failures == 1)
    }

    @Test func keepsWhatANewConfigurationLeavesAsItIs() throws {
        var stage = Stage([portDevice("a", "/dev/a"), portDevice("b", "/dev/b"), portDevice("c", "/dev/c")])
        stage.take(stage.state.start(now: .zero))
        for _ in 0..<3 { try stage.open(1) }
        stage.announced = []
        // b comes first, a is changed, c is gone, d is new.
        let new = [portDevice("b", "/dev/b"), portDevice("a", "/dev/a2", revision: "2"), portDevice("d", "/dev/d")]
        stage.take(stage.state.reconfigure(new, now: at(10)))
        #expect(stage.closing == [3, 1])
        #expect(stage.opening.map { "\($0.device.rawValue) \($0.path)" } == ["2 /dev/d"])
        #expect(stage.state.device(of: 2) == first && stage.state.device(of: 1) == second && stage.state.device(of: 3) == nil)
        #expect(stage.states() == [.open, .open, .opening])
        stage.lose(3, 20)
        stage.lose(1, 20)
        #expect(stage.announced == ["1 closed configured anew"])
        #expect(stage.opening.map(\.path) == ["/dev/d", "/dev/a2"])
    }

    @Test func closesEverythingAndBeginsNothingMore() throws {
        var stage = Stage([portDevice("a", "/dev/a"), portDevice("b", "/dev/b"), usbDevice("c")])
        stage.take(stage.state.start(now: .zero))
        try stage.open(1)
        stage.take(stage.state.shutdown(now: at(2)))
        #expect(stage.closing == [1, 2] && !stage.state.isQuiescent)
        try stage.refuse(3)
        stage.take(stage.state.nodeAppeared(node("ttyUSB0"), now: at(4)))
        stage.lose(2, 5)
        #expect(stage.state.isQuiescent && stage.opening.isEmpty && stage.state.nextDeadline == nil)
        #expect(stage.states() == [.stopped, .stopped, .stopped])
        #expect(stage.announced == ["1 opened /dev/b", "1 closed the gateway is closing"])
    }

    /// Anything in any order: a node has one user at most, an attempt is closed once at most, and all ends well.
    @Test func holdsItsRulesWhateverHappens() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let nodes = (0..<4).flatMap { port in ["a", "b"].map { node("ttyUSB\(port)", port: "\(port)", instance: $0) } }
        let devices = [usbDevice("a"), usbDevice("b"), portDevice("c", "/dev/ttyUSB2"), portDevice("d", "/dev/ttyUSB3"), usbDevice("e")]
        for _ in 0..<300 {
            var state = SupervisionState(devices: devices, now: .zero)
            var opening: [UInt64: String] = [:]
            var open: [UInt64: String] = [:]
            var closing: [UInt64: String] = [:]
            var asked: Set<UInt64> = []
            func take(_ actions: [SupervisionState.Action]) {
                for action in actions {
                    switch action {
                    case .open(let attempt, _, let path, _):
                        let used = Array(opening.values) + Array(open.values) + Array(closing.values)
                        #expect(!used.contains(path), "seed \(seed)")
                        opening[attempt] = path
                    case .close(let attempt, _):
                        #expect(opening[attempt] != nil || open[attempt] != nil, "seed \(seed)")
                        asked.insert(attempt)
                    default: break
                    }
                }
            }
            var now = Instant.zero
            take(state.start(now: now))
            func play(_ choice: Int, _ pick: DeviceNode, _ shuffled: [SupervisedDevice]) {
                switch choice {
                case 0, 1: take(state.nodeAppeared(pick, now: now))
                case 2: take(state.nodeDisappeared(pick, now: now))
                case 3, 4:
                    guard let (attempt, path) = opening.min(by: { $0.key < $1.key }) else { return }
                    opening[attempt] = nil
                    open[attempt] = path
                    take(state.opened(attempt, now: now))
                case 5:
                    guard let (attempt, _) = opening.max(by: { $0.key < $1.key }) else { return }
                    opening[attempt] = nil
                    take(state.failed(attempt, error: "no", now: now))
                case 6:
                    guard let (attempt, path) = open.min(by: { $0.key < $1.key }) else { return }
                    open[attempt] = nil
                    closing[attempt] = path
                    take(state.closed(attempt, reason: "gone", isFault: false, now: now))
                case 7:
                    guard let attempt = closing.keys.min() else { return }
                    closing[attempt] = nil
                    take(state.released(attempt, now: now))
                case 8: take(state.restart(DeviceIndex(UInt16(now.nanoseconds % 5)), reason: "test", now: now))
                case 9: take(state.advance(to: now))
                default: take(state.reconfigure(shuffled, now: now))
                }
            }
            for _ in 0..<200 {
                now = now + .milliseconds(Int64.random(in: 0...400, using: &generator))
                let count = Int.random(in: 3...5, using: &generator)
                play(
                    Int.random(in: 0...10, using: &generator), nodes.randomElement(using: &generator) ?? nodes[0],
                    Array(devices.shuffled(using: &generator).prefix(count)))
            }
            take(state.shutdown(now: now))
            while !opening.isEmpty || !open.isEmpty || !closing.isEmpty {
                for choice in [3, 6, 7] { play(choice, nodes[0], []) }
            }
            #expect(state.isQuiescent && state.nextDeadline == nil, "seed \(seed)")
        }
    }
}

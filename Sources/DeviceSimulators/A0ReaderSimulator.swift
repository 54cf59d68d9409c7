import Devices
import Dispatch
import Glibc
import Identifiers
import Readings
import Simulation
import Synchronization

/// A UHF reader of the R2000 "A0" family on a pseudo-terminal: answers its commands, reads what the scene shows, works its outputs.
///
/// Written from the protocol's description, apart from the decoder it serves to try.
public final class A0ReaderSimulator: Sendable {
    public let path: String
    private let terminal: OwnedTerminal
    private let scene: Mutex<GateScene>
    private let outputs = Mutex<[Output]>([])
    private let isStopped = Atomic(false)

    /// An output that was switched: what the reader's light and buzzer did.
    public struct Output: Hashable, Sendable {
        public var line: UInt8
        public var isOn: Bool
        public var at: Instant
    }

    /// How long the reader listens on one antenna, in milliseconds.
    private let dwell: Int32

    /// - Throws: `PseudoTerminalError`
    public init(scene: GateScene, link: String? = nil, dwell: Int32 = 30) throws(PseudoTerminalError) {
        let terminal = try PseudoTerminal(link: link)
        path = terminal.path
        self.terminal = OwnedTerminal(terminal)
        self.scene = Mutex(scene)
        self.dwell = dwell
    }

    /// Begins to answer, on a thread of its own, until `stop`.
    public func start() {
        let simulator = self
        DispatchQueue(label: "a0-reader").async { simulator.run() }
    }

    public func stop() { isStopped.store(true, ordering: .relaxed) }

    public func add(_ walk: GateScene.Walk) { scene.withLock { $0.add(walk) } }

    /// What was switched since the last call.
    public func takeOutputs() -> [Output] {
        outputs.withLock { outputs in
            defer { outputs = [] }
            return outputs
        }
    }

    private func run() {
        var buffer: [UInt8] = []
        while !isStopped.load(ordering: .relaxed) {
            buffer += terminal.read(waiting: 100)
            while let frame = Self.takeFrame(from: &buffer) { answer(frame) }
        }
        terminal.hangUp()
    }

    /// A whole frame with a right check; bytes before it are dropped.
    private static func takeFrame(from buffer: inout [UInt8]) -> [UInt8]? {
        while let first = buffer.first {
            guard first == 0xA0 else {
                buffer.removeFirst()
                continue
            }
            guard buffer.count >= 2 else { return nil }
            let length = Int(buffer[1]) + 2
            guard length >= 5, length <= 64 else {
                buffer.removeFirst()
                continue
            }
            guard buffer.count >= length else { return nil }
            let frame = Array(buffer[..<length])
            guard frame.reduce(0, &+) == 0 else {
                buffer.removeFirst()
                continue
            }
            buffer.removeFirst(length)
            return frame
        }
        return nil
    }

    private func answer(_ frame: [UInt8]) {
        let command = frame[3]
        let data = frame[4..<frame.count - 1]
        switch command {
        case 0x72: send(command, [1, 9])
        case 0x77: send(command, [26])
        case 0x79: send(command, [2, 0, 6])
        case 0x61:
            if data.count >= 2 {
                let output = Output(line: data[data.startIndex], isOn: data[data.startIndex + 1] != 0, at: BootClock.now())
                outputs.withLock { if $0.count < 10_000 { $0.append(output) } }
            }
            send(command, [0x10])
        case 0x89: round(command, ports: [1])
        case 0x8A: round(command, ports: Self.fastSwitchPorts(data))
        default: send(command, [0x10])
        }
    }

    /// Pairs of antenna (from 0) and stay; ports above the fourth are written to leave an antenna out.
    private static func fastSwitchPorts(_ data: ArraySlice<UInt8>) -> [UInt8] {
        stride(from: data.startIndex, to: data.endIndex - 2, by: 2).compactMap { data[$0] < 4 && data[$0 + 1] > 0 ? data[$0] + 1 : nil }
    }

    private func round(_ command: UInt8, ports: [UInt8]) {
        var total: UInt32 = 0
        for port in ports {
            _ = poll(nil, 0, dwell)
            for read in scene.withLock({ $0.reads(port: port, at: BootClock.now()) }) {
                total += 1
                // Frequency index 1 (865.5 MHz) and antenna bits; PC with the EPC's length in words; RSSI raised by 129.
                let frequencyAndAntenna = UInt8(1 << 2 | (port - 1) & 3)
                let words = UInt8(clamping: (read.epc.byteCount + 1) / 2)
                let strength = UInt8(clamping: Int(read.rssi) / 100 + 129) & 0x7F
                send(command, [frequencyAndAntenna, words << 3, 0] + read.epc.bytes + [strength | (port > 4 ? 0x80 : 0)])
            }
        }
        let count = withUnsafeBytes(of: total.bigEndian) { Array($0) }
        if command == 0x8A {
            send(
                command,
                [count[1], count[2], count[3]] + withUnsafeBytes(of: (UInt32(ports.count) * UInt32(dwell)).bigEndian) { Array($0) })
        } else {
            send(command, [0, 0, UInt8(clamping: total)] + count)
        }
    }

    private func send(_ command: UInt8, _ data: [UInt8]) {
        var frame: [UInt8] = [0xA0, UInt8(clamping: data.count + 3), 0x01, command] + data
        frame.append(0 &- frame.reduce(0, &+))
        terminal.write(frame)
    }
}

/// A pseudo-terminal that a simulator's thread and its owner share.
final class OwnedTerminal: Sendable {
    private let terminal: Mutex<Held>
    private let descriptor: Int32

    /// `PseudoTerminal` is not Sendable; here it is only ever touched under the lock.
    private struct Held: ~Copyable, @unchecked Sendable {
        let terminal: PseudoTerminal
    }

    init(_ terminal: sending PseudoTerminal) {
        descriptor = terminal.descriptor
        self.terminal = Mutex(Held(terminal: terminal))
    }

    /// Waits outside the lock, so that the owner can write and hang up meanwhile.
    func read(waiting milliseconds: Int32) -> [UInt8] {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, milliseconds) > 0 else { return [] }
        return terminal.withLock { $0.terminal.read(waiting: 0) }
    }

    func write(_ bytes: [UInt8]) { terminal.withLock { _ = $0.terminal.write(bytes) } }

    func hangUp() { terminal.withLock { $0.terminal.hangUp() } }
}

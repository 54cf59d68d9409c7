import Devices
import Glibc
import Readings
import Simulation

/// Runs one simulated device on a pseudo-terminal or a socket, and obeys lines of text. Used by one thread.
public final class SimulatedDeviceRunner {
    public enum Place: Hashable, Sendable {
        /// `link`: a path for a symbolic link that keeps its name from run to run.
        case pseudoTerminal(link: String?)
        /// Port 0 takes any free one.
        case tcp(host: String, port: UInt16)
    }

    /// What happened.
    public enum Event: Hashable, Sendable {
        case connected
        case disconnected
        /// The gateway asked for something; `count`: so often in a row.
        case asked(String, count: Int)
        /// A line of text was obeyed.
        case obeyed(String)
        /// A line of text that says nothing to this kind of device, or nothing at all.
        case notUnderstood(String)
        case cannot(String)
    }

    public let address: String
    private let kind: SimulatedDeviceKind
    private let setting: SimulatedDeviceKind.Setting
    private let link: SimulatedLink
    private let report: (Event) -> Void
    private var device: any SimulatedDevice
    private var random: SplitMix64
    private var isStalled = false
    /// The tags and inputs that lines of text have changed, for a restart.
    private var lying: [SimulatedAction] = []
    private var text: [UInt8] = []
    private var hasText: Bool
    private var last: (text: String, count: Int)?

    /// The longest line of text that is obeyed.
    private static let longestLine = 16_384
    private static let garbageLength = 64

    /// - Parameter takesLines: whether lines come on standard input.
    /// - Throws: `PseudoTerminalError` or `SimulatedLinkError`
    public init(
        _ kind: SimulatedDeviceKind, _ setting: SimulatedDeviceKind.Setting, at place: Place, takesLines: Bool = false,
        report: @escaping (Event) -> Void
    ) throws {
        switch place {
        case .pseudoTerminal(let path): link = try SimulatedLink(link: path)
        case .tcp(let host, let port): link = try SimulatedLink(host: host, port: port)
        }
        address = link.address
        self.kind = kind
        self.setting = setting
        self.report = report
        hasText = takesLines
        device = kind.make(setting)
        random = SplitMix64(state: setting.seed)
    }

    /// Works until `isStopped`, which is asked at least ten times a second; then pulls the plug.
    public func run(isStopped: () -> Bool) {
        while !isStopped() { turn() }
        tellAsked()
        link.close()
    }

    /// Waits for one thing to happen, at most a tenth of a second, and does what is due.
    public func turn() {
        var requests = [pollfd(fd: link.descriptor, events: Int16(POLLIN), revents: 0)]
        if hasText { requests.append(pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)) }
        let wait = isStalled ? nil : device.nextDeadline.map { ($0 - BootClock.now()).pollTimeout(atMost: 100) }
        poll(&requests, nfds_t(requests.count), wait ?? 100)
        if requests[0].revents != 0 { arrive(link.receive()) }
        if requests.count > 1, requests[1].revents != 0 { readText() }
        let now = BootClock.now()
        if !isStalled, let deadline = device.nextDeadline, deadline <= now { send(device.advance(to: now)) }
    }

    /// Does what a line says.
    public func obey(_ line: String) {
        tellAsked()
        guard let command = SimulatorCommand(line) else { return report(.notUnderstood(line)) }
        switch command {
        case .action(let action):
            guard let frames = device.perform(action, at: BootClock.now()) else { return report(.cannot(line)) }
            remember(action)
            send(frames)
        case .stall(let isStalled): self.isStalled = isStalled
        case .garbage: send([(0..<Self.garbageLength).map { _ in UInt8(truncatingIfNeeded: random.next()) }])
        case .restart:
            device = kind.make(setting)
            isStalled = false
            link.drop()
            // What lies before it, lies there still.
            for action in lying { _ = device.perform(action, at: BootClock.now()) }
        }
        report(.obeyed(line))
    }

    private func remember(_ action: SimulatedAction) {
        switch action {
        case .tag(let epc, _), .remove(let epc):
            lying.removeAll { if case .tag(epc, _) = $0 { true } else if case .remove(epc) = $0 { true } else { false } }
            lying.append(action)
        case .input(let line, _):
            lying.removeAll { if case .input(line, _) = $0 { true } else { false } }
            lying.append(action)
        case .scan, .badge: break
        }
    }

    private func arrive(_ arrival: SimulatedLink.Arrival) {
        switch arrival {
        case .nothing: break
        case .connected:
            tellAsked()
            report(.connected)
            send(device.connected(at: BootClock.now()))
        case .disconnected:
            tellAsked()
            report(.disconnected)
        case .bytes(let bytes):
            // A device that hangs hears nothing.
            guard !isStalled else { return }
            let frames = device.receive(bytes, at: BootClock.now())
            let notes = device.takeNotes()
            for note in notes.isEmpty ? [Hex.text(bytes)] : notes { tell(note) }
            send(frames)
        }
    }

    private func send(_ frames: [[UInt8]]) {
        guard !isStalled else { return }
        for frame in frames { _ = link.send(frame) }
    }

    /// The same again is counted: a reader is asked for a round thirty times a second.
    private func tell(_ note: String) {
        if let last, last.text == note {
            self.last = (note, last.count + 1)
        } else {
            tellAsked()
            report(.asked(note, count: 1))
            last = (note, 1)
        }
    }

    private func tellAsked() {
        if let last, last.count > 1 { report(.asked(last.text, count: last.count)) }
        last = nil
    }

    private func readText() {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return }
        guard count > 0 else {
            // The script is over; the device stays.
            hasText = false
            return
        }
        text += buffer[..<count]
        while let end = text.firstIndex(of: 0x0A) {
            let line = String(decoding: text[..<end], as: UTF8.self)
            text.removeSubrange(...end)
            if line.contains(where: { $0 != " " }) { obey(line) }
        }
        if text.count > Self.longestLine { text.removeAll() }
    }
}

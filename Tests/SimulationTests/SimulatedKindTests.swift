import Decoding
import DeviceSimulators
import FoundationEssentials
import Identifiers
import Profiles
import Readings
import Testing

private let tool = EPC(hex: "3476451FD400000000000001")!

/// Every kind of `stockgate sim device` with the profile that it names: brought to read, read with, let go. No descriptor, no clock.
@Suite("Kinds of simulated devices and their profiles")
struct SimulatedKindTests {
    private static let library = ProfileLibrary(directories: [
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("DeviceProfiles").path
    ])

    /// What carries bytes between session and device.
    private struct Line {
        /// Requests that a Modbus bus repeats; nil: bytes go to and fro as they are.
        var polls: [[UInt8]]?
        private var transaction: UInt8 = 0

        init(_ profile: DeviceProfile) {
            if case .modbus(let configuration) = profile.decoder { polls = configuration.requests }
        }

        /// What the device says to a transmission, as the session hears it. Modbus TCP: transaction, protocol 0, length, unit.
        mutating func carry(_ bytes: [UInt8], poll: UInt8 = 0xFF, to device: inout any SimulatedDevice, at now: Instant) -> [[UInt8]] {
            guard polls != nil else { return device.receive(bytes, at: now) }
            transaction &+= 1
            let frames = device.receive([0, transaction, 0, 0, 0, UInt8(bytes.count + 1), 1] + bytes, at: now)
            return frames.map { frame in
                #expect(frame.prefix(7) == [0, transaction, 0, 0, 0, UInt8(frame.count - 6), 1])
                return [poll, UInt8(frame.count - 7)] + frame.dropFirst(7)
            }
        }
    }

    private struct Bench {
        var session: any DeviceSteering
        var device: any SimulatedDevice
        var line: Line
        var now = Instant(nanoseconds: 1_000_000_000)
        var readings: [Reading] = []
        var failure: SessionFailure?
        private var output = SessionOutput()

        init(_ kind: SimulatedDeviceKind, _ profile: DeviceProfile) throws {
            // A Mercury module keeps no region, and does not transmit on a guess.
            let radio = kind.name == "mercury" ? RadioSettings(region: .etsi) : RadioSettings()
            session = try profile.program(radio: radio).makeSession()
            device = kind.make(.init(isOnNetwork: true))
            line = Line(profile)
            session.opened(at: now, into: &output)
            hear(device.connected(at: now))
        }

        mutating func hear(_ frames: [[UInt8]]) {
            for frame in frames { frame.withUnsafeBytes { session.receive($0, at: now, into: &output) } }
            for _ in 0..<100 {
                readings += output.batch.readings
                failure = failure ?? output.failure
                let sent = output.transmissions
                output.removeAll()
                if sent.isEmpty { return }
                for bytes in sent {
                    for frame in line.carry(bytes, to: &device, at: now) {
                        frame.withUnsafeBytes { session.receive($0, at: now, into: &output) }
                    }
                }
            }
            Issue.record("the two talk without end")
        }

        mutating func run(_ span: Instant.Span, until isDone: (Bench) -> Bool = { _ in false }) {
            let end = now + span
            while now < end, !isDone(self) {
                now = now + .milliseconds(5)
                if let deadline = device.nextDeadline, deadline <= now { hear(device.advance(to: now)) }
                for (index, poll) in (line.polls ?? []).enumerated() {
                    hear(line.carry(poll, poll: UInt8(index), to: &device, at: now))
                }
                while let deadline = session.nextDeadline, deadline <= now {
                    session.advance(to: now, into: &output)
                    hear([])
                }
            }
        }

        mutating func release() {
            session.release(at: now, into: &output)
            hear([])
        }

        mutating func perform(_ action: SimulatedAction) -> Bool {
            guard let frames = device.perform(action, at: now) else { return false }
            hear(frames)
            return true
        }
    }

    /// An action of each kind, and whether a reading is what it must give.
    private static func sample(_ action: SimulatedAction.Kind, for kind: String) -> (SimulatedAction, @Sendable (Reading) -> Bool) {
        switch action {
        case .tag: (.tag(tool, antenna: nil), { if case .tag(let read) = $0 { read.epc == tool } else { false } })
        case .remove: (.remove(tool), { _ in true })
        case .scan:
            (
                .scan(Array("]C010950600013435210A".utf8)),
                {
                    if case .scan(let scan) = $0 {
                        String(decoding: scan.data, as: UTF8.self).hasSuffix("10950600013435210A")
                    } else {
                        false
                    }
                }
            )
        case .badge:
            (
                .badge(["em4100", "id-12"].contains(kind) ? "01000734E0" : ["wiegand", "osdp"].contains(kind) ? "31,337" : "04A2B3C4"),
                {
                    if case .badge(let read) = $0 {
                        ["01000734E0", "031,00337", "1F0151", "04A2B3C4"].contains(read.credential)
                    } else {
                        false
                    }
                }
            )
        case .input: (.input(line: 1, isActive: true), { $0 == .input(InputChange(line: 1, isActive: true)) })
        }
    }

    @Test(arguments: SimulatedDeviceKind.all.map(\.name))
    func aKindIsReadByItsProfile(name: String) throws {
        let kind = try #require(SimulatedDeviceKind.all.first { $0.name == name })
        let profile = try #require(Self.library[kind.profile], "\(kind.profile)")
        switch (kind.reach, profile.transport) {
        case (.tcp(let port), .tcp(let network, _)): #expect(port == network.port)
        case (.pseudoTerminal, .serial): break
        default: Issue.record("\(name) is reached otherwise than its profile says")
        }
        var bench = try Bench(kind, profile)
        bench.run(.seconds(20)) { $0.session.state == .reading }
        #expect(bench.failure == nil && bench.session.state == .reading && bench.session.counters.rejects.total == 0)
        for action in SimulatedAction.Kind.allCases {
            let (sample, isRead) = Self.sample(action, for: name)
            let isNoticed = bench.perform(sample)
            #expect(isNoticed == kind.actions.contains(action), "\(action)")
            guard isNoticed else { continue }
            bench.run(.seconds(10)) { $0.readings.contains(where: isRead) }
            #expect(bench.readings.contains(where: isRead), "\(action): \(bench.readings)")
            if case .remove = action {
                bench.run(.seconds(1))
                let before = bench.session.counters.readings
                bench.run(.seconds(1))
                #expect(bench.session.counters.readings == before)
                _ = bench.perform(.tag(tool, antenna: nil))
            }
        }
        #expect(bench.failure == nil && bench.session.state == .reading && bench.session.counters.rejects.total == 0)
        // Let go, it says no more: its round ends, and no other begins.
        bench.release()
        for turn in 0..<1_000 {
            bench.now = bench.now + .milliseconds(5)
            guard let deadline = bench.device.nextDeadline, deadline <= bench.now else { continue }
            let frames = bench.device.advance(to: bench.now)
            if turn > 600 { #expect(frames.isEmpty) }
        }
    }

    @Test func everyReaderOfTheListIsThere() {
        let names = Set(SimulatedDeviceKind.all.map(\.name))
        #expect(names.count == SimulatedDeviceKind.all.count)
        #expect(names.isSuperset(of: ReaderKind.allCases.map(\.rawValue)))
    }
}

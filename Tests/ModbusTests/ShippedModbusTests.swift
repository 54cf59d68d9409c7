import Decoding
import DeviceSimulators
import Foundation
import Profiles
import Readings
import Testing

/// The plans of the shipped Modbus profiles against a unit that answers by the specification, in time of its own.
@Suite("Sessions of shipped Modbus profiles")
struct ShippedModbusTests {
    static let library: ProfileLibrary = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return ProfileLibrary(directories: [root.appendingPathComponent("DeviceProfiles").path])
    }()

    static let ids = library.profiles.filter { if case .modbus = $0.decoder { true } else { false } }.map(\.id)

    /// Runs session and unit side by side.
    struct Bench {
        var session: DeviceSession
        var unit = ModbusUnitSimulator()
        var output = SessionOutput()
        var now = Instant.zero
        var sent: [[UInt8]] = []
        let requests: [[UInt8]]

        init(_ profile: DeviceProfile, _ configuration: ModbusProtocol.Configuration) {
            session = DeviceSession(plan: profile.plan, decoder: profile.decoder.makeDecoder())
            requests = configuration.requests
            unit.flashes = profile.id.hasPrefix("waveshare/")
        }

        mutating func feed(_ index: Int, _ response: [UInt8]) {
            let frame = [UInt8(index), UInt8(response.count)] + response
            frame.withUnsafeBytes { session.receive($0, at: now, into: &output) }
        }

        /// Ten milliseconds, as often as wanted.
        mutating func run(_ turns: Int) {
            for _ in 0..<turns {
                while let deadline = session.nextDeadline, deadline <= now { session.advance(to: now, into: &output) }
                let commands = output.transmissions
                output.transmissions = []
                sent += commands
                for command in commands {
                    #expect(DecoderConfiguration.modbus(.init()).fault(ofFrame: command) == nil)
                    feed(0xFF, unit.answer(command, at: now))
                }
                for (index, request) in requests.enumerated() { feed(index, unit.answer(request, at: now)) }
                #expect(output.failure == nil)
                now = now + .milliseconds(10)
            }
        }
    }

    @Test func thereAreSome() {
        #expect(Set(Self.ids).isSuperset(of: ["waveshare/relay-8", "moxa/iologik-e1214", "advantech/adam-6050", "technotrade/vrd-485"]))
    }

    @Test(arguments: ids)
    func isBroughtToReadingAndShowsEveryFeedback(id: String) throws {
        let profile = try #require(Self.library[id])
        guard case .modbus(let configuration) = profile.decoder else { return }
        var bench = Bench(profile, configuration)
        let outputs = UInt16(0)..<64
        // What was lit before the gateway came goes off.
        if !profile.plan.feedback.isEmpty {
            let first = try #require(profile.plan.stop.first)
            _ = bench.unit.answer([5, first[1], first[2], 0xFF, 0], at: bench.now)
            #expect(outputs.contains { bench.unit.coil($0, at: bench.now) })
        }
        bench.session.opened(at: bench.now, into: &bench.output)
        bench.run(50)
        #expect(bench.session.state == .reading)
        #expect(bench.session.counters.retries == 0 && bench.session.counters.rejects.total == 0)
        #expect(profile.plan.steps.contains { $0.identifies })
        #expect(!outputs.contains { bench.unit.coil($0, at: bench.now) })
        for kind in Feedback.allCases where profile.plan.feedback[kind] != nil {
            let before = bench.unit.coilChanges.count
            let isGiven = bench.session.give(kind, at: bench.now, into: &bench.output)
            #expect(isGiven)
            bench.run(1)
            #expect(outputs.contains { bench.unit.coil($0, at: bench.now) }, "\(kind) shows nothing")
            bench.run(350)
            #expect(bench.unit.coilChanges.count > before)
            #expect(!outputs.contains { bench.unit.coil($0, at: bench.now) }, "\(kind) leaves something on")
        }
        #expect(bench.session.counters.faults.isEmpty)
        if !profile.plan.feedback.isEmpty { #expect(profile.failsafe != nil) }
        // The gateway lets the device go in the middle of a feedback.
        let isGiven = bench.session.give(.exception, at: bench.now, into: &bench.output)
        #expect(isGiven == !profile.plan.feedback.isEmpty)
        bench.run(1)
        bench.session.release(at: bench.now, into: &bench.output)
        for command in bench.output.transmissions { _ = bench.unit.answer(command, at: bench.now) }
        #expect(!outputs.contains { bench.unit.coil($0, at: bench.now) })
    }
}

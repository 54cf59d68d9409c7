import Decoding
import Engine
import Identifiers
import Readings
import SiteConfiguration
import Stations
import Testing

/// The wall clock is for people: a step of it moves no tag, silences no reader and decides nothing.
@Suite("Steps of the wall clock")
struct ClockStepTests {
    static let site = Site(
        gateway: .init(code: "STEP", site: "step"), devices: [.init(name: "uhf")],
        stations: [
            .init(
                name: "gate",
                kind: .gate(
                    .init(antennas: [.init(device: "uhf", port: 1, side: .inside), .init(device: "uhf", port: 2, side: .outside)])))
        ])
    /// A tag frame of the protocol, from antenna 1.
    static let frame: [UInt8] = {
        let body: [UInt8] = [0xA0, 0x13, 0x01, 0x89, 0x04, 0x30, 0, 0x34, 0x76, 0x45, 0x1F, 0xD4, 0, 0, 0, 0, 0, 1, 2, 70]
        return body + [0 &- body.reduce(0, &+)]
    }()

    /// Eleven years back and forth, an hour, a day, and a clock that is not known at all.
    @Test(arguments: [-347_000_000_000, -3_600_000, 86_400_000, 347_000_000_000] as [Int64])
    func moveNothing(milliseconds: Int64) throws {
        func run(stepping: Bool) -> (visits: Int, isReading: Bool, happenings: Int, commits: Int) {
            var engine = Engine(site: Self.site, epoch: 1, startingAt: .zero)
            var output = EngineOutput()
            engine.isWatched = true
            let start: Int64 = 1_795_248_000_000
            engine.wallChanged(
                WallAnchor(instant: .zero, milliseconds: start, offsetMinutes: 480, quality: .synchronised), into: &output)
            let program = DeviceProgram(decoder: .a0(.init()), plan: SessionPlan(livenessTimeout: .seconds(5)))
            engine.opened(DeviceIndex(0), program: program, at: .zero, into: &output)
            for tick in 1...200 {
                let now = Instant(nanoseconds: Int64(tick) * 100_000_000)
                if stepping, tick % 50 == 25 {
                    let wall = start + Int64(tick) * 100 + (tick % 100 == 25 ? milliseconds : 0)
                    engine.wallChanged(
                        WallAnchor(instant: now, milliseconds: wall, offsetMinutes: 480, quality: tick < 100 ? .unknown : .synchronised),
                        into: &output)
                }
                Self.frame.withUnsafeBytes { engine.received($0, from: DeviceIndex(0), at: now, into: &output) }
            }
            return (engine.gates[0].openVisits, engine.devices[0].state.isReading, output.happenings.count, output.commits.count)
        }
        let stepped = run(stepping: true)
        #expect(stepped == run(stepping: false))
        #expect(stepped.visits == 1 && stepped.isReading && stepped.commits == 0)
    }
}

import Decoding
import DeviceSimulators
import FoundationEssentials
import Identifiers
import Profiles
import Readings
import Testing

/// A session with the profile of a reader against the simulated reader, without descriptor and clock: the way between them is two
/// lists of bytes.
private struct Bench {
    static let library = ProfileLibrary(directories: [
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("DeviceProfiles").path
    ])

    var session: any DeviceSteering
    var reader: SimulatedReader<TagField>
    var now = Instant.zero
    var reads: [TagRead] = []
    var sent: [[UInt8]] = []
    var failure: SessionFailure?
    /// The most transmissions in one millisecond.
    var burst = 0
    private var output = SessionOutput()

    init(_ kind: ReaderKind, _ radio: RadioSettings, tags: [SimulatedTag], readsPerSecond: Int = 100) throws {
        session = try #require(Self.library[kind.profile]).program(radio: radio).makeSession()
        reader = SimulatedReader(kind, tags: TagField(tags, readsPerSecond: readsPerSecond))
    }

    mutating func open() {
        session.opened(at: now, into: &output)
        deliver()
    }

    mutating func release() {
        session.release(at: now, into: &output)
        deliver()
    }

    mutating func close() {
        session.closed(reason: "test", at: now, into: &output)
        output.removeAll()
        failure = nil
    }

    mutating func receive(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { session.receive($0, at: now, into: &output) }
        deliver()
    }

    /// - Parameter isDeaf: neither side hears the other.
    mutating func run(milliseconds: Int64, isDeaf: Bool = false) {
        for _ in 0..<milliseconds {
            now = now + .milliseconds(1)
            let frames = reader.advance(to: now)
            if !isDeaf { for frame in frames { receive(frame) } }
            while let deadline = session.nextDeadline, deadline <= now {
                session.advance(to: now, into: &output)
                if isDeaf {
                    failure = output.failure ?? failure
                    output.removeAll()
                } else {
                    deliver()
                }
            }
        }
    }

    /// Commands reach the reader and its answers come back, until both are quiet.
    private mutating func deliver() {
        var count = 0
        while true {
            for case .tag(let read) in output.batch.readings { reads.append(read) }
            if let failure = output.failure { self.failure = failure }
            let commands = output.transmissions
            output.removeAll()
            guard !commands.isEmpty else { break }
            sent += commands
            count += commands.count
            for command in commands {
                for frame in reader.receive(command, at: now) {
                    frame.withUnsafeBytes { session.receive($0, at: now, into: &output) }
                }
            }
        }
        burst = max(burst, count)
    }
}

@Suite("Sessions with simulated readers")
struct ReaderSessionTests {
    private static let radio = RadioSettings(region: .etsi, power: 2_000)
    private static let tags = [
        SimulatedTag(epc: EPC(hex: "E2806894000050000000A001")!, rssi: -4_200),
        SimulatedTag(epc: EPC(hex: "3034257BF400B7800004CB2F")!, rssi: -6_100),
        SimulatedTag(epc: EPC(hex: "AABB")!, rssi: -5_000),
    ]

    private static func radio(_ kind: ReaderKind) -> RadioSettings {
        switch kind {
        case .r200: RadioSettings(power: 2_000)
        // Without the antennas that lie idle.
        case .a0, .a0With8Antennas, .uhfReader288: RadioSettings(region: .etsi, power: 2_000, antennas: [1])
        case .uhfReader18, .m100, .mercury: radio
        }
    }

    @Test(arguments: ReaderKind.allCases)
    func aReaderIsBroughtToReading(kind: ReaderKind) throws {
        var bench = try Bench(kind, Self.radio(kind), tags: Self.tags)
        bench.open()
        bench.run(milliseconds: 10_000)
        #expect(bench.failure == nil && bench.session.state == .reading)
        #expect(bench.session.counters.rejects.total == 0 && bench.session.counters.retries == 0)
        #expect(bench.session.counters.watchdogFires == 0 && bench.session.counters.faults.values.reduce(0, +) <= 0)
        // Everything that the reader reported was understood, and nothing else.
        #expect(UInt64(bench.reads.count) == bench.session.counters.readings)
        #expect(bench.reader.reads - UInt64(bench.reads.count) <= 1 && bench.reads.count > 300, "\(bench.reads.count)")
        #expect(Set(bench.reads.map(\.epc)) == Set(Self.tags.map(\.epc)))
        for tag in Self.tags where ![.uhfReader18, .uhfReader288].contains(kind) {
            #expect(bench.reads.filter { $0.epc == tag.epc }.allSatisfy { $0.rssi == tag.rssi && $0.antenna == 1 })
        }
        if kind == .uhfReader288 { #expect(bench.reads.allSatisfy { $0.antenna == 1 && $0.rssi == TagRead.noRSSI }) }
        // A reader that is kept reading is not flooded with commands.
        #expect(bench.sent.count < 700 && bench.burst < 20, "\(bench.sent.count) commands")
    }

    @Test(arguments: ReaderKind.allCases)
    func anEmptyFieldIsReadingToo(kind: ReaderKind) throws {
        var bench = try Bench(kind, Self.radio(kind), tags: [])
        bench.open()
        bench.run(milliseconds: 30_000)
        #expect(bench.failure == nil && bench.session.state == .reading && bench.reads.isEmpty)
        #expect(bench.session.counters.watchdogFires == 0 && bench.session.counters.faults.isEmpty)
    }

    @Test func settingsAreWrittenOnceAndNotAgain() throws {
        for (kind, opcode, place) in [
            (ReaderKind.a0, 0x78, 3), (.uhfReader288, 0x22, 2), (.uhfReader288, 0x2F, 2), (.m100, 0x07, 2), (.m100, 0xB6, 2),
        ]
            as [(ReaderKind, UInt8, Int)]
        {
            var bench = try Bench(kind, RadioSettings(region: .fcc, power: 1_500), tags: [])
            for opening in 1...3 {
                bench.open()
                bench.run(milliseconds: 1_500)
                #expect(bench.session.isInitialised)
                let writes = bench.reader.commands.filter { $0[place] == opcode }
                #expect(writes.count == 1, "\(kind), opening \(opening): \(writes.map { Hex.text($0) })")
                bench.close()
            }
        }
    }

    @Test(arguments: [ReaderKind.m100, .r200, .mercury])
    func aStreamEndsWithTheGateway(kind: ReaderKind) throws {
        var bench = try Bench(kind, Self.radio(kind), tags: Self.tags)
        bench.open()
        bench.run(milliseconds: 2_000)
        #expect(bench.reader.isReading)
        bench.release()
        #expect(!bench.reader.isReading)
        // A gateway that was killed left it streaming: it is stopped, drained and begun anew.
        bench = try Bench(kind, Self.radio(kind), tags: Self.tags)
        bench.open()
        bench.run(milliseconds: 2_000)
        bench.close()
        #expect(bench.reader.isReading)
        bench.open()
        bench.run(milliseconds: 2_000)
        #expect(bench.session.state == .reading && bench.session.counters.retries == 0)
    }

    @Test(arguments: ReaderKind.allCases)
    func silenceIsToldAndOvercome(kind: ReaderKind) throws {
        var bench = try Bench(kind, Self.radio(kind), tags: Self.tags)
        bench.open()
        bench.run(milliseconds: 3_000)
        bench.run(milliseconds: 9_500, isDeaf: true)
        #expect(!bench.session.state.isReading)
        // The driver opens it anew when the session gives up.
        for _ in 0..<5 {
            if bench.failure != nil {
                bench.close()
                bench.open()
            }
            bench.run(milliseconds: 1_000)
        }
        #expect(bench.session.state == .reading)
    }

    @Test(arguments: ReaderKind.allCases)
    func aReaderThatLostItsPowerReadsAgain(kind: ReaderKind) throws {
        var bench = try Bench(kind, Self.radio(kind), tags: Self.tags)
        bench.open()
        bench.run(milliseconds: 3_000)
        bench.reader = SimulatedReader(kind, tags: bench.reader.tags)
        // The driver opens it anew when the session gives up.
        for _ in 0..<60 {
            bench.run(milliseconds: 1_000)
            if bench.failure != nil {
                bench.close()
                bench.open()
            }
        }
        let before = bench.reads.count
        bench.run(milliseconds: 2_000)
        #expect(bench.session.state == .reading && bench.reads.count > before + 50)
    }

    @Test(arguments: ReaderKind.allCases)
    func garbageBetweenFramesLosesNothingForLong(kind: ReaderKind) throws {
        var bench = try Bench(kind, Self.radio(kind), tags: Self.tags)
        bench.open()
        bench.run(milliseconds: 2_000)
        for turn in 0..<40 {
            bench.receive((0..<64).map { UInt8(truncatingIfNeeded: $0 &* 0x9D &+ turn) })
            bench.run(milliseconds: 250)
        }
        bench.run(milliseconds: 2_000)
        #expect(bench.session.state == .reading && bench.failure == nil)
        #expect(Set(bench.reads.map(\.epc)) == Set(Self.tags.map(\.epc)))
    }

    @Test func antennasAndIntentsReachTheReader() throws {
        let tags = (1...4).map { SimulatedTag(epc: EPC(hex: "E2806894000050000000A00\($0)")!, antenna: UInt8($0)) }
        for (kind, intent) in [(ReaderKind.a0, RadioIntent.gate), (.a0, .portal), (.uhfReader288, .gate), (.uhfReader288, .cabinet)] {
            var bench = try Bench(kind, RadioSettings(region: .etsi, intent: intent, antennas: [2, 4]), tags: tags)
            bench.open()
            bench.run(milliseconds: 8_000)
            #expect(Set(bench.reads.map(\.antenna)) == [2, 4], "\(kind), \(intent)")
            #expect(bench.session.state == .reading && bench.session.counters.watchdogFires == 0)
        }
    }

    @Test(arguments: [ReaderKind.m100, .mercury, .a0])
    func aThousandReadsASecond(kind: ReaderKind) throws {
        var bench = try Bench(kind, Self.radio(kind), tags: Self.tags, readsPerSecond: 1_000)
        bench.open()
        bench.run(milliseconds: 5_000)
        #expect(bench.reads.count > 3_500, "\(bench.reads.count)")
        #expect(bench.session.counters.rejects.total == 0)
    }
}

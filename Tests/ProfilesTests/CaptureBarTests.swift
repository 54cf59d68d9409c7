import Decoding
import Profiles
import Readings
import TestSupport
import Testing

/// Every capture in `DeviceProfiles/` gives its expected readings, however its bytes are cut and whatever stands before them.
@Suite("Captures of the profiles")
struct CaptureBarTests {
    /// The devices of a capture with their profiles.
    private static func devices(_ capture: ProvenCapture) throws -> [(name: String, profile: DeviceProfile)] {
        try capture.header.devices.sorted { $0.key < $1.key }.map { name, id in
            (name, try #require(ShippedProfiles.library[id], "\(capture.path) names the profile \(id)"))
        }
    }

    @Test(arguments: ShippedProfiles.captures)
    func givesTheExpectedReadings(path: String) throws {
        let capture = try ProvenCapture(path)
        let devices = try Self.devices(capture)
        #expect(!devices.isEmpty)
        #expect(Set(capture.lines.compactMap(\.device)) == Set(devices.map(\.name)))
        #expect(Set(capture.expected.keys).isSubset(of: devices.map(\.name)))
        for (name, profile) in devices {
            var replay = Replay(profile.decoder)
            replay.run(capture.input(of: name))
            replay.finish()
            #expect(replay.readings == capture.expected[name, default: []])
            #expect(replay.rejects == capture.expectedRejects[name])
        }
    }

    @Test(arguments: ShippedProfiles.captures)
    func alsoByteByByte(path: String) throws {
        let capture = try ProvenCapture(path)
        for (name, profile) in try Self.devices(capture) {
            var replay = Replay(profile.decoder)
            for line in capture.input(of: name) {
                if case .received(let bytes) = line.content {
                    replay.advance(to: line.time)
                    for byte in bytes { replay.feed([byte]) }
                } else {
                    replay.run([line])
                }
            }
            replay.finish()
            #expect(replay.readings == capture.expected[name, default: []])
            #expect(replay.rejects == capture.expectedRejects[name])
        }
    }

    @Test(arguments: ShippedProfiles.captures)
    func alsoCutInTwoAtEveryByte(path: String) throws {
        let capture = try ProvenCapture(path)
        for (name, profile) in try Self.devices(capture) {
            let input = capture.input(of: name)
            for (index, line) in input.enumerated() {
                guard case .received(let bytes) = line.content, bytes.count > 1 else { continue }
                for cut in 1..<bytes.count {
                    var replay = Replay(profile.decoder)
                    replay.run(Array(input[..<index]))
                    replay.advance(to: line.time)
                    replay.feed(bytes[..<cut])
                    // The rest comes a moment later, as after a slow USB frame.
                    replay.advance(to: line.time + .milliseconds(5))
                    replay.feed(bytes[cut...])
                    replay.run(Array(input[(index + 1)...]))
                    replay.finish()
                    #expect(replay.readings == capture.expected[name, default: []], "\(name), line \(index + 1), cut after \(cut)")
                }
            }
        }
    }

    @Test(arguments: ShippedProfiles.captures, [71, 72, 73, 74, 75, 76, 77, 78] as [UInt64])
    func alsoWithGarbageInFront(path: String, seed: UInt64) throws {
        let capture = try ProvenCapture(path)
        var generator = SeededGenerator(seed: seed)
        for (name, profile) in try Self.devices(capture) {
            var replay = Replay(profile.decoder)
            var delay = Instant.Span.zero
            if profile.decoder.takesKeys {
                // Letters without an end, then the silence that a person makes before the first scan.
                for _ in 0..<20 { replay.key(.random(in: 16...25, using: &generator)) }
                delay = .seconds(1)
            } else if profile.decoder.isChecked {
                // Any bytes, and the capture comes at once behind them.
                replay.feed((0..<Int.random(in: 1...80, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) })
            } else {
                // A line has no check: only its missing end and the silence behind it show that it is garbage.
                replay.feed((0..<40).map { _ in UInt8.random(in: 0x20...0x7E, using: &generator) })
                delay = .seconds(1)
            }
            replay.run(capture.input(of: name), after: delay)
            replay.finish()
            #expect(replay.readings == capture.expected[name, default: []], "seed \(seed)")
        }
    }

    /// Which profile reads something from the captures of which other one.
    private static func overlaps() throws -> Set<ProfileOverlap.Pair> {
        var pairs: Set<ProfileOverlap.Pair> = []
        for path in ShippedProfiles.captures {
            let capture = try ProvenCapture(path)
            for (name, own) in try devices(capture) {
                let input = capture.input(of: name)
                for profile in ShippedProfiles.library.profiles where profile.id != own.id {
                    let pair = ProfileOverlap.Pair(reader: profile.id, captures: own.id)
                    if pairs.contains(pair) { continue }
                    var replay = Replay(profile.decoder)
                    replay.run(input)
                    replay.finish()
                    // Where nothing is checked, any line may be an answer: that is no overlap yet.
                    if !replay.readings.isEmpty || profile.decoder.isChecked && !replay.batch.signals.isEmpty { pairs.insert(pair) }
                }
            }
        }
        return pairs
    }

    /// A device under a wrong profile: what gives readings then stands in a table that a person has looked at, and nothing else does.
    @Test func theTableOfOverlapsIsWhatHappens() throws {
        let found = try Self.overlaps()
        let listed = Set(ProfileOverlap.table.flatMap(\.pairs))
        #expect(found.subtracting(listed).map(\.description).sorted() == [], "not in the table")
        #expect(listed.subtracting(found).map(\.description).sorted() == [], "in the table, but it does not happen")
        #expect(ProfileOverlap.table.reduce(0) { $0 + $1.pairs.count } == listed.count, "a pair stands twice")
    }

    /// A check is there to tell families apart: no table makes up for one that does not.
    @Test func aProfileThatChecksIsSilentOnOtherFamilies() throws {
        for pair in Set(ProfileOverlap.table.flatMap(\.pairs)) {
            let reader = try #require(ShippedProfiles.library[pair.reader])
            let owner = try #require(ShippedProfiles.library[pair.captures])
            #expect(!reader.decoder.isChecked || reader.decoder.protocolName == owner.decoder.protocolName, "\(pair)")
        }
    }
}

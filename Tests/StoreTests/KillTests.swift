import Foundation
import Glibc
import TestSupport
import Testing

@testable import Ledger
@testable import Store

/// Kills a writing process again and again. This shows that a start finds everything that was acknowledged, in one chain; it shows
/// nothing about power cuts, where the kernel's memory goes too.
@Suite struct KillTests {
    private static let rounds =
        ProcessInfo.processInfo.environment["STOCKGATE_KILL_ROUNDS"].flatMap(Int.init)
        ?? (LongRuns.areAsked ? 500 : 20)

    @Test func nothingAcknowledgedIsLost() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("kill test: seed \(seed), \(Self.rounds) rounds")
        var generator = Generator(state: seed)
        var directory = try Directory()
        var acknowledged: Int64 = 0
        var events: Int64 = 0
        for round in 1...Self.rounds {
            // Everything is verified every time, so the log must not grow for ever.
            if round % 25 == 0 {
                events += acknowledged
                (directory, acknowledged) = (try Directory(), 0)
            }
            acknowledged = max(
                acknowledged, try killOne(directory, delay: UInt32(generator.next() % 60_000), inFlight: Int(generator.next() % 40) + 1))
            let store = try directory.open()
            #expect(store.lastSequence >= acknowledged, "round \(round) of seed \(seed)")
            let report = try store.verify()
            #expect(report.isIntact, "round \(round) of seed \(seed): \(report.problems)")
            #expect(report.events == store.lastSequence)
            #expect(try store.load().state.nextSequence == store.lastSequence + 1)
            acknowledged = store.lastSequence
            store.close()
        }
        #expect(events + acknowledged > Int64(Self.rounds))
    }

    /// - Returns: the newest number that the child was told is on the disk.
    private func killOne(_ directory: Directory, delay: UInt32, inFlight: Int) throws -> Int64 {
        let child = Process()
        child.executableURL = try Self.executable()
        child.arguments = [directory.path, "CRIB1", String(inFlight)]
        let pipe = Pipe()
        child.standardOutput = pipe
        try child.run()
        let output = pipe.fileHandleForReading
        var bytes = output.availableData
        // From its first acknowledgement on, at any moment.
        usleep(delay)
        kill(child.processIdentifier, SIGKILL)
        bytes += output.readDataToEndOfFile()
        child.waitUntilExit()
        #expect(child.terminationReason == .uncaughtSignal)
        let numbers = String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { Int64($0) }
        #expect(numbers == numbers.first.map { Array($0..<$0 + Int64(numbers.count)) })
        return try #require(numbers.last)
    }

    /// Built beside the tests.
    private static func executable() throws -> URL {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        var directory = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        if !FileManager.default.fileExists(atPath: directory.appendingPathComponent("StoreWriterProbe").path) {
            directory = tests.deletingLastPathComponent()
        }
        let executable = directory.appendingPathComponent("StoreWriterProbe")
        try #require(FileManager.default.isExecutableFile(atPath: executable.path), "\(executable.path) is missing")
        return executable
    }

    /// SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
    private struct Generator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
            return value ^ value >> 31
        }
    }
}

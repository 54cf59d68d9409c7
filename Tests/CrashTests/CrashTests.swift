import CFaultVFS
import Foundation
import TestSupport
import Testing

@Suite struct CrashTests {
    private static let environment = ProcessInfo.processInfo.environment

    /// `STOCKGATE_CRASH_SEEDS=FIRST-LAST` runs these; one number runs one seed and tells its history.
    private static let seeds: ClosedRange<UInt64> = {
        let numbers = environment["STOCKGATE_CRASH_SEEDS"]?.split(separator: "-").compactMap { UInt64($0) } ?? []
        if let first = numbers.first, let last = numbers.last, first <= last { return first...last }
        return 1...(LongRuns.areAsked ? 10_000 : 200)
    }()

    @Test func nothingLostNothingTwice() throws {
        let began = ContinuousClock.now
        var sum = CrashSum()
        for seed in Self.seeds {
            let machine = try CrashMachine(seed: seed, isTold: Self.seeds.count == 1)
            let violations = machine.run()
            sum.add(machine)
            #expect(violations.isEmpty, "STOCKGATE_CRASH_SEEDS=\(seed) \(violations)")
        }
        sum.tell(seeds: Self.seeds.count, seconds: (ContinuousClock.now - began) / .seconds(1))
    }

    /// The machine is worth nothing if it does not notice these.
    @Test(arguments: CrashPlan.Sabotage.allCases) func whatIsBrokenOnPurposeIsCaught(_ sabotage: CrashPlan.Sabotage) throws {
        var findings: [String: Int] = [:]
        let seeds: ClosedRange<UInt64> = 1...(LongRuns.areAsked ? 200 : 20)
        for seed in seeds {
            for violation in try CrashMachine(seed: seed, sabotage: sabotage).run() { findings[violation.kind.rawValue, default: 0] += 1 }
        }
        print("crash machine, \(sabotage.rawValue): \(seeds.count) seeds, found \(findings.sorted { $0.key < $1.key })")
        let expected: [CrashMachine.Violation.Kind] =
            switch sabotage {
            case .cursorBeforeReceipt: [.order, .undelivered]
            case .synchronousNormal: [.lost]
            case .receiptOverGaps: [.order, .undelivered]
            }
        #expect(expected.contains { findings[$0.rawValue] != nil })
    }

    @Test func theSameSeedTellsTheSameHistory() throws {
        for seed: UInt64 in 1...5 {
            #expect(try Self.fingerprint(seed) == Self.fingerprint(seed), "seed \(seed)")
        }
    }

    private static func fingerprint(_ seed: UInt64) throws -> [UInt64] {
        let machine = try CrashMachine(seed: seed)
        #expect(machine.run().isEmpty)
        return machine.fingerprint
    }
}

/// What was injected and seen in many runs.
struct CrashSum {
    private var lines: [String: UInt64] = [:]

    mutating func add(_ machine: CrashMachine) {
        let disk = fault_disk_counts(machine.disk)
        withUnsafeBytes(of: disk.failures) { bytes in
            let failures = bytes.bindMemory(to: UInt64.self)
            for (kind, name) in CrashPlan.kinds { lines["disk: \(name) failed", default: 0] += failures[Int(kind.rawValue)] }
        }
        lines["disk: operations", default: 0] += disk.operations
        lines["disk: stops", default: 0] += disk.stops
        lines["disk: power cuts", default: 0] += disk.power_cuts
        lines["disk: kills", default: 0] += disk.kills
        lines["disk: full", default: 0] += disk.full
        lines["disk: sectors lost", default: 0] += disk.sectors_lost
        lines["disk: sectors kept without a sync", default: 0] += disk.sectors_kept
        lines["disk: names taken back", default: 0] += disk.names_reverted
        lines["disk: caches dropped after a failed sync", default: 0] += disk.evictions
        lines["disk: logs lengthened ahead of their events", default: 0] += disk.lengthened
        lines["gateway: lives", default: 0] += UInt64(machine.counts.lives)
        lines["gateway: starts refused by the disk", default: 0] += UInt64(machine.counts.refusedStarts)
        lines["gateway: decisions", default: 0] += UInt64(machine.counts.decisions)
        lines["gateway: events acknowledged", default: 0] += UInt64(machine.counts.acknowledged)
        lines["gateway: events in the log", default: 0] += UInt64(machine.truth.events.count)
        lines["gateway: decisions told unknown", default: 0] += UInt64(machine.counts.unknown)
        lines["gateway: decisions told failed", default: 0] += UInt64(machine.counts.failed)
        for (name, count) in machine.counts.network { lines["network: \(name)", default: 0] += UInt64(count) }
    }

    func tell(seeds: Int, seconds: Double) {
        print("crash machine: \(seeds) seeds in \(Int(seconds)) s, \(Int(Double(seeds) / max(seconds, 0.001) * 60)) seeds a minute")
        for (name, count) in lines.sorted(by: { $0.key < $1.key }) { print("  \(name): \(count)") }
    }
}

import CFaultVFS
import GRDB
import Ledger
import TestSupport
import Testing

@testable import Store

/// Each operation on the disk fails once, or twice in a row, from the very first opening on; then the power goes. What was acknowledged
/// must be there, and nothing that somebody was told is not.
@Suite struct FailureSweepTests {
    @Test(arguments: [FAULT_SYNC, FAULT_WRITE, FAULT_READ, FAULT_TRUNCATE, FAULT_OPEN, FAULT_SHARE, FAULT_SYNC_DIRECTORY].map(\.rawValue))
    func everyOperationFails(kind: UInt32) throws {
        // A sync leaves most to chance.
        let seeds: ClosedRange<UInt64> = kind == FAULT_SYNC.rawValue ? 1...6 : 1...1
        for seed in seeds {
            for times: UInt32 in 1...2 {
                var after: UInt32 = 0
                while try survives(fault_kind(rawValue: kind), after: after, times: times, seed: seed) { after += 1 }
            }
        }
    }

    /// - Returns: false when no operation failed any more.
    private func survives(_ kind: fault_kind, after: UInt32, times: UInt32, seed: UInt64) throws -> Bool {
        let machine = try CrashMachine(seed: seed)
        machine.counts.lives = 1
        fault_disk_fail(machine.disk, kind, after, times)
        for _ in 0..<4 where !machine.start() {}
        if machine.writer != nil {
            for _ in 0..<3 {
                machine.tick()
                machine.turnWriter()
            }
        }
        let counts = fault_disk_counts(machine.disk)
        let hasFailed = withUnsafeBytes(of: counts.failures) { $0.bindMemory(to: UInt64.self)[Int(kind.rawValue)] } > 0
        machine.abandon()
        fault_disk_heal(machine.disk)
        fault_disk_cut_power(machine.disk)
        #expect(machine.start(), "kind \(kind.rawValue), after \(after), \(times) times, seed \(seed)")
        machine.tick()
        machine.turnWriter()
        #expect(machine.violations.isEmpty, "kind \(kind.rawValue), after \(after), \(times) times, seed \(seed): \(machine.violations)")
        return hasFailed && machine.violations.isEmpty
    }
}

import CFaultVFS
import TestSupport

/// What goes wrong in one run, all of it from the seed.
struct CrashPlan {
    /// What is built wrongly on purpose, to show that the machine notices.
    enum Sabotage: String, Sendable, CaseIterable {
        /// The cursor moves when events are handed over, not when they are receipted.
        case cursorBeforeReceipt
        /// `synchronous=NORMAL`: a commit is answered before it is on the disk.
        case synchronousNormal
        /// The application takes events whose predecessors it does not have, and receipts them.
        case receiptOverGaps
    }

    /// How a life of the daemon ends.
    enum Ending: Sendable {
        /// The machine stops before an operation on the disk, counted from the start of this life.
        case operation(UInt64)
        /// The machine stops at a place outside of the store, counted likewise: between commit, request, receipt and cursor.
        case place(Int)
        /// It is stopped in order after so many milliseconds.
        case order(after: Int64)
    }

    /// What fails in one life of the daemon.
    struct Life: Sendable {
        var ending: Ending
        /// After a stop: the power is gone. Else only the process died.
        var cutsPower: Bool
        /// Failing operations: after so many good ones, so many times.
        var failures: [(kind: fault_kind, after: UInt32, times: UInt32)] = []
        /// When the disk gets full, with how many bytes free, and for how long: milliseconds.
        var fullDisk: (at: Int64, free: Int64, lasting: Int64)?
        /// When failing operations stop: a disk that fails for ever ends no test.
        var healsAfter: Int64
    }

    /// Decisions in one life: small histories find nearly everything, and a long one takes as much time as ten of them.
    static func decisions(_ random: inout SeededGenerator) -> Int { random.chance(0.1) ? 60 : 4 + random.below(12) }

    static let kinds: [(kind: fault_kind, name: String)] = [
        (FAULT_READ, "read"), (FAULT_WRITE, "write"), (FAULT_SYNC, "sync"), (FAULT_TRUNCATE, "truncate"), (FAULT_OPEN, "open"),
        (FAULT_DELETE, "delete"), (FAULT_SHARE, "shared memory"), (FAULT_SYNC_DIRECTORY, "directory sync"),
    ]

    static func life(_ random: inout SeededGenerator) -> Life {
        let ending: Ending =
            switch random.below(20) {
            case 0..<12: .operation(UInt64(random.below(random.chance(0.3) ? 150 : 600) + 1))
            case 12..<17: .place(random.below(80) + 1)
            default: .order(after: Int64(random.below(600_000)))
            }
        var life = Life(ending: ending, cutsPower: random.chance(0.8), healsAfter: Int64(random.below(120_000)))
        if random.chance(0.45) {
            for _ in 0...random.below(3) {
                // Syncs most of all: there the hard cases are.
                let kind = random.chance(0.4) ? FAULT_SYNC : kinds[random.below(kinds.count)].kind
                life.failures.append((kind, UInt32(random.below(kind == FAULT_SYNC ? 12 : 60)), UInt32(random.below(4) + 1)))
            }
        }
        if random.chance(0.2) {
            life.fullDisk = (
                Int64(random.below(60_000)), Int64(random.below(random.chance(0.5) ? 20_000 : 200_000)), Int64(random.below(240_000))
            )
        }
        return life
    }
}

extension SeededGenerator {
    /// 0 up to but not including `bound`.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

    mutating func chance(_ probability: Double) -> Bool { unit() < probability }

    /// 0 up to but not including 1.
    mutating func unit() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }
}

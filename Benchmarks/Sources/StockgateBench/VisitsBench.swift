import Identifiers
import Presence
import Readings
import Simulation

/// A gate in which five hundred tags are in visits at once: simulated walks through a pedestal gate, one after the other without a pause.
enum VisitsBench {
    static let wantedOpen = 500
    /// Walks begin so fast that about as many tags are in visits as wanted: each for some 8 s, three to five tags a walk.
    static let spacing: Int64 = 65
    static let walks = 500

    static func run() {
        print("\nvisits at once: simulated walks through a pedestal gate, reads to decisions, one core")
        let layout = GateLayout.pedestal
        let antennas = layout.antennas.map { GateAntenna(side: $0.side, placement: $0.placement) }
        let reads = crowd(layout)
        guard let end = reads.last?.time else { return }
        var factors: [Double] = []
        var (most, decided) = (0, 0)
        for _ in 0..<3 {
            let (count, time) = Main.measure {
                var presence = GatePresence(antennas: antennas, isReading: true)
                (most, decided) = (0, 0)
                func advance(to now: Instant) {
                    while let deadline = presence.nextDeadline, deadline <= now {
                        decided += presence.advance(to: deadline) { _ in .unknown }.count { $0.certainty == .final }
                    }
                }
                for read in reads {
                    advance(to: read.time)
                    presence.observe(read.read, antenna: Int(read.read.antenna) - 1, at: read.time)
                    most = max(most, presence.openVisits)
                }
                advance(to: end + .seconds(10))
                return UInt64(reads.count)
            }
            precondition(count == reads.count)
            factors.append(Double(end.nanoseconds) / 1e9 / time)
        }
        print("reads \(reads.count), at most \(most) visits open, \(decided) decided: \(Main.rounded(factors.sorted()[1])) times real time")
        print("wanted: at least 25 times with \(wantedOpen) open")
    }

    /// The walks' reads in the order of time; each walk has tags of its own.
    private static func crowd(_ layout: GateLayout) -> [TimedRead] {
        var reads: [TimedRead] = []
        for walk in 0..<walks {
            let run = GateRun(.pass, layout: layout, seed: UInt64(walk))
            guard let first = run.reads.first?.time else { continue }
            let shift = Instant.zero + .milliseconds(Int64(walk) * spacing) - first
            for var read in run.reads {
                read.read.epc = EPC([UInt8(walk >> 8), UInt8(walk & 255)] + read.read.epc.bytes.suffix(10)) ?? read.read.epc
                read.time = read.time + shift
                reads.append(read)
            }
        }
        return reads.sorted { $0.time < $1.time }
    }
}

import Identifiers
import Readings
import Simulation

/// The reads of one tag without a longer gap.
struct TagVisit {
    struct Read {
        var time: Instant
        var side: GateSide
        var antenna: UInt8
        /// Hundredths of a dBm.
        var rssi: Int16
    }

    var epc: EPC
    var reads: [Read]

    var last: Instant { reads[reads.count - 1].time }

    /// Milliwatts, above −100 dBm so that sums stay readable.
    static func power(_ rssi: Int16) -> Double { tenToThe((Double(rssi) / 100 + 100) / 10) }

    static func split(_ run: GateRun, quiet: Instant.Span, where isTool: (EPC) -> Bool) -> [TagVisit] {
        let sides = Dictionary(run.layout.antennas.map { ($0.port, $0.side) }, uniquingKeysWith: { first, _ in first })
        var open: [EPC: TagVisit] = [:]
        var done: [TagVisit] = []
        for timed in run.reads where isTool(timed.read.epc) {
            guard let side = sides[timed.read.antenna] else { continue }
            let read = Read(time: timed.time, side: side, antenna: timed.read.antenna, rssi: timed.read.rssi)
            if let visit = open[timed.read.epc], timed.time - visit.last >= quiet {
                done.append(visit)
                open[timed.read.epc] = nil
            }
            open[timed.read.epc, default: TagVisit(epc: timed.read.epc, reads: [])].reads.append(read)
        }
        return (done + open.values).sorted { ($0.last, $0.epc) < ($1.last, $1.epc) }
    }
}

/// Methods that look at a visit when it is over.
enum VisitBaseline {
    static func method(
        _ name: String, quiet: Instant.Span, checked: Bool = true, _ direction: @escaping @Sendable (TagVisit) -> Direction?
    ) -> CheckedBaseline {
        CheckedBaseline(name: name, checksRecords: checked) { run, isTool in
            TagVisit.split(run, quiet: quiet, where: isTool).compactMap { visit in
                guard let direction = direction(visit) else { return nil }
                let told = visit.last + quiet
                return ScoredDecision(
                    epc: visit.epc, verdict: .passed(direction), time: visit.last, lastRead: visit.last, provisional: told, final: told)
            }
        }
    }

    static func firstAndLast(_ visit: TagVisit) -> Direction? {
        let (first, last) = (visit.reads[0].side, visit.reads[visit.reads.count - 1].side)
        return first == last ? nil : Direction(to: last)
    }

    /// The side whose strongest read is later.
    static func peakOrder(_ visit: TagVisit) -> Direction? {
        func peak(_ side: GateSide) -> Instant? {
            visit.reads.filter { $0.side == side }.max { $0.rssi < $1.rssi }?.time
        }
        guard let inside = peak(.inside), let outside = peak(.outside), inside != outside else { return nil }
        return inside < outside ? .out : .in
    }

    /// The side whose centre of received power is later.
    static func centroidOrder(_ visit: TagVisit) -> Direction? {
        let start = visit.reads[0].time
        func centroid(_ side: GateSide) -> Double? {
            var (sum, weights) = (0.0, 0.0)
            for read in visit.reads where read.side == side {
                let weight = TagVisit.power(read.rssi)
                sum += weight * Double((read.time - start).nanoseconds)
                weights += weight
            }
            return weights > 0 ? sum / weights : nil
        }
        guard let inside = centroid(.inside), let outside = centroid(.outside), inside != outside else { return nil }
        return inside < outside ? .out : .in
    }

    /// ALE's tag smoothing as Havis implements it: a tag counts from its third read or its second second on, and until it was unread
    /// for `lost`; then the first and the last side of what counted.
    static func smoothed(_ visit: TagVisit) -> Direction? {
        let observedFrom = visit.reads.indices.first { index in
            index >= 2 || visit.reads[index].time - visit.reads[0].time >= .seconds(1)
        }
        guard let observedFrom else { return nil }
        return firstAndLast(TagVisit(epc: visit.epc, reads: Array(visit.reads[observedFrom...])))
    }
}

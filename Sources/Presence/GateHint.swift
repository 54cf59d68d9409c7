import Readings

/// What is odd about a gate itself, from what its reads have shown so far: nothing that is wrong with one visit.
public enum GateHint: Hashable, Sendable {
    /// All antennas stand on one side: no direction can be told, and everything that passes is `uncertain`.
    case oneSided
    /// The reader tells no signal levels: only whether an antenna heard a tag counts, and less is decided.
    case noSignalLevels
    /// The antenna, by its place, comes back after more than ``WalkTest/longestReturn``; the median of what was seen.
    case slowReturn(antenna: Int, time: Instant.Span)
    /// In `visits` visits in a row both sides heard the tag, and always the same one louder: they look at the same place.
    case sidesAlike(visits: Int)
    /// Of the last `Visits.remembered` visits most were of a tag heard loudly, once or twice, and then no more although the reader read:
    /// tags rest once they were read. A session whose flag lasts with a single target (S1 to S3, TagFocus), or a filter of repeated reads.
    case tagsFallSilent(visits: Int)
    /// The antenna, by its place, heard none of the last `visitsUnheard` tags that came by and that others of its reader heard well: a cable,
    /// a port that is off, or an antenna that looks elsewhere.
    case silentAntenna(antenna: Int)

    /// So many visits in a row may be by chance.
    static let visitsAlike = 50
    static let visitsUnheard = 30
    /// Reads of one visit by the other antennas of a reader from which it was heard well.
    static let readsWell = 10
    /// Returns to an antenna that are enough to judge it.
    static let returns = 20

    /// What tells that tags rest once they were read.
    enum Visits {
        static let remembered = 32
        /// Of these; the rest may be people who stop or turn back.
        static let silent = 26
        /// A tag that may answer is read ten times and more while it goes by.
        static let reads = 2
        /// −60 dBm: a tag within one to two metres, 15 dB and more above what readers just hear. It does not vanish by itself.
        static let loud = -60.0
    }
}

extension GatePresence {
    /// What is odd about this gate at a time; sorted, empty for a good one.
    public func hints(at now: Instant) -> [GateHint] {
        var hints: [GateHint] = hasDirection ? [] : [.oneSided]
        if checks.readsWithoutLevel > 1_000, checks.readsWithoutLevel > checks.readsWithLevel { hints.append(.noSignalLevels) }
        for (antenna, time) in service.returnTimes(antennas: judge.antennas.count, until: now).enumerated() {
            if let time, time > WalkTest.longestReturn { hints.append(.slowReturn(antenna: antenna, time: time)) }
        }
        if hasDirection, checks.visitsAlike >= GateHint.visitsAlike { hints.append(.sidesAlike(visits: checks.visitsAlike)) }
        if checks.silentVisits >= GateHint.Visits.silent { hints.append(.tagsFallSilent(visits: checks.silentVisits)) }
        for antenna in judge.antennas.indices where checks.unheard(by: antenna) >= GateHint.visitsUnheard {
            hints.append(.silentAntenna(antenna: antenna))
        }
        return hints
    }
}

/// What a gate counts of itself, to find out what is odd about it.
struct GateChecks: Sendable {
    private(set) var readsWithLevel: UInt64 = 0
    private(set) var readsWithoutLevel: UInt64 = 0
    /// Visits in a row that both sides heard, and of which the same side was always louder.
    private(set) var visitsAlike = 0
    /// A bit for each of the last visits, the newest lowest: its tag was heard loudly and fell silent.
    private var fellSilent: UInt32 = 0

    /// By antenna, visits in a row that others of its reader heard well and it did not.
    private var unheard: [Int] = []

    var silentVisits: Int { fellSilent.nonzeroBitCount }

    func unheard(by antenna: Int) -> Int { antenna < unheard.count ? unheard[antenna] : 0 }

    /// Looks at a visit that is over.
    /// - Parameters:
    ///   - isNew: of a tag that does not lie there
    ///   - isDegraded: a reader stopped meanwhile: its silence says nothing of the tag
    mutating func take(_ log: VisitLog, antennas: [GateAntenna], isNew: Bool, isDegraded: Bool) {
        if isNew, !isDegraded { countUnheard(log, antennas) }
        if !isDegraded, let loudest = log.entries.lazy.compactMap(\.rssi).max() {
            let reads = log.entries.reduce(0) { $0 + Int($1.reads) }
            fellSilent = fellSilent << 1 | (reads <= GateHint.Visits.reads && loudest >= GateHint.Visits.loud ? 1 : 0)
        }
        var sides: [GateSide: (sum: Double, count: Int)] = [:]
        var louder: Set<GateSide> = []
        var step: Int?
        func close() {
            guard let inside = sides[.inside], let outside = sides[.outside] else { return }
            let difference = inside.sum / Double(inside.count) - outside.sum / Double(outside.count)
            if difference != 0 { louder.insert(difference > 0 ? .inside : .outside) }
        }
        for entry in log.entries {
            guard let rssi = entry.rssi else {
                readsWithoutLevel &+= UInt64(entry.reads)
                continue
            }
            readsWithLevel &+= UInt64(entry.reads)
            // A cycle of the antennas may be longer than a step: the sides are compared over half a second.
            if let first = step, entry.step - first >= 4 {
                close()
                (sides, step) = ([:], entry.step)
            }
            step = step ?? entry.step
            let side = antennas[Int(entry.antenna)].side
            let heard = sides[side] ?? (0, 0)
            sides[side] = (heard.sum + rssi, heard.count + 1)
        }
        close()
        switch louder.count {
        case 1: visitsAlike += 1
        case 2: visitsAlike = 0
        default: break
        }
    }
}

extension GateChecks {
    private mutating func countUnheard(_ log: VisitLog, _ antennas: [GateAntenna]) {
        if unheard.count != antennas.count { unheard = Array(repeating: 0, count: antennas.count) }
        var reads = Array(repeating: 0, count: antennas.count)
        for entry in log.entries { reads[Int(entry.antenna)] += Int(entry.reads) }
        for (place, antenna) in antennas.enumerated() {
            let others = antennas.indices.reduce(0) { $0 + (antennas[$1].reader == antenna.reader ? reads[$1] : 0) }
            if reads[place] > 0 { unheard[place] = 0 } else if others >= GateHint.readsWell { unheard[place] += 1 }
        }
    }
}

extension ServiceLog {
    /// How long each antenna was away while others were heard, in the median; nil where that was seen too seldom.
    func returnTimes(antennas: Int, until now: Instant) -> [Instant.Span?] {
        let newest = GateStep.of(now)
        var last = Array<Int?>(repeating: nil, count: antennas)
        var gaps = Array(repeating: [Int](), count: antennas)
        // The steps since an antenna was heard last in which any was: a quiet gate says nothing.
        var heard = Array(repeating: 0, count: antennas)
        for step in (newest - Self.size + 1)...newest {
            let bits = self.antennas(at: step)
            guard bits != 0 else {
                last = last.map { _ in nil }
                continue
            }
            for antenna in 0..<antennas {
                heard[antenna] += 1
                guard bits & (1 << UInt64(antenna)) != 0 else { continue }
                if last[antenna] != nil { gaps[antenna].append(heard[antenna]) }
                (last[antenna], heard[antenna]) = (step, 0)
            }
        }
        return gaps.map { gaps in
            guard gaps.count >= GateHint.returns else { return nil }
            return Instant.Span(nanoseconds: Int64(gaps.sorted()[gaps.count / 2]) * GateStep.length.nanoseconds)
        }
    }
}

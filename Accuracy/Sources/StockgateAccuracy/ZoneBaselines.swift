import Identifiers
import Readings
import Simulation

/// The location rule of Intel's RSP controller and EdgeX's RFID inventory: a tag is where its mean signal is strongest, and a new place
/// must be better by a threshold that fades while the old place is silent.
struct MobilityProfile {
    var name: String
    /// Means of milliwatts (Intel) or of dBm (EdgeX).
    var averagesPower: Bool
    var threshold = 6.0
    /// dB a millisecond.
    var slope = -0.008
    /// Milliseconds.
    var holdoff: Double
    var samples = 20

    static let edgeX = MobilityProfile(name: "EdgeX mobility profile", averagesPower: false, holdoff: 500)
    static let intel = MobilityProfile(name: "Intel asset tracking", averagesPower: true, holdoff: 0)

    private struct TagState {
        var last: [GateSide: (values: [Double], time: Instant)] = [:]
        var location: GateSide?
    }

    var method: CheckedBaseline {
        CheckedBaseline(name: name) { run, isTool in
            let sides = Dictionary(run.layout.antennas.map { ($0.port, $0.side) }, uniquingKeysWith: { first, _ in first })
            var tags: [EPC: TagState] = [:]
            var decisions: [ScoredDecision] = []
            for timed in run.reads where isTool(timed.read.epc) {
                guard let side = sides[timed.read.antenna] else { continue }
                var state = tags[timed.read.epc] ?? TagState()
                var values = state.last[side]?.values ?? []
                values.append(averagesPower ? TagVisit.power(timed.read.rssi) : Double(timed.read.rssi) / 100)
                if values.count > samples { values.removeFirst() }
                state.last[side] = (values, timed.time)
                if let old = state.location, old != side, let there = state.last[old], values.count >= 2 {
                    let silent = Double((timed.time - there.time).milliseconds)
                    let needed = min(threshold, slope * silent + threshold - slope * holdoff)
                    if mean(values) > mean(there.values) + needed {
                        state.location = side
                        decisions.append(
                            ScoredDecision(
                                epc: timed.read.epc, verdict: .passed(Direction(to: side)), time: timed.time, lastRead: timed.time,
                                provisional: timed.time, final: timed.time))
                    }
                } else if state.location == nil {
                    state.location = side
                }
                tags[timed.read.epc] = state
            }
            return decisions
        }
    }

    /// In dBm (above −100 where powers are averaged; only differences matter).
    private func mean(_ values: [Double]) -> Double {
        let mean = values.reduce(0, +) / Double(values.count)
        return averagesPower ? 10 * decadicLogarithm(mean) : mean
    }
}

/// SMURF (Jeffery, Garofalakis, Franklin, VLDB 2006) for each side of the gate, then the side where a tag was first and last present.
struct SmurfBaseline {
    /// One service of all antennas.
    var epoch = Instant.Span.milliseconds(260)
    var delta = 0.05
    var quietEpochs = 4

    var method: CheckedBaseline {
        CheckedBaseline(name: "SMURF per side, epoch \(epoch.milliseconds) ms") { run, isTool in
            let sides = Dictionary(run.layout.antennas.map { ($0.port, $0.side) }, uniquingKeysWith: { first, _ in first })
            // Interrogations in an epoch: a tag is asked once in each dwell of an antenna of that side.
            let asked = Dictionary(run.layout.antennas.map { ($0.side, 1) }, uniquingKeysWith: +)
            var responses: [EPC: [GateSide: [Int: Set<UInt8>]]] = [:]
            var lastEpoch = 0
            for timed in run.reads where isTool(timed.read.epc) {
                guard let side = sides[timed.read.antenna] else { continue }
                let number = Int(timed.time.nanoseconds / epoch.nanoseconds)
                responses[timed.read.epc, default: [:]][side, default: [:]][number, default: []].insert(timed.read.antenna)
                lastEpoch = max(lastEpoch, number)
            }
            return responses.sorted { $0.key < $1.key }.flatMap { epc, bySide in
                decisions(epc, bySide, asked: asked, through: lastEpoch + 60)
            }
        }
    }

    private func decisions(
        _ epc: EPC, _ bySide: [GateSide: [Int: Set<UInt8>]], asked: [GateSide: Int], through end: Int
    ) -> [ScoredDecision] {
        let first = bySide.values.flatMap(\.keys).min() ?? 0
        var present: [GateSide: [Bool]] = [:]
        for side in GateSide.allCases {
            present[side] = presence(bySide[side] ?? [:], asked: asked[side] ?? 1, from: first, through: end)
        }
        var result: [ScoredDecision] = []
        var visit: (firstSide: GateSide, lastSide: GateSide, last: Int)?
        for index in 0...(end - first) {
            let sides = GateSide.allCases.filter { present[$0]?[index] == true }
            if sides.isEmpty {
                guard let done = visit, index - done.last >= quietEpochs else { continue }
                visit = nil
                guard done.firstSide != done.lastSide else { continue }
                let time = Instant(nanoseconds: Int64(first + done.last + 1) * epoch.nanoseconds)
                result.append(
                    ScoredDecision(
                        epc: epc, verdict: .passed(Direction(to: done.lastSide)), time: time, lastRead: time))
            } else {
                let old = visit
                let side = sides.count == 1 ? sides[0] : old?.lastSide ?? sides[0]
                visit = (old?.firstSide ?? side, side, index)
            }
        }
        return result
    }

    /// What a window says holds for its middle.
    private func presence(_ epochs: [Int: Set<UInt8>], asked: Int, from first: Int, through end: Int) -> [Bool] {
        var present = Array(repeating: false, count: end - first + 1)
        for window in windows(epochs.mapValues(\.count), asked: asked, from: first, through: end) where window.middle >= first {
            present[window.middle - first] = true
        }
        return present
    }

    /// A window of epochs that ends with one and in which the tag was read.
    struct Window {
        var end: Int
        var length: Int

        var middle: Int { end - length / 2 }
    }

    /// Algorithm 1 of the paper.
    /// - Parameter answers: by epoch, those to `asked` questions.
    func windows(_ answers: [Int: Int], asked: Int, from first: Int, through end: Int) -> [Window] {
        guard !answers.isEmpty else { return [] }
        var windows: [Window] = []
        var length = 1
        for epoch in first...end {
            let seen = ((epoch - length + 1)...epoch).compactMap { answers[$0] }
            guard !seen.isEmpty else {
                length = 1
                continue
            }
            windows.append(Window(end: epoch, length: length))
            let rates = seen.map { Double($0) / Double(max(asked, 1)) }
            let rate = min(rates.reduce(0, +) / Double(rates.count), 1)
            let complete = max(Int((naturalLogarithm(1 / delta) / rate).rounded(.up)), 1)
            let expected = Double(length) * rate
            let isTransition =
                Double(seen.count) < expected && expected - Double(seen.count) > 2 * (expected * (1 - rate)).squareRoot()
            if complete > length {
                length = max(min(length + 2, complete), 1)
            } else if isTransition {
                length = max(min(length / 2, complete), 1)
            }
        }
        return windows
    }
}

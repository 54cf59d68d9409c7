import Readings

/// How much louder or fainter each antenna hears than its place lets expect: cables, walls and tolerances.
///
/// From every clear crossing: the loudest step of each antenna against the loudest expected, less the mean of all antennas, since
/// tools differ. A running median in small steps, from what a walk test found or from nothing.
struct AntennaBias: Hashable, Sendable {
    /// What a walk test found, dB; empty: there was none.
    let tuned: [Double]
    /// dB above the mean of all antennas.
    private(set) var medians: [Double]
    private(set) var crossings: UInt32 = 0

    /// Before so many crossings only what was tuned is corrected.
    static let least: UInt32 = 50
    /// How far learning may go from where it began, dB.
    static let limit = 6.0
    static let step = 0.1

    /// - Parameter tuned: by antenna; empty: there was no walk test.
    init(antennas: Int, tuned: [Double] = []) {
        self.tuned = tuned.count == antennas ? tuned : []
        medians = self.tuned.isEmpty ? Array(repeating: 0, count: antennas) : self.tuned
    }

    /// What was learned from this beginning before; as many medians as antennas.
    mutating func restore(medians restored: [Double], crossings: UInt32) {
        for antenna in medians.indices { medians[antenna] = limited(restored[antenna], antenna) }
        self.crossings = crossings
    }

    private func limited(_ median: Double, _ antenna: Int) -> Double {
        let start = tuned.isEmpty ? 0 : tuned[antenna]
        return min(max(median, start - Self.limit), start + Self.limit)
    }

    var corrections: [Float] {
        if crossings >= Self.least { return medians.map(Float.init) }
        return tuned.isEmpty ? medians.map { _ in 0 } : tuned.map(Float.init)
    }

    /// - Returns: whether something was learned: all antennas must have heard the tag and told how loud.
    mutating func learn(from log: VisitLog, geometry: GateGeometry) -> Bool {
        var loudest = Array(repeating: -200.0, count: medians.count)
        for entry in log.entries { loudest[Int(entry.antenna)] = max(loudest[Int(entry.antenna)], entry.rssi ?? -200) }
        guard medians.count > 1, loudest.allSatisfy({ $0 > -200 }) else { return false }
        let above = loudest.indices.map { loudest[$0] - geometry.loudest[$0] }
        let mean = above.reduce(0, +) / Double(above.count)
        for antenna in medians.indices {
            let change = above[antenna] - mean > medians[antenna] ? Self.step : -Self.step
            medians[antenna] = limited(medians[antenna] + change, antenna)
        }
        if crossings < .max { crossings += 1 }
        return true
    }
}

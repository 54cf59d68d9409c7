import Readings

/// How much louder or fainter each antenna hears than its place lets expect: cables, walls and tolerances.
///
/// From every clear crossing: the loudest step of each antenna against the loudest expected, less the mean of all antennas, since
/// tools differ. A running median in small steps.
struct AntennaBias: Hashable, Sendable {
    /// dB above the mean of all antennas.
    private(set) var medians: [Double]
    private(set) var crossings: UInt32 = 0

    /// Before so many crossings nothing is corrected.
    static let least: UInt32 = 50
    static let limit = 6.0
    static let step = 0.1

    init(antennas: Int) { medians = Array(repeating: 0, count: antennas) }

    init(medians: [Double], crossings: UInt32) {
        self.medians = medians.map { min(max($0, -Self.limit), Self.limit) }
        self.crossings = crossings
    }

    var corrections: [Float] { crossings < Self.least ? medians.map { _ in 0 } : medians.map(Float.init) }

    /// - Returns: whether something was learned: all antennas must have heard the tag and told how loud.
    mutating func learn(from log: VisitLog, geometry: GateGeometry) -> Bool {
        var loudest = Array(repeating: -200.0, count: medians.count)
        for entry in log.entries { loudest[Int(entry.antenna)] = max(loudest[Int(entry.antenna)], entry.rssi ?? -200) }
        guard medians.count > 1, loudest.allSatisfy({ $0 > -200 }) else { return false }
        let above = loudest.indices.map { loudest[$0] - geometry.loudest[$0] }
        let mean = above.reduce(0, +) / Double(above.count)
        for antenna in medians.indices {
            let change = above[antenna] - mean > medians[antenna] ? Self.step : -Self.step
            medians[antenna] = min(max(medians[antenna] + change, -Self.limit), Self.limit)
        }
        if crossings < .max { crossings += 1 }
        return true
    }
}

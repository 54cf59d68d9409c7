/// How likely the reads of a visit are if the tag did not move: each antenna hears it about as often and as loud as before.
///
/// Predicts each step from those before it, and weighs steps as the position filter does, so that the two can be compared.
struct StillModel: Sendable {
    private struct Antenna: Sendable {
        var steps = 0.0
        var heard = 0.0
        var reads = 0.0
        var sum = 0.0
    }

    private var antennas: [Antenna]
    private(set) var logLikelihood = 0.0

    /// Of what lies still, RSSI wanders about its mean by so much (dB), by what moves around it.
    static let spread = 4.0
    /// Before anything was heard: a wide guess, dBm and dB.
    static let guess = (mean: -60.0, spread: 10.0)

    init(antennas count: Int) { antennas = Array(repeating: Antenna(), count: count) }

    mutating func hit(antenna: Int, rssi: Double?, weight: Double) {
        let seen = antennas[antenna]
        logLikelihood += weight * Elementary.log((seen.heard + 0.5) / (seen.steps + 1))
        if let rssi {
            // The mean so far, drawn to the guess as if that were a part of a read.
            let prior = Self.spread * Self.spread / (Self.guess.spread * Self.guess.spread)
            let mean = (seen.sum + prior * Self.guess.mean) / (seen.reads + prior)
            let variance = Self.spread * Self.spread * (1 + 1 / (seen.reads + prior))
            let z2 = (rssi - mean) * (rssi - mean) / variance
            logLikelihood += weight * (-2.5 * Elementary.log(1 + z2 / 4) - 0.5 * Elementary.log(variance / 25))
            antennas[antenna].reads += weight
            antennas[antenna].sum += weight * rssi
        }
        antennas[antenna].steps += weight
        antennas[antenna].heard += weight
    }

    mutating func miss(antenna: Int, weight: Double) {
        let seen = antennas[antenna]
        logLikelihood += weight * Elementary.log(1 - (seen.heard + 0.5) / (seen.steps + 1))
        antennas[antenna].steps += weight
    }
}

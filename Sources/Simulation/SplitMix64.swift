import Presence

/// The generator of Steele, Lea and Flood (SplitMix64): small, good enough for scenes, and the same on every machine.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(state: UInt64) {
        self.state = state
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension SplitMix64 {
    /// Evenly distributed in 0..<1, by the upper 53 bits.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    mutating func uniform(_ range: ClosedRange<Double>) -> Double { range.lowerBound + unit() * (range.upperBound - range.lowerBound) }

    mutating func integer(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(truncatingIfNeeded: next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    mutating func chance(_ probability: Double) -> Bool { unit() < probability }

    /// Gaussian, by the polar method of Marsaglia; the second value of each pair is thrown away, so that the stream has no memory.
    mutating func normal(_ mean: Double, _ deviation: Double) -> Double {
        while true {
            let (u, v) = (2 * unit() - 1, 2 * unit() - 1)
            let square = u * u + v * v
            guard square < 1, square > 0 else { continue }
            return mean + deviation * u * (-2 * Elementary.log(square) / square).squareRoot()
        }
    }

    mutating func normal(_ mean: Double, _ deviation: Double, clippedTo range: ClosedRange<Double>) -> Double {
        min(max(normal(mean, deviation), range.lowerBound), range.upperBound)
    }

    /// Waiting times of events that come `mean` apart on average.
    mutating func exponential(mean: Double) -> Double { -mean * Elementary.log(1 - unit()) }
}

import Presence
import Readings

/// The radio link between one antenna and one tag: a pinhole channel that is gone through twice.
///
/// Constants that are not the layout's: a passive tag's chip and antenna as current data sheets give them, free-space loss at
/// 866 MHz, and a Rician channel. Where the literature gives no figure for 866 MHz (bodies, materials) they are working values and
/// are named so in `docs/simulation.md`.
enum Radio {
    /// Metres: 299,792,458 m/s / 866 MHz.
    static let wavelength = 0.34618
    /// Free space at 1 m and 866 MHz: 20 log₁₀(4π/λ) dB.
    static let lossAtOneMetre = 31.2
    static let antennaGain = 6.0
    /// dB at the edge of the beam's half width of 65°: 12 (θ/65°)² (3GPP's and IEEE 802.16m's sector pattern), at most 20 dB.
    static let beamWidth = 65.0
    static let sideLobe = 20.0
    /// A circular antenna and a linear tag.
    static let polarisationLoss = 3.0
    static let tagGain = 1.0
    /// From the power a tag takes in to the power it gives back.
    static let modulationLoss = 7.0
    static let tagSensitivity = -18.0
    static let readerSensitivity = -82.0
    /// How softly tags and readers stop hearing, dB.
    static let tagSlope = 0.7
    static let readerSlope = 1.0
    /// Even a strong tag is not read in every round: collisions, CRC errors.
    static let bestRate = 0.93
    static let noise = 0.5
    /// Waves that come by other ways, and their share: K = 3 dB.
    static let paths = 10
    static let pathAmplitude = (0.501187233627 / 10).squareRoot()
    /// The most that all paths together can add to the direct one: 20 log₁₀(1 + 10·0.224) dB, rounded up.
    static let bestFading = 10.3

    /// Sine and cosine of a number of turns, |x| < 10⁹, error below 10⁻⁷: what the sum of many waves needs, at a fraction of the cost
    /// of an exact one.
    @inline(__always)
    static func wave(turns x: Double) -> (sin: Double, cos: Double) {
        let rounder = 0x1.8p52
        // Half the angle, within ±π/2; then twice it by the addition theorems.
        let half = (x - ((x + rounder) - rounder)) * 3.14159265358979323846
        let y = half * half
        let s = half * (1 + y * (-1.0 / 6 + y * (1.0 / 120 + y * (-1.0 / 5_040 + y * (1.0 / 362_880 - y / 39_916_800)))))
        let c = 1 + y * (-0.5 + y * (1.0 / 24 + y * (-1.0 / 720 + y * (1.0 / 40_320 + y * (-1.0 / 3_628_800 + y / 479_001_600)))))
        return (2 * s * c, 1 - 2 * s * s)
    }

    /// The chance that a tag answers in one round.
    /// - Parameters:
    ///   - atTag: power at the tag, dBm
    ///   - atReader: power back at the reader, dBm
    ///   - sensitivity: this tag's, dBm
    static func answerChance(atTag: Double, atReader: Double, sensitivity: Double) -> Double {
        guard atTag > sensitivity - 8, atReader > readerSensitivity - 12 else { return 0 }
        return bestRate * Elementary.logistic((atTag - sensitivity) / tagSlope)
            * Elementary.logistic((atReader - readerSensitivity) / readerSlope)
    }
}

/// An antenna in metres, ready to be asked.
struct RadioAntenna {
    let port: UInt8
    let x: Double
    let y: Double
    let z: Double
    private let facing: (x: Double, y: Double)
    private let gain: Double

    init(_ antenna: GateLayout.Antenna) {
        port = antenna.port
        x = Double(antenna.placement.x) / 100
        y = Double(antenna.placement.y) / 100
        z = Double(antenna.placement.z) / 100
        let wave = Elementary.sinCos(Double(antenna.placement.facing) * Elementary.pi / 180)
        facing = (wave.cos, wave.sin)
        gain = Radio.antennaGain + antenna.gain
    }

    /// Distance in metres and gain less free-space loss in dB, one way.
    @inline(__always)
    func link(to point: Point) -> (distance: Double, gain: Double) {
        let (dx, dy, dz) = (point.x - x, point.y - y, point.z - z)
        let distance = max((dx * dx + dy * dy + dz * dz).squareRoot(), 0.05)
        let angle = Elementary.acos((dx * facing.x + dy * facing.y) / distance) * (180 / Elementary.pi)
        let ratio = angle / Radio.beamWidth
        let gain = gain - min(12 * ratio * ratio, Radio.sideLobe)
        return (distance, gain - Radio.lossAtOneMetre - 20 * Elementary.log10(distance))
    }
}

/// Metres: x along the walk (inside below 0), y across it, z up.
struct Point {
    var x: Double
    var y: Double
    var z: Double
}

/// The waves that reach one tag from one antenna by other ways than the straight one.
///
/// Each has its own direction, so that the sum changes over a fraction of a wavelength as the tag moves, and its own slow frequency,
/// so that it flickers while people move elsewhere.
struct Scatter {
    private struct Path {
        /// Turns in a metre.
        var x: Double
        var y: Double
        var z: Double
        var start: Double
        /// Turns in a second.
        var frequency: Double
    }

    private let paths: [Path]

    /// - Parameter flicker: standard deviation of the paths' frequencies, Hz
    init(flicker: Double, _ random: inout SplitMix64) {
        var paths: [Path] = []
        paths.reserveCapacity(Radio.paths)
        for _ in 0..<Radio.paths {
            let z = random.uniform(-1...1)
            let wave = Radio.wave(turns: random.unit())
            let flat = (1 - z * z).squareRoot() / Radio.wavelength
            paths.append(
                Path(
                    x: flat * wave.cos, y: flat * wave.sin, z: z / Radio.wavelength, start: random.unit(),
                    frequency: random.normal(0, flicker)))
        }
        self.paths = paths
    }

    /// What the sum of all ways is above the straight one alone, one way, dB.
    func fading(at point: Point, distance: Double, seconds: Double) -> Double {
        var (real, imaginary) = (0.0, 0.0)
        for path in paths {
            let turns = path.x * point.x + path.y * point.y + path.z * point.z + path.start + path.frequency * seconds
            let wave = Radio.wave(turns: turns)
            real += wave.cos
            imaginary += wave.sin
        }
        let straight = Radio.wave(turns: -distance / Radio.wavelength)
        real = real * Radio.pathAmplitude + straight.cos
        imaginary = imaginary * Radio.pathAmplitude + straight.sin
        return 10 * Elementary.log10(max(real * real + imaginary * imaginary, 1e-9))
    }
}

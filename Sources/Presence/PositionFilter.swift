import Readings

/// Follows one tag through the gate: a forward filter over where the tag is, how fast its bearer walks and faces, where the bearer's
/// body is, how much the wave loses besides, and on which side the tag was at first.
///
/// Works step by step (`GateStep`) on two flat arrays that are used again for every visit; it allocates nothing.
struct PositionFilter: Sendable {
    /// Metres per second from inside to outside; the two zeros face inside and outside.
    static let speeds: [Double] = [-1.4, -0.6, 0, 0, 0.6, 1.4]
    /// How the tool is carried: behind, before, at the left, at the right, or with no body near; as places of the body
    /// (`GateGeometry.bodies`) when facing inside and when facing outside.
    static let carries: [(facingIn: Int, facingOut: Int)] = [(0, 0), (2, 1), (1, 2), (3, 4), (4, 3)]
    static let carryPrior: [Double] = [0.3, 0.25, 0.15, 0.15, 0.15]
    /// Further loss on the way to the tag and back, dB.
    static let levels: [Float] = [2, -8, -18]

    static let cells = GateGeometry.cells
    static let rows = 2 * speeds.count * carries.count * levels.count

    /// How the filter believes in what it hears.
    struct Belief: Sendable {
        /// Spread of RSSI about what is expected, dB.
        var spread: Float = 5
        /// The weight of one step with reads: what follows within a wavelength is not independent.
        var hit: Float = 0.55
        var miss: Float = 0.3
        /// RSSI at which every second tag still answers, dBm.
        var floor: Float = -70
        var turn: Float = 0.08
        var levelChange: Float = 0.05
        var diffusion: Float = 0.03
    }

    let geometry: GateGeometry
    let belief: Belief
    /// Learned RSSI of each antenna above what is expected, dB.
    var bias: [Float]
    /// ln P(heard) and ln P(not heard) by expected RSSI in quarter dB from −110.
    private let heard: [Float]
    private let unheard: [Float]
    /// Student's t with 4 degrees of freedom, ln, by quarter dB of the difference.
    private let difference: [Float]
    private var state: [Float]
    private var next: [Float]
    /// ln of the likelihood, by body, level, cell.
    private var likelihood: [Float]
    /// Natural logarithm of what the state was divided by so far.
    private(set) var logLikelihood = 0.0

    init(geometry: GateGeometry, belief: Belief = Belief()) {
        self.geometry = geometry
        self.belief = belief
        bias = Array(repeating: 0, count: geometry.antennas)
        var heard: [Float] = []
        var unheard: [Float] = []
        for quarter in 0..<Self.signalSteps {
            let rssi = Double(quarter) / 4 - 110
            let answers = min(max(Elementary.logistic((rssi - Double(belief.floor)) / 6), 0.004), 0.85)
            heard.append(Float(Elementary.log(answers)))
            unheard.append(Float(Elementary.log(1 - answers)))
        }
        self.heard = heard
        self.unheard = unheard
        difference = (0..<Self.differenceSteps).map { step in
            let z = Double(step) / 4 / Double(belief.spread)
            return Float(-2.5 * Elementary.log(1 + z * z / 4))
        }
        state = Array(repeating: 0, count: Self.rows * Self.cells)
        next = state
        likelihood = Array(repeating: 0, count: GateGeometry.bodies.count * Self.levels.count * Self.cells)
    }

    private static let signalSteps = 440
    private static let differenceSteps = 400

    /// Begins a visit: either side equally likely at first.
    mutating func start() {
        logLikelihood = 0
        let speedPrior: [Double] = [0.03, 0.07, 0.175, 0.175, 0.2, 0.35]
        for origin in 0..<2 {
            let sign: Double = origin == 0 ? -1 : 1
            var place = (0..<Self.cells).map { cell in
                let z = (geometry.x(cell) - sign * 1.6) / 0.8
                return geometry.x(cell) * sign > 0 ? Elementary.exp(-0.5 * z * z) : 0
            }
            let sum = place.reduce(0, +)
            place = place.map { $0 / sum }
            for speed in Self.speeds.indices {
                // Who begins inside walks toward outside, and the other way round.
                let moves = speedPrior[origin == 0 ? speed : Self.speeds.count - 1 - speed]
                for carry in Self.carries.indices {
                    for level in Self.levels.indices {
                        let row = ((origin * Self.speeds.count + speed) * Self.carries.count + carry) * Self.levels.count + level
                        let mass = moves * Self.carryPrior[carry] / Double(Self.levels.count)
                        for cell in 0..<Self.cells { state[row * Self.cells + cell] = Float(mass * place[cell]) }
                    }
                }
            }
        }
    }

    /// What was heard, or not, of one antenna during a step.
    mutating func clearEvidence() {
        for index in likelihood.indices { likelihood[index] = 0 }
    }

    /// - Parameters:
    ///   - rssi: the mean, nil when the reader does not tell.
    ///   - weight: the share of the step that the antenna was served.
    mutating func addHit(antenna: Int, rssi: Double?, weight: Float) {
        let (cells, levels) = (Self.cells, Self.levels.count)
        let told = rssi.map(Float.init)
        let scale = belief.hit * weight
        for body in GateGeometry.bodies.indices {
            let from = (antenna * GateGeometry.bodies.count + body) * cells
            for level in 0..<levels {
                let offset = Self.levels[level] + bias[antenna]
                let to = (body * levels + level) * cells
                for cell in 0..<cells {
                    let expected = geometry.expected[from + cell] + offset
                    var value = heard[Self.signalIndex(expected)]
                    if let told { value += difference[min(Int((told - expected).magnitude * 4 + 0.5), Self.differenceSteps - 1)] }
                    likelihood[to + cell] += value * scale
                }
            }
        }
    }

    mutating func addMiss(antenna: Int, weight: Float) {
        let (cells, levels) = (Self.cells, Self.levels.count)
        let scale = belief.miss * weight
        for body in GateGeometry.bodies.indices {
            let from = (antenna * GateGeometry.bodies.count + body) * cells
            for level in 0..<levels {
                let offset = Self.levels[level] + bias[antenna]
                let to = (body * levels + level) * cells
                for cell in 0..<cells {
                    likelihood[to + cell] += unheard[Self.signalIndex(geometry.expected[from + cell] + offset)] * scale
                }
            }
        }
    }

    @inline(__always)
    private static func signalIndex(_ rssi: Float) -> Int { min(max(Int((rssi + 110) * 4), 0), signalSteps - 1) }

    /// Lets one step of time go by and takes the evidence.
    mutating func advance() {
        move()
        weigh()
    }

    private mutating func move() {
        let (cells, levels, modes, speeds) = (Self.cells, Self.levels.count, Self.carries.count * Self.levels.count, Self.speeds.count)
        let (turn, change, spread) = (belief.turn, belief.levelChange, belief.diffusion)
        let keep = 1 - 2 * turn - 2 * change
        let seconds = Double(GateStep.length.nanoseconds) / 1e9
        state.withUnsafeMutableBufferPointer { state in
            next.withUnsafeMutableBufferPointer { next in
                withUnsafeTemporaryAllocation(of: Float.self, capacity: cells + 4) { line in
                    line.initialize(repeating: 0)
                    for row in 0..<Self.rows {
                        let (speed, level) = (row / modes % speeds, row % levels)
                        let base = row * cells
                        let slower = speed > 0 ? base - modes * cells : base
                        let faster = speed < speeds - 1 ? base + modes * cells : base
                        let weaker = level > 0 ? base - cells : base
                        let stronger = level < levels - 1 ? base + cells : base
                        for cell in 0..<cells {
                            line[cell + 2] =
                                keep * state[base + cell] + turn * (state[slower + cell] + state[faster + cell])
                                + change * (state[weaker + cell] + state[stronger + cell])
                        }
                        // A shift by a part of a cell, spread a little: shares that go two cells back to two cells on.
                        let shift = Float(Self.speeds[speed] * seconds / geometry.pitch)
                        let (on, back) = (max(shift, 0), max(-shift, 0))
                        let stay = 1 - on - back
                        let centre = 1 - 2 * spread
                        let (b2, b1, k, f1, f2) = (
                            spread * back, spread * stay + centre * back, centre * stay + spread * (on + back), spread * stay + centre * on,
                            spread * on
                        )
                        for cell in 0..<cells {
                            next[base + cell] =
                                k * line[cell + 2] + (b1 * line[cell + 3] + f1 * line[cell + 1]) + (b2 * line[cell + 4] + f2 * line[cell])
                        }
                        // What would leave stays in the last cell.
                        next[base] += (b1 + b2) * line[2] + b2 * line[3]
                        next[base + cells - 1] += (f1 + f2) * line[cells + 1] + f2 * line[cells]
                    }
                }
            }
        }
        swap(&state, &next)
    }

    private mutating func weigh() {
        let (cells, levels, carries, speeds) = (Self.cells, Self.levels.count, Self.carries.count, Self.speeds.count)
        let highest = likelihood.reduce(-Float.infinity, max)
        for index in likelihood.indices { likelihood[index] = Self.fastExp(likelihood[index] - highest) }
        var total: Float = 0
        for row in 0..<Self.rows {
            let carry = Self.carries[row / levels % carries]
            let body = row / (levels * carries) % speeds < speeds / 2 ? carry.facingIn : carry.facingOut
            let from = (body * levels + row % levels) * cells
            let base = row * cells
            var sum = SIMD8<Float>()
            for cell in stride(from: 0, to: cells, by: 8) {
                for lane in 0..<8 {
                    state[base + cell + lane] *= likelihood[from + cell + lane]
                    sum[lane] += state[base + cell + lane]
                }
            }
            total += ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]))
        }
        guard total > 0 else { return }
        logLikelihood += Elementary.log(Double(total)) + Double(highest)
        let factor = 1 / total
        for index in state.indices { state[index] *= factor }
    }

    /// Where the tag is now, by where it began: shares of inside, middle and outside.
    struct Ends: Sendable, Hashable {
        var fromInside = SIMD3<Double>()
        var fromOutside = SIMD3<Double>()
        /// ln of the likelihood of everything heard.
        var logLikelihood = 0.0
    }

    var ends: Ends {
        var ends = Ends(logLikelihood: logLikelihood)
        let half = Self.rows / 2
        for row in 0..<Self.rows {
            var shares = SIMD3<Double>()
            for cell in 0..<Self.cells {
                let x = geometry.x(cell)
                shares[x < -0.45 ? 0 : (x > 0.45 ? 2 : 1)] += Double(state[row * Self.cells + cell])
            }
            if row < half { ends.fromInside += shares } else { ends.fromOutside += shares }
        }
        return ends
    }

    private static let expTable: [Float] = (0..<640).map { Float(Elementary.exp(-Double($0) / 32)) }

    @inline(__always)
    private static func fastExp(_ x: Float) -> Float { expTable[min(Int(-x * 32 + 0.5), 639)] }
}

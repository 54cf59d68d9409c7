import Readings

/// Follows one tag through the gate: a forward filter over where the tag is, how fast its bearer walks and faces, where the bearer's
/// body is, how much the wave loses besides, and on which side the tag was at first.
///
/// Works step by step (`GateStep`) on two flat arrays that are used again for every visit; it allocates nothing. Its loops go through
/// plain memory with a fixed order of additions: the compiler makes vector code of them, and every machine gets the same sums.
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
        var hit: Float = 0.85
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
    var bias: [Float] { didSet { prepare() } }
    /// ln P(heard) and ln P(not heard) by expected RSSI in quarter dB from −110.
    private let heard: [Float]
    private let unheard: [Float]
    /// Student's t with 4 degrees of freedom, ln, by quarter dB of the difference.
    private let difference: [Float]
    /// By row and cell.
    private var state: [Float]
    private var next: [Float]
    /// What `state` must be multiplied with to sum to 1.
    private var norm: Float = 1
    private let start0: [Float]
    /// ln of the likelihood, and then itself, by body, level, cell.
    private var evidence: [Float]
    private var likelihood: [Float]
    /// By antenna, and then as `evidence`: the expected RSSI, ln P(heard) and ln P(not heard).
    private var expected: [Float] = []
    private var heardThere: [Float] = []
    private var unheardThere: [Float] = []
    /// By cell: 0 inside, 1 in the middle, 2 outside.
    private let zones: [UInt8]
    /// The rows and how each moves, block by block: rows of one origin and carry, between which nothing moves to other blocks.
    private let plans: [RowPlan]
    /// What each block sums to; a block with no share worth following is 0 and left out.
    private var blocks: [Float]
    /// ln of the likelihood of everything taken since `start`.
    private(set) var logLikelihood = 0.0

    private static let blockRows = speeds.count * levels.count
    private static let blockCount = rows / blockRows
    private static let worthFollowing: Float = 1e-6
    private static let signalSteps = 440
    private static let differenceSteps = 400

    init(geometry: GateGeometry, belief: Belief = Belief()) {
        self.geometry = geometry
        self.belief = belief
        bias = Array(repeating: 0, count: geometry.antennas)
        let answers = (0..<Self.signalSteps).map { quarter in
            min(max(Elementary.logistic((Double(quarter) / 4 - 110 - Double(belief.floor)) / 6), 0.004), 0.85)
        }
        heard = answers.map { Float(Elementary.log($0)) }
        unheard = answers.map { Float(Elementary.log(1 - $0)) }
        difference = (0..<Self.differenceSteps).map { step in
            let z = Double(step) / 4 / Double(belief.spread)
            return Float(-2.5 * Elementary.log(1 + z * z / 4))
        }
        let plans = (0..<Self.rows).map { RowPlan(row: $0, pitch: geometry.pitch, belief: belief) }
        self.plans = (0..<Self.blockCount).flatMap { block in plans.filter { $0.block == block } }
        blocks = Array(repeating: 1, count: Self.blockCount)
        zones = (0..<Self.cells).map { geometry.x($0) < -Self.middle ? 0 : (geometry.x($0) > Self.middle ? 2 : 1) }
        start0 = Self.beginning(geometry)
        state = start0
        next = start0
        evidence = Array(repeating: 0, count: Self.places)
        likelihood = evidence
        prepare()
    }

    private static let places = GateGeometry.bodies.count * levels.count * cells

    private mutating func prepare() {
        expected = []
        for antenna in 0..<geometry.antennas {
            for body in GateGeometry.bodies.indices {
                let from = (antenna * GateGeometry.bodies.count + body) * Self.cells
                for level in Self.levels {
                    expected += geometry.expected[from..<from + Self.cells].map { $0 + (level + bias[antenna]) }
                }
            }
        }
        (heardThere, unheardThere) = (expected.map { heard[Self.signalIndex($0)] }, expected.map { unheard[Self.signalIndex($0)] })
    }

    /// Either side equally likely at first, and there about 2 m away; who begins inside walks toward outside, and the other way round.
    private static func beginning(_ geometry: GateGeometry) -> [Float] {
        let speedPrior: [Double] = [0.03, 0.07, 0.175, 0.175, 0.2, 0.35]
        var state: [Float] = []
        for origin in 0..<2 {
            let sign: Double = origin == 0 ? -1 : 1
            let place = (0..<cells).map { cell in
                let z = (geometry.x(cell) - sign * 2) / 0.8
                return geometry.x(cell) * sign > 0 ? Elementary.exp(-0.5 * z * z) : 0
            }
            let sum = place.reduce(0, +)
            for speed in speeds.indices {
                let moves = speedPrior[origin == 0 ? speed : speeds.count - 1 - speed]
                for carry in carries.indices {
                    for _ in levels {
                        let mass = 0.5 * moves * carryPrior[carry] / Double(levels.count)
                        state += place.map { Float(mass * $0 / sum) }
                    }
                }
            }
        }
        return state
    }

    /// Begins a visit.
    mutating func start() {
        logLikelihood = 0
        norm = 1
        state.withUnsafeMutableBufferPointer { _ = $0.update(from: start0) }
        for block in blocks.indices { blocks[block] = 1 }
        clearEvidence()
    }

    mutating func clearEvidence() {
        evidence.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
    }

    /// An antenna heard the tag in this step.
    /// - Parameters:
    ///   - rssi: the mean in dBm, nil when the reader does not tell
    ///   - weight: for how many turns of an antenna this counts
    mutating func addHit(antenna: Int, rssi: Double?, weight: Double) {
        let scale = belief.hit * Float(weight)
        let first = antenna * Self.places
        guard let rssi else { return addEvidence(heardThere, from: first, times: scale) }
        let told = Float(rssi) * 4
        let (last, places) = (Self.differenceSteps - 1, Self.places)
        evidence.withUnsafeMutableBufferPointer { evidence in
            expected.withUnsafeBufferPointer { expected in
                heardThere.withUnsafeBufferPointer { heard in
                    difference.withUnsafeBufferPointer { difference in
                        var place = 0
                        while place < places {
                            let quarters = (told - expected[first &+ place] * 4).magnitude
                            evidence[place] += scale * (heard[first &+ place] + difference[min(Int(quarters + 0.5), last)])
                            place &+= 1
                        }
                    }
                }
            }
        }
    }

    /// An antenna was served and did not hear the tag.
    mutating func addMiss(antenna: Int, weight: Double) {
        addEvidence(unheardThere, from: antenna * Self.places, times: belief.miss * Float(weight))
    }

    private mutating func addEvidence(_ table: [Float], from first: Int, times scale: Float) {
        let places = Self.places
        evidence.withUnsafeMutableBufferPointer { evidence in
            table.withUnsafeBufferPointer { table in
                var place = 0
                while place < places {
                    evidence[place] += scale * table[first &+ place]
                    place &+= 1
                }
            }
        }
    }

    @inline(__always)
    private static func signalIndex(_ rssi: Float) -> Int { min(max(Int((rssi + 110) * 4), 0), signalSteps - 1) }

    /// Lets one step of time go by and takes its evidence.
    mutating func advance() {
        let highest = weigh()
        move()
        let total = blocks.reduce(0, +)
        guard total > 0 else { return start() }
        for block in blocks.indices where blocks[block] < total * Self.worthFollowing { blocks[block] = 0 }
        logLikelihood += Elementary.log(Double(total)) + Double(highest)
        norm = 1 / total
        swap(&state, &next)
    }

    /// Makes likelihoods of the evidence, the highest 1; returns the evidence that has it.
    private mutating func weigh() -> Float {
        let places = Self.places
        return evidence.withUnsafeBufferPointer { evidence in
            likelihood.withUnsafeMutableBufferPointer { likelihood in
                Self.expTable.withUnsafeBufferPointer { table in
                    var highest = evidence[0]
                    var place = 1
                    while place < places {
                        if evidence[place] > highest { highest = evidence[place] }
                        place &+= 1
                    }
                    let last = table.count - 1
                    place = 0
                    while place < places {
                        likelihood[place] = table[min(Int((highest - evidence[place]) * 32 + 0.5), last)]
                        place &+= 1
                    }
                    return highest
                }
            }
        }
    }

    private static let expTable: [Float] = (0..<640).map { Float(Elementary.exp(-Double($0) / 32)) }

    /// Moves and weighs every row.
    private mutating func move() {
        let turn = belief.turn * norm
        let shares = Shares(keep: norm - 2 * turn - 2 * belief.levelChange * norm, turn: turn, change: belief.levelChange * norm)
        let rows = Self.blockRows
        state.withUnsafeBufferPointer { state in
            next.withUnsafeMutableBufferPointer { next in
                likelihood.withUnsafeBufferPointer { likelihood in
                    plans.withUnsafeBufferPointer { plans in
                        guard let state = state.baseAddress, let next = next.baseAddress, let likelihood = likelihood.baseAddress
                        else { return }
                        // A row with two cells of nothing before it and after it, and eight sums.
                        withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.cells + 12) { line in
                            line.initialize(repeating: 0)
                            guard let line = line.baseAddress else { return }
                            let sums = line + Self.cells + 4
                            for block in blocks.indices where blocks[block] > 0 {
                                sums.update(repeating: 0, count: 8)
                                var row = block * rows
                                while row < (block + 1) * rows {
                                    plans[row].move(state, likelihood: likelihood, into: next, line: line, sums: sums, shares)
                                    row += 1
                                }
                                blocks[block] =
                                    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]))
                            }
                        }
                    }
                }
            }
        }
    }

    /// Where the tag is now, by where it began: inside, in the middle, outside. All six sum to 1.
    struct Ends: Hashable, Sendable {
        var fromInside = SIMD3<Double>()
        var fromOutside = SIMD3<Double>()
    }

    /// Nearer to the middle than this a tag is on neither side, metres.
    static let middle = 0.45

    var ends: Ends {
        var ends = Ends()
        for origin in 0..<2 {
            var places = Array(repeating: Float(0), count: Self.cells)
            places.withUnsafeMutableBufferPointer { places in
                state.withUnsafeBufferPointer { state in
                    for plan in plans where blocks[plan.block] > 0 && plan.block / Self.carries.count == origin {
                        var cell = 0
                        while cell < Self.cells {
                            places[cell] += state[plan.base &+ cell]
                            cell &+= 1
                        }
                    }
                }
            }
            var shares = SIMD3<Double>()
            for cell in 0..<Self.cells { shares[Int(zones[cell])] += Double(places[cell] * norm) }
            if origin == 0 { ends.fromInside = shares } else { ends.fromOutside = shares }
        }
        return ends
    }
}

/// One row of the filter, that is all places for one origin, speed, carry and level: where its neighbours are, and how it moves.
private struct RowPlan: Sendable {
    let base, slower, faster, weaker, stronger: Int
    let block: Int
    /// Where its likelihood is.
    let likelihood: Int
    /// Shares that go two cells back to two cells on: a shift by a part of a cell, spread a little.
    let back2, back1, stay, on1, on2: Float

    init(row: Int, pitch: Double, belief: PositionFilter.Belief) {
        typealias Filter = PositionFilter
        let (levels, carries, speeds) = (Filter.levels.count, Filter.carries.count, Filter.speeds.count)
        let (level, carry, speed) = (row % levels, row / levels % carries, row / (levels * carries) % speeds)
        base = row * Filter.cells
        block = row / (levels * carries * speeds) * carries + carry
        let perSpeed = levels * carries * Filter.cells
        slower = speed > 0 ? base - perSpeed : base
        faster = speed < speeds - 1 ? base + perSpeed : base
        weaker = level > 0 ? base - Filter.cells : base
        stronger = level < levels - 1 ? base + Filter.cells : base
        let body = speed < speeds / 2 ? Filter.carries[carry].facingIn : Filter.carries[carry].facingOut
        likelihood = (body * levels + level) * Filter.cells
        let shift = Float(Filter.speeds[speed] * Double(GateStep.length.nanoseconds) / 1e9 / pitch)
        let (on, back) = (max(shift, 0), max(-shift, 0))
        let (spread, centre) = (belief.diffusion, 1 - 2 * belief.diffusion)
        let still = 1 - on - back
        (back2, on2) = (spread * back, spread * on)
        (back1, on1) = (spread * still + centre * back, spread * still + centre * on)
        stay = centre * still + spread * (on + back)
    }

    /// Takes its own share and those of its neighbours, moves them, and weighs them.
    /// - Parameter sums: of every eighth cell; what the row holds is added to them
    @inline(__always)
    func move(
        _ state: UnsafePointer<Float>, likelihood: UnsafePointer<Float>, into next: UnsafeMutablePointer<Float>,
        line: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>, _ shares: Shares
    ) {
        let cells = PositionFilter.cells
        let (own, slow, fast) = (state + base, state + slower, state + faster)
        let (weak, strong) = (state + weaker, state + stronger)
        var cell = 0
        while cell < cells {
            let moved = shares.turn * (slow[cell] + fast[cell]) + shares.change * (weak[cell] + strong[cell])
            line[cell &+ 2] = shares.keep * own[cell] + moved
            cell &+= 1
        }
        let row = next + base
        let weights = likelihood + self.likelihood
        @inline(__always)
        func moved(_ cell: Int) -> Float {
            let near = on1 * line[cell &+ 1] + back1 * line[cell &+ 3]
            let far = on2 * line[cell] + back2 * line[cell &+ 4]
            return stay * line[cell &+ 2] + (near + far)
        }
        cell = 0
        while cell < cells {
            row[cell] = moved(cell) * weights[cell]
            cell &+= 1
        }
        // What would leave stays in the last cell.
        row[0] = (moved(0) + ((back1 + back2) * line[2] + back2 * line[3])) * weights[0]
        row[cells - 1] = (moved(cells - 1) + ((on1 + on2) * line[cells + 1] + on2 * line[cells])) * weights[cells - 1]
        // Four quarters at a time.
        let quarter = cells / 4
        cell = 0
        while cell < quarter {
            sums[cell] += (row[cell] + row[cell &+ quarter]) + (row[cell &+ 2 &* quarter] + row[cell &+ 3 &* quarter])
            cell &+= 1
        }
    }
}

/// What of a row stays in it, goes to the next speed, and to the next level.
private struct Shares {
    let keep, turn, change: Float
}

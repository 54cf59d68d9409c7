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
    /// By row and cell, eight cells to a lane group.
    private var state: [Lanes]
    private var next: [Lanes]
    /// What `state` must be multiplied with to sum to 1.
    private var norm: Float = 1
    private let start0: [Lanes]
    /// ln of the likelihood, and then itself, by body, level, cell.
    private var evidence: [Lanes]
    private var likelihood: [Lanes]
    /// By antenna, and then as `evidence`: the expected RSSI, ln P(heard) and ln P(not heard).
    private var expected: [Lanes] = []
    private var heardThere: [Lanes] = []
    private var unheardThere: [Lanes] = []
    /// 1 for each cell that lies inside, in the middle, outside; else 0.
    private let zones: [Lanes]
    /// The rows and how each moves, block by block: rows of one origin and carry, between which nothing moves to other blocks.
    private let plans: [RowPlan]
    /// What each block sums to; a block with no share worth following is 0 and left out.
    private var blocks: [Float]
    /// ln of the likelihood of everything taken since `start`.
    private(set) var logLikelihood = 0.0

    typealias Lanes = SIMD8<Float>
    private static let groups = cells / 8
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
        zones = (0..<3).flatMap { zone in
            (0..<Self.groups).map { group in
                Lanes((0..<8).map { lane in
                    let x = geometry.x(group * 8 + lane)
                    return (x < -Self.middle ? 0 : (x > Self.middle ? 2 : 1)) == zone ? 1 : 0
                })
            }
        }
        start0 = Self.beginning(geometry)
        state = start0
        next = start0
        evidence = Array(repeating: Lanes(), count: Self.places)
        likelihood = evidence
        prepare()
    }

    private static let places = GateGeometry.bodies.count * levels.count * groups

    private mutating func prepare() {
        expected = []
        for antenna in 0..<geometry.antennas {
            for body in GateGeometry.bodies.indices {
                let from = (antenna * GateGeometry.bodies.count + body) * Self.cells
                for level in Self.levels {
                    for group in 0..<Self.groups {
                        let first = from + group * 8
                        expected.append(Lanes(geometry.expected[first..<first + 8]) + (level + bias[antenna]))
                    }
                }
            }
        }
        func looked(up table: [Float]) -> [Lanes] {
            expected.map { lanes in Lanes((0..<8).map { table[Self.signalIndex(lanes[$0])] }) }
        }
        (heardThere, unheardThere) = (looked(up: heard), looked(up: unheard))
    }

    /// Either side equally likely at first, and there about 2 m away; who begins inside walks toward outside, and the other way round.
    private static func beginning(_ geometry: GateGeometry) -> [Lanes] {
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
        return stride(from: 0, to: state.count, by: 8).map { first in Lanes(state[first..<first + 8]) }
    }

    /// Begins a visit.
    mutating func start() {
        logLikelihood = 0
        norm = 1
        for index in start0.indices { state[index] = start0[index] }
        for block in blocks.indices { blocks[block] = 1 }
        clearEvidence()
    }

    mutating func clearEvidence() {
        for index in evidence.indices { evidence[index] = Lanes() }
    }

    /// An antenna heard the tag in this step.
    /// - Parameters:
    ///   - rssi: the mean in dBm, nil when the reader does not tell
    ///   - weight: for how many turns of an antenna this counts
    mutating func addHit(antenna: Int, rssi: Double?, weight: Double) {
        let scale = belief.hit * Float(weight)
        let first = antenna * Self.places
        guard let rssi else {
            for place in 0..<Self.places { evidence[place] += scale * heardThere[first + place] }
            return
        }
        let told = Float(rssi)
        difference.withUnsafeBufferPointer { difference in
            for place in 0..<Self.places {
                let quarters = told * 4 - expected[first + place] * 4
                var value = heardThere[first + place]
                for lane in 0..<8 { value[lane] += difference[min(Int(quarters[lane].magnitude + 0.5), Self.differenceSteps - 1)] }
                evidence[place] += scale * value
            }
        }
    }

    /// An antenna was served and did not hear the tag.
    mutating func addMiss(antenna: Int, weight: Double) {
        let scale = belief.miss * Float(weight)
        let first = antenna * Self.places
        for place in 0..<Self.places { evidence[place] += scale * unheardThere[first + place] }
    }

    @inline(__always)
    private static func signalIndex(_ rssi: Float) -> Int { min(max(Int((rssi + 110) * 4), 0), signalSteps - 1) }

    /// Lets one step of time go by and takes its evidence.
    mutating func advance() {
        var most = evidence[0]
        for value in evidence { most = pointwiseMax(most, value) }
        let highest = most.max()
        Self.expTable.withUnsafeBufferPointer { table in
            for place in evidence.indices {
                let below = (highest - evidence[place]) * 32 + 0.5
                for lane in 0..<8 { likelihood[place][lane] = table[min(Int(below[lane]), table.count - 1)] }
            }
        }
        move()
        let total = blocks.reduce(0, +)
        guard total > 0 else { return start() }
        for block in blocks.indices where blocks[block] < total * Self.worthFollowing { blocks[block] = 0 }
        logLikelihood += Elementary.log(Double(total)) + Double(highest)
        norm = 1 / total
        swap(&state, &next)
    }

    private static let expTable: [Float] = (0..<640).map { Float(Elementary.exp(-Double($0) / 32)) }

    /// Moves and weighs every row. The order of additions is fixed, so that every machine agrees.
    private mutating func move() {
        let norm = norm
        let (turn, change) = (belief.turn * norm, belief.levelChange * norm)
        let keep = norm - 2 * turn - 2 * change
        state.withUnsafeBufferPointer { state in
            next.withUnsafeMutableBufferPointer { next in
                likelihood.withUnsafeBufferPointer { likelihood in
                    // A row with two cells of nothing before it and six after.
                    withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.cells + 8) { line in
                        line.initialize(repeating: 0)
                        let raw = UnsafeMutableRawPointer(line.baseAddress!)
                        for block in blocks.indices where blocks[block] > 0 {
                            var total = Lanes()
                            for plan in plans[block * Self.blockRows..<(block + 1) * Self.blockRows] {
                                for group in 0..<Self.groups {
                                    let speeds = turn * (state[plan.slower + group] + state[plan.faster + group])
                                    let levels = change * (state[plan.weaker + group] + state[plan.stronger + group])
                                    let mixed = keep * state[plan.base + group] + (speeds + levels)
                                    raw.storeBytes(of: mixed, toByteOffset: (group * 8 + 2) * 4, as: Lanes.self)
                                }
                                for group in 0..<Self.groups {
                                    func shifted(_ cells: Int) -> Lanes {
                                        raw.loadUnaligned(fromByteOffset: (group * 8 + cells) * 4, as: Lanes.self)
                                    }
                                    let near = plan.on1 * shifted(1) + plan.back1 * shifted(3)
                                    let far = plan.on2 * shifted(0) + plan.back2 * shifted(4)
                                    next[plan.base + group] = plan.stay * shifted(2) + (near + far)
                                }
                                // What would leave stays in the last cell.
                                let (last, before) = (line[Self.cells + 1], line[Self.cells])
                                next[plan.base][0] += (plan.back1 + plan.back2) * line[2] + plan.back2 * line[3]
                                next[plan.base + Self.groups - 1][7] += (plan.on1 + plan.on2) * last + plan.on2 * before
                                for group in 0..<Self.groups {
                                    next[plan.base + group] *= likelihood[plan.likelihood + group]
                                    total += next[plan.base + group]
                                }
                            }
                            let halves = total.lowHalf + total.highHalf
                            blocks[block] = (halves[0] + halves[1]) + (halves[2] + halves[3])
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
        for plan in plans where blocks[plan.block] > 0 {
            var shares = SIMD3<Double>()
            for group in 0..<Self.groups {
                let lanes = state[plan.base + group]
                for zone in 0..<3 {
                    let part = lanes * zones[zone * Self.groups + group]
                    let halves = part.lowHalf + part.highHalf
                    shares[zone] += Double(((halves[0] + halves[1]) + (halves[2] + halves[3])) * norm)
                }
            }
            if plan.base < state.count / 2 { ends.fromInside += shares } else { ends.fromOutside += shares }
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
        let groups = Filter.cells / 8
        let (levels, carries, speeds) = (Filter.levels.count, Filter.carries.count, Filter.speeds.count)
        let (level, carry, speed) = (row % levels, row / levels % carries, row / (levels * carries) % speeds)
        base = row * groups
        block = row / (levels * carries * speeds) * carries + carry
        let perSpeed = levels * carries * groups
        slower = speed > 0 ? base - perSpeed : base
        faster = speed < speeds - 1 ? base + perSpeed : base
        weaker = level > 0 ? base - groups : base
        stronger = level < levels - 1 ? base + groups : base
        let body = speed < speeds / 2 ? Filter.carries[carry].facingIn : Filter.carries[carry].facingOut
        likelihood = (body * levels + level) * groups
        let shift = Float(Filter.speeds[speed] * Double(GateStep.length.nanoseconds) / 1e9 / pitch)
        let (on, back) = (max(shift, 0), max(-shift, 0))
        let (spread, centre) = (belief.diffusion, 1 - 2 * belief.diffusion)
        let still = 1 - on - back
        (back2, on2) = (spread * back, spread * on)
        (back1, on1) = (spread * still + centre * back, spread * still + centre * on)
        stay = centre * still + spread * (on + back)
    }
}

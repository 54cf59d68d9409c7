import Readings

/// What each antenna of a gate is expected to hear of a tag, by where the tag is on its way through and where its bearer's body is.
///
/// The way is a line of cells along x, at hip height, midway between the antennas. All tables are plain arrays, so that a step of the
/// position filter is a walk through memory.
struct GateGeometry: Sendable {
    /// Cells of the way; the first and the last also stand for everything beyond.
    static let cells = 32
    /// Where the bearer's body is, seen from the tag: nowhere near, or in one of the four directions of the gate's axes.
    static let bodies: [(x: Double, y: Double)] = [(0, 0), (0.24, 0), (-0.24, 0), (0, 0.28), (0, -0.28)]

    /// Metres from one cell to the next.
    let pitch: Double
    /// Expected RSSI in dBm of a tag without extra loss: `[(antenna × bodies + body) × cells + cell]`.
    let expected: [Float]
    let antennas: Int
    /// The loudest that each antenna should hear, dBm.
    let loudest: [Double]

    /// - Parameter antennas: where the antennas stand, in the order in which reads name them.
    init(antennas: [AntennaPlacement]) {
        self.antennas = antennas.count
        let farthest = antennas.map { Int($0.x.magnitude) }.max() ?? 0
        pitch = max(3.0, Double(farthest) / 100 + 2.4) * 2 / Double(Self.cells)
        let way = Self.way(between: antennas)
        var expected: [Float] = []
        expected.reserveCapacity(antennas.count * Self.bodies.count * Self.cells)
        for antenna in antennas {
            for body in Self.bodies {
                for cell in 0..<Self.cells {
                    let x = (Double(cell) - Double(Self.cells - 1) / 2) * pitch
                    expected.append(Float(Link(from: antenna, toX: x, y: way).rssi(body: body)))
                }
            }
        }
        self.expected = expected
        loudest = antennas.indices.map { antenna in
            let free = antenna * Self.bodies.count * Self.cells
            return expected[free..<free + Self.cells].reduce(-200.0) { max($0, Double($1)) }
        }
    }

    /// Where people walk, across the gate in metres: midway between the posts, or a metre before the only one.
    private static func way(between antennas: [AntennaPlacement]) -> Double {
        let across = antennas.map { Double($0.y) / 100 }
        guard let least = across.min(), let most = across.max() else { return 0 }
        let middle = (least + most) / 2
        if most - least >= 1 { return middle }
        let left = antennas.reduce(0) { $0 + Elementary.sin(Double($1.facing) * Elementary.pi / 180) }
        return middle + (left < 0 ? -1 : 1)
    }

    /// How many dB louder, in the mean, one side should hear a tag than the other while it is on its way, 0.5 to 2.5 m from the middle.
    func separation(sides: [GateSide]) -> Double {
        var sum = 0.0
        var cells = 0
        for cell in 0..<Self.cells where (0.5...2.5).contains(x(cell).magnitude) {
            func loudest(_ side: GateSide) -> Double {
                sides.indices.reduce(-200) {
                    sides[$1] == side ? max($0, Double(expected[$1 * Self.bodies.count * Self.cells + cell])) : $0
                }
            }
            sum += (loudest(.inside) - loudest(.outside)).magnitude
            cells += 1
        }
        return cells == 0 ? 0 : sum / Double(cells)
    }

    /// The middle of a cell, in metres.
    func x(_ cell: Int) -> Double { (Double(cell) - Double(Self.cells - 1) / 2) * pitch }
}

/// The way of the wave from an antenna to a tag and back.
private struct Link {
    /// From the tag to the antenna, metres.
    let x: Double
    let y: Double
    let distance: Double
    /// Between the beam's middle and the tag, degrees.
    let angle: Double

    /// How high tools are carried, metres.
    static let height = 1.1
    /// Nobody walks nearer to an antenna than this, metres.
    static let nearest = 0.4

    init(from antenna: AntennaPlacement, toX x: Double, y: Double) {
        self.x = Double(antenna.x) / 100 - x
        let across = Double(antenna.y) / 100 - y
        self.y = across.magnitude < Self.nearest ? Self.nearest : across
        let up = Double(antenna.z) / 100 - Self.height
        distance = (self.x * self.x + self.y * self.y + up * up).squareRoot()
        let facing = Elementary.sinCos(Double(antenna.facing) * Elementary.pi / 180)
        // An antenna above the heads looks down, whatever its bearing.
        let cosine = up > 1 ? up / distance : -(self.x * facing.cos + self.y * facing.sin) / distance
        angle = Elementary.acos(cosine) * 180 / Elementary.pi
    }

    /// Free space at 866 MHz, a patch antenna of 6 dBi and 65° (3GPP TR 36.814, table A.2.1.1-2, horizontal pattern), 27 dBm, a tag's
    /// usual losses by polarisation, orientation and what it sticks to, 7 dB for the modulation.
    func rssi(body: (x: Double, y: Double)) -> Double {
        let pattern = 6 - min(12 * (angle / 65) * (angle / 65), 20)
        let path = 31.2 + 20 * Elementary.log10(distance)
        return 27 + 2 * (pattern - path - 7.5 - bodyLoss(body)) - 7
    }

    /// A body that stands in the ray takes about 14 dB, the less the farther its axis is from the ray.
    private func bodyLoss(_ body: (x: Double, y: Double)) -> Double {
        let along = body.x * x + body.y * y
        guard along > 0 else { return 0 }
        let length = (x * x + y * y).squareRoot()
        let aside = (body.x * y - body.y * x) / length
        return 14 * Elementary.exp(-(aside / 0.2) * (aside / 0.2))
    }
}

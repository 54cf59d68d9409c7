import Readings

/// Where the antennas of a simulated gate stand, and how its reader serves them.
public struct GateLayout: Hashable, Sendable {
    public struct Antenna: Hashable, Sendable {
        /// The reader's antenna port, counted from 1.
        public var port: UInt8
        public var placement: AntennaPlacement
        /// What it sends and hears more than the gate's power says, one way, dB: antennas, cables and plugs differ.
        public var gain: Double

        public init(port: UInt8, placement: AntennaPlacement, gain: Double = 0) {
            self.port = port
            self.placement = placement
            self.gain = gain
        }

        /// The side on which it stands; what stands in the middle belongs to the side it looks at.
        public var side: GateSide {
            if placement.x != 0 { return placement.x < 0 ? .inside : .outside }
            return placement.facing.magnitude > 90 ? .inside : .outside
        }
    }

    public var name: String
    /// In the order in which the reader serves them.
    public var antennas: [Antenna]
    /// How long the reader stays on one antenna, and what changing to the next costs.
    public var dwell: Instant.Span
    public var switching: Instant.Span
    /// Power at the antenna's connector, dBm. EN 302 208 allows 33 dBm e.r.p.; with a 6 dBi antenna that is about 29 dBm, and a gate
    /// uses less, so that it does not read the whole room.
    public var power: Double
    /// An inventory round lasts `roundOverhead + roundPerTag · n` for n tags in the field. The defaults are those of a dense-reader
    /// mode (Miller 4); 3 ms and 1.4 ms are near what a Zebra FX7500 reaches.
    public var roundOverhead: Instant.Span
    public var roundPerTag: Instant.Span
    /// The reader has a clock and tells its time with each read.
    public var tellsTime: Bool
    /// The reader tells signal strength.
    public var tellsStrength: Bool

    public init(
        name: String, antennas: [Antenna], dwell: Instant.Span = .milliseconds(60), switching: Instant.Span = .milliseconds(5),
        power: Double = 27, roundOverhead: Instant.Span = .milliseconds(6),
        roundPerTag: Instant.Span = Instant.Span(nanoseconds: 2_200_000),
        tellsTime: Bool = true, tellsStrength: Bool = true
    ) {
        self.name = name
        self.antennas = antennas
        self.dwell = dwell
        self.switching = switching
        self.power = power
        self.roundOverhead = roundOverhead
        self.roundPerTag = roundPerTag
        self.tellsTime = tellsTime
        self.tellsStrength = tellsStrength
    }

    /// Good geometry: four antennas 1.2 m apart along the walk, turned 30° outward, so that each pair sees its own side.
    public static let angled = GateLayout(name: "angled", post: 60, turned: 30)

    /// A pedestal gate: two posts with two antennas each, 0.6 m apart, that look straight across the walk.
    public static let pedestal = GateLayout(name: "pedestal", post: 30, turned: 0)

    /// A built-in gate, `angled` or `pedestal`.
    public static func named(_ name: String) -> GateLayout? { [.angled, .pedestal].first { $0.name == name } }

    /// Four antennas at ±`post` centimetres, served inner right, outer right, inner left, outer left: as a site file's geometry numbers them.
    private init(name: String, post: Int16, turned: Int16) {
        let places: [(x: Int16, y: Int16, facing: Int16)] = [
            (-post, 0, 90 + turned), (post, 0, 90 - turned), (-post, 200, -90 - turned), (post, 200, -90 + turned),
        ]
        self.init(
            name: name,
            antennas: places.enumerated().map { index, place in
                Antenna(port: UInt8(index + 1), placement: AntennaPlacement(x: place.x, y: place.y, facing: place.facing))
            })
    }

    /// The same gate with another dwell.
    public func dwelling(_ dwell: Instant.Span) -> GateLayout {
        var layout = self
        layout.dwell = dwell
        return layout
    }
}

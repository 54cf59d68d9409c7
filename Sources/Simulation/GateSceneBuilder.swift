import Identifiers
import Presence
import Readings

/// Puts people, tags and outages into a world, as a scenario asks for.
struct GateSceneBuilder {
    let scenario: GateScenario
    let layout: GateLayout
    let seed: UInt64
    let options: GateSceneOptions
    var random: SplitMix64
    private(set) var walkers: [Walker] = []
    private var tags: [GateWorld.Tag] = []
    private var outages: [GateWorld.Outage] = []
    var truth: Truth
    var reports = ReportLayer.none
    private(set) var heldBadges: [TimedBadge] = []
    /// When badges are held changes nothing else in a scene.
    private var badgeRandom: SplitMix64
    private var toolCount: UInt64 = 0

    /// Where people come from and go to, metres from the gate: out of reach of every antenna.
    static let farAway = 7.0
    /// How long a scene goes on after its last walk: longer than any method waits.
    static let tail = 8.0

    init(_ scenario: GateScenario, layout: GateLayout, seed: UInt64, options: GateSceneOptions) {
        self.scenario = scenario
        self.layout = layout
        self.seed = seed
        self.options = options
        let number = UInt64(GateScenario.allCases.firstIndex(of: scenario) ?? 0)
        var mixer = SplitMix64(state: seed)
        random = SplitMix64(state: mixer.next() &+ number &* 0xD6E8_FEB8_6659_FD93)
        badgeRandom = SplitMix64(state: mixer.next())
        truth = Truth(scenario: scenario.rawValue, seed: seed, duration: .zero)
    }

    func finished() -> (GateWorld, Truth) {
        let world = GateWorld(
            layout: layout, walkers: walkers, tags: tags, outages: outages, crossings: truth.crossings.count,
            duration: Double(truth.duration.nanoseconds) / 1e9, random: random)
        return (world, truth)
    }

    mutating func end(at seconds: Double) {
        truth.duration = max(truth.duration, Instant.Span(nanoseconds: Int64(seconds * 1e9)))
    }

    mutating func silence(from start: Double, for seconds: Double) {
        outages.append(GateWorld.Outage(start: start, end: start + seconds))
    }

    // MARK: People

    /// Walking speed over free ground, m/s (mean and deviation as pedestrian studies give them; nobody is carried or runs).
    mutating func walkingSpeed() -> Double { random.normal(1.34, 0.26, clippedTo: 0.6...2.2) }

    /// What a body takes from a ray through its middle, dB: working values, as no clean figure for 866 MHz is published.
    mutating func bodyLoss(heavy: Bool = false) -> Double {
        random.normal(options.bodyLoss + (heavy ? 3 : 0), 4, clippedTo: 5...25)
    }

    mutating func laneY() -> Double { random.normal(1, 0.15, clippedTo: 0.55...1.45) }

    /// Puts a person with a badge into the scene; returns the index among the walkers and the id.
    mutating func person(path: PathBuilder, heavy: Bool = false, badge: Bool = true) -> (walker: Int, id: String) {
        let walker = Walker(path: path.waypoints, bodyLoss: bodyLoss(heavy: heavy), sway: random.unit())
        walkers.append(walker)
        guard badge else { return (walkers.count - 1, "") }
        let number = UInt64(truth.people.count + 1)
        let epc = badgeTag(number)
        let id = "p\(number)"
        truth.people.append(Truth.Person(id: id, badge: epc.hex))
        if options.badges == .tags {
            // Badges hang on a cord and turn; the body behind them detunes them, the holder keeps a distance.
            place(epc, .carried(by: walkers.count - 1, at: .chest), material: random.normal(3, 2, clippedTo: 0...10), during: walker)
        }
        return (walkers.count - 1, id)
    }

    /// Somebody who will be in the middle of the gate at `seconds` holds a badge before the reader there.
    mutating func hold(badgeOf id: String, before seconds: Double) {
        guard options.badges == .held, let person = truth.people.first(where: { $0.id == id }) else { return }
        let time = max(seconds - badgeRandom.uniform(0.3...2.5), 0)
        heldBadges.append(TimedBadge(time: Instant(nanoseconds: Int64(time * 1e9)), credential: person.badge))
    }

    // MARK: Tags

    /// Tools as GIAI-96: header 34, filter 3, company prefix 4567890; the asset number tells scenario, seed and place.
    mutating func newTool(side: GateSide) -> EPC {
        toolCount += 1
        let epc = tag(header: 0x34, toolCount)
        var recorded: GateSide? = side
        if random.chance(options.wrongRecords) { recorded = side.opposite }
        if random.chance(options.unknownRecords) { recorded = nil }
        truth.tools.append(Truth.Tool(epc: epc, side: side, recorded: recorded))
        return epc
    }

    /// A badge number that no tool has.
    private func badgeTag(_ number: UInt64) -> EPC { tag(header: 0x2D, number) }

    private func tag(header: UInt8, _ number: UInt64) -> EPC {
        let scenario = UInt64(GateScenario.allCases.firstIndex(of: scenario) ?? 0)
        let serial = (scenario << 44 | (seed & 0xFFFF_FFFF) << 12 | (number & 0xFFF)) << 8
        var bytes: [UInt8] = [header, 0x76, 0x45, 0x1F, 0xD4]
        for shift in stride(from: 48, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: serial >> UInt64(shift))) }
        // Twelve bytes are always a valid EPC.
        return EPC(bytes) ?? EPC(hex: "00")!
    }

    /// Standard deviation of the paths' frequencies: twice and a half as much where people pass by.
    private var flicker: Double { scenario == .stray || scenario == .day ? 0.25 : 0.1 }

    mutating func place(
        _ epc: EPC, _ whereabouts: GateWorld.Tag.Whereabouts, material: Double, during walker: Walker? = nil, crossing: Int? = nil
    ) {
        let orientation = random.uniform(0...6)
        var gains: [Double] = []
        var scatters: [Scatter] = []
        for _ in layout.antennas {
            let towards = 0.5 + 0.5 * Radio.wave(turns: random.unit()).cos
            gains.append(Radio.tagGain - orientation * towards - Radio.polarisationLoss - material)
            scatters.append(Scatter(flicker: flicker, &random))
        }
        tags.append(
            GateWorld.Tag(
                epc: epc, whereabouts: whereabouts, from: walker?.start ?? 0, until: walker?.end ?? .infinity,
                sensitivity: Radio.tagSensitivity + random.normal(0, 0.7), gains: gains, scatters: scatters, crossing: crossing))
    }

    mutating func material() -> Double { random.normal(4, 3, clippedTo: 0...15) }

    /// Puts tools on a person: mostly all in one place, each a few centimetres off.
    mutating func give(_ tools: [EPC], to walker: Int, extraLoss: ClosedRange<Double>? = nil, crossing: (EPC) -> Int?) {
        let places: [Walker.Place] = [.backpack, .leftHand, .rightHand, .front]
        let common = places[random.integer(0...3)]
        for epc in tools {
            var place = random.chance(0.8) ? common : places[random.integer(0...3)]
            place.forward += random.normal(0, 0.05)
            place.left += random.normal(0, 0.05)
            place.up += random.normal(0, 0.05)
            let loss = material() + (extraLoss.map { random.uniform($0) } ?? 0)
            self.place(epc, .carried(by: walker, at: place), material: loss, during: walkers[walker], crossing: crossing(epc))
        }
    }

    mutating func addCrossing(_ epc: EPC, _ direction: Direction, at seconds: Double, person: String) -> Int {
        truth.crossings.append(
            Truth.Crossing(
                time: Instant(nanoseconds: Int64(seconds * 1e9)), epc: epc, direction: direction, person: person, isReadable: false))
        return truth.crossings.count - 1
    }

    mutating func addVisit(_ epc: EPC, _ what: Truth.Visit.What, from start: Double, to end: Double) {
        truth.visits.append(
            Truth.Visit(
                start: Instant(nanoseconds: Int64(start * 1e9)), end: Instant(nanoseconds: Int64(end * 1e9)), epc: epc, what: what))
    }
}

import Identifiers
import Presence
import Readings

/// A cabinet with tools in it whose door is opened and closed, as a reader inside sees it.
///
/// Each place has a margin over the tag's sensitivity, N(9, 5) dB, and each antenna its own, N(0, 4) dB: a metal box has nulls. A bad
/// spot is one that no antenna reaches. A tool that was taken is still seen now and then until the person has left.
public struct CabinetRun: Hashable, Sendable {
    public struct Settings: Hashable, Sendable {
        public var tools = 120
        public var antennas = 4
        /// The share of places that no antenna reaches.
        public var badSpots = 0.002
        public var openings = 20
        /// One round of one antenna.
        public var round = Instant.Span.milliseconds(75)

        public init() {}
    }

    public var settings: Settings
    /// In the order of time.
    public var reads: [TimedRead]
    /// The door contact: active while it is open.
    public var door: [(time: Instant, isOpen: Bool)] { doorTimes.map { ($0.time, $0.isOpen) } }
    public var truth: Truth
    private var doorTimes: [DoorChange] = []

    private struct DoorChange: Hashable, Sendable {
        var time: Instant
        var isOpen: Bool
    }

    private struct Tool {
        let epc: EPC
        var isInside = true
        var margins: [Double] = []
        var leak = 0.0
    }

    /// How long the reader reads after the door was closed, and when it looks again: what it costs to read always, none of it needs.
    private static let closeScan = 8.0
    private static let confirmScan = 50.0...75.0

    public init(settings: Settings = Settings(), seed: UInt64) {
        self.settings = settings
        reads = []
        truth = Truth(scenario: "cabinet", seed: seed, station: "cabinet", duration: .zero)
        var random = SplitMix64(state: seed &* 0x2545_F491_4F6C_DD1D &+ 7)
        var tools = (0..<settings.tools).map { number in
            Tool(epc: EPC([0x34, 0x76, 0x45, 0x1F, 0xD4, 0, 0xCA, 0xB0, UInt8(seed & 0xFF), UInt8(number >> 8), UInt8(number & 255), 0])!)
        }
        for tool in tools.indices { place(&tools[tool], &random) }
        truth.tools = tools.map { Truth.Tool(epc: $0.epc, side: .inside, recorded: .inside) }
        truth.people = (1...3).map { Truth.Person(id: "p\($0)", badge: "B\($0)") }
        var now = 1.0
        // What is where is learned before the first opening.
        scan(tools, from: now, for: Self.closeScan, leavingAt: 0, &random)
        now += Self.closeScan + 5
        for number in 1...max(settings.openings, 1) {
            doorTimes.append(DoorChange(time: instant(now), isOpen: true))
            let close = exchange(&tools, &random)
            now += random.uniform(8...30)
            doorTimes.append(DoorChange(time: instant(now), isOpen: false))
            truth.closes.append(
                Truth.Close(
                    time: instant(now), number: number, taken: close.taken, returned: close.returned,
                    person: "p\(random.integer(1...3))"))
            let leaves = now + random.uniform(5...40)
            scan(tools, from: now, for: Self.closeScan, leavingAt: leaves, &random)
            scan(
                tools, from: now + Self.confirmScan.lowerBound, for: Self.confirmScan.upperBound - Self.confirmScan.lowerBound,
                leavingAt: leaves, &random)
            now += Self.confirmScan.upperBound + random.uniform(30...120)
        }
        truth.duration = instant(now) - .zero
    }

    private func instant(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    private func place(_ tool: inout Tool, _ random: inout SplitMix64) {
        let isBad = random.chance(settings.badSpots)
        let margin = random.normal(9, 5)
        tool.margins = (0..<settings.antennas).map { _ in isBad ? -30 : margin + random.normal(0, 4) }
        tool.isInside = true
        tool.leak = 0
    }

    /// 1 to 3 tools are taken, 0 to 3 of those that are out come back.
    private func exchange(_ tools: inout [Tool], _ random: inout SplitMix64) -> (taken: [EPC], returned: [EPC]) {
        var (outside, inside) = (tools.indices.filter { !tools[$0].isInside }, tools.indices.filter { tools[$0].isInside })
        outside.shuffle(using: &random)
        inside.shuffle(using: &random)
        for tool in tools.indices { tools[tool].leak = 0 }
        var (taken, returned): ([EPC], [EPC]) = ([], [])
        for tool in outside.prefix(random.integer(0...3)) {
            place(&tools[tool], &random)
            returned.append(tools[tool].epc)
        }
        for tool in inside.prefix(random.integer(1...3)) {
            tools[tool].isInside = false
            tools[tool].leak = [0, 0.003, 0.02][random.integer(0...2)]
            taken.append(tools[tool].epc)
        }
        return (taken.sorted(), returned.sorted())
    }

    /// Rounds of the antennas one after the other.
    private mutating func scan(
        _ tools: [Tool], from start: Double, for seconds: Double, leavingAt leaves: Double, _ random: inout SplitMix64
    ) {
        let round = Double(settings.round.nanoseconds) / 1e9
        for number in 0..<Int(seconds / round) {
            let (time, antenna) = (start + Double(number) * round, number % settings.antennas)
            let first = reads.count
            for tool in tools {
                var rate = 0.0
                if tool.isInside {
                    let margin = tool.margins[antenna]
                    rate = margin < -8 ? 0 : 0.93 * Elementary.logistic(margin / 0.7)
                } else if time < leaves {
                    rate = tool.leak
                }
                guard rate > 0, random.chance(rate) else { continue }
                let strength = -74 + min(tool.isInside ? tool.margins[antenna] : 0, 30) + random.normal(0, 0.5)
                reads.append(
                    TimedRead(
                        time: instant(time + random.unit() * round),
                        read: TagRead(epc: tool.epc, antenna: UInt8(antenna + 1), rssi: Int16(strength * 2) * 50)))
            }
            reads[first...].sort { ($0.time, $0.read.epc) < ($1.time, $1.read.epc) }
        }
    }
}

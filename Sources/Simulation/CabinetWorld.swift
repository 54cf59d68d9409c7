import Identifiers
import Presence
import Readings

/// Tools in a cabinet, what a reader inside sees of them, and who takes and brings back what.
///
/// Each place has a margin over the tag's sensitivity, N(9, 5) dB, and each antenna its own, N(0, 4) dB: a metal box has nulls. A bad
/// spot is one that no antenna reaches. A tool that was taken is still seen now and then until the person has left.
struct CabinetWorld {
    struct Tool {
        let epc: EPC
        var isInside = true
        /// By antenna, dB over the sensitivity; what things stirred at the last opening add to them; and the rate that follows.
        var margins: [Double] = []
        var shifts: [Double] = []
        var rates: [Double] = []
        /// Seen in this share of antenna rounds while it is in the hand before the door.
        var leak = 0.0
    }

    let settings: CabinetRun.Settings
    private(set) var tools: [Tool] = []
    /// What happens, and what is read of it: how long the reader reads must not change what people do.
    var random: SplitMix64
    private var readRandom: SplitMix64

    /// The strongest margin that still tells in signal strength, dB.
    private static let strongest = 30.0
    /// What a tag is heard at when it hardly answers, dBm.
    private static let weakest = -74.0

    init(settings: CabinetRun.Settings, seed: UInt64) {
        self.settings = settings
        random = SplitMix64(state: seed &* 0x2545_F491_4F6C_DD1D &+ 7)
        readRandom = SplitMix64(state: seed &* 0x9E6C_63D0_876A_3F6B &+ 11)
        for number in 0..<settings.tools {
            let bytes: [UInt8] = [
                0x34, 0x76, 0x45, 0x1F, 0xD4, 0, 0xCA, 0xB0, UInt8(seed & 0xFF), UInt8(number >> 8 & 255), UInt8(number & 255), 0,
            ]
            // Twelve bytes are always a valid EPC.
            tools.append(Tool(epc: EPC(bytes) ?? EPC(hex: "00")!))
            place(number)
        }
    }

    private mutating func place(_ tool: Int) {
        let isBad = random.chance(settings.badSpots)
        let margin = random.normal(9, 5)
        tools[tool].margins = (0..<settings.antennas).map { _ in isBad ? -30 : margin + random.normal(0, 4) }
        tools[tool].shifts = Array(repeating: 0, count: settings.antennas)
        tools[tool].isInside = true
        tools[tool].leak = 0
        weigh(tool)
    }

    private mutating func weigh(_ tool: Int) {
        tools[tool].rates = zip(tools[tool].margins, tools[tool].shifts).map { Self.rate(margin: $0 + $1) }
    }

    private static func rate(margin: Double) -> Double { margin < -8 ? 0 : 0.93 * Elementary.logistic(margin / 0.7) }

    /// 1 to 3 tools are taken, 0 to 3 of those that are out come back.
    mutating func open() -> (taken: [EPC], returned: [EPC]) {
        var (outside, inside) = (tools.indices.filter { !tools[$0].isInside }, tools.indices.filter { tools[$0].isInside })
        outside.shuffle(using: &random)
        inside.shuffle(using: &random)
        for tool in tools.indices { tools[tool].leak = 0 }
        var (taken, returned): ([EPC], [EPC]) = ([], [])
        for tool in outside.prefix(random.integer(0...3)) {
            place(tool)
            returned.append(tools[tool].epc)
        }
        for tool in inside.prefix(random.integer(1...3)) {
            tools[tool].isInside = false
            tools[tool].leak = [0, 0.003, 0.02][random.integer(0...2)]
            taken.append(tools[tool].epc)
        }
        if settings.stir > 0 {
            for tool in tools.indices {
                tools[tool].shifts = (0..<settings.antennas).map { _ in random.normal(0, settings.stir) }
                weigh(tool)
            }
        }
        return (taken.sorted(), returned.sorted())
    }

    /// One round of one antenna, in the order of time.
    mutating func round(antenna: Int, at start: Double, isPersonNear: Bool) -> [TimedRead] {
        var reads: [TimedRead] = []
        let length = Double(settings.round.nanoseconds) / 1e9
        for tool in tools.indices {
            var rate = isPersonNear ? tools[tool].leak : 0
            if tools[tool].isInside {
                rate = tools[tool].rates[antenna]
                if settings.hop > 0 {
                    let margin = tools[tool].margins[antenna] + tools[tool].shifts[antenna]
                    rate = Self.rate(margin: margin + readRandom.normal(0, settings.hop))
                }
            }
            guard rate > 0, readRandom.chance(rate) else { continue }
            let margin = tools[tool].isInside ? tools[tool].margins[antenna] + tools[tool].shifts[antenna] : 0
            let strength = Self.weakest + min(margin, Self.strongest) + readRandom.normal(0, 0.5)
            let time = Instant(nanoseconds: Int64((start + readRandom.unit() * length) * 1e9))
            reads.append(
                TimedRead(
                    time: time, read: TagRead(epc: tools[tool].epc, antenna: UInt8(antenna + 1), rssi: Int16(strength * 2) * 50)))
        }
        return reads.sorted { ($0.time, $0.read.epc) < ($1.time, $1.read.epc) }
    }
}

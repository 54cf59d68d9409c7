import Identifiers
import Readings
import TestSupport

@testable import Presence

/// A cabinet with tools in it, as a source of reads: margins over the tag's sensitivity by place and antenna, bad spots that nothing
/// reaches, and tools in the hand of somebody who still stands before the closed door.
struct CabinetWorld {
    struct Settings {
        var tools = 120
        var antennas = 4
        /// The share of places that no antenna reaches.
        var badSpots = 0.002
        /// How much the margins shift at each opening because things are stirred, in dB.
        var stir = 0.0
        /// Each antenna round hops to another channel, with other nulls, in dB.
        var hop = 0.0
    }

    struct Tool {
        let epc: EPC
        var isInside = true
        /// dB over the sensitivity, by antenna.
        var margins: [Double] = []
        /// What things stirred at the last opening add to them, in dB.
        var shifts: [Double] = []
        /// Seen in this share of antenna rounds while it is in the hand before the door.
        var leak = 0.0
    }

    struct Close {
        var taken: [EPC] = []
        var returned: [EPC] = []
    }

    let settings: Settings
    var tools: [Tool] = []
    var random: SeededGenerator
    private(set) var personIsNear = false

    init(settings: Settings, seed: UInt64) {
        self.settings = settings
        random = SeededGenerator(seed: seed)
        for number in 0..<settings.tools {
            tools.append(Tool(epc: EPC([0xE2, 0, 0, 0, 0, 0, 0, 0, 0, 1, UInt8(number >> 8), UInt8(number & 255)])!))
            place(number)
        }
    }

    mutating func uniform() -> Double { Double(random.next() >> 11) / 9_007_199_254_740_992 }

    mutating func normal(_ mean: Double, _ deviation: Double) -> Double {
        let radius = (-2 * Elementary.log(1 - uniform())).squareRoot()
        return mean + deviation * radius * Elementary.cos(2 * Elementary.pi * uniform())
    }

    private mutating func place(_ tool: Int) {
        let isBad = uniform() < settings.badSpots
        let margin = normal(9, 5)
        tools[tool].margins = (0..<settings.antennas).map { _ in isBad ? -30 : margin + normal(0, 4) }
        tools[tool].isInside = true
        tools[tool].leak = 0
    }

    /// One opening and closing: 1 to 3 tools are taken, 0 to 3 of those outside come back.
    mutating func open() -> Close {
        var close = Close()
        let outside = tools.indices.filter { !tools[$0].isInside }
        var inside = tools.indices.filter { tools[$0].isInside }
        for tool in tools.indices { tools[tool].leak = 0 }
        for tool in outside.shuffled(using: &random).prefix(Int.random(in: 0...3, using: &random)) {
            place(tool)
            close.returned.append(tools[tool].epc)
        }
        inside.shuffle(using: &random)
        for tool in inside.prefix(Int.random(in: 1...3, using: &random)) {
            tools[tool].isInside = false
            tools[tool].leak = [0, 0.003, 0.02][Int.random(in: 0...2, using: &random)]
            close.taken.append(tools[tool].epc)
        }
        if settings.stir > 0 {
            for tool in tools.indices { tools[tool].shifts = (0..<settings.antennas).map { _ in normal(0, settings.stir) } }
        }
        personIsNear = true
        close.taken.sort()
        close.returned.sort()
        return close
    }

    mutating func leave() { personIsNear = false }

    /// One round of one antenna: the tags it sees.
    mutating func round(antenna: Int) -> [EPC] {
        var seen: [EPC] = []
        for tool in tools.indices {
            let rate: Double
            if tools[tool].isInside {
                let shift = tools[tool].shifts.isEmpty ? 0 : tools[tool].shifts[antenna]
                let margin = tools[tool].margins[antenna] + shift + (settings.hop > 0 ? normal(0, settings.hop) : 0)
                guard margin > -8 else { continue }
                rate = margin > 8 ? 0.93 : 0.93 * Elementary.logistic(margin / 0.7)
            } else {
                rate = personIsNear ? tools[tool].leak : 0
            }
            if rate > 0, uniform() < rate { seen.append(tools[tool].epc) }
        }
        return seen
    }
}

/// Counts of a run over many closes.
struct CabinetScore {
    var closes = 0
    var closesRight = 0
    var items = 0
    var itemsRight = 0
    var found = 0
    var ghosts = 0
    var missed = 0

    var f1: Double { 2 * Double(found) / Double(2 * found + ghosts + missed) }

    mutating func count(_ truth: CabinetWorld.Close, taken: [EPC], returned: [EPC], items: Int) {
        let (said, real) = (
            Set(taken.map { "-" + $0.hex } + returned.map { "+" + $0.hex }),
            Set(truth.taken.map { "-" + $0.hex } + truth.returned.map { "+" + $0.hex })
        )
        closes += 1
        if said == real { closesRight += 1 }
        found += said.intersection(real).count
        ghosts += said.subtracting(real).count
        missed += real.subtracting(said).count
        self.items += items
        itemsRight += items - said.symmetricDifference(real).count
    }

    static func percent(_ part: Int, _ whole: Int) -> String {
        let hundredths = whole == 0 ? 0 : (part * 10_000 + whole / 2) / whole
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) %"
    }

    var text: String {
        """
        closes entirely right \(Self.percent(closesRight, closes)) of \(closes), items right \(Self.percent(itemsRight, items)), \
        event F1 \(f1.thousandths), ghosts \(ghosts), missed \(missed)
        """
    }
}

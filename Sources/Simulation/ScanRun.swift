import Identifiers
import Readings

/// A bench where two people scan codes, each with a scanner of their own: what the scanners give, and what was meant.
///
/// A scanner decodes a code again and again for as long as it is held before it. Where the same scanner gets the same code next, it is
/// 0.7 to 3 s after the last decode, and meant.
public struct ScanRun: Sendable {
    public struct Settings: Hashable, Sendable {
        /// How many scans are meant, by both people together.
        public var scans = 200
        /// The share of scans that are done once more on purpose.
        public var repeatedShare = 0.1
        /// The share of codes that the other scanner scans as well, within a second.
        public var sharedShare = 0.1
        /// Seconds for which a code is held.
        public var held = 0.1...1.5
        /// Decodes in a second while it is.
        public var rate = 5.0...20.0

        public init() {}
    }

    public static let devices = ["scanner-1", "scanner-2"]

    public let settings: Settings
    /// What the scanners gave, in the order of time.
    public let lines: [Capture.Line]
    /// What was meant: one scan each, at its first decode.
    public let truth: Truth

    public init(settings: Settings = Settings(), seed: UInt64) {
        var bench = ScanBench(settings: settings, seed: seed)
        while bench.meant.count < settings.scans { bench.scanNext() }
        // Stable: decodes at the same moment stay in the order in which they were meant.
        lines = bench.lines.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
        // Nothing more can come of the last decode when half a pair was given up.
        let end = (lines.last?.time ?? .zero) + .seconds(60)
        var truth = Truth(scenario: "barcode", seed: seed, station: "bench", duration: end - .zero)
        truth.scans = bench.meant.sorted { ($0.time, $0.device) < ($1.time, $1.device) }
        self.truth = truth
        self.settings = settings
    }
}

/// The two people at work.
private struct ScanBench {
    private struct Person {
        /// When they scan next, and when they have the last code off the scanner, seconds.
        var next: Double
        var last = 0.0
        var code: Scan?
        /// Goods and locations alternate, and goods come first.
        var isLocationNext = false
    }

    let settings: ScanRun.Settings
    private(set) var lines: [Capture.Line] = []
    private(set) var meant: [Truth.Scan] = []
    private var people: [Person]
    private var random: SplitMix64
    private var goods = 0

    /// Between two scans of one code, and between two codes, seconds.
    private static let sameCode = 0.7...3.0
    private static let otherCode = 0.2...4.0
    /// The other scanner is so much later with the same code, seconds.
    private static let shared = 0.05...0.95
    private static let places = 40
    /// Decodes are not quite regular.
    private static let jitter = 0.9...1.1

    init(settings: ScanRun.Settings, seed: UInt64) {
        self.settings = settings
        random = SplitMix64(state: seed &* 0xA24B_AED4_963E_E407 &+ 19)
        people = []
        for _ in ScanRun.devices { people.append(Person(next: random.uniform(0.5...3))) }
    }

    /// Whoever is first scans.
    mutating func scanNext() {
        let number = people[0].next <= people[1].next ? 0 : 1
        let code = nextCode(of: number)
        let start = people[number].next
        hold(code, by: number, from: start)
        if random.chance(settings.sharedShare) { share(code, with: 1 - number, scannedAt: start) }
        if random.chance(settings.repeatedShare) {
            hold(code, by: number, from: people[number].last + random.uniform(Self.sameCode))
        }
    }

    private mutating func nextCode(of number: Int) -> Scan {
        let isLocation = people[number].isLocationNext
        people[number].isLocationNext.toggle()
        guard isLocation else {
            goods += 1
            return Self.goods(goods)
        }
        // A code that the other one had shared is not scanned once more by chance: that would need its pause.
        let place = random.integer(1...Self.places)
        let location = Self.location(place)
        return location == people[number].code ? Self.location(place % Self.places + 1) : location
    }

    /// The other one scans it as well if their hands are free.
    private mutating func share(_ code: Scan, with other: Int, scannedAt time: Double) {
        let start = time + random.uniform(Self.shared)
        let pause = people[other].code == code ? Self.sameCode.lowerBound : Self.otherCode.lowerBound
        guard people[other].last + pause <= start else { return }
        hold(code, by: other, from: start)
    }

    private mutating func hold(_ code: Scan, by number: Int, from start: Double) {
        let device = ScanRun.devices[number]
        let end = start + random.uniform(settings.held)
        let interval = 1 / random.uniform(settings.rate)
        let shortest = 1 / settings.rate.upperBound
        let longest = 1 / settings.rate.lowerBound
        meant.append(Truth.Scan(time: Self.instant(start), device: device, code: String(decoding: code.data, as: UTF8.self)))
        var time = start
        while time <= end {
            lines.append(Capture.Line(time: Self.instant(time), device: device, content: .scan(code)))
            people[number].last = time
            time += min(max(interval * random.uniform(Self.jitter), shortest), longest)
        }
        people[number].code = code
        people[number].next = people[number].last + random.uniform(Self.otherCode)
    }

    private static func instant(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    // MARK: Codes

    /// A logistic unit in GS1-128, application identifier 00.
    private static func goods(_ number: Int) -> Scan {
        let digits = "340123450" + padded(number, to: 8)
        let check = CheckDigit.compute(digits) ?? 0
        return Scan(data: Array("00\(digits)\(check)".utf8), symbology: AIMIdentifier("]C1"))
    }

    /// A place in Code 128, in a form of the house.
    private static func location(_ number: Int) -> Scan {
        Scan(data: Array("A-\(padded(number, to: 2))".utf8), symbology: AIMIdentifier("]C0"))
    }

    private static func padded(_ number: Int, to length: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(length - text.count, 0)) + text
    }
}

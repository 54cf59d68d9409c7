import Identifiers
import Readings

/// A reader with one detection field, and tags that go in and out of it: the model on which SMURF was measured (Jeffery, Garofalakis,
/// Franklin, VLDB 2006).
///
/// Near the reader is a major region where every question is answered at one rate; beyond it lies a minor region where the rate falls
/// linearly to nothing at the edge. Time is cut in epochs: a tag has one place in each and is asked
/// once in it, or oftener, at any moment.
/// Signal strength is not told.
public struct FieldRun: Sendable {
    /// How tags move along the line that goes past the reader.
    public enum Behaviour: String, Hashable, Sendable, CaseIterable {
        /// All together, at one speed, past the reader and back.
        case pallet
        /// Each for itself: it moves for a while, rests, and moves again.
        case fido
    }

    public struct Settings: Hashable, Sendable {
        public var behaviour = Behaviour.pallet
        public var tags = 25
        /// The share of questions answered in the major region: 0.95 in a quiet room, 0.8 in a noisy one.
        public var readRate = 0.95
        /// The share of the range that is major, 0...1.
        public var majorShare = 0.5
        /// From the reader to the edge of the field, m.
        public var range = 4.5
        /// Metres in an epoch; in `fido`, each move has 0.5 to 1.5 times that. 0.3 is a walk of 1.2 m/s.
        public var velocity = 0.3
        public var epochs = 2_000
        /// Questions to each tag in an epoch, evenly spread, each answered or not by itself.
        public var questions = 1
        /// How many epochs a move or a rest in `fido` takes on average.
        public var spell = 100.0

        public init() {}

        /// The share of questions that are answered so far from the reader.
        /// - Parameter distance: m
        public func rate(at distance: Double) -> Double {
            let major = range * majorShare
            guard distance > major else { return readRate }
            // The edge itself is outside, also where there is no minor region.
            guard distance < range else { return 0 }
            return readRate * (range - distance) / (range - major)
        }
    }

    public static let epoch = Instant.Span.milliseconds(250)

    public let settings: Settings
    /// In the order of time.
    public let reads: [TimedRead]
    /// When each tag was in the field, in whole epochs.
    public let truth: Truth

    public init(settings: Settings = Settings(), seed: UInt64) {
        var tags = Self.tags(settings, seed: seed)
        // What is read must not change how tags move.
        var readRandom = SplitMix64(state: seed &* 0x8CB9_2BA7_2F3D_8DD7 &+ 17)
        var (reads, presences): ([TimedRead], [Truth.Presence]) = ([], [])
        let (epochs, questions) = (max(settings.epochs, 0), max(settings.questions, 1))
        for number in 0..<epochs {
            let start = Self.start(of: number)
            var answers: [TimedRead] = []
            for index in tags.indices {
                let distance = tags[index].place.magnitude
                let isInside = distance < settings.range
                if isInside, tags[index].enteredAt == nil { tags[index].enteredAt = start }
                if !isInside, let entered = tags[index].enteredAt {
                    presences.append(Truth.Presence(epc: tags[index].epc, start: entered, end: start))
                    tags[index].enteredAt = nil
                }
                for question in 0..<questions {
                    // Both are drawn for every tag, so that the same moments belong to every rate.
                    let (chance, moment) = (readRandom.unit(), readRandom.unit())
                    guard isInside, chance < settings.rate(at: distance) else { continue }
                    let share = (Double(question) + moment) / Double(questions)
                    let time = start + Instant.Span(nanoseconds: Int64(share * Double(Self.epoch.nanoseconds)))
                    answers.append(TimedRead(time: time, read: TagRead(epc: tags[index].epc, antenna: 1)))
                }
                tags[index].step(settings)
            }
            reads += answers.sorted { ($0.time, $0.read.epc) < ($1.time, $1.read.epc) }
        }
        let end = Self.start(of: epochs)
        for tag in tags {
            if let entered = tag.enteredAt { presences.append(Truth.Presence(epc: tag.epc, start: entered, end: end)) }
        }
        var truth = Truth(scenario: settings.behaviour.scenario, seed: seed, station: "field", duration: end - .zero)
        truth.presences = presences.sorted { ($0.start, $0.epc) < ($1.start, $1.epc) }
        self.settings = settings
        self.reads = reads
        self.truth = truth
    }

    private static func start(of number: Int) -> Instant { Instant(nanoseconds: Int64(number) * epoch.nanoseconds) }

    private static func tags(_ settings: Settings, seed: UInt64) -> [FieldTag] {
        var random = SplitMix64(state: seed &* 0xD6E8_FEB8_6659_FD93 &+ 13)
        // The pallet begins anywhere on its way.
        let (place, isForward) = (random.uniform(-1...1) * FieldTag.reach(settings), random.chance(0.5))
        return (0..<max(settings.tags, 0)).map { number in
            let bytes: [UInt8] = [
                0x34, 0x76, 0x45, 0x1F, 0xD4, 0, 0xF1, 0xE1, UInt8(seed & 0xFF), UInt8(number >> 8 & 255), UInt8(number & 255), 0,
            ]
            // Twelve bytes are always a valid EPC.
            let epc = EPC(bytes) ?? EPC(hex: "00")!
            var own = SplitMix64(state: random.next())
            switch settings.behaviour {
            case .pallet:
                let offset = own.uniform(-0.5...0.5) * FieldTag.palletLength
                let speed = isForward ? settings.velocity : -settings.velocity
                return FieldTag(epc: epc, base: place, offset: offset, speed: speed, random: own)
            case .fido:
                let base = own.uniform(-1...1) * FieldTag.reach(settings)
                return FieldTag(epc: epc, base: base, offset: 0, speed: 0, random: own)
            }
        }
    }
}

extension FieldRun.Behaviour {
    /// The name by which `sim` knows it.
    public var scenario: String {
        switch self {
        case .pallet: "smurf-field"
        case .fido: "smurf-field-fido"
        }
    }
}

/// A tag on the line that goes past the reader, which stands at 0.
private struct FieldTag {
    let epc: EPC
    /// Where its pallet is, or it itself, and how far from the middle of the pallet it lies, m.
    var base: Double
    let offset: Double
    /// Metres in an epoch, negative on the way back.
    var speed: Double
    var random: SplitMix64
    /// Epochs until it moves or rests again; of one that follows no pallet.
    var left = 0.0
    var enteredAt: Instant?

    static let palletLength = 1.2

    /// Tags turn round this far from the reader, m: the field is half of their way.
    static func reach(_ settings: FieldRun.Settings) -> Double { settings.range * 2 }

    var place: Double { base + offset }

    mutating func step(_ settings: FieldRun.Settings) {
        if settings.behaviour == .fido {
            if left <= 0 {
                let isForward = random.chance(0.5)
                let moving = random.uniform(0.5...1.5) * settings.velocity
                speed = speed == 0 ? (isForward ? moving : -moving) : 0
                left = random.exponential(mean: settings.spell)
            }
            left -= 1
        }
        base += speed
        let reach = Self.reach(settings)
        if base > reach || base < -reach {
            base = min(max(base, -reach), reach)
            speed = -speed
        }
    }
}

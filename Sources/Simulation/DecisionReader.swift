import Identifiers
import Readings

/// Makes decisions that can be scored out of what the gateway writes: stored events, or the sightings of `stockgate replay --sightings
/// --json`, one JSON object a line.
///
/// Later words replace earlier ones: an event with `corrects`, a sighting of the same tag and visit.
public struct DecisionReader: Sendable {
    /// What one line said about one tag.
    private struct Word {
        var decision: ScoredDecision
        /// A loan or return, which says more than an exception about the same walk.
        var isFact: Bool
    }

    private let truth: Truth
    private let start: Int64
    private let badges: [String: String]
    /// By episode or visit and tag, in the order of their first word.
    private var order: [String] = []
    private var words: [String: Word] = [:]
    /// Keys of what an event said, by its number.
    private var said: [Int64: [String]] = [:]
    public private(set) var lines = 0
    /// Lines that said nothing about a passage.
    public private(set) var otherLines = 0

    /// - Throws: `TruthError` when the truth does not say when its scene began.
    public init(truth: Truth) throws(TruthError) {
        guard let start = WallTime(rfc3339: truth.began) else { throw TruthError(line: 1, reason: "\"recorded\" is no time") }
        self.truth = truth
        self.start = start.milliseconds
        badges = Dictionary(truth.people.map { ($0.id, $0.badge) }, uniquingKeysWith: { first, _ in first })
    }

    public var decisions: [ScoredDecision] { order.compactMap { words[$0]?.decision } }

    /// Takes one line.
    public mutating func take(_ json: JSON) {
        lines += 1
        let understood = json["sighting"] != nil ? takeSighting(json) : takeEvent(json)
        if !understood { otherLines += 1 }
    }

    // MARK: Sightings

    private mutating func takeSighting(_ json: JSON) -> Bool {
        guard let epc = json["epc"]?.string.flatMap(EPC.init(hex:)), let word = json["sighting"]?.string,
            let last = json["last"]?.integer.map(Instant.init(nanoseconds:))
        else { return false }
        let verdict: ScoredDecision.Verdict
        switch word {
        case "passed_out": verdict = .passed(.out)
        case "passed_in": verdict = .passed(.in)
        case "uncertain", "unknown": verdict = .undecided
        case "stayed": verdict = .retracted
        default: return false
        }
        let key = "\(json["station"]?.string ?? "")/\(epc.hex)/\(json["visit"]?.integer ?? 0)"
        let isFinal = json["certainty"]?.string != "provisional"
        let told = json["told"]?.integer.map(Instant.init(nanoseconds:))
        let known = words[key]
        // That a tag stayed is worth a word only where something else was said before.
        guard verdict != .retracted || known != nil else { return true }
        let isFirst: Bool = if case .passed = verdict { known?.decision.provisional == nil } else { false }
        let decision = ScoredDecision(
            epc: epc, verdict: verdict, time: json["crossed"]?.integer.map(Instant.init(nanoseconds:)) ?? last, lastRead: last,
            provisional: isFirst ? told : known?.decision.provisional, lastReadThen: isFirst ? last : known?.decision.lastReadThen,
            final: isFinal ? told : nil,
            isAgainstRecord: (json["evidence"]?["why"]?["recorded"]?.double ?? 0) < 0)
        set(Word(decision: decision, isFact: true), for: key)
        return true
    }

    // MARK: Events

    private mutating func takeEvent(_ json: JSON) -> Bool {
        guard let sequence = json["seq"]?.integer, let type = json["type"]?.string, let wall = json["time"]?.string.flatMap(WallTime.init)
        else { return false }
        let time = Instant.zero + .milliseconds(wall.milliseconds - start)
        if type == "crossing.retracted" {
            let keys = json["corrects"]?.integer.flatMap { said[$0] } ?? []
            for key in keys { words[key]?.decision.verdict = .retracted }
            return !keys.isEmpty
        }
        let data = json["data"]
        var epcs: [EPC] = []
        let verdict: ScoredDecision.Verdict
        let isFact = type.hasPrefix("loan.")
        switch type {
        case "loan.checked_out", "loan.returned":
            verdict = .passed(type == "loan.checked_out" ? .out : .in)
            epcs = data?["epc"]?.string.flatMap(EPC.init(hex:)).map { [$0] } ?? []
        case "exception.raised":
            epcs = (data?["epcs"]?.array ?? []).compactMap { $0.string.flatMap(EPC.init(hex:)) }
            if let direction = data?["direction"]?.string.flatMap(Direction.init) {
                verdict = .passed(direction)
            } else if data?["kind"]?.string == "uncertain_passage" {
                verdict = .undecided
            } else {
                return false
            }
        default: return false
        }
        let person = json["actor"]?["person"]?.string
        let episode = "\(json["station"]?.string ?? "")/\(json["episode"]?.string ?? String(sequence))"
        var keys: [String] = []
        for epc in epcs {
            let key = "\(episode)/\(epc.hex)"
            keys.append(key)
            let contradicts = data?["kind"]?.string == "state_conflict"
            var word = Word(
                decision: ScoredDecision(
                    epc: epc, verdict: verdict, time: time, badge: type == "loan.checked_out" ? person.flatMap { badges[$0] } : nil,
                    isAgainstRecord: contradicts), isFact: isFact)
            if let known = words[key], known.decision.verdict != .retracted {
                if known.isFact, !isFact { word = known }
                word.decision.isAgainstRecord = word.decision.isAgainstRecord || known.decision.isAgainstRecord || contradicts
            }
            set(word, for: key)
        }
        said[sequence] = keys
        return true
    }

    private mutating func set(_ word: Word, for key: String) {
        if words.updateValue(word, forKey: key) == nil { order.append(key) }
    }
}

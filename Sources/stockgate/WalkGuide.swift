import OperatorText
import Presence
import Readings
import SiteConfiguration

/// Leads a technician through the walks.
struct WalkGuide {
    let gate: String
    let antennas: [TunedAntenna]
    let plan: [WalkTest.Task]
    var tag: String?
    let feed: WatchFeed
    let signals: Interrupts
    let terminal: Terminal
    let language: Site.Language

    /// How long it listens for tags that lie about before the first walk.
    private static let listening = Instant.Span.seconds(2)
    /// After the person says that the walk is over: longer than Presence needs for its last word.
    private static let patience = Instant.Span.seconds(10)

    private enum Answer {
        case onward, again, end
    }

    /// - Returns: the walks that were made; fewer than planned when the technician ended it.
    mutating func walk() throws -> WalkTest {
        var test = WalkTest(antennas: antennas.map { WalkTest.Antenna(name: $0.name, side: $0.side) })
        say(.start, ["gate": Printable(escaping: gate, limit: 64)], .heading)
        var bystanders = try listen()
        while test.walks.count < plan.count, !signals.isPending {
            let task = plan[test.walks.count]
            say(
                .begin,
                [
                    "number": Printable(test.walks.count + 1), "count": Printable(plan.count), "task": task.text(language),
                ], .heading)
            say(.enter)
            guard let seen = try awaitEnter() else { break }
            bystanders.formUnion(seen)
            say(.go)
            var recorder = WalkRecorder(
                station: gate, places: Dictionary(uniqueKeysWithValues: antennas.enumerated().map { ($1.name, $0) }), task: task, tag: tag,
                bystanders: bystanders)
            guard try record(into: &recorder) else { break }
            if tag == nil, let found = recorder.tag, !recorder.reads.isEmpty {
                tag = found
                say(.tag, ["tag": Printable(escaping: found, limit: 64)])
            }
            test.add(recorder.walk)
            show(recorder.walk)
            switch try ask() {
            case .onward: break
            case .again: test.undo()
            case .end: return test
            }
        }
        return test
    }

    /// The tags that are read while nobody walks.
    private func listen() throws -> Set<String> {
        var seen: Set<String> = []
        let clock = Stopwatch(Self.listening)
        while let left = clock.left, !signals.isPending {
            if case .happenings(let happenings) = try feed.next(within: left, isListening: false) {
                seen.formUnion(Self.tags(in: happenings))
            }
        }
        return seen
    }

    /// - Returns: the tags that were read meanwhile; nil when nobody is there any more.
    private func awaitEnter() throws -> Set<String>? {
        var seen: Set<String> = []
        while !signals.isPending {
            switch try feed.next(within: .milliseconds(200), isListening: true) {
            case .happenings(let happenings): seen.formUnion(Self.tags(in: happenings))
            case .line: return seen
            case .endOfInput: return nil
            case .nothing: break
            }
        }
        return nil
    }

    /// Until Presence has said its last word, or the technician that it is over; false when nobody is there any more.
    private func record(into recorder: inout WalkRecorder) throws -> Bool {
        var clock: Stopwatch?
        var isListening = true
        while !recorder.isOver, !signals.isPending {
            if clock != nil, clock?.left == nil { return true }
            switch try feed.next(within: .milliseconds(200), isListening: isListening) {
            case .happenings(let happenings):
                for happening in happenings where !recorder.isOver { _ = recorder.take(happening) }
            case .line:
                if recorder.reads.isEmpty { return true }
                say(.waiting, ["count": Printable(recorder.reads.count)], .faint)
                clock = Stopwatch(Self.patience)
            case .endOfInput:
                // Piped input ends early; the walk goes on.
                isListening = false
                clock = clock ?? Stopwatch(Self.patience)
            case .nothing: break
            }
        }
        return !signals.isPending
    }

    private func ask() throws -> Answer {
        say(.again, [:], .faint)
        while !signals.isPending {
            switch try feed.next(within: .milliseconds(200), isListening: true) {
            case .line(let line):
                switch line.trimmed.lowercased() {
                case "r": return .again
                case "q": return .end
                default: return .onward
                }
            case .endOfInput: return .onward
            case .happenings, .nothing: break
            }
        }
        return .end
    }

    private func show(_ walk: WalkTest.Walk) {
        guard !walk.reads.isEmpty else { return say(.nothing, [:], walk.isRight ? .good : .bad) }
        let width = antennas.map { Printable(escaping: $0.name, limit: 40).width }.max() ?? 0
        for (antenna, line) in zip(antennas, WalkPlot.lines(of: walk.reads, antennas: antennas.count)) {
            terminal.write([(Printable(escaping: antenna.name, limit: 40).padded(to: width) + " ", .faint), (line, .plain)])
        }
        let span = (walk.reads.map(\.at).max() ?? .zero) - (walk.reads.map(\.at).min() ?? .zero)
        let seconds = Printable(escaping: "\(span.milliseconds / 1_000).\(span.milliseconds / 100 % 10)")
        say(.decided, ["count": Printable(walk.reads.count), "seconds": seconds], .faint)
        say(walk.isRight ? .right : .wrong, ["decision": walk.decision.text(language)], walk.isRight ? .good : .bad)
    }

    private func say(_ text: WalkText, _ values: [String: Printable] = [:], _ style: Terminal.Style = .plain) {
        terminal.write(text(language, values), style)
    }

    private static func tags(in happenings: [JSON]) -> [String] { happenings.compactMap { $0["tag"]?["epc"]?.string } }
}

/// Counts down in real time.
private struct Stopwatch {
    private let end: ContinuousClock.Instant

    init(_ span: Instant.Span) {
        end = .now + .nanoseconds(span.nanoseconds)
    }

    /// nil when the time is over.
    var left: Instant.Span? {
        let left = ContinuousClock.Instant.now.duration(to: end)
        let span = Instant.Span(nanoseconds: left.components.seconds * 1_000_000_000 + left.components.attoseconds / 1_000_000_000)
        return span > .zero ? span : nil
    }
}

extension String {
    fileprivate var trimmed: String { String(drop { $0 == " " }.prefix { $0 != " " && $0 != "\r" }) }
}

extension WalkTest.Task {
    func text(_ language: Site.Language) -> Printable {
        switch self {
        case .out: WalkText.out(language)
        case .in: WalkText.in(language)
        case .turnRound: WalkText.turnRound(language)
        case .standNear: WalkText.standNear(language)
        }
    }
}

extension WalkTest.Decision {
    func text(_ language: Site.Language) -> Printable {
        switch self {
        case .passed(.out): WalkText.passedOut(language)
        case .passed(.in): WalkText.passedIn(language)
        case .uncertain: WalkText.uncertain(language)
        case .none: WalkText.none(language)
        }
    }
}

import Readings

/// When a station lends, by the clocks of the site: `mon-fri 07:00-19:00, sat 08:00-12:00`.
public struct OpeningHours: Hashable, Sendable {
    public struct Span: Hashable, Sendable {
        public var days: ClosedRange<Int>
        /// Minutes of the day; the end is not in it. An end before the beginning is on the next day.
        public var begin: Int
        public var end: Int
    }

    public private(set) var spans: [Span] = []
    public let text: String

    /// nil for what cannot be read, and for nothing.
    public init?(_ text: String) {
        self.text = text
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = part.split(separator: " ")
            guard words.count == 2, let days = Self.days(words[0]) else { return nil }
            let times = words[1].split(separator: "-", omittingEmptySubsequences: false).map(Self.minute)
            guard times.count == 2, let begin = times[0], let end = times[1], begin != end, begin < 1_440 else { return nil }
            spans.append(Span(days: days, begin: begin, end: end))
        }
        guard !spans.isEmpty, spans.count <= 28 else { return nil }
    }

    private static func days(_ text: Substring) -> ClosedRange<Int>? {
        let names = text.split(separator: "-", omittingEmptySubsequences: false).map { Weekday(shortName: $0) }
        guard (1...2).contains(names.count), let first = names[0], let last = names[names.count - 1], first <= last else { return nil }
        return first.rawValue...last.rawValue
    }

    private static func minute(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [2, 2], parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour * 60 + minute <= 1_440
        else { return nil }
        return hour * 60 + minute
    }

    /// - Parameter minute: of the day, 0...1439.
    public func contain(_ day: Weekday, minute: Int) -> Bool {
        let yesterday = day == .monday ? Weekday.sunday : Weekday.allCases[day.rawValue - 2]
        return spans.contains { span in
            if span.begin < span.end { return span.days.contains(day.rawValue) && (span.begin..<span.end).contains(minute) }
            return span.days.contains(day.rawValue) && minute >= span.begin || span.days.contains(yesterday.rawValue) && minute < span.end
        }
    }
}

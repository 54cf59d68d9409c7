import Identifiers
import Readings

/// What one reader had kept while nobody listened, gathered by tag until it has told everything.
struct LateReads: Sendable {
    /// The reader has told everything when nothing more came for this long.
    static let quiet = Instant.Span.seconds(2)
    /// A reader that never stops telling is taken at its word so often.
    static let longest = Instant.Span.seconds(300)
    static let maximumTags = 10_000
    /// Tags in one proposal: they are committed together.
    static let maximumTogether = 500

    /// In the order in which they were told first.
    private var tags: [Proposal.LateTag] = []
    private var places: [EPC: Int] = [:]
    private let begin: Instant
    private var last: Instant
    /// Reads of tags beyond `maximumTags`.
    private(set) var lost: UInt64 = 0

    init(at now: Instant) {
        begin = now
        last = now
    }

    var deadline: Instant { min(last + Self.quiet, begin + Self.longest) }

    mutating func take(_ read: TagRead, at now: Instant) {
        last = now
        let time = read.readerTime.flatMap(ReaderTime.init(microseconds:))
        guard let place = places[read.epc] else {
            guard tags.count < Self.maximumTags else {
                lost &+= 1
                return
            }
            places[read.epc] = tags.count
            tags.append(.init(epc: read.epc, antennas: AntennaPorts([read.antenna]), reads: 1, first: time, last: time))
            return
        }
        tags[place].antennas.insert(read.antenna)
        tags[place].reads &+= 1
        guard let time else { return }
        tags[place].first = min(tags[place].first ?? time, time)
        tags[place].last = max(tags[place].last ?? time, time)
    }

    /// Between which of the reader's own times each tag was seen.
    var spans: [EPC: ClosedRange<ReaderTime>] {
        var spans: [EPC: ClosedRange<ReaderTime>] = [:]
        for tag in tags {
            if let first = tag.first, let last = tag.last { spans[tag.epc] = first...last }
        }
        return spans
    }

    func proposals(of device: String, at station: String) -> [Proposal] {
        stride(from: 0, to: tags.count, by: Self.maximumTogether).map { start in
            let end = min(start + Self.maximumTogether, tags.count)
            return Proposal(station: station, content: .observedLate(.init(device: device, tags: Array(tags[start..<end]))))
        }
    }
}

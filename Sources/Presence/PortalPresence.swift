import Identifiers
import Readings

/// Tells what goes through a dock portal, in transactions: a pallet, a cart, a delivery.
///
/// A transaction is opened by the beam or by the first tag that does not stand there anyway. It ends when no new tag came for a
/// while and the beam is clear. What is only near the portal, a pallet put down beside it, is told apart by lying still and by being
/// seen outside of transactions. What was expected counts as a prior and is never a proof.
public struct PortalPresence: Sendable {
    public struct Settings: Hashable, Sendable {
        /// No new tag for so long: the set is stable.
        public var stable: Instant.Span = .seconds(2)
        public var longest: Instant.Span = .seconds(30)
        /// Tags are read ahead of the beam: those first seen so long before it belong to the transaction.
        public var lead: Instant.Span = .seconds(3)
        /// A tag opens a transaction; false where only the beam does.
        public var opensOnTag = true
        /// A tag unread for longer comes anew, and may open a transaction; one that was just put down beside the portal does not.
        public var away: Instant.Span = .seconds(10)
        /// A tag seen in more seconds than this, of the last 5 minutes and outside of transactions, stands there.
        public var residentSeconds = 20
        public var capacity = 65_536

        public init() {}
    }

    /// ln of likelihood ratios, in favour of having gone through.
    private enum Weight {
        /// The motion test is right in 96 of 100 windows of what moves, and in 99.5 of what lies still; two or three windows of one
        /// transaction are not independent, so it counts for no more than 20 to 1.
        static let moving = 3.0
        static let still = -3.0
        static let resident = -4.0
        /// First seen in this transaction, or seen before it within 5 minutes.
        static let new = 1.5
        static let seenBefore = -1.0
        /// One or two reads may be a reflection.
        static let fewReads = -1.0
        /// 0.9 to 0.1.
        static let expected = 2.197
        /// 0.7 to 0.3.
        static let decided = 0.847
    }

    struct Tag: Sendable {
        var motion = MotionTest()
        /// The first read within the memory of 5 minutes.
        var firstEver: Instant
        var last: Instant
        /// The transaction that the following are of.
        var transaction: UInt64 = 0
        var first: Instant
        var reads = 0
        var moved = false
        var lay = false
        /// Seconds with reads outside of transactions, in five buckets of a minute.
        var seconds: [UInt8] = [0, 0, 0, 0, 0]
        var minute: Int64 = 0
        var second: Int64 = -1
        /// By being restored.
        var isKnownResident = false

        func isResident(_ settings: Settings) -> Bool {
            isKnownResident || seconds.reduce(0) { $0 + Int($1) } > settings.residentSeconds
        }
    }

    private struct Transaction: Sendable {
        var opened: Instant
        var openedBy: PortalReport.Opening
        /// From when the set counts as stable: the last new tag, the clearing of the trigger, or the end of an outage.
        var changed: Instant
        var closed: Instant
        var isDegraded: Bool

        mutating func change(at now: Instant) {
            changed = max(changed, now)
            closed = max(closed, now)
        }
    }

    private let settings: Settings
    var tags: TagTable<Tag>
    private var expected: Set<EPC>?
    private var open: Transaction?
    private var triggerIsActive = false
    private var isReading: Bool
    /// The last read of any tag.
    private var lastRead = Instant.zero
    private var purge: Instant?
    private(set) var number: UInt64 = 0
    private var savedNumber: UInt64 = 0
    private var savedResidents: Set<EPC> = []
    public private(set) var overflow: UInt64 = 0

    private static let memory = Instant.Span.seconds(300)

    /// - Parameter rows: what `takeChanges` gave before.
    public init(settings: Settings = Settings(), isReading: Bool = false, restoring rows: [LearnedState] = [], at now: Instant = .zero) {
        self.settings = settings
        self.isReading = isReading
        tags = TagTable(capacity: settings.capacity)
        for row in rows.sorted(by: { $0.name < $1.name }) {
            if row.name == Self.headKey {
                number = UInt64(truncatingIfNeeded: row.value?["transactions"]?.integer ?? 0)
                savedNumber = number
            } else if let epc = EPC(hex: String(row.name.dropFirst(Self.residentPrefix.count))), row.value?["resident"]?.bool == true {
                var tag = Tag(firstEver: now, last: now, first: now)
                tag.isKnownResident = true
                savedResidents.insert(epc)
                _ = tags.update(epc) {
                    tag
                } _: { _ in
                }
            }
        }
        if !savedResidents.isEmpty { purge = now + Self.memory }
    }

    public var isOpen: Bool { open != nil }
    public var knownTags: Int { tags.entries.count }

    // MARK: Inputs

    /// The tags of the delivery that is due; nil: nothing is known of it.
    public mutating func expect(_ tags: Set<EPC>?) { expected = tags }

    /// The beam is interrupted, or clear.
    public mutating func trigger(isActive: Bool, at now: Instant) {
        triggerIsActive = isActive
        if isActive, open == nil {
            begin(by: .trigger, at: now)
        } else if !isActive, open != nil {
            open?.change(at: now)
        }
    }

    /// The reader is, or is no longer, shown to be reading. Its silence does not make the set stable, and what stood there when it fell
    /// silent stands there until it is seen to move, or not seen for 5 minutes after it.
    public mutating func readerChanged(isReading: Bool, at now: Instant) {
        if isReading, !self.isReading {
            open?.changed = now
            if purge != nil { purge = now + Self.memory }
        } else if !isReading, self.isReading {
            let settings = settings
            tags.updateAll { if $0.isResident(settings) { $0.isKnownResident = true } }
        }
        self.isReading = isReading
        if !isReading { open?.isDegraded = true }
    }

    public mutating func observe(_ read: TagRead, at now: Instant) {
        let (settings, current, isOpen) = (settings, number, open != nil)
        var (isNew, opens) = (false, false)
        let hadRoom = tags.update(read.epc) {
            var tag = Tag(firstEver: now, last: now, first: now)
            opens = tag.take(read, at: now, transaction: isOpen ? current : nil, settings: settings, isNew: &isNew)
            return tag
        } _: { tag in
            opens = tag.take(read, at: now, transaction: isOpen ? current : nil, settings: settings, isNew: &isNew)
        }
        if !hadRoom { overflow &+= 1 }
        lastRead = max(lastRead, now)
        if purge == nil { purge = now + Self.memory }
        if open != nil {
            guard isNew else { return }
            open?.change(at: now)
        } else if opens, settings.opensOnTag {
            begin(by: .tag, at: now)
            let number = number
            _ = tags.update(read.epc) {
                Tag(firstEver: now, last: now, first: now)
            } _: { tag in
                if tag.transaction != number { tag.join(number, from: now, reads: 1) }
            }
        }
    }

    public var nextDeadline: Instant? {
        guard let open else { return purge }
        let limit = open.opened + settings.longest
        let end = triggerIsActive || !isReading ? limit : min(limit, open.changed + settings.stable)
        return purge.map { min($0, end) } ?? end
    }

    public mutating func advance(to now: Instant) -> [PortalReport] {
        var reports: [PortalReport] = []
        while let deadline = nextDeadline, deadline <= now {
            if let purge, purge <= deadline {
                let seen = isReading ? deadline : lastRead
                _ = tags.remove { $0.last + Self.memory <= seen }
                self.purge = tags.entries.isEmpty ? nil : deadline + .seconds(60)
                continue
            }
            if let report = finish(at: deadline) { reports.append(report) }
        }
        return reports
    }

    // MARK: Transactions

    private mutating func begin(by opening: PortalReport.Opening, at now: Instant) {
        number &+= 1
        open = Transaction(opened: now, openedBy: opening, changed: now, closed: now, isDegraded: !isReading)
        let (number, since) = (number, Instant(nanoseconds: now.nanoseconds &- settings.lead.nanoseconds))
        tags.updateAll { tag in
            guard tag.firstEver >= since else { return }
            let (moved, lay) = (tag.moved, tag.lay)
            tag.join(number, from: tag.firstEver, reads: tag.reads)
            (tag.moved, tag.lay) = (moved, lay)
        }
    }

    private mutating func finish(at now: Instant) -> PortalReport? {
        guard let open else { return nil }
        self.open = nil
        let endedBy: PortalReport.Ending = now >= open.opened + settings.longest ? .limit : .stable
        var report = PortalReport(
            number: number, openedBy: open.openedBy, endedBy: endedBy, opened: open.opened, closed: open.closed,
            isDegraded: open.isDegraded)
        let (number, settings, expected) = (number, settings, expected)
        let began = Instant(nanoseconds: open.opened.nanoseconds &- settings.lead.nanoseconds)
        var read: Set<EPC> = []
        tags.updateEach { epc, tag in
            guard tag.transaction == number, tag.reads > 0 else { return }
            tag.note(tag.motion.finishWindow())
            read.insert(epc)
            let isExpected = expected?.contains(epc) ?? false
            var odds = tag.moved ? Weight.moving : tag.lay ? Weight.still : 0
            odds += tag.isResident(settings) ? Weight.resident : tag.firstEver >= began ? Weight.new : Weight.seenBefore
            if tag.reads < 3 { odds += Weight.fewReads }
            if expected != nil { odds += isExpected ? Weight.expected : -Weight.expected }
            let entry = PortalReport.Entry(
                epc: epc, logOdds: odds.thousandths, motion: tag.moved ? .moving : tag.lay ? .still : .unknown, isExpected: isExpected,
                first: tag.first, last: tag.last, reads: tag.reads)
            if odds > Weight.decided {
                report.moved.append(entry)
            } else if odds < -Weight.decided {
                report.staged.append(entry)
            } else {
                report.uncertain.append(entry)
            }
        }
        report.moved.sort { $0.epc < $1.epc }
        report.staged.sort { $0.epc < $1.epc }
        report.uncertain.sort { $0.epc < $1.epc }
        report.missing = (expected ?? []).subtracting(read).sorted()
        return report
    }

    // MARK: Saving

    private static let headKey = "portal"
    private static let residentPrefix = "resident/"

    /// The rows that changed since the last call: the number of transactions, and the tags that stand there.
    public mutating func takeChanges() -> [LearnedState] {
        var rows: [LearnedState] = []
        if number != savedNumber {
            savedNumber = number
            rows.append(LearnedState(name: Self.headKey, value: ["transactions": .integer(Int64(truncatingIfNeeded: number))]))
        }
        let residents = Set(tags.entries.filter { $0.value.isResident(settings) }.map(\.epc))
        for epc in residents.subtracting(savedResidents) {
            rows.append(LearnedState(name: Self.residentPrefix + epc.hex, value: ["resident": .bool(true)]))
        }
        for epc in savedResidents.subtracting(residents) { rows.append(LearnedState(name: Self.residentPrefix + epc.hex, value: nil)) }
        savedResidents = residents
        return rows.sorted { $0.name < $1.name }
    }
}

extension PortalPresence.Tag {
    /// - Returns: whether the tag may open a transaction.
    mutating func take(
        _ read: TagRead, at now: Instant, transaction: UInt64?, settings: PortalPresence.Settings, isNew: inout Bool
    ) -> Bool {
        let wasAway = now == firstEver || now - last > settings.away
        last = max(last, now)
        let verdict = motion.observe(read, at: now)
        if let transaction, self.transaction != transaction {
            join(transaction, from: now, reads: 0)
            isNew = !isResident(settings)
        }
        note(verdict)
        reads += 1
        guard transaction == nil else { return false }
        countSecond(at: now)
        // What stands there opens nothing, unless it is taken away.
        if verdict == .moving { isKnownResident = false }
        return !isResident(settings) && (wasAway || verdict == .moving)
    }

    mutating func join(_ transaction: UInt64, from first: Instant, reads: Int) {
        (self.transaction, self.first, self.reads, moved, lay) = (transaction, first, reads, false, false)
    }

    mutating func note(_ verdict: MotionTest.Verdict?) {
        if verdict == .moving { moved = true }
        if verdict == .still { lay = true }
    }

    private mutating func countSecond(at now: Instant) {
        let newMinute = now.nanoseconds / 60_000_000_000
        if newMinute != minute {
            for passed in 0..<min(5, max(0, newMinute - minute)) { seconds[Int((minute + 1 + passed) % 5 + 5) % 5] = 0 }
            minute = newMinute
        }
        let newSecond = now.nanoseconds / 1_000_000_000
        guard newSecond != second else { return }
        second = newSecond
        seconds[Int(minute % 5 + 5) % 5] += 1
    }
}

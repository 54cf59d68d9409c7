import Readings

/// What the log says of loans in a span of time, each thing once: provisional words are replaced by final ones, and what was withdrawn is not in
/// it. Times are milliseconds since 1970, put right where the log says later that the clock was wrong.
public struct LoanHistory: Hashable, Sendable {
    /// One item of one loan, from the hand that took it to its end.
    public struct Line: Hashable, Sendable {
        /// The event that opened it.
        public var opened: Int64
        /// The number of the loan; several lines may have the same.
        public var loan: String
        public var item: ItemKey
        public var person: PersonKey
        /// Where it was taken, or handed over.
        public var station: String?
        public var episode: String?
        public var permit: PermitKey?
        public var out: Int64
        /// Whether anybody knows that `out` is right: false for a machine that did not know the time, and never learned it.
        public var isTimed: Bool
        /// When it had to be back, as it was said at first.
        public var due: Int64
        /// In the order in which they were made.
        public var renewals: [Renewal]
        /// nil while it is open.
        public var end: End?
        /// When the item was back in the store, also after it had been given up for lost.
        public var back: Int64?
        public var backStation: String?

        public init(
            opened: Int64, loan: String, item: ItemKey, person: PersonKey, station: String? = nil, episode: String? = nil,
            permit: PermitKey? = nil, out: Int64, isTimed: Bool = true, due: Int64, renewals: [Renewal] = [], end: End? = nil,
            back: Int64? = nil, backStation: String? = nil
        ) {
            (self.opened, self.loan, self.item, self.person) = (opened, loan, item, person)
            (self.station, self.episode, self.permit) = (station, episode, permit)
            (self.out, self.isTimed, self.due, self.renewals) = (out, isTimed, due, renewals)
            (self.end, self.back, self.backStation) = (end, back, backStation)
        }

        /// When it has to be back, as it stands at a moment.
        public func due(at moment: Int64) -> Int64 { renewals.last { $0.time <= moment }?.due ?? due }

        /// Whether it is out at a moment.
        public func isOpen(at moment: Int64) -> Bool { out <= moment && end.map { $0.time > moment } ?? true }
    }

    public struct Renewal: Hashable, Sendable {
        public var time: Int64
        public var due: Int64

        public init(time: Int64, due: Int64) {
            (self.time, self.due) = (time, due)
        }
    }

    public struct End: Hashable, Sendable {
        public var time: Int64
        public var how: How

        public enum How: String, Hashable, Sendable, CaseIterable {
            case returned
            /// Another person has it now, under another loan.
            case transferred
            case lost
            /// The record says no more: the item was lent again, or the word of its return was withdrawn too late to open the loan again.
            case superseded
        }

        public init(time: Int64, how: How) {
            (self.time, self.how) = (time, how)
        }
    }

    /// Somebody looked at an item.
    public struct Inspection: Hashable, Sendable {
        public var item: ItemKey
        /// The line that it was about; nil for an item that was on no loan.
        public var line: Int64?
        public var loan: String?
        /// Who had it.
        public var person: PersonKey?
        /// Where the line began; where there is none, where the item was looked at.
        public var station: String?
        public var time: Int64
        /// `fine`, `damaged`, `incomplete`, or a word of a later version.
        public var result: String

        public init(
            item: ItemKey, line: Int64? = nil, loan: String? = nil, person: PersonKey? = nil, station: String? = nil, time: Int64,
            result: String
        ) {
            (self.item, self.line, self.loan, self.person) = (item, line, loan, person)
            (self.station, self.time, self.result) = (station, time, result)
        }
    }

    /// An item was carried out, or asked for, and a rule was against it.
    public struct Objection: Hashable, Sendable {
        /// Of the exception.
        public var number: Int64
        public var item: ItemKey
        /// nil: more than one may have done it, or nobody knows.
        public var person: PersonKey?
        public var station: String?
        public var episode: String?
        public var time: Int64
        /// As in the event: `not_permitted`, `over_quota` …
        public var kind: String

        public init(
            number: Int64, item: ItemKey, person: PersonKey? = nil, station: String? = nil, episode: String? = nil, time: Int64,
            kind: String
        ) {
            (self.number, self.item, self.person, self.station) = (number, item, person, station)
            (self.episode, self.time, self.kind) = (episode, time, kind)
        }
    }

    /// By the number of the event that opened them.
    public var lines: [Line]
    public var inspections: [Inspection]
    public var objections: [Objection]

    public init(lines: [Line] = [], inspections: [Inspection] = [], objections: [Objection] = []) {
        (self.lines, self.inspections, self.objections) = (lines, inspections, objections)
    }
}

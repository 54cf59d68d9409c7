/// A point in time on the gateway's own monotonic clock (`CLOCK_BOOTTIME`), in nanoseconds.
///
/// Live, zero is the boot of the machine; in a capture, the beginning of its recording. Only differences have a meaning, and in which
/// `step` a time is, so nothing that is decided from them changes when the wall clock is stepped.
@frozen
public struct Instant: Hashable, Comparable, Sendable {
    /// Nanoseconds since zero.
    public var nanoseconds: Int64

    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    public static let zero = Instant(nanoseconds: 0)

    /// A gate looks at what it read in steps of 2^27 ns, about 134 ms, counted from zero.
    public static let step = Span(nanoseconds: 1 << 27)

    /// The beginning of the step that this is in. Recordings begin at one: a replay cuts time where the gateway did.
    public var stepBegin: Instant { Instant(nanoseconds: (nanoseconds >> 27) << 27) }

    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// This instant plus a span; saturates, so that a hostile reader clock cannot trap.
    @inlinable
    public static func + (instant: Instant, span: Span) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(span.nanoseconds)
        return Instant(nanoseconds: overflow ? (span.nanoseconds > 0 ? .max : .min) : sum)
    }

    /// The span from `right` to `left`; saturates.
    @inlinable
    public static func - (left: Instant, right: Instant) -> Span {
        let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        return Span(nanoseconds: overflow ? (left.nanoseconds > right.nanoseconds ? .max : .min) : difference)
    }

    /// A length of time in nanoseconds.
    @frozen
    public struct Span: Hashable, Comparable, Sendable {
        public var nanoseconds: Int64

        @inlinable
        public init(nanoseconds: Int64) {
            self.nanoseconds = nanoseconds
        }

        public static let zero = Span(nanoseconds: 0)

        /// Saturates at the ends of the range, about 292 years.
        @inlinable
        public static func milliseconds(_ count: Int64) -> Span {
            let (product, overflow) = count.multipliedReportingOverflow(by: 1_000_000)
            return Span(nanoseconds: overflow ? (count > 0 ? .max : .min) : product)
        }

        /// Saturates at the ends of the range, about 292 years.
        @inlinable
        public static func seconds(_ count: Int64) -> Span {
            let (product, overflow) = count.multipliedReportingOverflow(by: 1_000_000_000)
            return Span(nanoseconds: overflow ? (count > 0 ? .max : .min) : product)
        }

        /// Whole milliseconds, rounded toward zero.
        public var milliseconds: Int64 { nanoseconds / 1_000_000 }

        @inlinable
        public static func < (left: Span, right: Span) -> Bool { left.nanoseconds < right.nanoseconds }
    }
}

import Readings

/// Time in steps of 2²⁷ ns (134 ms), in which a walker goes 19 cm: what the gate remembers of a visit is sorted into these.
enum GateStep {
    static let length = Instant.step

    @inline(__always)
    static func of(_ time: Instant) -> Int { Int(time.nanoseconds >> 27) }

    static func start(of step: Int) -> Instant { Instant(nanoseconds: Int64(step) << 27) }

    /// Which of 64 parts of its step a time is in.
    @inline(__always)
    static func part(of time: Instant) -> UInt64 { 1 << UInt64((time.nanoseconds >> 21) & 63) }
}

/// What the antennas heard of one tag during one visit, bounded: the newest steps.
///
/// The log is the same whatever the order of arrival of its reads. A repeated read changes nothing: no reader reads a tag twice with
/// one antenna within two milliseconds, so two reads in the same 64th of a step are one.
struct VisitLog: Sendable {
    struct Entry: Sendable, Hashable {
        let step: Int
        let antenna: UInt8
        var reads: UInt16 = 0
        /// Hundredths of a dBm, of the reads that tell it.
        var rssiSum: Int32 = 0
        var rssiReads: UInt16 = 0
        var parts: UInt64 = 0

        /// dBm; nil when the reader does not tell.
        var rssi: Double? { rssiReads == 0 ? nil : Double(rssiSum) / Double(rssiReads) / 100 }
    }

    /// Sorted by step, then antenna.
    private(set) var entries: [Entry] = []
    /// Entries before this step were forgotten.
    private(set) var forgottenBefore = Int.min

    static let capacity = 512

    /// - Parameter isRepeatable: whether the read has a time of its own, so that its repetition can be told.
    /// - Returns: false for a repetition, and for what is older than the log remembers.
    @inline(__always)
    mutating func insert(antenna: UInt8, rssi: Int16, at time: Instant, isRepeatable: Bool) -> Bool {
        let step = GateStep.of(time)
        var position = entries.count
        while position > 0 {
            let entry = entries[position - 1]
            if entry.step == step, entry.antenna == antenna {
                return entries[position - 1].count(rssi: rssi, part: GateStep.part(of: time), isRepeatable: isRepeatable)
            }
            if (entry.step, entry.antenna) < (step, antenna) { break }
            position -= 1
        }
        guard step >= forgottenBefore else { return false }
        var entry = Entry(step: step, antenna: antenna)
        _ = entry.count(rssi: rssi, part: GateStep.part(of: time), isRepeatable: isRepeatable)
        entries.insert(entry, at: position)
        if entries.count >= 2 * Self.capacity { forgetOldest() }
        return true
    }

    private mutating func forgetOldest() {
        var first = entries.count - Self.capacity
        forgottenBefore = entries[first].step
        // The whole of a step or nothing of it.
        while first > 0, entries[first - 1].step == forgottenBefore { first -= 1 }
        entries.removeFirst(first)
    }
}

extension VisitLog.Entry {
    @inline(__always)
    fileprivate mutating func count(rssi: Int16, part: UInt64, isRepeatable: Bool) -> Bool {
        if isRepeatable {
            guard parts & part == 0 else { return false }
            parts |= part
        }
        guard reads < .max else { return true }
        reads &+= 1
        if rssi != TagRead.noRSSI {
            rssiSum &+= Int32(rssi)
            rssiReads &+= 1
        }
        return true
    }
}

import Readings

/// Says of one tag, every two seconds, whether it moved or lay still.
///
/// A tag that lies still gives, on one antenna and one channel, the same phase and the same signal each time; a centimetre of way
/// towards the antenna turns the phase by 20° at 866 MHz. So a window is compared in itself and with the window before: a tag
/// read for 50 ms as it goes by has moved little in that time, but comes with another phase than last time.
public struct MotionTest: Sendable {
    public enum Verdict: String, Hashable, Sendable {
        case still
        case moving
        /// The reader tells neither signal strength nor phase, or there was too little to compare.
        case unknown
    }

    /// The constants hold for readers in general; they are not a station's settings.
    enum Limit {
        /// 2 s.
        static let window: Int64 = 2_000_000_000
        /// Phase noise of fixed readers is 2.2–3.5° (standard deviation); in 1/65536 of a turn. The variance of n reads of noise is
        /// itself known to √(2/n) of its value only: beyond four of these deviations it is movement.
        static let phaseNoise = 637.0
        static let varianceDeviations = 4.0
        /// Less is movement too when the phase goes smoothly. Von Neumann's ratio, the mean square of the steps from read to read over
        /// twice the variance, is 1 for noise, with a standard deviation of 1/√n, and falls to 0 for a smooth way: at most 0.45, and
        /// three deviations below 1, from 12 reads.
        static let smoothRatio = 0.45
        static let smoothDeviations = 3.0
        static let smoothReads = 12
        /// From the 5th to the 95th percentile more than 2 dB: readers tell whole or half dB with a noise of 0.2–0.55 dB, so that a tag
        /// that lies still gives two or three neighbouring steps.
        static let signalSpread = 200
        /// From one window to the next, 4° of drift while things warm up, and twice the deviation of the difference of two medians: that of
        /// one of n reads is 1.25/√n of the noise.
        static let phaseShift = 728.0
        static let shiftDeviations = 2.0
        /// 1.5 dB between medians, more than 2 dB with few reads.
        static let signalShift = 150
        static let signalShiftOfFew = 225
        /// What moved is still again after five still windows, 10 s: people put things down and pick them up again.
        static let stillWindows = 5
        /// More reads in a window are thinned out; the fastest readers give 222 reads/s of one tag.
        static let samples = 512
        /// Pairs of antenna and channel remembered.
        static let groups = 16
    }

    private struct Sample: Sendable {
        var group: UInt8
        /// Turns by 1/65536, on half a circle: many readers cannot tell a phase from the opposite one.
        var phase: UInt16?
        var signal: Int16
    }

    private struct Group: Sendable {
        var antenna: UInt8
        var frequency: UInt32
        /// The medians of the last window that had it; nil before.
        var phase: UInt16?
        var signal: Int16?
        /// Reads that made them.
        var reads = 0
        var lastUse: Int64 = 0
    }

    private var start: Int64?
    private var window: Int64 = 0
    private var samples: [Sample] = []
    private var stride = 1
    private var skipped = 0
    private var groups: [Group] = []
    private var stillWindows = Limit.stillWindows
    /// The last verdict; `unknown` before the first.
    public private(set) var verdict = Verdict.unknown

    public init() {}

    /// With windows that begin at a given time rather than with the first read.
    public init(windowsFrom start: Instant) {
        self.start = start.nanoseconds
    }

    /// The end of the current window.
    public var nextDeadline: Instant? {
        guard let start, !samples.isEmpty else { return nil }
        return Instant(nanoseconds: start &+ (window &+ 1) &* Limit.window)
    }

    /// Takes a read; gives the verdict of the window before when this read is the first after it.
    public mutating func observe(_ read: TagRead, at now: Instant) -> Verdict? {
        let first = start ?? now.nanoseconds
        start = first
        let index = max(window, (now.nanoseconds &- first) / Limit.window)
        let ended = index > window ? finishWindow() : nil
        window = index
        add(read, at: now)
        return ended
    }

    /// The verdict of the window, when it is over at `now`.
    public mutating func advance(to now: Instant) -> Verdict? {
        guard let deadline = nextDeadline, deadline <= now else { return nil }
        return finishWindow()
    }

    /// Ends the window now. nil without reads.
    public mutating func finishWindow() -> Verdict? {
        guard !samples.isEmpty else { return nil }
        defer {
            samples.removeAll(keepingCapacity: true)
            (stride, skipped) = (1, 0)
        }
        switch compare() {
        // A read or two with nothing to compare them with say nothing new.
        case nil: break
        case true?:
            stillWindows = 0
            verdict = .moving
        case false?:
            stillWindows = min(stillWindows + 1, Limit.stillWindows)
            verdict = stillWindows >= Limit.stillWindows ? .still : .moving
        }
        return verdict
    }

    private mutating func add(_ read: TagRead, at now: Instant) {
        skipped += 1
        guard skipped >= stride else { return }
        skipped = 0
        if samples.count >= Limit.samples {
            samples = samples.indices.filter { $0 % 2 == 0 }.map { samples[$0] }
            stride *= 2
        }
        samples.append(Sample(group: group(of: read, at: now), phase: read.phase.map { $0 &* 2 }, signal: read.rssi))
    }

    private mutating func group(of read: TagRead, at now: Instant) -> UInt8 {
        if let place = groups.firstIndex(where: { $0.antenna == read.antenna && $0.frequency == read.frequency }) {
            groups[place].lastUse = now.nanoseconds
            return UInt8(truncatingIfNeeded: place)
        }
        let new = Group(antenna: read.antenna, frequency: read.frequency, lastUse: now.nanoseconds)
        guard groups.count >= Limit.groups else {
            groups.append(new)
            return UInt8(truncatingIfNeeded: groups.count - 1)
        }
        var oldest = 0
        for place in groups.indices where groups[place].lastUse < groups[oldest].lastUse { oldest = place }
        groups[oldest] = new
        samples.removeAll { Int($0.group) == oldest }
        return UInt8(truncatingIfNeeded: oldest)
    }

    /// Whether the window shows movement; nil when there was nothing to compare.
    private mutating func compare() -> Bool? {
        var signals: [Int] = []
        var phaseReads = 0
        var (shifted, steady) = (0, 0)
        var (steps, squares) = (0.0, 0.0)
        for place in groups.indices {
            let own = samples.filter { Int($0.group) == place }
            guard !own.isEmpty else { continue }
            let (oldPhase, oldSignal, oldReads) = (groups[place].phase, groups[place].signal, groups[place].reads)
            let isFew = min(own.count, oldReads) < 5
            var isShifted: Bool?
            let ownSignals = own.lazy.filter { $0.signal != TagRead.noRSSI }.map { Int($0.signal) }.sorted()
            if !ownSignals.isEmpty {
                let median = ownSignals[ownSignals.count / 2]
                groups[place].signal = Int16(clamping: median)
                if own.count >= 3 { signals += ownSignals.map { $0 - median } }
                if let oldSignal { isShifted = abs(median - Int(oldSignal)) > (isFew ? Limit.signalShiftOfFew : Limit.signalShift) }
            }
            let ownPhases = Self.unwrapped(own.compactMap(\.phase))
            if !ownPhases.isEmpty {
                let median = ownPhases.sorted()[ownPhases.count / 2]
                let phase = UInt16(truncatingIfNeeded: median)
                groups[place].phase = phase
                if own.count >= 3 {
                    phaseReads += ownPhases.count
                    Self.add(ownPhases, steps: &steps, squares: &squares)
                }
                if let oldPhase {
                    // The doubled phase: half a circle is a whole one.
                    let shift = Double(abs(Int(Int16(truncatingIfNeeded: Int(phase) - Int(oldPhase)))))
                    isShifted = isShifted == true || shift > 2 * Self.phaseLimit(reads: own.count, oldReads)
                }
            }
            groups[place].reads = own.count
            if let isShifted { if isShifted { shifted += own.count } else { steady += own.count } }
        }
        guard phaseReads > 0 || !signals.isEmpty || shifted + steady > 0 else { return nil }
        return Self.isSpread(reads: phaseReads, squares: squares)
            // Thinned reads are no neighbours: readers ask in patterns, which thinning turns into slow waves.
            || (stride == 1 && Self.isSmooth(reads: phaseReads, steps: steps, squares: squares))
            || Self.spread(signals) > Limit.signalSpread || shifted > steady
    }

    /// Of the doubled phase.
    private static func isSpread(reads: Int, squares: Double) -> Bool {
        guard reads > 0 else { return false }
        let noise = 4 * Limit.phaseNoise * Limit.phaseNoise
        return squares / Double(reads) > noise * (1 + Limit.varianceDeviations * (2 / Double(reads)).squareRoot())
    }

    /// Adds the squares of the steps from read to read, and of the distances from the mean.
    private static func add(_ phases: [Int], steps: inout Double, squares: inout Double) {
        let mean = Double(phases.reduce(0, +)) / Double(phases.count)
        var last: Int?
        for phase in phases {
            if let last { steps += Double(phase - last) * Double(phase - last) }
            squares += (Double(phase) - mean) * (Double(phase) - mean)
            last = phase
        }
    }

    /// How far apart the medians of so many reads each may be if nothing moved.
    private static func phaseLimit(reads: Int, _ others: Int) -> Double {
        let deviation = 1.25 * Limit.phaseNoise * (1 / Double(max(1, reads)) + 1 / Double(max(1, others))).squareRoot()
        return Limit.phaseShift + Limit.shiftDeviations * deviation
    }

    private static func isSmooth(reads: Int, steps: Double, squares: Double) -> Bool {
        guard reads >= Limit.smoothReads, squares > 0 else { return false }
        let limit = min(Limit.smoothRatio, 1 - Limit.smoothDeviations / Double(reads).squareRoot())
        return steps / (2 * squares) < limit
    }

    /// Phases as a continuous way, each within half a circle of the one before.
    private static func unwrapped(_ phases: [UInt16]) -> [Int] {
        guard let first = phases.first else { return [] }
        var way = Int(first)
        var last = first
        return phases.map { phase in
            way += Int(Int16(bitPattern: phase &- last))
            last = phase
            return way
        }
    }

    /// From the 5th to the 95th percentile, linear between reads.
    private static func spread(_ values: [Int]) -> Int {
        guard values.count >= 3 else { return 0 }
        let sorted = values.sorted()
        func percentile(_ percent: Int) -> Int {
            let position = (sorted.count - 1) * percent
            let (below, rest) = (position / 100, position % 100)
            return below + 1 < sorted.count ? sorted[below] + (sorted[below + 1] - sorted[below]) * rest / 100 : sorted[below]
        }
        return percentile(95) - percentile(5)
    }
}

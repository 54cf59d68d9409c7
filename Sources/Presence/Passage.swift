import Readings

/// The part of a visit in which the tag went from one side to the other last: who stands there before, or stays in sight after, must
/// not be taken for somebody who stood there all the time.
struct Passage: Sendable {
    /// Steps of the gate's time.
    let range: ClosedRange<Int>

    /// 6 s before the sides changed, and 4 s after: a slow walk.
    private static let before = 45
    private static let after = 30
    /// The louder side is that of the mean power of so many steps on either side (0.5 s).
    private static let smooth = 4
    /// A side that was louder for less than so many steps (0.8 s) was so by chance.
    private static let least = 6
    /// A side is louder when it has at least two thirds of the power.
    private static let clear = 1.0 / 3
    /// Sides that changed more often did so because something moved nearby.
    private static let most = 3

    /// nil: the sides did not change.
    init?(in entries: ArraySlice<VisitLog.Entry>, antennas: [GateAntenna]) {
        guard let first = entries.first?.step, let last = entries.last?.step, last - first > Self.before + Self.after else { return nil }
        // By step, the power of the inside less that of the outside, and of both.
        var differences = Array(repeating: 0.0, count: last - first + 1)
        var powers = differences
        for entry in entries {
            let power = entry.rssi.map { Elementary.power(decibels: $0 + 60) } ?? Double(entry.reads)
            differences[entry.step - first] += antennas[Int(entry.antenna)].side == .inside ? power : -power
            powers[entry.step - first] += power
        }
        var changes: [Int] = []
        // The side that was louder for long enough, and the run of steps of the side that is louder now.
        var (side, run) = (0, (side: 0, length: 0))
        for step in differences.indices {
            let near = max(0, step - Self.smooth)...min(differences.count - 1, step + Self.smooth)
            let (difference, power) = (differences[near].reduce(0, +), powers[near].reduce(0, +))
            let louder = difference > power * Self.clear ? 1 : difference < -power * Self.clear ? -1 : 0
            guard louder != 0 else { continue }
            run = louder == run.side ? (louder, run.length + 1) : (louder, 1)
            guard run.length == Self.least, run.side != side else { continue }
            if side != 0 { changes.append(first + step - Self.least + 1) }
            side = run.side
        }
        // Who came back went nowhere.
        guard let change = changes.last, changes.count <= Self.most, changes.count % 2 == 1 else { return nil }
        range = max(first, change - Self.before)...min(last, change + Self.after)
    }
}

import Identifiers
import Readings
import Simulation

/// The reads of a simulated scene, as the antennas of a simulated reader see them: each read once, no earlier than it happened, when its
/// antenna is asked next. The scene begins when an antenna is asked for the first time.
public struct SceneReads: TagSource {
    /// By antenna port, in the order of time.
    private var waiting: [UInt8: ArraySlice<TimedRead>]
    /// Thousandths: 1,000 is as fast as it happened.
    private let speed: Int64
    private var start: Instant?
    private var lying: TagField

    /// - Parameters:
    ///   - reads: in the order of time
    ///   - speedPercent: 1...100,000; 100 is real time
    public init(_ reads: [TimedRead], speedPercent: Int = 100, lying: TagField = TagField()) {
        waiting = Dictionary(grouping: reads, by: \.read.antenna).mapValues { $0[...] }
        speed = Int64(max(1, min(100_000, speedPercent))) * 10
        self.lying = lying
    }

    /// Everything was read.
    public var isOver: Bool { waiting.values.allSatisfy(\.isEmpty) }

    public mutating func reads(port: UInt8, at now: Instant) -> [TagRead] {
        let begin = start ?? now
        start = begin
        // A day at a thousand times its pace is far from the limit of nanoseconds.
        let sceneTime = Instant.zero + Instant.Span(nanoseconds: max(now - begin, .zero).nanoseconds / 1_000 * speed)
        var found: [TagRead] = []
        while let read = waiting[port]?.first, read.time <= sceneTime {
            found.append(read.read)
            waiting[port]?.removeFirst()
        }
        return found + lying.reads(port: port, at: now)
    }

    public mutating func put(_ epc: EPC, antenna: UInt8?) { lying.put(epc, antenna: antenna) }

    public mutating func take(_ epc: EPC) { lying.take(epc) }
}

import Decoding
import Readings

/// What to look at next with a device that does not do what it should, from what its session has seen.
public enum DeviceAdvice: String, Hashable, Sendable, CaseIterable {
    /// It is asked and not one byte comes.
    case noAnswer = "no_answer"
    /// Bytes come, and none of them is of the protocol.
    case foreignBytes = "foreign_bytes"
    /// Frames come, and many of them are damaged.
    case damagedFrames = "damaged_frames"
    /// The device says itself what is wrong.
    case deviceFault = "device_fault"

    /// So many bytes must have come before they are judged.
    static let leastBytes: UInt64 = 64
    /// One damaged frame in so many is more than a plug that was pulled.
    static let damagedShare: UInt64 = 20

    /// - Returns: nil when nothing is odd.
    public init?(_ session: any DeviceSteering, program: DeviceProgram) {
        let counters = session.counters
        let input = counters.bytes &+ counters.keys
        let rejects = counters.rejects
        let understood = counters.readings &+ counters.rounds &+ UInt64(session.stepAnswers.count)
        if case .absent = session.state { return nil }
        if !session.state.isReading, input == 0, program.isAsked {
            self = .noAnswer
        } else if understood == 0, input >= Self.leastBytes, rejects.total > 0 {
            self = .foreignBytes
        } else if rejects[.checksum] >= 3, rejects[.checksum] &* Self.damagedShare > counters.readings &+ counters.rounds {
            self = .damagedFrames
        } else if !session.state.isReading, counters.lastFault != nil {
            self = .deviceFault
        } else {
            return nil
        }
    }
}

extension DeviceProgram {
    /// Whether the device is sent anything that it should answer.
    var isAsked: Bool { decoder.hasOwnSession || plan.inventory != nil || plan.steps.contains { $0.expect != nil } }
}

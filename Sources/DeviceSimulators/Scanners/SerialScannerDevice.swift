import Readings

/// A hand-held scanner on a serial line: what it is shown, as it is, and CR; Honeywell's serial commands.
public struct SerialScannerDevice: SimulatedDevice {
    /// How often it was told to beep.
    public private(set) var beeps = 0
    private var held: [UInt8] = []

    public init() {}

    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        guard case .scan(let text) = action else { return nil }
        return [text + [0x0D]]
    }

    public mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] {
        held = (held + bytes).suffix(256)
        var answers: [[UInt8]] = []
        while let start = held.firstIndex(of: 0x16) {
            held.removeFirst(start)
            guard held.count >= 3 else { return answers }
            if held.starts(with: [0x16, 0x07, 0x0D]) {
                beeps += 1
            } else if held.starts(with: [0x16, 0x4D, 0x0D]) {
                // A menu command ends with a full stop or an exclamation mark.
                guard let end = held.firstIndex(where: { $0 == 0x2E || $0 == 0x21 }) else { return answers }
                answers.append(Self.answer(to: Array(held[3...end])))
                held.removeFirst(end + 1)
                continue
            }
            held.removeFirst(3)
        }
        held = []
        return answers
    }

    /// A known command is answered with its values and ACK, an unknown one with ENQ. The answer has no line end.
    private static func answer(to command: [UInt8]) -> [UInt8] {
        guard String(decoding: command, as: UTF8.self) == "CBR?." else { return command.dropLast() + [0x05] + command.suffix(1) }
        return Array("CBRENA1\u{6},SSX0\u{6},CK20\u{6},CCT1\u{6},MIN4\u{6},MAX60\u{6}.".utf8)
    }
}

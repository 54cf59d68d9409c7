import Readings

extension ModbusProtocol {
    /// What is known of one input.
    struct Line: Sendable {
        let settings: LineSettings
        /// The level as the device tells it; nil until it was read once.
        var level: Bool?
        /// A level that has not lasted long enough yet, and when it has.
        var candidate: (level: Bool, due: Instant)?
        /// The counter when it was last read.
        var counter: UInt32?
        /// Times that it became active according to the counter, less those that were seen in the level.
        var unseen: Int64 = 0
    }

    /// So many short pulses between two polls are told one by one; of more only these.
    static let pulseLimit: Int64 = 32
    /// A counter that jumps further was cleared, or its device restarted.
    static let counterJump: UInt32 = 1_000

    /// - Parameter isKnown: what is seen was told before.
    mutating func takeInputs(
        _ data: ArraySlice<UInt8>, _ poll: Poll, from first: Int, isKnown: Bool, at now: Instant, into batch: inout DecodedBatch
    ) {
        for line in poll.lines {
            let offset = line - first
            // Bits are packed from the lowest bit of the first byte on; a register has its high byte first.
            let place = poll.function.readsBits ? offset / 8 : offset / 16 * 2 + (offset % 16 < 8 ? 1 : 0)
            guard data.indices.contains(data.startIndex + place), lines.indices.contains(line) else { return }
            let level = data[data.startIndex + place] >> UInt8(offset % 8) & 1 == 1
            if isKnown, lines[line].level == nil { lines[line].level = level }
            take(level, line: line, at: now, into: &batch)
        }
        findDeadline()
    }

    private mutating func take(_ level: Bool, line: Int, at now: Instant, into batch: inout DecodedBatch) {
        guard let known = lines[line].level else { return set(line, to: level, into: &batch) }
        if level == known {
            lines[line].candidate = nil
        } else if lines[line].settings.debounce > .zero {
            if lines[line].candidate == nil { lines[line].candidate = (level, now + lines[line].settings.debounce) }
        } else {
            if level { lines[line].unseen -= 1 }
            set(line, to: level, into: &batch)
        }
        // The counter was read before this level, so what it counted and no level showed came and went in between.
        for _ in 0..<max(0, min(lines[line].unseen, Self.pulseLimit)) {
            set(line, to: !level, into: &batch)
            set(line, to: level, into: &batch)
        }
        lines[line].unseen = min(lines[line].unseen, 0)
    }

    private mutating func set(_ line: Int, to level: Bool, into batch: inout DecodedBatch) {
        lines[line].level = level
        batch.readings.append(
            .input(InputChange(line: UInt8(truncatingIfNeeded: line), isActive: level != lines[line].settings.isInverted)))
    }

    /// Levels that have lasted long enough are true now.
    mutating func settleLines(at now: Instant, into batch: inout DecodedBatch) {
        for line in lines.indices {
            guard let candidate = lines[line].candidate, candidate.due <= now else { continue }
            lines[line].candidate = nil
            set(line, to: candidate.level, into: &batch)
        }
        findDeadline()
    }

    mutating func findDeadline() {
        nextDeadline = lines.lazy.compactMap { $0.candidate?.due }.min()
    }

    mutating func takeCounters(_ data: ArraySlice<UInt8>, _ poll: Poll, _ counters: Counters) {
        let width = counters.registers * 2
        for (offset, line) in poll.lines.enumerated() {
            let start = data.startIndex + offset * width
            guard start + width <= data.endIndex, lines.indices.contains(line) else { return }
            var registers = stride(from: start, to: start + width, by: 2).map { UInt32(data[$0]) << 8 | UInt32(data[$0 + 1]) }
            if counters.isLowFirst { registers.reverse() }
            let count = registers.reduce(0) { $0 << 16 | $1 }
            defer { lines[line].counter = count }
            guard let before = lines[line].counter else { continue }
            let difference = (count &- before) & (counters.registers == 1 ? 0xFFFF : .max)
            guard difference <= Self.counterJump else {
                lines[line].unseen = 0
                continue
            }
            // A level that was seen before the counter was read is counted in it, if the device counts at all.
            lines[line].unseen = max(0, lines[line].unseen + Int64(difference))
        }
    }
}

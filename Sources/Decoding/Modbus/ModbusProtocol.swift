import Readings

/// Inputs, counters and RFID readers of a Modbus unit, as the bus thread of the gateway reads them.
///
/// The bytes are frames `index, length, response`: the place of the poll in the profile's table, or `FF` for the answer to a command;
/// how many bytes follow; and the response as the unit gave it, function first, without address and check, which were good. A poll's
/// response comes when it differs from the one before, for one whole cycle after that, and twice a second in any case.
public struct ModbusProtocol: Decoder {
    /// One answer may be lost on the line; a unit that left so many requests in a row without one may have been without power.
    static let silenceLimit = 2

    let configuration: Configuration
    /// Bytes of a frame that is not whole yet.
    private var buffer: [UInt8] = []
    /// By the number of the line.
    var lines: [Line]
    var identifiers: [IdentifierState]
    /// Polls whose last response was an exception: a unit that answers half of them is not shown to be reading.
    var failing: Set<Int> = []
    /// Requests without an answer since the last one that had one.
    var silences = 0
    /// Polls whose first response tells nothing new.
    var known: Set<Int> = []

    public init(_ configuration: Configuration) {
        self.configuration = configuration
        lines = configuration.lines.map { Line(settings: $0) }
        identifiers = Array(repeating: IdentifierState(), count: configuration.polls.count)
    }

    public mutating func reset() {
        buffer = []
        failing = []
        silences = 0
        known = []
        lines = configuration.lines.map { Line(settings: $0) }
        identifiers = Array(repeating: IdentifierState(), count: configuration.polls.count)
        nextDeadline = nil
    }

    public mutating func resumed() { known = Set(configuration.polls.indices) }

    public func refusal(of request: [UInt8], in frame: [UInt8]) -> Refusal? {
        guard frame.count == 2, let function = request.first, frame[0] == function | ModbusCode.exceptionFlag else { return nil }
        let (meaning, isTransient) = ModbusRequest.exception(frame[1])
        return Refusal(meaning: meaning, isLasting: !isTransient)
    }

    /// When the first input has been steady for long enough.
    public internal(set) var nextDeadline: Instant?

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        guard let deadline = nextDeadline, deadline <= now else { return }
        settleLines(at: now, into: &batch)
    }

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        buffer += bytes
        var position = 0
        search: while position < buffer.count {
            switch look(at: position) {
            case .incomplete: break search
            case .noise:
                batch.rejects.count(.noise)
                position += 1
            case .whole(let index, let response):
                take(Array(buffer[response]), of: index, at: now, into: &batch)
                position = response.upperBound
            }
        }
        buffer.removeFirst(position)
    }

    private enum Look {
        case incomplete
        case noise
        case whole(index: UInt8, response: Range<Int>)
    }

    /// Whether a frame begins here. There is no check byte: the table of polls says what each frame must be, down to its length.
    private func look(at position: Int) -> Look {
        let frame = buffer[position...].prefix(4)
        let index = buffer[position]
        guard index == ModbusCode.command || Int(index) < configuration.polls.count else { return .noise }
        guard frame.count > 1 else { return .incomplete }
        let length = Int(frame[position + 1])
        guard length >= 2, length <= ModbusRequest.maximumLength else { return .noise }
        if index != ModbusCode.command, length != 2, length != configuration.polls[Int(index)].responseLength { return .noise }
        guard frame.count > 2 else { return .incomplete }
        let function = frame[position + 2]
        guard isPossible(function, length, for: index) else { return .noise }
        guard frame.count > 3 else { return .incomplete }
        let third = frame[position + 3]
        if function & ModbusCode.exceptionFlag != 0 {
            guard ModbusRequest.isException(third) else { return .noise }
        } else if ModbusRequest.reads.contains(function), Int(third) != length - 2 {
            return .noise
        }
        guard buffer.count - position >= length + 2 else { return .incomplete }
        return .whole(index: index, response: position + 2..<position + 2 + length)
    }

    private func isPossible(_ function: UInt8, _ length: Int, for index: UInt8) -> Bool {
        let plain = function & ~ModbusCode.exceptionFlag
        if index != ModbusCode.command, plain != configuration.polls[Int(index)].function.rawValue { return false }
        let isRead = ModbusRequest.reads.contains(plain)
        guard isRead || ModbusRequest.writes.contains(plain) else { return false }
        if plain != function { return length == 2 }
        return isRead ? length > 2 : length == 5
    }

    private mutating func take(_ response: [UInt8], of index: UInt8, at now: Instant, into batch: inout DecodedBatch) {
        guard response.count >= 2 else { return }
        let isException = response[0] & ModbusCode.exceptionFlag != 0
        if isException, ModbusCode.isSilence(response[1]) {
            silences = min(silences + 1, Self.silenceLimit)
        } else if silences > 0, !isException || response[1] != ModbusCode.spoilt {
            if silences >= Self.silenceLimit { batch.signals.append(.interrupted) }
            silences = 0
        }
        if index == ModbusCode.command {
            if isException {
                let (meaning, _) = ModbusRequest.exception(response[1])
                // Whatever was asked, the unit goes on reading: the step or the person that asked sees to it.
                batch.signals.append(.fault(code: response[1], meaning: "command \(response[0] & 0x7F): \(meaning)", isTransient: true))
                // No answer yet: the bus sends the command again.
                if ModbusCode.isSilence(response[1]) || response[1] == ModbusCode.spoilt { return }
            } else {
                acknowledged(response)
            }
            return batch.signals.append(.answer(response))
        }
        let place = Int(index)
        if isException {
            let (meaning, isTransient) = ModbusRequest.exception(response[1])
            failing.insert(place)
            return batch.signals.append(.fault(code: response[1], meaning: "poll \(place): \(meaning)", isTransient: isTransient))
        }
        failing.remove(place)
        let data = response[2...]
        let poll = configuration.polls[place]
        switch poll.meaning {
        case .inputs(let first): takeInputs(data, poll, from: Int(first), isKnown: known.contains(place), at: now, into: &batch)
        case .counters(let counters): takeCounters(data, poll, counters)
        case .identifier(let identifier): takeIdentifier(data, identifier, place, into: &batch)
        case .life: break
        }
        known.remove(place)
        if failing.isEmpty { batch.signals.append(.alive) }
    }
}

import Decoding
import Readings

/// What every decoder must keep, whatever comes: `docs/adding-a-device.md`, "A new protocol".
///
/// The first byte of an input chooses the configuration, the second where it is cut, the rest is what the device sends; for a keyboard two
/// bytes are one key event.
struct DecoderCheck {
    private let configurations: [DecoderConfiguration]

    init(_ configurations: [DecoderConfiguration]) { self.configurations = configurations }

    func run(_ input: [UInt8]) {
        guard input.count > 2 else { return }
        let configuration = configurations[Int(input[0]) % configurations.count]
        let data = Array(input[2...])
        if configuration.takesKeys { return keys(data, configuration) }
        let whole = decode([data], configuration)
        bounded(whole, data.count, configuration)
        let cut = Int(input[1]) * data.count / 256
        compare(whole, decode([Array(data[..<cut]), Array(data[cut...])], configuration), "cut after \(cut)")
        if data.count <= 512 { compare(whole, decode(data.map { [$0] }, configuration), "byte by byte") }
        // After any bytes and a reset the decoder is as new.
        var decoder = configuration.makeDecoder()
        var batch = DecodedBatch()
        feed(data, to: &decoder, into: &batch)
        decoder.reset()
        batch.removeAll()
        feed(data, to: &decoder, into: &batch)
        finish(&decoder, into: &batch)
        bounded(batch, data.count, configuration)
    }

    private func keys(_ data: [UInt8], _ configuration: DecoderConfiguration) {
        var decoder = configuration.makeDecoder()
        var batch = DecodedBatch()
        var now = Instant.zero
        for position in stride(from: 0, to: data.count - 1, by: 2) {
            // Two bits of value, six bits of pause.
            now = now + .milliseconds(Int64(data[position + 1] >> 2) * 8)
            while let deadline = decoder.nextDeadline, deadline <= now { decoder.advance(to: deadline, into: &batch) }
            if data[position + 1] & 3 == 3 {
                decoder.inputLost(at: now, into: &batch)
            } else {
                decoder.decode(key: UInt16(data[position]), value: Int32(data[position + 1] & 3), at: now, into: &batch)
            }
        }
        finish(&decoder, into: &batch)
        bounded(batch, data.count, configuration)
    }

    private func decode(_ pieces: [[UInt8]], _ configuration: DecoderConfiguration) -> DecodedBatch {
        var decoder = configuration.makeDecoder()
        var batch = DecodedBatch()
        for piece in pieces { feed(piece, to: &decoder, into: &batch) }
        finish(&decoder, into: &batch)
        return batch
    }

    private func feed(_ bytes: [UInt8], to decoder: inout any Decoder, into batch: inout DecodedBatch) {
        bytes.withUnsafeBytes { decoder.decode($0, at: .zero, into: &batch) }
    }

    /// The silence at the end; it must end.
    private func finish(_ decoder: inout any Decoder, into batch: inout DecodedBatch) {
        var steps = 0
        while let deadline = decoder.nextDeadline {
            decoder.advance(to: deadline, into: &batch)
            steps += 1
            require(steps < 100, "a decoder that is never done with silence")
        }
    }

    private func bounded(_ batch: DecodedBatch, _ count: Int, _ configuration: DecoderConfiguration) {
        // Two bytes of a counter tell of up to 32 short pulses, two readings each; eight inputs change with one byte.
        let limit = configuration.name == .modbus ? 40 * count : count + 8
        require(batch.readings.count <= limit, "\(batch.readings.count) readings of \(count) bytes")
        require(batch.signals.count <= count + 8, "\(batch.signals.count) signals of \(count) bytes")
        require(batch.rejects.total <= UInt64(count) * 4 + 8, "\(batch.rejects.total) rejects of \(count) bytes")
    }

    private func compare(_ left: DecodedBatch, _ right: DecodedBatch, _ how: String) {
        require(left.readings == right.readings, "\(how): readings \(left.readings) became \(right.readings)")
        require(left.signals == right.signals, "\(how): signals \(left.signals) became \(right.signals)")
        require(left.rejects == right.rejects, "\(how): rejects \(left.rejects.byReason) became \(right.rejects.byReason)")
    }
}

/// Sessions survive any answer, say what they send in bounded amounts, and always know when they want to be called again.
///
/// The first byte chooses the profile. Then chunks: a length with its upper bit for a feedback, a pause in units of 16 ms, the bytes.
struct SessionCheck {
    private let programs: [DeviceProgram]

    init(_ programs: [DeviceProgram]) { self.programs = programs }

    func run(_ input: [UInt8]) {
        guard let first = input.first, !programs.isEmpty else { return }
        var session = programs[Int(first) % programs.count].makeSession()
        var output = SessionOutput()
        var now = Instant.zero
        var rest = input.dropFirst()
        session.opened(at: now, into: &output)
        while output.failure == nil, rest.count > 2, let length = rest.popFirst(), let pause = rest.popFirst() {
            let until = now + .milliseconds(Int64(pause) * 16)
            var steps = 0
            while let deadline = session.nextDeadline, deadline <= until, output.failure == nil {
                now = max(now, deadline)
                session.advance(to: now, into: &output)
                steps += 1
                require(steps < 10_000, "a session that is never done with one moment")
                settle(&output)
            }
            now = until
            if length & 0x80 != 0 {
                _ = session.give(Feedback.allCases[Int(length & 0x7F) % Feedback.allCases.count], at: now, into: &output)
            } else {
                let bytes = Array(rest.prefix(Int(length)))
                rest = rest.dropFirst(Int(length))
                bytes.withUnsafeBytes { session.receive($0, at: now, into: &output) }
            }
            settle(&output)
        }
        session.release(at: now, into: &output)
        session.closed(reason: "", at: now, into: &output)
    }

    private func settle(_ output: inout SessionOutput) {
        require(output.transmissions.count < 1_000, "\(output.transmissions.count) transmissions at once")
        require(output.batch.readings.count < 5_000, "\(output.batch.readings.count) readings at once")
        let failure = output.failure
        output.removeAll()
        output.failure = failure
    }
}

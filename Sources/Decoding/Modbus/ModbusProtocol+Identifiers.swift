import Identifiers
import Readings

extension ModbusProtocol {
    /// What is known of the registers of an RFID reader.
    struct IdentifierState: Sendable {
        /// What was told last and is still there; empty: nothing is.
        var present: [UInt8] = []
        /// The reader was told that its identifier was taken, and has not confirmed it: what it shows is still the old one.
        var awaitsConfirmation = false
    }

    mutating func takeIdentifier(_ data: ArraySlice<UInt8>, _ identifier: Identifier, _ place: Int, into batch: inout DecodedBatch) {
        let registers = stride(from: data.startIndex, to: data.endIndex - 1, by: 2).map { UInt16(data[$0]) << 8 | UInt16(data[$0 + 1]) }
        guard let bytes = bytes(of: identifier, in: registers) else { return batch.rejects.count(.malformed) }
        if bytes.isEmpty {
            identifiers[place] = IdentifierState()
            return
        }
        if identifiers[place].awaitsConfirmation {
            // Said again with each look, at most twice a second while nothing else changes: the first request may have been lost.
            batch.signals.append(.reply(identifier.acknowledgement))
            return
        }
        guard bytes != identifiers[place].present else { return }
        identifiers[place].present = bytes
        if known.contains(place) {
            identifiers[place].awaitsConfirmation = !identifier.acknowledgement.isEmpty
            return
        }
        switch identifier.output {
        case .tag:
            guard let epc = EPC(bytes) else { return batch.rejects.count(.malformed) }
            batch.readings.append(.tag(TagRead(epc: epc)))
        case .badge(let form): batch.readings.append(.badge(BadgeRead(credential: form.text(of: bytes))))
        }
        guard !identifier.acknowledgement.isEmpty else { return }
        identifiers[place].awaitsConfirmation = true
        batch.signals.append(.reply(identifier.acknowledgement))
    }

    /// The reader confirmed that it was told: what it shows from now on is new, be it the same card again.
    mutating func acknowledged(_ response: [UInt8]) {
        for (place, poll) in configuration.polls.enumerated() {
            guard case .identifier(let identifier) = poll.meaning, identifiers[place].awaitsConfirmation,
                identifier.acknowledgement.prefix(5) == response[...]
            else { continue }
            identifiers[place] = IdentifierState()
        }
    }

    /// The identifier in its right order; empty: none is there; nil: it cannot be.
    private func bytes(of identifier: Identifier, in registers: [UInt16]) -> [UInt8]? {
        if let flag = identifier.flag {
            guard registers.indices.contains(flag.register) else { return nil }
            if registers[flag.register] >> UInt16(flag.bit & 15) & 1 == 0 { return [] }
        }
        var count = identifier.byteCount
        if let register = identifier.lengthRegister {
            guard registers.indices.contains(register) else { return nil }
            count = Int(registers[register])
            if count == 0 { return [] }
            guard count <= identifier.byteCount else { return nil }
        }
        let last = identifier.firstRegister + (count + 1) / 2
        guard identifier.firstRegister >= 0, count > 0, last <= registers.count else { return nil }
        var words = Array(registers[identifier.firstRegister..<last])
        if identifier.isLastRegisterFirst { words.reverse() }
        let bytes = words.flatMap { word in
            let (high, low) = (UInt8(word >> 8), UInt8(word & 0xFF))
            return identifier.isLowByteFirst ? [low, high] : [high, low]
        }
        // A reader without a flag and without a length shows zeros when nothing is there.
        if identifier.flag == nil, identifier.lengthRegister == nil, !bytes.contains(where: { $0 != 0 }) { return [] }
        return Array(bytes.prefix(count))
    }
}

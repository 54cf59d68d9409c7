import Decoding
import Profiles
import Readings

extension ProbePlan.Question {
    /// The harmless questions of a profile, each a whole frame as it goes over the line.
    static func all(of profile: DeviceProfile, at line: DeviceProfile.SerialLine) -> [ProbePlan.Question] {
        if case .osdp = profile.decoder {
            return [
                ProbePlan.Question(profile, line, "identification", osdpIdentification, expect: osdpAnswer, timeout: .milliseconds(500))
            ]
        }
        guard profile.decoder.hasAnswers else { return [] }
        return profile.plan.steps.filter(\.identifies).compactMap { step in
            guard let expect = step.expect else { return nil }
            let send = profile.decoder.isModbus ? ModbusSerialFrame(unit: modbusUnit, content: step.send).encoded : step.send
            return ProbePlan.Question(
                profile, line, step.name, send, expect: expect, timeout: min(step.timeout, ProbePlan.longestAnswer))
        }
    }

    private init(
        _ profile: DeviceProfile, _ line: DeviceProfile.SerialLine, _ step: String, _ send: [UInt8], expect: BytePattern,
        timeout: Instant.Span
    ) {
        self.init(
            line: line, send: send, asking: [Asking(profile: profile.id, step: step, expect: expect)], timeout: timeout, attempts: 2)
    }

    /// The unit that is asked: the address with which most are sold. Another one is not found.
    static let modbusUnit: UInt8 = 1

    /// Who are you (osdp_ID, 61, its one byte is 0), to address 0, with which readers are sold; sequence 0, so that it needs no talk before.
    private static let osdpIdentification = OSDPPacket(address: 0, sequence: 0, code: 0x61, data: [0]).encoded
    /// The reply of address 0 that names maker and model (osdp_PDID, 45).
    private static let osdpAnswer = BytePattern(bytes: [0xFF, 0x53, 0x80, nil, nil, nil, 0x45], allowsMore: true)

    /// The answer that a decoder's profile expects, as it came over the line.
    /// - Parameters:
    ///   - answers: the frames that the decoder took for answers.
    ///   - received: everything since the question.
    func answer(expected: BytePattern, by decoder: DecoderConfiguration, answers: [[UInt8]], received: [UInt8]) -> [UInt8]? {
        guard decoder.isModbus else { return answers.first(where: expected.matches) }
        // A unit's decoder gets its responses from the bus, without unit and check.
        guard let unit = send.first, send.count > 3 else { return nil }
        let response = ModbusSerialFrame(unit: unit, content: Array(send[1..<(send.count - 2)])).response(in: received)
        return response.flatMap { expected.matches($0.content) ? $0.encoded : nil }
    }
}

extension DecoderConfiguration {
    /// Whether it decodes what the gateway makes of the line, not the line itself: there is nothing to hear for it.
    var isModbus: Bool { if case .modbus = self { true } else { false } }
}

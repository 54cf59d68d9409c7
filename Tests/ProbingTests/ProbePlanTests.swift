import Decoding
import Readings
import Testing

@testable import Probing
@testable import Profiles

enum Shipped {
    static let directory = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/DeviceProfiles"
    static let library = ProfileLibrary(directories: [directory])
}

/// A profile of a serial device.
func profile(
    _ id: String, _ line: DeviceProfile.SerialLine, _ decoder: DecoderConfiguration, steps: [SessionPlan.Step] = [], rules: [MatchRule] = []
) -> DeviceProfile {
    DeviceProfile(
        id: id, name: id, models: [], support: .documented, transport: .serial(line), rules: rules, decoder: decoder,
        radio: RadioRules(),
        session: SessionTemplate(
            steps: steps.map { step in
                // Bytes without places are always a template.
                guard let send = try? CommandTemplate(Hex.text(step.send), isAnswer: false) else { preconditionFailure("no template") }
                return SessionTemplate.Step(base: step, send: send)
            }), quirks: [], sources: [], file: "")
}

let firmware: [UInt8] = [0xA0, 0x03, 0x01, 0x72, 0xEA]
let firmwareAnswer: [UInt8] = [0xA0, 0x05, 0x01, 0x72, 0x01, 0x09, 0xDE]
let question = SessionPlan.Step(
    name: "firmware", send: firmware, expect: BytePattern("A0 05 ?? 72 ?? ?? ??"), timeout: .milliseconds(500), identifies: true)

/// All that shipped profiles may make a probe say: the marked steps, for Modbus as unit 1, and who an OSDP reader is.
let allowedQuestions = Set(
    Shipped.library.profiles.flatMap { profile -> [[UInt8]] in
        let marked = profile.plan.steps.filter(\.identifies).map(\.send)
        guard case .modbus = profile.decoder else { return marked }
        return marked.map { request in
            let crc = modbusRemainder([1] + request)
            return [1] + request + [UInt8(crc & 0xFF), UInt8(crc >> 8)]
        }
    } + [[0xFF, 0x53, 0x00, 0x09, 0x00, 0x04, 0x61, 0x00, 0xC0, 0x66]])

/// MODBUS over Serial Line V1.02, appendix B, bit by bit.
func modbusRemainder(_ bytes: [UInt8]) -> UInt16 {
    var register: UInt16 = 0xFFFF
    for byte in bytes {
        register ^= UInt16(byte)
        for _ in 0..<8 {
            let carry = register & 1
            register >>= 1
            if carry == 1 { register ^= 0xA001 }
        }
    }
    return register
}

@Suite("What a probe tries")
struct ProbePlanTests {
    @Test("The usual settings come first, each once")
    func order() {
        let plan = ProbePlan(
            profiles: [
                profile("a/slow", .init(baud: 2_400, dataBits: 7, parity: .even), .scannerLine(.init())),
                profile("a/fast", .init(baud: 115_200), .a0(.init())), profile("a/one", .init(baud: 9_600), .scannerLine(.init())),
                profile("a/two", .init(baud: 9_600, flow: .hardware, dtr: true), .em4100(.init())),
            ], seconds: 6)
        #expect(plan.listening.map(\.line.summary) == ["9600 8N1", "115200 8N1", "2400 7E1"])
        #expect(plan.listening.allSatisfy { $0.duration == .seconds(2) })
        #expect(plan.questions.isEmpty)
    }

    @Test("Nothing but steps that identify is asked, and a shared question once")
    func questions() {
        var other = question
        other.identifies = false
        other.send = [0xA0, 0x04, 0x01, 0x76, 0x1E, 0xC7]
        let line = DeviceProfile.SerialLine(baud: 115_200)
        let plan = ProbePlan(
            profiles: [
                profile("a/one", line, .a0(.init()), steps: [question, other]), profile("a/two", line, .a0(.init()), steps: [question]),
                profile("a/line", .init(baud: 9_600), .scannerLine(.init())),
            ], seconds: 4)
        #expect(plan.questions.map(\.send) == [firmware, firmware])
        #expect(plan.questions.map(\.line.summary) == ["115200 8N1", "9600 8N1"])
        #expect(plan.questions.map { $0.asking.map(\.profile) } == [["a/one", "a/two"], ["a/one", "a/two"]])
        #expect(plan.questions.map(\.attempts) == [2, 1])
        #expect(
            ProbePlan(profiles: [profile("a/one", line, .a0(.init()), steps: [question])], seconds: 4, listenOnly: true).questions.isEmpty)
    }

    /// What the shipped profiles would have sent to a stranger.
    @Test("Scanners are asked nothing, and no profile's question changes a setting")
    func shipped() {
        for profile in Shipped.library.profiles {
            for step in profile.plan.steps where step.identifies {
                #expect(step.check == nil && step.expect != nil, "\(profile.id): \(step.name)")
                #expect(profile.decoder.hasAnswers, "\(profile.id)")
            }
        }
        let sent = Set(ProbePlan(profiles: Shipped.library.profiles, seconds: 1).questions.map(\.send))
        #expect(sent.isSubset(of: allowedQuestions))
        #expect(!sent.isEmpty)
    }

    /// On a line with addresses a command alone is noise, and to some devices something else.
    @Test("Every question is a whole frame of its protocol")
    func wholeFrames() throws {
        var protocols: Set<String> = []
        for question in ProbePlan(profiles: Shipped.library.profiles, seconds: 1).questions {
            for asking in question.asking {
                let decoder = try #require(Shipped.library[asking.profile]).decoder
                protocols.insert(decoder.protocolName)
                switch decoder {
                case .modbus:
                    #expect(question.send.first == 1 && (0x01...0x04).contains(question.send[1]) && question.send.count == 8, "\(asking)")
                    // The CRC over a frame and its own check is zero.
                    #expect(modbusRemainder(question.send) == 0, "\(asking)")
                case .osdp:
                    // osdp_ID to address 0 as LibOSDP's tests have it.
                    #expect(question.send == [0xFF, 0x53, 0x00, 0x09, 0x00, 0x04, 0x61, 0x00, 0xC0, 0x66])
                default: #expect(decoder.fault(ofFrame: question.send) == nil, "\(asking)")
                }
            }
        }
        #expect(protocols.isSuperset(of: ["modbus", "osdp", "a0"]))
    }
}

@Suite("How well bytes fit")
struct ProbeScoreTests {
    private func score(_ bytes: [UInt8], _ configuration: DecoderConfiguration) -> ProbeScore {
        var listener = ProbeListener(configuration)
        listener.receive(bytes, at: .zero)
        listener.advance(to: Instant.zero + .seconds(60))
        return listener.score
    }

    @Test("One good frame is conclusive, noise around it takes away")
    func checked() {
        let clean = score(firmwareAnswer, .a0(.init()))
        #expect(clean.points >= ProbeScore.conclusive)
        let noisy = score([UInt8](repeating: 0x55, count: 200) + firmwareAnswer, .a0(.init()))
        #expect(noisy.points < clean.points && noisy.points >= ProbeScore.worthwhile)
        #expect(score([UInt8](repeating: 0x55, count: 200), .a0(.init())).points == 0)
    }

    @Test("Text without a check is proposed, never certain, and never when it cannot be read")
    func unchecked() {
        let text = score(Array("4006381333931\r".utf8), .scannerLine(.init()))
        #expect(text.points >= ProbeScore.worthwhile && text.points < ProbeScore.conclusive)
        let wrongSpeed = score([0x9C, 0xE6, 0xFE, 0x9E, 0x66, 0x0D], .scannerLine(.init()))
        #expect(wrongSpeed.points < ProbeScore.worthwhile)
        var errors = text
        errors.lineErrors = 3
        #expect(errors.points < ProbeScore.worthwhile)
    }

    @Test("An answer is everything")
    func answered() {
        var score = ProbeScore(isChecked: true)
        score.isAnswered = true
        #expect(score.points == 100)
    }
}

import Decoding
import TestSupport
import Testing

@Suite("LLRP codec, any values")
struct LLRPPropertyTests {
    @Test(arguments: [11, 12, 13] as [UInt64])
    func everyDefinitionRoundTrips(seed: UInt64) throws {
        var generator = LLRPGenerator(seed: seed)
        for round in 0..<40 {
            for definition in LLRPDefinitions.messages {
                let message = try generator.message(definition, version: round % 2 == 0 ? 1 : 2)
                let bytes = try message.encoded()
                let decoded = try LLRPMessage(bytes)
                #expect(decoded == message, "seed \(seed), round \(round), \(definition.name)")
                #expect(decoded.rest.isEmpty, "seed \(seed), round \(round), \(definition.name)")
            }
            // Parameters that no message leads to stand in one that takes any vendor's.
            for definition in LLRPDefinitions.parameters {
                let parameter = try generator.parameter(definition, depth: 1)
                let message = try LLRPMessage("RO_ACCESS_REPORT", id: 1, parameters: [parameter])
                #expect(try LLRPMessage(message.encoded()) == message, "seed \(seed), round \(round), \(definition.name)")
            }
        }
    }

    @Test func whatTheGeneratorMakesThoroughlyIsAsTheStandardWantsIt() throws {
        var generator = LLRPGenerator(seed: 5, isThorough: true)
        for definition in LLRPDefinitions.messages {
            #expect(try generator.message(definition, version: 1).violations == [], "\(definition.name)")
        }
    }

    @Test(arguments: [21, 22, 23, 24] as [UInt64])
    func changedAndCutMessagesNeverTrapAndKeepTheirBytes(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var maker = LLRPGenerator(seed: seed, isThorough: seed % 2 == 0)
        var golden = LLRPMessageTests.all
        for definition in LLRPDefinitions.messages { golden.append(try maker.message(definition, version: 1).encoded()) }
        var decoded = 0
        for round in 0..<20_000 {
            guard var frame = golden.randomElement(using: &generator) else { continue }
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<frame.count, using: &generator)
                frame[index] = Bool.random(using: &generator) ? .random(in: 0...255, using: &generator) : frame[index] ^ 1
            }
            if Bool.random(using: &generator) { frame.removeLast(Int.random(in: 0..<frame.count, using: &generator)) }
            if frame.count >= 10, Bool.random(using: &generator) {
                frame.replaceSubrange(2..<6, with: LLRPReportTests.size(frame.count, 4))
            }
            _ = LLRPReportTests.decode(frame)
            do {
                let message = try LLRPMessage(frame)
                decoded += 1
                #expect(try message.encoded() == frame, "seed \(seed), round \(round)")
            } catch {
                #expect(error.offset <= frame.count, "seed \(seed), round \(round): \(error)")
            }
        }
        #expect(decoded > 1_000)
    }

    @Test(arguments: [31] as [UInt64])
    func anyBytesAtAllNeverTrap(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let body = (0..<Int.random(in: 0...80, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let type = LLRPDefinitions.messages.randomElement(using: &generator)?.kind.number ?? 0
            let frame = LLRPReportTests.size(Int(0x0400 | type), 2) + LLRPReportTests.size(body.count + 10, 4) + [0, 0, 0, 0] + body
            if let message = try? LLRPMessage(frame) { #expect((try? message.encoded()) == frame) }
        }
    }
}

import Decoding
import DeviceSimulators
import Readings
import Testing

/// Outputs of an LLRP reader whose inventory, or connection, ends in the middle of a feedback.
@Suite("LLRP feedback")
struct LLRPFeedbackTests {
    private static let plan = SessionPlan(feedback: [
        .accepted: [.init(bytes: [1, 1]), .init(pause: .milliseconds(20_000), bytes: [1, 0])]
    ])

    private static func give(_ bench: inout LLRPBench) {
        var isGiven = false
        bench.act { isGiven = $0.give(.accepted, at: $1, into: &$2) }
        #expect(isGiven)
    }

    @Test func isShownWhileTheInventoryIsBegunAgain() {
        var bench = LLRPBench(plan: Self.plan)
        bench.open()
        bench.happen { $0.endInventories(at: $1) }
        // The reader does not answer to DELETE_ROSPEC.
        bench.reader.faults.ignored = [21]
        bench.wait(.seconds(2))
        #expect(bench.sentNames.last == "DELETE_ROSPEC" && !bench.session.isInitialised)
        Self.give(&bench)
        #expect(bench.reader.outputs.first == true)
    }

    @Test func aLampThatIsLitGoesOffWhenTheSessionFails() {
        var bench = LLRPBench(plan: Self.plan)
        bench.open()
        bench.reader.faults.errors[20] = 401
        Self.give(&bench)
        #expect(bench.reader.outputs.first == true)
        bench.happen { $0.endInventories(at: $1) }
        bench.wait(.seconds(2))
        #expect(bench.failures.count == 1)
        #expect(bench.reader.outputs.first == false)
    }

    @Test func aLampThatIsLitGoesOffWhenTheReaderIsBack() {
        var bench = LLRPBench(plan: Self.plan)
        // It takes no outputs with its configuration.
        bench.open()
        Self.give(&bench)
        bench.close()
        let replay = bench.session.snapshot(at: bench.now)
        #expect(replay["feedback"] != nil)
        bench.sent = []
        bench.open()
        bench.wait(.milliseconds(10))
        // Twice: with the configuration, and what was left of the feedback.
        #expect(bench.sentNames.count { $0 == "SET_READER_CONFIG" } == 2)
        #expect(bench.reader.outputs.first == false)
    }
}

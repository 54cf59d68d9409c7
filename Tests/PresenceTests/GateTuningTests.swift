import Identifiers
import Readings
import TestSupport
import Testing

@testable import Presence

private let tool = EPC(hex: "3476451FD40000000000162E")!
private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

@Suite("Gate presence: what a walk test found")
struct GateTuningTests {
    /// An angled gate with one antenna on each side.
    private func gate(bias: [Double?] = [nil, nil], floor: Int16? = nil) -> GatePresence {
        let antennas = [
            GateAntenna(side: .inside, placement: AntennaPlacement(x: -60, y: 0, facing: 120), bias: bias[0]),
            GateAntenna(side: .outside, placement: AntennaPlacement(x: 60, y: 0, facing: 60), bias: bias[1]),
        ]
        return GatePresence(antennas: antennas, settings: .init(floor: floor), isReading: true)
    }

    private func decisions(_ gate: inout GatePresence) -> [Sighting] {
        var said: [Sighting] = []
        while let deadline = gate.nextDeadline { said += gate.advance(to: deadline) { _ in .inside } }
        return said
    }

    @Test("Weaker reads than the floor decide nothing and are counted; a read without a level counts")
    func floor() {
        var gate = gate(floor: -6_000)
        for read in Int64(0)..<40 {
            gate.observe(TagRead(epc: tool, rssi: read < 20 ? -6_001 : -6_900), antenna: read < 20 ? 0 : 1, at: at(1_000 + read * 50))
        }
        #expect(gate.openVisits == 0)
        #expect(gate.readsBelowFloor == 40)
        gate.observe(TagRead(epc: tool, rssi: -6_000), antenna: 0, at: at(4_000))
        gate.observe(TagRead(epc: tool), antenna: 0, at: at(4_050))
        #expect(gate.readsBelowFloor == 40)
        #expect(decisions(&gate).last.map { $0.inside.reads } == 2)
    }

    @Test("What was tuned is corrected from the first crossing on; untuned antennas are corrected when enough was learned")
    func bias() {
        #expect(gate().bias.corrections == [0, 0])
        #expect(gate(bias: [4.5, -4.5]).bias.corrections == [4.5, -4.5])
        #expect(gate(bias: [4.5, nil]).judge.filter.bias == [4.5, 0])
    }

    @Test("A cable that eats 12 dB of one antenna is made good by the walk test")
    func attenuated() {
        func odds(_ bias: [Double?]) -> Int32 {
            var gate = gate(bias: bias)
            for read in WalkedReads.along([(milliseconds: 1_000, x: -1.4), (milliseconds: 3_400, x: 1.4)], antennas: [-0.6, 0.6]) {
                let rssi = read.antenna == 1 ? read.rssi - 1_200 : read.rssi
                gate.observe(TagRead(epc: tool, rssi: rssi), antenna: read.antenna, at: at(read.milliseconds))
            }
            let said = decisions(&gate)
            #expect(said.last?.kind == .passed(.out))
            return said.last?.odds ?? 0
        }
        #expect(odds([6, -6]) > odds([nil, nil]))
    }

    @Test("What was learned goes on after a restart, and is forgotten when a new walk test is made")
    func restart() {
        func saved(_ bias: [Double?]) -> [LearnedState] {
            var gate = gate(bias: bias)
            gate.bias.restore(medians: [5, -5], crossings: 60)
            return gate.takeLearned(at: .zero)
        }
        func restored(_ learned: [LearnedState], _ bias: [Double?]) -> [Float] {
            var gate = gate(bias: bias)
            gate.restore(learned, at: .zero)
            return gate.bias.corrections
        }
        let tuned: [Double?] = [4.53, -4.53]
        #expect(restored(saved(tuned), tuned) == [5, -5])
        #expect(restored(saved(tuned), [1, -1]) == [1, -1])
        #expect(restored(saved(tuned), [nil, nil]) == [0, 0])
        #expect(restored(saved([nil, nil]), [nil, nil]) == [5, -5])
        #expect(restored(saved([nil, nil]), tuned) == [4.53, -4.53])
    }
}

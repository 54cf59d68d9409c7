import Identifiers
import Readings
import TestSupport
import Testing

@testable import Presence

private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }
private func epc(_ number: Int) -> EPC { EPC([0xE2, 0, 0, 0, 0, 0, 0, 0, 0, 0, UInt8(number >> 8), UInt8(number & 255)])! }

@Suite("Gate hints: what is odd about the gate itself")
struct GateHintTests {
    /// 60 people go through, one every 20 s.
    /// - Parameters:
    ///   - answers: how many of the reads of a walk the tag answers, from the loudest on; nil: all
    ///   - quieter: hundredths of a dB
    ///   - dead: an antenna whose cable has come off
    private func hints(answers: Int?, quieter: Int16 = 0, hasOutage: Bool = false, dead: Int? = nil) -> [GateHint] {
        var presence = GatePresence(
            antennas: [
                GateAntenna(side: .inside, placement: AntennaPlacement(x: -60, y: 200, facing: -120)),
                GateAntenna(side: .outside, placement: AntennaPlacement(x: 60, y: 200, facing: -60)),
            ], isReading: true)
        for person in 0..<60 {
            let start = Int64(person) * 20_000
            let path = [(milliseconds: start + 1_000, x: -3.0), (milliseconds: start + 5_500, x: 3.0)]
            let reads = WalkedReads.along(path, antennas: [-0.6, 0.6])
            let heard = reads.sorted { ($0.rssi, $1.milliseconds) > ($1.rssi, $0.milliseconds) }.prefix(answers ?? reads.count)
            for read in heard.sorted(by: { $0.milliseconds < $1.milliseconds }) where read.antenna != dead {
                let tag = TagRead(epc: epc(person), antenna: 1, rssi: read.rssi - quieter)
                presence.observe(tag, antenna: read.antenna, at: at(read.milliseconds))
            }
            if hasOutage {
                presence.readerChanged(isReading: false, at: at(start + 5_600))
                presence.readerChanged(isReading: true, at: at(start + 5_700))
            }
            while let deadline = presence.nextDeadline, deadline < at(start + 20_000) {
                _ = presence.advance(to: deadline) { _ in .unknown }
            }
        }
        return presence.hints(at: at(1_200_000))
    }

    private func tellsOfSilence(_ hints: [GateHint]) -> Bool {
        hints.contains { if case .tagsFallSilent = $0 { true } else { false } }
    }

    @Test("Tags that answer once or twice while they go by have a session that lets them rest", arguments: 1...2)
    func silent(answers: Int) { #expect(tellsOfSilence(hints(answers: answers))) }

    @Test("Tags that answer all the time, or are heard from afar now and then, do not; nor does a reader that stops say so of them")
    func ordinary() {
        #expect(!tellsOfSilence(hints(answers: nil)))
        #expect(!tellsOfSilence(hints(answers: 4)))
        #expect(!tellsOfSilence(hints(answers: 1, quieter: 1_500)))
        #expect(!tellsOfSilence(hints(answers: 1, hasOutage: true)))
    }

    @Test("An antenna that hears nobody whom the other hears is named", arguments: [0, 1])
    func deadAntenna(place: Int) {
        #expect(hints(answers: nil, dead: place).contains(.silentAntenna(antenna: place)))
        #expect(!hints(answers: nil).contains { if case .silentAntenna = $0 { true } else { false } })
        #expect(!hints(answers: nil, hasOutage: true, dead: place).contains { if case .silentAntenna = $0 { true } else { false } })
    }
}

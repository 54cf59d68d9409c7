import Identifiers
import Readings
import Testing

@Suite("Sightings")
struct SightingTests {
    private static let epc = EPC(hex: "3476451FD4000000000003E9")!

    @Test("Evidence says what was read and what pushed the decision, to 0.001")
    func evidence() {
        let sighting = Sighting(
            epc: Self.epc, visit: 7, certainty: .provisional, kind: .passed(.out), group: 3, first: .zero,
            last: .zero + .milliseconds(1_234),
            inside: .init(reads: 9, strongest: -5_550), outside: .init(reads: 2), firstSide: .inside, lastSide: .outside, odds: 3_456,
            threshold: 847, grounds: [.init(.position, 4_100), .init(.recorded, -644)])
        #expect(
            sighting.evidence == [
                "first": "inside", "last": "outside", "inside": ["reads": 9, "rssi": .decimal(-5_550, scale: 100)],
                "outside": ["reads": 2], "seconds": .decimal(1_234, scale: 1_000), "odds": .decimal(3_456, scale: 1_000),
                "threshold": .decimal(847, scale: 1_000),
                "why": ["position": .decimal(4_100, scale: 1_000), "recorded": .decimal(-644, scale: 1_000)],
            ])
        let json = JSON.object(sighting.json(station: "gate"))
        #expect(json["sighting"] == "passed_out" && json["certainty"] == "provisional" && json["visit"] == 7 && json["group"] == 3)
    }

    @Test("The longest evidence leaves room for what the ledger adds")
    func longest() {
        let sighting = Sighting(
            epc: Self.epc, kind: .uncertain, first: Instant(nanoseconds: .min), last: Instant(nanoseconds: .max),
            inside: .init(reads: .max, strongest: -32_767), outside: .init(reads: .max, strongest: -32_767), firstSide: .outside,
            lastSide: .outside, odds: .min, threshold: .min, grounds: Sighting.Ground.Name.allCases.map { .init($0, .min) },
            isDegraded: true)
        #expect(sighting.evidence.canonicalBytes.count <= 450)
    }

    @Test("Every kind has a word of its own")
    func words() {
        let kinds: [Sighting.Kind] = [.appeared, .passed(.out), .passed(.in), .stayed, .uncertain, .unknown]
        #expect(Set(kinds.map(\.word)).count == kinds.count)
    }
}

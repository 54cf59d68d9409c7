import Identifiers
import Readings

/// What a gate knows again after a restart: `bias`, and `resident/EPC` for each tag that was near lately.
extension GatePresence {
    private static let resident = "resident/"

    /// Takes what was handed over before; what does not fit the antennas, or is of no known form, is passed over.
    public mutating func restore(_ learned: [LearnedState], at now: Instant) {
        for state in learned {
            guard let value = state.value else { continue }
            if state.name == "bias", let restored = AntennaBias(json: value, antennas: judge.antennas.count) {
                bias = restored
                judge.learn(bias: bias.corrections)
            } else if state.name.hasPrefix(Self.resident), let epc = EPC(hex: String(state.name.dropFirst(Self.resident.count))),
                let entry = Residents.Entry(json: value, at: now)
            {
                residents.restore(epc, entry)
            }
        }
        savedBias = bias
    }

    /// What is known differently from what was handed over before.
    public mutating func takeLearned() -> [LearnedState] {
        var learned: [LearnedState] = []
        if bias != savedBias {
            savedBias = bias
            learned.append(LearnedState(name: "bias", value: bias.json))
        }
        for epc in residents.takeChanged() {
            learned.append(LearnedState(name: Self.resident + epc.hex, value: residents.entries[epc]?.json))
        }
        return learned
    }
}

extension AntennaBias {
    /// The medians in thousandths of a decibel.
    var json: JSON {
        [
            "crossings": .integer(Int64(crossings)), "medians": .array(medians.map { .integer(Int64(GateRules.thousandths($0))) }),
        ]
    }

    /// nil when it is of other antennas.
    init?(json: JSON, antennas: Int) {
        guard let crossings = json["crossings"]?.integer.flatMap(UInt32.init(exactly:)),
            let medians = json["medians"]?.array?.compactMap(\.integer), medians.count == antennas
        else { return nil }
        self.init(medians: medians.map { Double($0) / 1_000 }, crossings: crossings)
    }
}

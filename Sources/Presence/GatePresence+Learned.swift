import Identifiers
import Readings

/// What a gate knows again after a restart: `bias`, and `resident/EPC` for each tag that was near lately.
extension GatePresence {
    private static let resident = "resident/"

    /// Takes what was handed over before; what does not fit the antennas or their walk test, or is of no known form, is passed over.
    public mutating func restore(_ learned: [LearnedState], at now: Instant) {
        for state in learned {
            guard let value = state.value else { continue }
            if state.name == "bias" {
                bias.restore(json: value)
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
    public mutating func takeLearned(at now: Instant) -> [LearnedState] {
        var learned: [LearnedState] = []
        if bias != savedBias {
            savedBias = bias
            learned.append(LearnedState(name: "bias", value: bias.json))
        }
        for epc in residents.takeChanged(at: now) {
            learned.append(LearnedState(name: Self.resident + epc.hex, value: residents.entries[epc]?.json))
        }
        return learned
    }
}

extension AntennaBias {
    /// Decibels in thousandths.
    var json: JSON {
        func thousandths(_ values: [Double]) -> JSON { .array(values.map { .integer(Int64(GateRules.thousandths($0))) }) }
        return .compact([
            "crossings": .integer(Int64(crossings)), "medians": thousandths(medians), "tuned": tuned.isEmpty ? nil : thousandths(tuned),
        ])
    }

    /// Nothing is taken that was learned of other antennas, or began at another walk test.
    mutating func restore(json: JSON) {
        func decibels(_ name: String) -> [Double]? { json[name]?.array?.compactMap(\.integer).map { Double($0) / 1_000 } }
        guard let crossings = json["crossings"]?.integer.flatMap(UInt32.init(exactly:)), let medians = decibels("medians"),
            medians.count == self.medians.count, (decibels("tuned") ?? []) == tuned
        else { return }
        restore(medians: medians, crossings: crossings)
    }
}

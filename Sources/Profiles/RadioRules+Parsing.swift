import Decoding
import Readings

extension RadioRules {
    /// `[radio]`
    init(_ reader: TOMLTableReader) {
        self.init()
        defer { reader.finish() }
        requiresRegion = reader.bool("region_required") ?? false
        if let bounds = reader.integers("power_dbm", in: -20...40, maximumCount: 2) {
            if bounds.count == 2, bounds[0] <= bounds[1] {
                power = Int(bounds[0]) * 100...Int(bounds[1]) * 100
            } else {
                reader.problem("power_dbm", "must be the lowest and the highest power")
            }
        }
        antennas = (reader.integers("antennas", in: 1...64, maximumCount: 64) ?? []).map { UInt8(truncatingIfNeeded: $0) }
        if Set(antennas).count < antennas.count { reader.problem("antennas", "one stands twice") }
        guard let table = reader.table("regions") else {
            if requiresRegion { reader.problem("region_required", "needs a table of regions") }
            return
        }
        let named = RadioRegion.allCases.filter { !$0.name.isEmpty }
        for key in table.keys {
            let bytes = table.bytes(key, maximum: 16)
            guard let region = named.first(where: { $0.name == key }) else {
                table.problem(key, "is no region; there are \(named.map(\.name).joined(separator: ", "))")
                continue
            }
            if let bytes { regions[region] = bytes }
        }
        if table.keys.isEmpty { reader.problem("regions", "is empty") }
        table.finish()
    }

    /// All that templates can be filled with, as far as it makes a difference: each region, both ends of the power, each antenna.
    var samples: [RadioValues] {
        let regions: [[UInt8]?] = self.regions.isEmpty ? [nil] : self.regions.values.map { $0 }
        let powers: [Int?] = power.map { [$0.lowerBound, $0.upperBound] } ?? [nil]
        let antennas: [UInt8?] = self.antennas.isEmpty ? [nil] : self.antennas.map { $0 }
        var samples: [RadioValues] = []
        for region in regions {
            for power in powers {
                samples += antennas.map { RadioValues(region: region, power: power, antennas: self.antennas, antenna: $0) }
            }
        }
        return samples
    }

    /// Settings that no command carries, and commands for settings that nobody can make.
    func reportUnused(_ session: SessionTemplate, to reader: TOMLTableReader) {
        let templates = session.templates
        if !regions.isEmpty, !templates.contains(where: \.usesRegion) { reader.problem("radio", "has regions, but no step sets one") }
        if power != nil, !templates.contains(where: \.usesPower) { reader.problem("radio", "has power_dbm, but no step sets it") }
    }
}

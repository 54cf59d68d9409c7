import Decoding
import Readings

/// What can be set of a model's radio.
public struct RadioRules: Hashable, Sendable {
    /// The regions that it can be set to, in its own bytes; empty: it cannot be set.
    public var regions: [RadioRegion: [UInt8]]
    /// It keeps no region by itself, so without one in the site file it must not begin.
    public var requiresRegion: Bool
    /// Transmit power in hundredths of a dBm; nil: it cannot be set.
    public var power: ClosedRange<Int>?
    /// The smallest difference in power, in hundredths of a dBm.
    public var powerStep: Int
    /// Its antenna ports, from 1; empty: nothing is known of them.
    public var antennas: [UInt8]

    public init(
        regions: [RadioRegion: [UInt8]] = [:], requiresRegion: Bool = false, power: ClosedRange<Int>? = nil, powerStep: Int = 1,
        antennas: [UInt8] = []
    ) {
        self.regions = regions
        self.requiresRegion = requiresRegion
        self.power = power
        self.powerStep = max(1, powerStep)
        self.antennas = antennas
    }
}

/// A setting of the site file that a model cannot have.
public struct RadioProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The key in `[device.radio]`.
    public var key: String
    public var reason: String

    public init(key: String, reason: String) {
        self.key = key
        self.reason = reason
    }

    public var description: String { "radio.\(key): \(reason)" }
}

extension RadioRules {
    /// What the model cannot do of what the site file says.
    public func problems(of settings: RadioSettings) -> [RadioProblem] {
        var problems: [RadioProblem] = []
        if let region = settings.region {
            if regions[region] == nil {
                let known = regions.keys.map(\.name).sorted().joined(separator: ", ")
                problems.append(
                    RadioProblem(
                        key: "region",
                        reason: known.isEmpty
                            ? "the profile cannot set the region of this reader"
                            : "the reader cannot be set to \(region.name), only to \(known)"))
            }
        } else if requiresRegion {
            problems.append(RadioProblem(key: "region", reason: "is missing: the reader keeps none, and it must not transmit on a guess"))
        }
        if let power = settings.power {
            if let range = self.power {
                if !range.contains(power) {
                    problems.append(
                        RadioProblem(
                            key: "power_dbm",
                            reason: "must be between \(Self.text(range.lowerBound)) and \(Self.text(range.upperBound)) dBm"))
                } else if power % powerStep != 0 {
                    problems.append(RadioProblem(key: "power_dbm", reason: "must be a multiple of \(Self.text(powerStep)) dBm"))
                }
            } else {
                problems.append(RadioProblem(key: "power_dbm", reason: "the profile cannot set the power of this reader"))
            }
        }
        if let stranger = settings.antennas.first(where: { !antennas.contains($0) }) {
            problems.append(
                RadioProblem(
                    key: "antennas",
                    reason: antennas.isEmpty
                        ? "the profile cannot choose antennas of this reader"
                        : "there is no antenna \(stranger), only \(antennas.map(String.init).joined(separator: ", "))"))
        }
        return problems
    }

    /// The settings in the model's own bytes. What it cannot do is left out.
    func values(for settings: RadioSettings) -> RadioValues {
        let chosen = antennas.filter(settings.antennas.contains)
        return RadioValues(
            region: settings.region.flatMap { regions[$0] }, power: power == nil ? nil : settings.power,
            antennas: chosen.isEmpty ? antennas : chosen)
    }

    /// Hundredths as a number with a fraction where there is one.
    static func text(_ hundredths: Int) -> String {
        let rest = abs(hundredths % 100)
        let sign = hundredths < 0 && hundredths > -100 ? "-" : ""
        return "\(sign)\(hundredths / 100)" + (rest == 0 ? "" : rest % 10 == 0 ? ".\(rest / 10)" : rest < 10 ? ".0\(rest)" : ".\(rest)")
    }
}

extension DeviceProfile {
    /// What this model cannot do of what the site file says of its radio. Protocols that negotiate find out by themselves.
    public func problems(of settings: RadioSettings) -> [RadioProblem] {
        decoder.hasOwnSession ? [] : radio.problems(of: settings)
    }

    /// What a session is made from, with what the site file says of this one device.
    /// - Parameter layout: the keyboard layout that the device is set to; nil: the profile's. A protocol without keys passes it over.
    /// - Throws: the first of `problems(of:)`.
    public func program(
        radio settings: RadioSettings = RadioSettings(), unit: UInt8? = nil, layout: KeyboardLayout? = nil
    ) throws(RadioProblem) -> DeviceProgram {
        if let problem = problems(of: settings).first { throw problem }
        let plan = session.plan(radio.values(for: settings), intent: settings.intent, decoder: decoder)
        let decoder = layout.flatMap { self.decoder.with(layout: $0) } ?? decoder
        return DeviceProgram(decoder: decoder, plan: plan, radio: settings, unit: unit)
    }

    /// The plan where the site file says nothing of the radio.
    public var plan: SessionPlan { session.plan(radio.values(for: RadioSettings()), intent: .gate, decoder: decoder) }
}

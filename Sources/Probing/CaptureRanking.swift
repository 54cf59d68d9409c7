import Decoding
import Profiles
import Readings

/// How well each protocol understands what one device sent.
public struct CaptureRanking: Sendable {
    public struct Entry: Sendable {
        public var configuration: DecoderConfiguration
        /// The profiles that read it so, by id; none: the protocol with nothing but defaults.
        public var profiles: [String]
        public var listener: ProbeListener

        public var score: ProbeScore { listener.score }
    }

    /// The best first.
    public let entries: [Entry]

    /// - Parameters:
    ///   - lines: of one device.
    ///   - library: its profiles, and all protocols that none of them names.
    public init(_ lines: [Capture.Line], library: ProfileLibrary) {
        var readers: [(configuration: DecoderConfiguration, profiles: [String])] = []
        for profile in library.profiles {
            if let place = readers.firstIndex(where: { $0.configuration == profile.decoder }) {
                readers[place].profiles.append(profile.id)
            } else {
                readers.append((profile.decoder, [profile.id]))
            }
        }
        let named = Set(readers.map(\.configuration.name))
        readers += DecoderConfiguration.defaults(layouts: library.layouts).filter { !named.contains($0.name) }.map { ($0, []) }
        let hasKeys = lines.contains { if case .key = $0.content { true } else { false } }
        entries = readers.filter { $0.configuration.takesKeys == hasKeys }.map { reader in
            Entry(configuration: reader.configuration, profiles: reader.profiles, listener: Self.replay(lines, reader.configuration))
        }.sorted { left, right in
            if left.score.points != right.score.points { return left.score.points > right.score.points }
            if left.score.readings != right.score.readings { return left.score.readings > right.score.readings }
            let (first, second) = (left.score.rejects.total, right.score.rejects.total)
            if first != second { return first < second }
            // Of two that do the same, the general one: nothing else is known of the device.
            return (left.profiles.first ?? left.configuration.protocolName) < (right.profiles.first ?? right.configuration.protocolName)
        }
    }

    private static func replay(_ lines: [Capture.Line], _ configuration: DecoderConfiguration) -> ProbeListener {
        var listener = ProbeListener(configuration)
        var last = Instant.zero
        for line in lines {
            last = max(last, line.time)
            switch line.content {
            case .received(let bytes): listener.receive(bytes, at: line.time)
            case .key(let code, let value): listener.key(code, value: value, at: line.time)
            case .inputLost: listener.inputLost(at: line.time)
            default: break
            }
        }
        listener.advance(to: last + .seconds(60))
        return listener
    }
}

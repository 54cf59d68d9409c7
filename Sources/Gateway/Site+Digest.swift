import SiteConfiguration

extension Site {
    /// The same text for the same configuration, in every process: what a recording's digest is made of.
    var canonicalText: String {
        var copy = self
        // Dictionaries have another order in every process.
        let matches = devices.map { $0.match.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" } }
        for index in copy.devices.indices { (copy.devices[index].match, copy.devices[index].origin) = ([:], .init()) }
        return "\(copy)\(matches)"
    }
}

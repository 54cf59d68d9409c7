import Profiles
import SiteConfiguration

/// Where master data comes from.
extension SiteCollector {
    mutating func readSource(_ table: TOMLTableReader) -> Site.Source? {
        enum Word: String, CaseIterable { case pull, folder, mqtt }
        let name = name(of: table, kind: "source")
        let word: Word? = table.choice("kind", isRequired: true)
        var kind: Site.Source.Kind?
        switch word {
        case .folder: kind = table.string("path", maximum: 4_096, isRequired: true).map { .folder(path: $0) }
        case .pull: kind = readPull(table).map { .pull($0) }
        case .mqtt: kind = readBroker(table).map { .mqtt($0) }
        case nil: break
        }
        if word != nil { table.finish() }
        guard let name, let kind else { return nil }
        return Site.Source(name: name, kind: kind)
    }

    private func readPull(_ table: TOMLTableReader) -> Site.Source.Pull? {
        let url = readURL(table)
        var pull = Site.Source.Pull(url: url.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 } ?? "")
        pull.tokenFile = table.string("token_file", maximum: 4_096)
        pull.tls = readTLS(table, isEncrypted: url?.hasPrefix("https://"))
        pull.proxy = readProxy(table)
        if let seconds = table.integer("interval_s", in: 1...86_400) { pull.intervalSeconds = Int(seconds) }
        pull.timeoutSeconds = readTimeout(table)
        return url == nil ? nil : pull
    }
}

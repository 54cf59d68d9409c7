import Profiles
import SiteConfiguration
import Upstream

/// `kind = "mail"`
extension SiteCollector {
    func readMail(_ table: TOMLTableReader, _ types: [String]) -> Site.Destination.Kind? {
        for (index, type) in types.enumerated() where !Site.Destination.Mail.types.contains(type) {
            table.problem(
                at: table.path + [.key("types"), .index(index)],
                "no mail is made of \(type): only of \(Site.Destination.Mail.types.joined(separator: ", "))")
        }
        let (place, encryption) = readMailServer(table)
        let from = readAddress(table.string("from", maximum: MailAddress.maximumBytes, isRequired: true), "from", table)
        let storekeepers = (table.strings("storekeeper", maximum: MailAddress.maximumBytes) ?? []).enumerated().compactMap {
            index, text -> MailAddress? in
            let address = MailAddress(text)
            if address == nil { table.problem(at: table.path + [.key("storekeeper"), .index(index)], Self.noAddress) }
            return address
        }
        let tls = readTLS(table, isEncrypted: encryption != Site.Destination.Mail.Encryption.none)
        let (user, password) = (table.string("user", maximum: 256), table.string("password_file", maximum: 4_096))
        if (user == nil) != (password == nil) {
            table.problem(user == nil ? "password_file" : "user", user == nil ? "needs user" : "needs password_file")
        }
        if user != nil, encryption == Site.Destination.Mail.Encryption.none {
            table.problem("user", "may not stand beside insecure = true: the password would go over the line in the clear")
        }
        let (language, templates): (Site.Language?, String?) = (table.choice("language"), table.string("templates", maximum: 4_096))
        let timeout = readTimeout(table, usual: Int64(Site.Destination.Mail.usualTimeoutSeconds))
        guard let place, let from else { return nil }
        return .mail(
            .init(
                host: place.host, port: place.port, encryption: encryption, user: user, passwordFile: password, tls: tls, from: from,
                storekeepers: storekeepers, language: language, templates: templates, timeoutSeconds: timeout))
    }

    private static let noAddress = "must be one mail address, NAME@DOMAIN, of at most \(MailAddress.maximumBytes) bytes"

    private func readAddress(_ text: String?, _ key: String, _ table: TOMLTableReader) -> MailAddress? {
        guard let text else { return nil }
        let address = MailAddress(text)
        if address == nil { table.problem(key, Self.noAddress) }
        return address
    }

    private func readMailServer(
        _ table: TOMLTableReader
    ) -> (place: (host: String, port: UInt16)?, encryption: Site.Destination.Mail.Encryption) {
        let url = table.string("url", maximum: 2_048, isRequired: true)
        let isInsecure = table.bool("insecure") ?? false
        let isImplicit = url?.hasPrefix("smtps://") ?? false
        let encryption: Site.Destination.Mail.Encryption = isImplicit ? .implicit : isInsecure ? .none : .startTLS
        if isImplicit, isInsecure { table.problem("insecure", "contradicts smtps://, which is never without TLS") }
        guard let url else { return (nil, encryption) }
        let isMail = url.hasPrefix("smtp://") || isImplicit
        let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? ""
        guard isMail, !url.contains(where: { "@?#%\\".contains($0) }),
            let place = hostAndPort(String(rest.hasSuffix("/") ? rest.dropLast() : rest))
        else {
            table.problem("url", "must be smtp://HOST:PORT or smtps://HOST:PORT, without a user: user and password_file are keys")
            return (nil, encryption)
        }
        let port = isImplicit ? Site.Destination.Mail.implicitPort : Site.Destination.Mail.submissionPort
        return ((place.host, place.port ?? port), encryption)
    }
}

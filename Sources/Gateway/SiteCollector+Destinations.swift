import Ledger
import Profiles
import Readings
import SiteConfiguration
import Upstream

/// `[[destination]]`
extension SiteCollector {
    private enum Word: String, CaseIterable {
        case file
        case epcis
        case webhook
        case mqtt
        case postgresql
        case mail
    }

    mutating func readDestination(_ table: TOMLTableReader) -> Site.Destination? {
        let name = name(of: table, kind: "destination")
        let word: Word? = table.choice("kind", isRequired: true)
        let types = table.strings("types", maximum: 64) ?? []
        for (index, type) in types.enumerated() {
            let isKnown = Event.Body.types.contains { type.hasSuffix("*") ? $0.hasPrefix(type.dropLast()) : $0 == type }
            if !isKnown {
                table.problem(
                    at: table.path + [.key("types"), .index(index)], "no event has the type \"\(type)\"; docs/events.md lists them")
            }
        }
        let certainty: Certainty = table.choice("certainty") ?? .final
        if word == .epcis, certainty == .provisional {
            table.problem("certainty", "must be final: an EPCIS repository forgets nothing that was withdrawn")
        }
        let batch = table.integer("batch", in: 1...10_000).map(Int.init) ?? 500
        let kind: Site.Destination.Kind? =
            switch word {
            case .file: readFile(table)
            case .epcis: readEPCIS(table)
            case .webhook: readWebhook(table)
            case .mqtt: readMQTT(table)
            case .postgresql: readPostgreSQL(table)
            case .mail: readMail(table, types)
            case nil: nil
            }
        if word != nil { table.finish() }
        guard let name, let kind else { return nil }
        let wanted = word == .mail && types.isEmpty ? Site.Destination.Mail.types : types
        return Site.Destination(name: name, kind: kind, types: wanted, certainty: certainty, batch: batch)
    }

    private func readFile(_ table: TOMLTableReader) -> Site.Destination.Kind? {
        let path = table.string("path", maximum: 4_096, isRequired: true)
        let megabytes = table.integer("rotate_mb", in: 1...1_000_000)
        let keep = table.integer("rotate_keep", in: 1...1_000)
        if keep != nil, megabytes == nil { table.problem("rotate_keep", "needs rotate_mb") }
        return path.map {
            .file(.init(path: $0, rotation: megabytes.map { .init(bytes: $0 << 20, keep: keep.map(Int.init) ?? 10) }))
        }
    }

    private func readEPCIS(_ table: TOMLTableReader) -> Site.Destination.Kind? {
        let url = readURL(table)
        let tls = readTLS(table, isEncrypted: url?.hasPrefix("https://"))
        let (token, proxy) = (table.string("token_file", maximum: 4_096), readProxy(table))
        let (usesOnlyCBV, naming, timeout) = (table.bool("cbv_only") ?? false, readNaming(table), readTimeout(table))
        return url.map {
            .epcis(
                .init(
                    url: $0.hasSuffix("/") ? String($0.dropLast()) : $0, tokenFile: token, tls: tls, proxy: proxy, usesOnlyCBV: usesOnlyCBV,
                    naming: naming, timeoutSeconds: timeout))
        }
    }

    private func readNaming(_ table: TOMLTableReader) -> Site.Destination.Naming {
        enum Word: String, CaseIterable {
            case digitalLink = "digital_link"
            case urn
        }
        let word: Word? = table.choice("identifiers")
        let prefixes = table.strings("company_prefixes", maximum: 12) ?? []
        for (index, prefix) in prefixes.enumerated() {
            if !(4...12).contains(prefix.utf8.count) || !prefix.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
                table.problem(at: table.path + [.key("company_prefixes"), .index(index)], "must be 4 to 12 digits")
            }
        }
        if word == .urn, prefixes.isEmpty {
            table.problem("identifiers", "urn needs company_prefixes: a key does not tell how long its company prefix is")
        } else if word != .urn, !prefixes.isEmpty {
            table.problem("company_prefixes", "needs identifiers = \"urn\"")
        }
        let host = table.string("digital_link_host", maximum: 256) ?? Site.Destination.Naming.standardHost
        let name = host.firstRange(of: "://").map { host[$0.upperBound...] } ?? ""
        let isPlain = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"?#@\"<>\\".utf8.contains($0) }
        let isWeb = host.hasPrefix("https://") || host.hasPrefix("http://")
        if !isWeb || !isPlain || name.isEmpty || name.hasPrefix("/") || name.hasSuffix("/") {
            table.problem("digital_link_host", "must be https:// and a host, without a slash at the end")
        }
        return Site.Destination.Naming(companyPrefixes: prefixes, linkHost: host)
    }

    private func readWebhook(_ table: TOMLTableReader) -> Site.Destination.Kind? {
        enum Format: String, CaseIterable { case batch, single }
        let url = readURL(table)
        let tls = readTLS(table, isEncrypted: url?.hasPrefix("https://"))
        let (token, secret) = (table.string("token_file", maximum: 4_096), table.string("secret_file", maximum: 4_096))
        let (format, proxy, timeout): (Format?, String?, Int) = (table.choice("format"), readProxy(table), readTimeout(table))
        return url.map {
            .webhook(
                .init(
                    url: $0, tokenFile: token, secretFile: secret, isSingle: format == .single, tls: tls, proxy: proxy,
                    timeoutSeconds: timeout))
        }
    }

    private func readMQTT(_ table: TOMLTableReader) -> Site.Destination.Kind? {
        let broker = readBroker(table)
        var mqtt = Site.Destination.MQTT(host: "", port: 0)
        mqtt.receipt = table.choice("receipt") ?? mqtt.receipt
        mqtt.format = table.choice("format") ?? mqtt.format
        mqtt.window = table.integer("window", in: 1...1_000).map(Int.init) ?? mqtt.window
        return broker.map {
            mqtt.broker = $0
            return .mqtt(mqtt)
        }
    }

    /// What destinations and sources of MQTT have in common.
    func readBroker(_ table: TOMLTableReader) -> Site.Broker? {
        let url = table.string("url", maximum: 2_048, isRequired: true)
        let isEncrypted = url?.hasPrefix("mqtts://")
        var place: (host: String, port: UInt16?)?
        if let url {
            place =
                url.hasPrefix("mqtt://") || url.hasPrefix("mqtts://")
                ? hostAndPort(String(url.drop { $0 != "/" }.dropFirst(2))) : nil
            if place == nil || url.contains("@") {
                table.problem("url", "must be mqtt://HOST:PORT or mqtts://HOST:PORT, without a user: user and password_file are keys")
            }
        }
        let tls = readTLS(table, isEncrypted: isEncrypted)
        var broker = Site.Broker(host: place?.host ?? "", port: place?.port ?? (isEncrypted == true ? 8_883 : 1_883))
        broker.tls = isEncrypted == true ? tls : nil
        broker.version = table.choice("version") ?? broker.version
        broker.clientID = table.string("client_id", maximum: 256)
        broker.user = table.string("user", maximum: 256)
        broker.passwordFile = table.string("password_file", maximum: 4_096)
        if broker.passwordFile != nil, broker.user == nil { table.problem("password_file", "needs user") }
        broker.timeoutSeconds = readTimeout(table)
        return place == nil ? nil : broker
    }

    private func readPostgreSQL(_ table: TOMLTableReader) -> Site.Destination.Kind? {
        let connection = table.string("connection", maximum: 2_048, isRequired: true)
        let passwordFile = table.string("password_file", maximum: 4_096)
        let parameters = connection.flatMap { read($0, table) }
        let tls = readTLS(table, isEncrypted: nil)
        if let parameters, !parameters.checksCertificate, tls != .init() {
            table.problem(
                tls.revocationFile != nil ? "revocation_file" : "connection",
                "the server's certificate is not looked at \(parameters.isLocal ? "on a Unix socket" : "with this sslmode")")
        }
        if let parameters, !parameters.isLocal, !parameters.hasPassword, passwordFile == nil, tls.certificateFile == nil {
            table.problem("password_file", "is missing: over the network a password or a client certificate is needed")
        }
        var postgresql = Site.Destination.PostgreSQL(connection: connection ?? "", passwordFile: passwordFile, tls: tls)
        postgresql.table = table.string("table", maximum: 127) ?? postgresql.table
        if PostgreSQLParameters.quoted(table: postgresql.table) == nil {
            table.problem("table", "must be NAME or SCHEMA.NAME of letters, digits and _")
        }
        postgresql.timeoutSeconds = readTimeout(table)
        return parameters == nil ? nil : .postgresql(postgresql)
    }

    private func read(_ connection: String, _ table: TOMLTableReader) -> PostgreSQLParameters? {
        do {
            let parameters = try PostgreSQLParameters(connection)
            if parameters.hasPassword { table.problem("connection", "may hold no password: password_file names its file") }
            for name in parameters.tlsFileNames {
                table.problem("connection", "may hold no \(name): the files have keys of their own in the site file")
            }
            if parameters.hosts.count > 1 { table.problem("connection", "may name one host only") }
            return parameters
        } catch {
            table.problem("connection", error.reason)
            return nil
        }
    }

    // MARK: What several kinds have, those of sources among them

    func readURL(_ table: TOMLTableReader) -> String? {
        let url = table.string("url", maximum: 2_048, isRequired: true)
        if let url, !url.hasPrefix("http://"), !url.hasPrefix("https://") {
            table.problem("url", "must begin with https:// or http://")
        } else if let url, Self.holdsUser(url) {
            table.problem("url", "may hold no user or password: secrets come from files")
        }
        return url
    }

    func readProxy(_ table: TOMLTableReader) -> String? {
        let proxy = table.string("proxy", maximum: 2_048)
        if let proxy, !proxy.hasPrefix("http://"), !proxy.hasPrefix("https://") {
            table.problem("proxy", "must begin with https:// or http://")
        } else if let proxy, Self.holdsUser(proxy) {
            table.problem("proxy", "may hold no user or password: secrets come from files")
        }
        return proxy
    }

    func readTimeout(_ table: TOMLTableReader, usual: Int64 = 30) -> Int { Int(table.integer("timeout_s", in: 1...600) ?? usual) }

    /// - Parameter isEncrypted: nil: not to be told from a URL.
    func readTLS(_ table: TOMLTableReader, isEncrypted: Bool?) -> Site.Destination.TLS {
        let tls = Site.Destination.TLS(
            authorityFile: table.string("authority_file", maximum: 4_096),
            certificateFile: table.string("certificate_file", maximum: 4_096),
            keyFile: table.string("key_file", maximum: 4_096), revocationFile: table.string("revocation_file", maximum: 4_096))
        if tls.keyFile != nil, tls.certificateFile == nil { table.problem("key_file", "needs certificate_file") }
        if isEncrypted == false {
            if tls.revocationFile != nil { table.problem("revocation_file", "cannot be checked: the url is one without TLS") }
            if tls.authorityFile != nil { table.problem("authority_file", "cannot be checked: the url is one without TLS") }
            if tls.certificateFile != nil { table.problem("certificate_file", "is never shown: the url is one without TLS") }
        }
        return tls
    }

    static func holdsUser(_ url: String) -> Bool {
        url.firstRange(of: "://").map { url[$0.upperBound...].prefix { $0 != "/" }.contains("@") } ?? false
    }
}

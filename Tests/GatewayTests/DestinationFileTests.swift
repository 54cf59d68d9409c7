import Profiles
import SiteConfiguration
import Testing

@testable import Gateway

/// `[[destination]]` of the kinds that lead over the network: what is read, and what is said of mistakes.
@Suite("Destinations in the site file")
struct DestinationFileTests {
    private func parse(_ kind: String, _ lines: [String]) -> Result<Site, SiteProblems> {
        let text = (["[[destination]]", "name = \"out\"", "kind = \"\(kind)\""] + lines).joined(separator: "\n")
        return SiteFile.parse(SiteFileTests.head + text + "\n", file: "site.toml")
    }

    private func kind(_ kind: String, _ lines: [String]) throws -> Site.Destination.Kind {
        try #require(try parse(kind, lines).get().destinations.first).kind
    }

    private func problems(_ kind: String, _ lines: [String]) -> [String] {
        guard case .failure(let failure) = parse(kind, lines) else { return [] }
        return failure.problems.map { "\($0.key): \($0.reason)" }
    }

    @Test("Everything that is written is read")
    func everything() throws {
        let tls = [
            "authority_file = \"/ca.pem\"", "certificate_file = \"/own.pem\"", "key_file = \"/own.key\"", "revocation_file = \"/ca.crl\"",
        ]
        let expected = Site.Destination.TLS(
            authorityFile: "/ca.pem", certificateFile: "/own.pem", keyFile: "/own.key", revocationFile: "/ca.crl")
        #expect(
            try kind("file", ["path = \"/out\"", "rotate_mb = 2", "rotate_keep = 3"])
                == .file(.init(path: "/out", rotation: .init(bytes: 2 << 20, keep: 3))))
        #expect(
            try kind("epcis", ["url = \"https://[2001:db8::1]/v2/\"", "proxy = \"http://proxy:3128\""] + tls)
                == .epcis(.init(url: "https://[2001:db8::1]/v2", tls: expected, proxy: "http://proxy:3128")))
        #expect(
            try kind("epcis", ["url = \"https://x\"", "identifiers = \"urn\"", "company_prefixes = [\"9521141\"]"])
                == .epcis(.init(url: "https://x", naming: .init(companyPrefixes: ["9521141"]))))
        #expect(
            try kind("epcis", ["url = \"https://x\"", "digital_link_host = \"https://id.example.com/gs1\""])
                == .epcis(.init(url: "https://x", naming: .init(linkHost: "https://id.example.com/gs1"))))
        #expect(
            try kind(
                "webhook", ["url = \"https://x.example/h\"", "format = \"single\"", "secret_file = \"/secret\"", "timeout_s = 5"] + tls)
                == .webhook(
                    .init(url: "https://x.example/h", secretFile: "/secret", isSingle: true, tls: expected, timeoutSeconds: 5)))
        var mqtt = Site.Destination.MQTT(
            host: "2001:db8::1", port: 8_884, tls: expected, version: .v5, clientID: "c", user: "u", passwordFile: "/p", receipt: .broker,
            format: .sparkplug, window: 7, timeoutSeconds: 9)
        #expect(
            try kind(
                "mqtt",
                [
                    "url = \"mqtts://[2001:db8::1]:8884\"", "version = \"5\"", "client_id = \"c\"", "user = \"u\"",
                    "password_file = \"/p\"",
                    "receipt = \"broker\"", "format = \"sparkplug\"", "window = 7", "timeout_s = 9",
                ] + tls) == .mqtt(mqtt))
        mqtt = Site.Destination.MQTT(host: "broker", port: 1_883)
        #expect(try kind("mqtt", ["url = \"mqtt://broker\""]) == .mqtt(mqtt))
        #expect(
            try kind("postgresql", ["connection = \"host=db user=u\"", "password_file = \"/p\"", "table = \"a.b\""] + tls)
                == .postgresql(.init(connection: "host=db user=u", passwordFile: "/p", tls: expected, table: "a.b")))
    }

    @Test("Mail: with STARTTLS unless it is said otherwise, and of reminders only")
    func mail() throws {
        let from = try #require(MailAddress("a@example.com"))
        let least = try parse("mail", ["url = \"smtp://mail.example\"", "from = \"a@example.com\""]).get().destinations.first
        #expect(least?.types == ["loan.reminded"])
        #expect(least?.kind == .mail(.init(host: "mail.example", port: 587, encryption: .startTLS, from: from)))
        #expect(
            try kind("mail", ["url = \"smtp://[::1]:25\"", "insecure = true", "from = \"a@example.com\""])
                == .mail(.init(host: "::1", port: 25, encryption: .none, from: from)))
        let lines = [
            "url = \"smtps://mail.example\"", "user = \"u\"", "password_file = \"/p\"", "authority_file = \"/ca.pem\"",
            "from = \"a@example.com\"", "storekeeper = [\"b@example.com\", \"c@example.com\"]", "language = \"zh\"",
            "templates = \"/words\"", "timeout_s = 5", "types = [\"loan.reminded\"]",
        ]
        let keepers = ["b@example.com", "c@example.com"].compactMap(MailAddress.init)
        #expect(
            try kind("mail", lines)
                == .mail(
                    .init(
                        host: "mail.example", port: 465, encryption: .implicit, user: "u", passwordFile: "/p",
                        tls: .init(authorityFile: "/ca.pem"), from: from, storekeepers: keepers, language: .chinese, templates: "/words",
                        timeoutSeconds: 5)))
        // What is wrong in the folder of templates is said by `config check`, and keeps no gateway from starting.
        let site = try parse("mail", lines).get()
        #expect(SiteCheck.problems(of: site).map(\.reason) == ["/words: cannot be read"])
    }

    @Test(
        "Mistakes are named",
        arguments: [
            (
                "epcis", ["url = \"http://x\"", "revocation_file = \"/l\""],
                "revocation_file: cannot be checked: the url is one without TLS"
            ),
            ("webhook", ["url = \"http://x\"", "certificate_file = \"/l\""], "certificate_file: is never shown"),
            ("epcis", ["url = \"https://x\"", "identifiers = \"urn\""], "identifiers: urn needs company_prefixes"),
            ("epcis", ["url = \"https://x\"", "company_prefixes = [\"9521141\"]"], "company_prefixes: needs identifiers"),
            (
                "epcis", ["url = \"https://x\"", "identifiers = \"urn\"", "company_prefixes = [\"952114x\"]"],
                "company_prefixes[1]: must be 4 to 12 digits"
            ),
            ("epcis", ["url = \"https://x\"", "digital_link_host = \"https://x/\""], "digital_link_host: must be https://"),
            ("epcis", ["url = \"https://x\"", "digital_link_host = \"id.example.com\""], "digital_link_host: must be https://"),
            ("webhook", ["url = \"https://u:p@x\""], "url: may hold no user or password"),
            ("webhook", ["url = \"https://x\"", "proxy = \"http://u:p@x\""], "proxy: may hold no user or password"),
            ("webhook", ["url = \"https://x\"", "proxy = \"ftp://x\""], "proxy: must begin with"),
            ("webhook", ["url = \"https://x\"", "key_file = \"/k\""], "key_file: needs certificate_file"),
            ("webhook", ["url = \"https://x\"", "cbv_only = true"], "cbv_only: unknown key"),
            ("file", ["path = \"/x\"", "rotate_keep = 3"], "rotate_keep: needs rotate_mb"),
            ("mqtt", ["url = \"mqtt://u:p@x\""], "url: must be mqtt://HOST:PORT"),
            ("mqtt", ["url = \"tcp://x\""], "url: must be mqtt://HOST:PORT"),
            ("mqtt", ["url = \"mqtt://x\"", "revocation_file = \"/l\""], "revocation_file: cannot be checked"),
            ("mqtt", ["url = \"mqtt://x\"", "password_file = \"/p\""], "password_file: needs user"),
            ("mail", ["url = \"smtp://x\""], "from: "),
            ("mail", ["from = \"a@x\""], "url: "),
            ("mail", ["url = \"smtp://x\"", "from = \"Crib <a@x>\""], "from: must be one mail address"),
            (
                "mail", ["url = \"smtp://x\"", "from = \"a@x\"", "storekeeper = [\"b@x\", \"b\"]"],
                "storekeeper[2]: must be one mail address"
            ),
            ("mail", ["url = \"smtp://u:p@x\"", "from = \"a@x\""], "url: must be smtp://HOST:PORT"),
            ("mail", ["url = \"http://x\"", "from = \"a@x\""], "url: must be smtp://HOST:PORT"),
            ("mail", ["url = \"smtp://x/y\"", "from = \"a@x\""], "url: must be smtp://HOST:PORT"),
            ("mail", ["url = \"smtp://x?y\"", "from = \"a@x\""], "url: must be smtp://HOST:PORT"),
            ("mail", ["url = \"smtps://x\"", "from = \"a@x\"", "insecure = true"], "insecure: contradicts smtps://"),
            (
                "mail", ["url = \"smtp://x\"", "from = \"a@x\"", "insecure = true", "user = \"u\"", "password_file = \"/p\""],
                "user: may not stand beside insecure"
            ),
            (
                "mail", ["url = \"smtp://x\"", "from = \"a@x\"", "insecure = true", "revocation_file = \"/l\""],
                "revocation_file: cannot be checked"
            ),
            ("mail", ["url = \"smtp://x\"", "from = \"a@x\"", "user = \"u\""], "user: needs password_file"),
            ("mail", ["url = \"smtp://x\"", "from = \"a@x\"", "password_file = \"/p\""], "password_file: needs user"),
            ("mail", ["url = \"smtp://x\"", "from = \"a@x\"", "types = [\"loan.*\"]"], "types[1]: no mail is made of loan.*"),
            ("postgresql", ["connection = \"host=db password=x\""], "connection: may hold no password"),
            ("postgresql", ["connection = \"host=db\""], "password_file: is missing"),
            ("postgresql", ["connection = \"host=db nonsense=1\""], "connection: invalid connection option"),
            ("postgresql", ["connection = \"host=db sslcrl=/l\"", "password_file = \"/p\""], "connection: may hold no sslcrl"),
            ("postgresql", ["connection = \"host=a,b\"", "password_file = \"/p\""], "connection: may name one host only"),
            (
                "postgresql", ["connection = \"host=db sslmode=require\"", "password_file = \"/p\"", "revocation_file = \"/l\""],
                "revocation_file: the server's certificate is not looked at with this sslmode"
            ),
            (
                "postgresql", ["connection = \"host=/run/postgresql dbname=x\"", "revocation_file = \"/l\""],
                "revocation_file: the server's certificate is not looked at on a Unix socket"
            ),
            (
                "postgresql", ["connection = \"host=/run/postgresql dbname=x\"", "table = \"a;b\""],
                "table: must be NAME or SCHEMA.NAME"
            ),
            ("postgresql", ["connection = \"dbname=x\""], "connection: needs host"),
            ("postgresql", ["connection = \"service=wms\"", "password_file = \"/p\""], "connection: may name no service"),
            ("postgresql", ["connection = \"postgresql:///x?service=wms\""], "connection: may name no service"),
            ("postgresql", ["connection = \"hostaddr=203.0.113.2\""], "connection: needs host beside hostaddr"),
            (
                "postgresql", ["connection = \"host=/run/postgresql hostaddr=203.0.113.2\""],
                "connection: may have no hostaddr beside the folder"
            ),
        ])
    func mistakes(_ kind: String, _ lines: [String], _ part: String) {
        let problems = problems(kind, lines)
        #expect(problems.count == 1 && problems[0].contains(part), "\(problems)")
    }

    @Test("Every destination on the network is among what the unit must let through")
    func network() throws {
        let text = """
            [[destination]]
            name = "hook"
            kind = "webhook"
            url = "https://hook.example/x"
            proxy = "http://203.0.113.1:3128"
            [[destination]]
            name = "hub"
            kind = "mqtt"
            url = "mqtts://[2001:db8::1]"
            [[destination]]
            name = "table"
            kind = "postgresql"
            connection = "host=db.example hostaddr=203.0.113.2"
            password_file = "/p"
            [[destination]]
            name = "people"
            kind = "mail"
            url = "smtp://203.0.113.3:587"
            from = "a@example.com"
            [[destination]]
            name = "local"
            kind = "postgresql"
            connection = "host=/run/postgresql"
            """
        let site = try SiteFile.parse(SiteFileTests.head + text + "\n", file: "site.toml").get()
        let needs = ServiceNetwork.needs(of: site, resolve: { _ in [] }, nameServers: [])
        #expect(needs.map(\.what) == ["destination hook", "destination hub", "destination table", "destination people"])
        #expect(needs.map(\.host) == ["203.0.113.1", "2001:db8::1", "203.0.113.2", "203.0.113.3"])
    }
}

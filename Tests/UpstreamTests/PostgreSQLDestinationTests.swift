import Foundation
import Ledger
import Readings
import SiteConfiguration
import Testing
import Upstream

@Suite(.enabled(if: PostgreSQLServer.tools != nil, "skipped: PostgreSQL is not installed"))
struct PostgreSQLDestinationTests {
    private func destination(
        _ connection: String, password: String? = nil, tls: Site.Destination.TLS = .init(), batch: Int = 500,
        table: String = "stockgate_event"
    ) throws -> PostgreSQLDestination {
        try PostgreSQLDestination(
            .init(connection: connection, passwordFile: password, tls: tls, table: table, timeoutSeconds: 5), gatewayCode: "CRIB1",
            batch: batch,
            stopSignal: StopSignal())
    }

    private func checkouts(_ numbers: ClosedRange<Int64>) throws -> [OutgoingEvent] {
        try SampleEvents.outgoing(numbers.map { SampleEvents.checkout($0) })
    }

    private func failure(_ destination: PostgreSQLDestination) throws -> (isRefused: Bool, reason: String) {
        let error = try #require(throws: DeliveryError.self) { try destination.deliver(checkouts(1...3)) }
        if case .refused(let reason) = error { return (true, reason) }
        return (false, error.description)
    }

    @Test func everyEventIsOneRow() throws {
        let server = try PostgreSQLServer()
        let destination = try destination("host=\(server.socketFolder) port=\(server.port) user=owner dbname=postgres")
        let events = [
            SampleEvents.checkout(1), SampleEvents.giveBack(2), SampleEvents.putAwayItem(3), SampleEvents.putAwayLot(4),
            SampleEvents.event(5, type: "loan.returned", data: ["item": "\"quoted\" \\ {钻},\nNULL"], subject: []),
        ]
        #expect(try destination.deliver(SampleEvents.outgoing(events)) == Receipt(upTo: 5, delivered: 5))
        #expect(
            try destination.deliver(SampleEvents.outgoing(events + [SampleEvents.checkout(6)]))
                == Receipt(upTo: 6, delivered: 1, duplicates: 5))
        let rows = try server.query(
            "SELECT gateway, epoch, seq, id, type, extract(epoch FROM time)::bigint, body FROM stockgate_event ORDER BY seq")
        #expect(rows.count == 6)
        for (row, event) in try zip(rows, SampleEvents.outgoing(events)) {
            let columns = row.split(separator: "|", maxSplits: 6).map(String.init)
            #expect(columns.prefix(5) == ["CRIB1", event.origin, "\(event.sequence)", event.id, event.type])
            #expect(columns[5] == "1795162530")
            #expect(try JSON(parsing: columns[6]) == event.json)
        }
        // The same numbers of another epoch are other events.
        let other = SampleEvents.event(1, type: "loan.returned", data: [:], subject: [], identity: EventIdentity(prefix: 7))
        #expect(try destination.deliver(SampleEvents.outgoing([other])).delivered == 1)
    }

    @Test func aPoisonRowIsFoundAndTheRestGoesOn() throws {
        let server = try PostgreSQLServer()
        try server.query("ALTER TABLE stockgate_event ADD CHECK (seq <> 33)")
        let destination = try destination("host=\(server.socketFolder) port=\(server.port) user=owner dbname=postgres")
        // A zero in a text is JSON, but no jsonb.
        var events = try checkouts(1...100)
        events[65] = try SampleEvents.outgoing([SampleEvents.event(66, type: "loan.returned", data: ["item": "a\u{0}b"], subject: [])])[0]
        let receipt = try destination.deliver(events)
        #expect(receipt.upTo == 100 && receipt.delivered == 98)
        #expect(receipt.rejections.map(\.sequence) == [33, 66])
        #expect(receipt.rejections.first?.reason.hasPrefix("23514") == true && receipt.rejections.last?.reason.hasPrefix("22P05") == true)
        #expect(try server.query("SELECT count(*) FROM stockgate_event") == ["98"])
    }

    @Test func theServerIsKilledInTheMiddle() throws {
        let server = try PostgreSQLServer()
        let log = MemoryLog((1...3_000).map { SampleEvents.checkout($0) })
        let stopSignal = StopSignal()
        let destination = try PostgreSQLDestination(
            .init(connection: "host=\(server.socketFolder) port=\(server.port) user=owner dbname=postgres", timeoutSeconds: 5),
            gatewayCode: "CRIB1", batch: 50, stopSignal: stopSignal)
        let loop = DeliveryLoop(
            name: "hub", batch: 50, log: log, destination: destination, stopSignal: stopSignal, backOff: BackOff(base: 20, maximum: 200))
        try loop.start()
        for step in 1...3 as ClosedRange<Int64> {
            #expect(log.wait { $0.cursor >= step * 400 })
            server.stop()
            try server.start()
        }
        #expect(log.wait(seconds: 60) { $0.cursor == 3_000 })
        #expect(loop.stop())
        #expect(try server.query("SELECT count(*), min(seq), max(seq) FROM stockgate_event") == ["3000|1|3000"])
        #expect(log.snapshot.deadLetters.isEmpty)
    }

    @Test func whatNeedsAPersonIsRefused() throws {
        let server = try PostgreSQLServer()
        let folder = try TemporaryFolder()
        let password = folder.path + "/password"
        try "wrong".write(toFile: password, atomically: true, encoding: .utf8)
        let local = "host=\(server.socketFolder) port=\(server.port) user=owner dbname=postgres"
        let remote = "host=127.0.0.1 port=\(server.port) user=gateway dbname=postgres sslmode=disable"
        for (destination, part) in [
            (try destination(local, table: "nowhere"), "42P01"), (try destination(local + "x"), "does not exist"),
            (try destination(remote, password: password), "authentication failed"), (try destination(remote), "no password supplied"),
            (try destination(remote, password: "/nowhere/password"), "password file /nowhere/password"),
            (
                try destination("host=127.0.0.1 port=\(server.port) user=gateway dbname=postgres", password: password),
                "does not support SSL"
            ),
        ] {
            let (isRefused, reason) = try failure(destination)
            #expect(isRefused && reason.contains(part), "\(reason)")
        }
        try "right\n".write(toFile: password, atomically: true, encoding: .utf8)
        #expect(try destination(remote, password: password).deliver(checkouts(1...3)).delivered == 3)
        server.stop()
        #expect(try !failure(destination(local)).isRefused)
        #expect(throws: DeliveryError.self) { try destination("host=x nonsense=1") }
        #expect(throws: DeliveryError.self) { try destination(local, table: "a;b") }
    }

    /// What the site file says is all there is: libpq would follow a service file and the environment to a server without TLS.
    @Test(arguments: [
        "service=wms", "postgresql:///d?service=wms", "dbname=d", "", "hostaddr=127.0.0.1", "host=/run/postgresql hostaddr=127.0.0.1",
    ])
    func nothingComesFromElsewhere(_ connection: String) throws {
        let error = try #require(throws: DeliveryError.self) { try destination(connection) }
        guard case .refused = error else { return #expect(Bool(false), "\(error)") as Void }
    }

    @Test func variablesOfTheEnvironmentAreFound() throws {
        let environment = ["PGHOST": "x", "PGSSLMODE": "disable", "PGSERVICE": "wms", "PGPORT": "", "PATH": "/bin"]
        #expect(PostgreSQLParameters.variables { environment[$0] }.sorted() == ["PGHOST", "PGSERVICE", "PGSSLMODE"])
        let parameters = try PostgreSQLParameters("host=db.example hostaddr=203.0.113.2 port=5433")
        #expect(parameters.hosts == ["db.example"] && parameters.addresses == ["203.0.113.2"] && parameters.checksCertificate)
    }

    @Test(arguments: [
        ("good", ""), ("authority", "was not issued by an authority in"), ("old", "has expired"), ("name", "not made out to 127.0.0.1"),
        ("revoked", "was revoked by its authority"), ("list", "holds no list of the authority"), ("missing", "cannot be read"),
        ("client", "certificate"),
    ])
    func tls(_ fault: String, _ part: String) throws {
        let (authority, other) = (try CertificateAuthority(), try CertificateAuthority("other"))
        let issued = try authority.issue("server", names: fault == "name" ? "DNS:elsewhere" : "IP:127.0.0.1", fault == "old" ? .past : .now)
        let mine = try authority.issue("gateway")
        chmod(mine.key, 0o600)
        try other.publishList()
        try authority.publishList()
        let server = try PostgreSQLServer(issued, authority: authority, clientCertificates: true)
        let folder = try TemporaryFolder()
        let password = folder.path + "/password"
        try "right".write(toFile: password, atomically: true, encoding: .utf8)
        var tls = Site.Destination.TLS(
            authorityFile: authority.certificate, certificateFile: mine.certificate, keyFile: mine.key, revocationFile: authority.list)
        switch fault {
        case "authority": (tls.authorityFile, tls.revocationFile) = (other.certificate, nil)
        case "list": tls.revocationFile = other.list
        case "missing": tls.authorityFile = "/nowhere/ca.pem"
        case "client": (tls.certificateFile, tls.keyFile) = (nil, nil)
        default: break
        }
        let destination = try destination("host=127.0.0.1 port=\(server.port) user=gateway dbname=postgres", password: password, tls: tls)
        if fault == "good" || fault == "revoked" {
            #expect(try destination.deliver(checkouts(1...3)).delivered == 3)
            guard fault == "revoked" else { return }
            try authority.revoke(issued)
            try authority.publishList()
        }
        let (isRefused, reason) = try failure(destination)
        #expect(isRefused && reason.contains(part), "\(reason)")
    }
}

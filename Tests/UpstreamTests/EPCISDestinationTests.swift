import Foundation
import HTTPClient
import Ledger
import Readings
import SiteConfiguration
import Synchronization
import Testing
import Upstream

@Suite struct EPCISDestinationTests {
    private func destination(
        _ server: EPCISServer, batch: Int = 500, cbvOnly: Bool = false, naming: Site.Destination.Naming = .init(),
        tokenFile: String? = nil, path: String = "", timeout: Int = 10, stopSignal: StopSignal = StopSignal()
    ) throws -> EPCISDestination {
        try EPCISDestination(
            .init(url: server.url + path, tokenFile: tokenFile, usesOnlyCBV: cbvOnly, timeoutSeconds: timeout),
            mapping: EPCISMapping(uriPrefix: "https://gateway.example.com", gatewayCode: "CRIB1", usesOnlyCBV: cbvOnly, naming: naming),
            batch: batch, stopSignal: stopSignal)
    }

    private func checkouts(_ numbers: ClosedRange<Int64>) throws -> [OutgoingEvent] {
        try SampleEvents.outgoing(numbers.map { SampleEvents.checkout($0) })
    }

    private func urns(_ numbers: some Sequence<Int64>) -> [String] { numbers.map(SampleEvents.urn) }

    /// Every kind of document and of bare event that is produced, judged by the schema of the standard.
    @Test(
        .enabled(if: EPCISServer.vectors != nil, "STOCKGATE_VECTORS is not set"), arguments: [false, true],
        [
            (false, .init()), (true, .init()), (false, .init(companyPrefixes: ["9521141", "95060001343", "952012"])),
            (false, .init(linkHost: "https://id.example.com/gs1")),
        ] as [(Bool, Site.Destination.Naming)])
    func everyDocumentIsValid(cbvOnly: Bool, _ more: (alone: Bool, naming: Site.Destination.Naming)) throws {
        let (alone, naming) = more
        let server = try EPCISServer(behaviour: alone ? ["location": "none"] : [:], arguments: ["--require-validation"])
        let events = [
            SampleEvents.checkout(1), SampleEvents.giveBack(2), SampleEvents.putAwayItem(3), SampleEvents.putAwayLot(4),
            SampleEvents.exception(5), SampleEvents.modeChange(6),
            SampleEvents.event(
                7, type: "loan.returned", data: ["loan": .string(SampleEvents.loan), "item": "钻-01", "borrower": "人 / 1"],
                subject: ["https://example.com/item/%E9%92%BB-01"], place: nil),
            try SampleEvents.retraction(8, of: 1, replacedBy: 2),
        ]
        let receipt = try destination(server, cbvOnly: cbvOnly, naming: naming).deliver(SampleEvents.outgoing(events))
        let report = try server.report()
        #expect(report.isValidating)
        #expect(report.problems == [])
        // Without a place to ask for the job the events were stored, but nothing said so: sent alone, they are known.
        #expect(receipt == Receipt(upTo: 8, delivered: alone ? 0 : 6, duplicates: alone ? 6 : 0, passedOver: 2))
        #expect(report.events == urns([1, 2, 3, 4, 7]) + ["\(SampleEvents.urn(1))#error"])
        #expect(report.count("singles") == (alone ? 6 : 0))
    }

    /// A server that takes no correction says that it has the event: that is no receipt, and somebody must hear of it.
    @Test func aCorrectionThatIsNotTakenIsADeadLetter() throws {
        let server = try ScriptedServer { request in
            [.send(Self.answer(request.head.hasPrefix("POST /events") ? "409 Conflict" : "400 Bad Request"))]
        }
        let events = try SampleEvents.outgoing([SampleEvents.checkout(1), SampleEvents.retraction(2, of: 1)])
        let receipt = try Self.destination(port: server.port).deliverInParts(events)
        #expect(receipt.duplicates == 1 && receipt.rejections.map(\.sequence) == [2])
    }

    /// A correction whose answer was lost is known, and no dead letter, to a server that complains about known events. On a connection
    /// that was kept libcurl sends it again by itself.
    @Test(arguments: [true, false]) func aCorrectionWhoseAnswerWasLostIsKnown(isKept: Bool) throws {
        let server = try EPCISServer(behaviour: ["duplicates": "fail"])
        let first = try destination(server)
        let destination = isKept ? first : try destination(server)
        let (before, after) = (
            try SampleEvents.outgoing([SampleEvents.checkout(1), SampleEvents.checkout(2)]),
            try SampleEvents.outgoing([SampleEvents.retraction(3, of: 1), SampleEvents.checkout(4)])
        )
        #expect(try first.deliver(before) == Receipt(upTo: 2, delivered: 2))
        try server.control(["lose_answers": 1])
        if !isKept { #expect(throws: DeliveryError.self) { try destination.deliver(after) } }
        #expect(try destination.deliverInParts(after) == Receipt(upTo: 4, delivered: 1, duplicates: 1))
        #expect(try server.report().events == urns(1...2) + ["\(SampleEvents.urn(1))#error", SampleEvents.urn(4)])
    }

    @Test func aCorrectionThatWasSentAloneWithoutAnAnswerIsKnown() throws {
        let isFirst = Mutex(true)
        let server = try ScriptedServer { request in
            guard request.head.hasPrefix("POST /events") else { return [.send(Self.answer("400 Bad Request"))] }
            return isFirst.withLock { isFirst in
                defer { isFirst = false }
                return isFirst ? [.close] : [.send(Self.answer("409 Conflict"))]
            }
        }
        let destination = try Self.destination(port: server.port)
        let events = try SampleEvents.outgoing([SampleEvents.retraction(2, of: 1)])
        #expect(try destination.deliver(events) == Receipt(upTo: 2, duplicates: 1))
    }

    /// A document that failed for another event's sake may have brought the correction: it goes in one of its own.
    @Test func aCorrectionBesideAPoisonEventIsNoDeadLetter() throws {
        let server = try EPCISServer(behaviour: ["poison": [.string(SampleEvents.id(4))], "capture_checks": false])
        let events = try SampleEvents.outgoing([
            SampleEvents.checkout(1), SampleEvents.checkout(2), SampleEvents.retraction(3, of: 1), SampleEvents.checkout(4),
        ])
        let receipt = try destination(server).deliverInParts(events)
        #expect(receipt.rejections.map(\.sequence) == [4] && receipt.delivered + receipt.duplicates == 3)
        #expect(try server.report().events == urns(1...2) + ["\(SampleEvents.urn(1))#error"])
    }

    @Test(arguments: ["relative", "absolute"]) func followsTheJob(location: JSON) throws {
        let server = try EPCISServer(behaviour: ["polls": 3, "location": location])
        #expect(try destination(server, path: "/epcis/v2").deliver(checkouts(1...10)) == Receipt(upTo: 10, delivered: 10))
        #expect(try server.report().count("polls") == 4)
        #expect(try server.report().count("connections") <= 2)
    }

    @Test func sameEventsAreTheSameBytes() throws {
        let bodies = try (0..<2).map { _ in
            let server = try ScriptedServer { _ in [.send(Self.answer("200 OK"))] }
            _ = try Self.destination(port: server.port).deliver(checkouts(1...5))
            return try #require(server.requests.first).body
        }
        #expect(bodies[0] == bodies[1])
        #expect(try JSON(parsing: bodies[0]).canonicalBytes == bodies[0])
    }

    @Test func aLostAnswerIsSentAgainAndKnown() throws {
        for duplicates in ["accept", "fail"] as [JSON] {
            let server = try EPCISServer(behaviour: ["lose_answers": 1, "duplicates": duplicates])
            let destination = try destination(server)
            let error = #expect(throws: DeliveryError.self) { try destination.deliver(checkouts(1...6)) }
            guard case .retryable = error else { return #expect(Bool(false), "\(String(describing: error))") as Void }
            let receipt = try destination.deliver(checkouts(1...6))
            #expect(receipt.upTo == 6 && receipt.delivered + receipt.duplicates == 6 && receipt.rejections.isEmpty)
            #expect(try server.report().events == urns(1...6))
            // Where the server complains about known events, each is asked about alone, and 409 is a receipt.
            if duplicates == "fail" { #expect(receipt.duplicates == 6) }
        }
    }

    @Test(arguments: [true, false], [true, false]) func aPoisonEventIsIsolatedAndTheOrderKept(checksAtOnce: Bool, proceeds: Bool) throws {
        let server = try EPCISServer(behaviour: [
            "poison": [.string(SampleEvents.id(17)), .string(SampleEvents.id(60))], "capture_checks": .bool(checksAtOnce),
            "proceed": .bool(proceeds),
        ])
        let receipt = try destination(server).deliverInParts(checkouts(1...100))
        #expect(receipt.upTo == 100 && receipt.delivered + receipt.duplicates == 98)
        #expect(receipt.rejections.map(\.sequence) == [17, 60])
        #expect(receipt.rejections.first?.reason == "ValidationException: not valid")
        #expect(try server.report().events == urns((1...100).filter { $0 != 17 && $0 != 60 }))
        // Halving finds a bad event in about twice the logarithm of requests; a failed job costs one request per event.
        if checksAtOnce { #expect(try server.report().count("requests") < 70) }
    }

    /// A receiver that refuses everything is wrong itself: its queue is kept instead of being emptied into the dead letters.
    @Test func aReceiverThatRefusesEverythingIsStopped() throws {
        let server = try EPCISServer(behaviour: ["poison": ["ObjectEvent"]])
        let destination = try destination(server)
        let receipt = try destination.deliver(checkouts(1...100))
        #expect(receipt == Receipt(upTo: 20, rejections: receipt.rejections))
        #expect(receipt.rejections.count == 20)
        let error = #expect(throws: DeliveryError.self) { try destination.deliver(checkouts(21...100)) }
        guard case .refused = error else { return #expect(Bool(false), "\(String(describing: error))") as Void }
        try server.control(["poison": []])
        #expect(try destination.deliver(checkouts(21...100)) == Receipt(upTo: 100, delivered: 80))
    }

    @Test(arguments: [false, true]) func halvesOn413(announced: Bool) throws {
        let server = try EPCISServer(behaviour: ["limit": 40, "announce_limit": .bool(announced)])
        let destination = try destination(server)
        #expect(try destination.deliver(checkouts(1...500)) == Receipt(upTo: 500, delivered: 500))
        let report = try server.report()
        #expect(report.events == urns(1...500))
        #expect(report.count("singles") == 0)
        // 13 documents at best; the search for the bound costs some more.
        #expect(report.count("captures") <= (announced ? 14 : 40))
    }

    @Test func keepsToTheSizeThatTheServerNames() throws {
        let server = try EPCISServer(behaviour: ["byte_limit": 20_000])
        #expect(try destination(server).deliver(checkouts(1...200)) == Receipt(upTo: 200, delivered: 200))
        #expect(try server.report().count("singles") == 0)
    }

    @Test(arguments: [500, 502, 503, 429, 408] as [Int64]) func waitsForAServerInTrouble(status: Int64) throws {
        let server = try EPCISServer(behaviour: ["status": .integer(status), "times": 1, "retry_after": 7])
        let destination = try destination(server)
        let error = #expect(throws: DeliveryError.self) { try destination.deliver(checkouts(1...3)) }
        guard case .retryable(let reason, 7_000) = error else { return #expect(Bool(false), "\(String(describing: error))") as Void }
        #expect(reason.contains("\(status)"))
        #expect(try destination.deliver(checkouts(1...3)) == Receipt(upTo: 3, delivered: 3))
    }

    @Test(arguments: [401, 403, 404, 405, 415, 301] as [Int64]) func stopsWhenAPersonMustAct(status: Int64) throws {
        let server = try EPCISServer(behaviour: ["status": .integer(status)])
        let error = #expect(throws: DeliveryError.self) { try destination(server).deliver(checkouts(1...3)) }
        guard case .refused(let reason) = error else { return #expect(Bool(false), "\(String(describing: error))") as Void }
        #expect(reason.contains("\(status)"))
    }

    @Test func readsTheTokenAnewEachTime() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/token"
        let server = try EPCISServer(behaviour: ["token": "s3cret"])
        let destination = try destination(server, tokenFile: file)
        for content in [nil, "", "n0t-it", "bad\u{1}token"] as [String?] {
            try content.map { try Data($0.utf8).write(to: URL(fileURLWithPath: file)) }
            let error = #expect(throws: DeliveryError.self) { try destination.deliver(checkouts(1...1)) }
            guard case .refused(let reason) = error else { return #expect(Bool(false), "\(String(describing: error))") as Void }
            if let content, !content.isEmpty { #expect(!reason.contains(content)) }
        }
        try Data("s3cret\n".utf8).write(to: URL(fileURLWithPath: file))
        #expect(try destination.deliver(checkouts(1...1)) == Receipt(upTo: 1, delivered: 1))
    }

    /// The job was lost: nobody can tell what became of it, so each event is asked about alone.
    @Test func aForgottenJobIsNoReceipt() throws {
        let server = try EPCISServer(behaviour: ["jobs": "forget"])
        #expect(try destination(server).deliver(checkouts(1...4)) == Receipt(upTo: 4, duplicates: 4))
        #expect(try server.report().events == urns(1...4))
    }

    @Test func aFailedJobIsDeliveredOneByOne() throws {
        let server = try EPCISServer(behaviour: ["jobs": "fail"])
        #expect(try destination(server).deliver(checkouts(1...4)) == Receipt(upTo: 4, delivered: 4))
    }

    /// The server is in trouble while its job is followed: afterwards the same job is asked for, and nothing is sent twice.
    @Test func anUnfinishedJobIsFollowedLater() throws {
        let answers = Mutex([
            Self.answer("202 Accepted", headers: "Location: /capture/j1\r\n"), Self.answer("200 OK", #"{"running":true,"success":true}"#),
            Self.answer("503 Service Unavailable"), Self.answer("200 OK", #"{"running":false,"success":true}"#),
        ])
        let server = try ScriptedServer { _ in [.send(answers.withLock { $0.removeFirst() })] }
        let destination = try Self.destination(port: server.port)
        let error = #expect(throws: DeliveryError.self) { try destination.deliver(checkouts(1...5)) }
        guard case .retryable = error else { return #expect(Bool(false), "\(String(describing: error))") as Void }
        #expect(try destination.deliver(checkouts(1...5)) == Receipt(upTo: 5, delivered: 5))
        #expect(
            server.requests.map { $0.head.prefix { $0 != "\r\n" } } == [
                "POST /capture HTTP/1.1", "GET /capture/j1 HTTP/1.1", "GET /capture/j1 HTTP/1.1", "GET /capture/j1 HTTP/1.1",
            ])
    }

    private static func answer(_ status: String, _ body: String = "", headers: String = "") -> String {
        "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }

    private static func destination(port: Int) throws -> EPCISDestination {
        try EPCISDestination(
            .init(url: "http://127.0.0.1:\(port)/"),
            mapping: EPCISMapping(uriPrefix: "https://x.example", gatewayCode: "C1", usesOnlyCBV: false), batch: 10,
            stopSignal: StopSignal())
    }

    /// The token goes to the configured server only, wherever an answer points.
    @Test func aLocationThatLeadsElsewhereIsNotFollowed() throws {
        let other = try ScriptedServer { _ in [.send(Self.answer("200 OK"))] }
        let accepted = Self.answer("202 Accepted", headers: "Location: http://127.0.0.1:\(other.port)/capture/j1\r\n")
        let server = try ScriptedServer { request in
            [.send(request.head.hasPrefix("POST /capture") ? accepted : Self.answer("200 OK", #"{"running":false,"success":true}"#))]
        }
        #expect(try Self.destination(port: server.port).deliver(checkouts(1...1)) == Receipt(upTo: 1, delivered: 1))
        #expect(server.requests.last?.head.hasPrefix("GET /capture/j1 ") == true)
        #expect(other.requests.isEmpty)
    }

    @Test(arguments: ["", "ftp://x", "/capture", "example.com"]) func refusesOtherURLs(_ url: String) throws {
        #expect(throws: DeliveryError.self) {
            try EPCISDestination(
                .init(url: url), mapping: EPCISMapping(uriPrefix: "https://x.example", gatewayCode: "C1", usesOnlyCBV: false), batch: 10,
                stopSignal: StopSignal())
        }
    }
}

extension Destination {
    /// Offers the rest again, as the loop does, until all is settled.
    func deliverInParts(_ batch: [OutgoingEvent]) throws -> Receipt {
        var total = Receipt(upTo: 0)
        var rest = batch
        while !rest.isEmpty {
            let receipt = try deliver(rest)
            total.upTo = receipt.upTo
            total.delivered += receipt.delivered
            total.duplicates += receipt.duplicates
            total.passedOver += receipt.passedOver
            total.rejections += receipt.rejections
            rest.removeAll { $0.sequence <= receipt.upTo }
        }
        return total
    }
}

import ControlTestSupport
import Foundation
import HTTPClient
import Hummingbird
import Readings
import Testing

@testable import Control

/// Every route against `docs/api.yaml`: paths, methods, rights, status codes and the schemas of answers.
@Suite struct RouteTests {
    /// One request to the running server.
    struct Call {
        var method: String
        /// As in the API's description.
        var template: String
        var path: String
        var body: String?

        init(_ method: String, _ template: String, _ path: String? = nil, body: String? = nil) {
            self.method = method
            self.template = template
            self.path = path ?? template
            self.body = body
        }
    }

    /// At least one good and, where there is one, every kind of bad request to each route.
    static let calls: [Call] = [
        Call("GET", "/v1/status"),
        Call("GET", "/v1/devices"),
        Call("GET", "/v1/devices/{device}/profile", "/v1/devices/gate-1/profile"),
        Call("GET", "/v1/devices/{device}/profile", "/v1/devices/unknown-1/profile"),
        Call("GET", "/v1/devices/{device}/profile", "/v1/devices/%E6%97%A0/profile"),
        Call("GET", "/v1/stations"),
        Call("PUT", "/v1/stations/{station}/mode", "/v1/stations/bench/mode", body: #"{"mode":"paused"}"#),
        Call("PUT", "/v1/stations/{station}/mode", "/v1/stations/bench/mode", body: #"{"mode":"asleep"}"#),
        Call("PUT", "/v1/stations/{station}/mode", "/v1/stations/bench/mode", body: "not json"),
        Call("PUT", "/v1/stations/{station}/mode", "/v1/stations/nowhere/mode", body: #"{"mode":"paused"}"#),
        Call("PUT", "/v1/stations/{station}/mode", "/v1/stations/full-disk/mode", body: #"{"mode":"paused"}"#),
        Call("PUT", "/v1/stations/{station}/mode", "/v1/stations/bench/mode", body: String(repeating: " ", count: 65_537)),
        Call(
            "POST", "/v1/stations/{station}/open", "/v1/stations/bench/open",
            body: #"{"person":"1001","reason":"fire inspection"}"#),
        Call("POST", "/v1/stations/{station}/open", "/v1/stations/bench/open", body: #"{"reason":"restocking"}"#),
        Call("POST", "/v1/stations/{station}/open", "/v1/stations/bench/open", body: "{}"),
        Call("POST", "/v1/stations/{station}/open", "/v1/stations/bench/open", body: #"{"person":"9999","reason":"x"}"#),
        Call("POST", "/v1/stations/{station}/open", "/v1/stations/nowhere/open", body: #"{"reason":"x"}"#),
        Call("POST", "/v1/stations/{station}/open", "/v1/stations/full-disk/open", body: #"{"reason":"x"}"#),
        Call("GET", "/v1/destinations"),
        Call("POST", "/v1/reload"),
        Call("POST", "/v1/backup", body: "{}"),
        Call("POST", "/v1/backup", body: #"{"directory":"/media/usb"}"#),
        Call("POST", "/v1/backup", body: #"{"directory":"usb"}"#),
        Call("POST", "/v1/backup", body: #"{"directory":"/full"}"#),
        Call("GET", "/v1/verification"),
        Call("GET", "/v1/events"),
        Call("GET", "/v1/events", "/v1/events?after=2&limit=2&type=loan.*&station=gate&subject=DRILL-01"),
        Call("GET", "/v1/events", "/v1/events?limit=1001"),
        Call("GET", "/v1/events", "/v1/events?after=x"),
        Call("GET", "/v1/events", "/v1/events?follow=perhaps"),
        Call("GET", "/v1/events/{event}", "/v1/events/3"),
        Call("GET", "/v1/events/{event}", "/v1/events/12345678-9abc-8def-8000-000000000003"),
        Call("GET", "/v1/events/{event}", "/v1/events/999"),
        Call("GET", "/v1/events/{event}", "/v1/events/three"),
        Call("GET", "/v1/loans"),
        Call("GET", "/v1/loans/{loan}", "/v1/loans/\(Fixtures.oldLoanNumber)"),
        Call("GET", "/v1/loans/{loan}", "/v1/loans/\(Fixtures.loanNumber)"),
        Call("GET", "/v1/loans/{loan}", "/v1/loans/CRIB1-7QK3-00042-0"),
        Call("POST", "/v1/loans/{loan}/renew", "/v1/loans/\(Fixtures.oldLoanNumber)/renew"),
        Call("POST", "/v1/loans/{loan}/renew", "/v1/loans/\(Fixtures.loanNumber)/renew", body: #"{"item":"DRILL-01"}"#),
        Call("POST", "/v1/loans/{loan}/renew", "/v1/loans/42/renew"),
        Call("POST", "/v1/loans/{loan}/renew", "/v1/loans/\(Fixtures.oldLoanNumber)/renew", body: #"{"item":7}"#),
        Call("POST", "/v1/loans/{loan}/return", "/v1/loans/\(Fixtures.oldLoanNumber)/return", body: #"{"item":"METER-07"}"#),
        Call("POST", "/v1/loans/{loan}/return", "/v1/loans/\(Fixtures.oldLoanNumber)/return", body: "[]"),
        Call("POST", "/v1/loans/{loan}/void", "/v1/loans/\(Fixtures.oldLoanNumber)/void", body: #"{"item":null,"note":"wrong shelf"}"#),
        Call(
            "POST", "/v1/loans/{loan}/void", "/v1/loans/\(Fixtures.oldLoanNumber)/void",
            body: #"{"note":"\#(String(repeating: "x", count: 513))"}"#),
        Call("POST", "/v1/items/{item}/transfer", "/v1/items/METER-07/transfer", body: #"{"person":"1001"}"#),
        Call("POST", "/v1/items/{item}/transfer", "/v1/items/METER-07/transfer", body: #"{"person":"9999"}"#),
        Call("POST", "/v1/items/{item}/transfer", "/v1/items/METER-07/transfer", body: "{}"),
        Call("POST", "/v1/items/{item}/transfer", "/v1/items/METER-07/transfer", body: #"{"person":7}"#),
        Call("POST", "/v1/items/{item}/lost", "/v1/items/%E4%B8%87%E7%94%A8%E8%A1%A8/lost", body: #"{"note":"fell into the lake"}"#),
        Call(
            "POST", "/v1/items/{item}/inspect", "/v1/items/KIT-1/inspect",
            body: #"{"result":"incomplete","missing":["BIT-4"],"photo":"https://x/1.jpg","note":"缺钻头","responsible":"p-2b"}"#),
        Call("POST", "/v1/items/{item}/inspect", "/v1/items/KIT-1/inspect", body: #"{"result":"broken"}"#),
        Call("POST", "/v1/items/{item}/inspect", "/v1/items/KIT-1/inspect", body: #"{"result":"fine","responsible":"nobody"}"#),
        Call("POST", "/v1/items/{item}/service", "/v1/items/DRILL-01/service", body: #"{"note":"new brushes"}"#),
        Call("POST", "/v1/items/{item}/service", "/v1/items/%01/service"),
        Call("GET", "/v1/may", "/v1/may?person=1001"),
        Call("GET", "/v1/may", "/v1/may?person=1001&item=METER-07"),
        Call("GET", "/v1/may", "/v1/may?person=p-1a&item=DRILL-02&station=gate&with=1002"),
        Call("GET", "/v1/may", "/v1/may?person=1001&item=NOTHING"),
        Call("GET", "/v1/may", "/v1/may?person=1001&item=%01"),
        Call("GET", "/v1/may", "/v1/may?person=1001&station=nowhere"),
        Call("GET", "/v1/may", "/v1/may?person=9999"),
        Call("GET", "/v1/may"),
        Call("GET", "/v1/permits"),
        Call(
            "POST", "/v1/permits",
            body: #"{"person":"1001","items":["DRILL-01"],"purpose":"检修","from":"2026-11-21","until":"2026-11-25","due":"2026-11-24"}"#),
        Call("POST", "/v1/permits", body: #"{"person":"p-1a","classes":["power-tool"],"quantity":3}"#),
        Call("POST", "/v1/permits", body: #"{"person":"1001"}"#),
        Call("POST", "/v1/permits", body: #"{"person":"1001","items":["DRILL-01"],"due":"tomorrow"}"#),
        Call("POST", "/v1/permits", body: #"{"person":"1001","items":["DRILL-01"],"quantity":0}"#),
        Call("POST", "/v1/permits", body: #"{"person":"9999","items":["DRILL-01"]}"#),
        Call("POST", "/v1/permits/{permit}/approve", "/v1/permits/\(Fixtures.requestKey)/approve"),
        Call("POST", "/v1/permits/{permit}/reject", "/v1/permits/\(Fixtures.requestKey)/reject", body: #"{"note":"not now"}"#),
        Call("POST", "/v1/permits/{permit}/reject", "/v1/permits/%00/reject"),
        Call("POST", "/v1/permits/{permit}/withdraw", "/v1/permits/\(Fixtures.requestKey)/withdraw"),
        Call("GET", "/v1/reports/loans"),
        Call("GET", "/v1/reports/loans", "/v1/reports/loans?month=2026-11&dead_months=1"),
        Call("GET", "/v1/reports/loans", "/v1/reports/loans?month=1970-01"),
        Call("GET", "/v1/reports/loans", "/v1/reports/loans?month=2026-13"),
        Call("GET", "/v1/reports/loans", "/v1/reports/loans?month=november"),
        Call("GET", "/v1/reports/loans", "/v1/reports/loans?dead_months=0"),
        Call("GET", "/v1/stock"),
        Call("GET", "/v1/stock", "/v1/stock?location=B-03"),
        Call("GET", "/v1/stock", "/v1/stock?location="),
        Call("POST", "/v1/master", "/v1/master?dry_run=true", body: #"{"set":"items","id":"A","name":"B"}"#),
        Call(
            "POST", "/v1/master", "/v1/master",
            body: "{\"set\":\"items\",\"id\":\"A\",\"name\":\"B\"}\n\n{\"set\":\"items\",\"id\":\"C\",\"deleted\":true}\n"),
        Call("POST", "/v1/master", "/v1/master", body: "{\"set\":\"gadgets\",\"id\":\"A\"}\nnonsense\n"),
        Call("POST", "/v1/master", "/v1/master", body: String(repeating: "x", count: 65_537)),
        Call("POST", "/v1/people/erase", body: #"{"person":"1001","dry_run":true}"#),
        Call("POST", "/v1/people/erase", body: #"{"person":"1001"}"#),
        Call("POST", "/v1/people/erase", body: #"{"person":"9999"}"#),
        Call("POST", "/v1/people/erase", body: "{}"),
        Call("GET", "/v1/exceptions"),
        Call("GET", "/v1/exceptions/{number}", "/v1/exceptions/4"),
        Call("GET", "/v1/exceptions/{number}", "/v1/exceptions/5"),
        Call("GET", "/v1/exceptions/{number}", "/v1/exceptions/-1"),
        Call("POST", "/v1/exceptions/{number}/resolve", "/v1/exceptions/4/resolve", body: #"{"resolution":"false-read","note":"回收标签"}"#),
        Call("POST", "/v1/exceptions/{number}/resolve", "/v1/exceptions/5/resolve", body: #"{"resolution":"false-read"}"#),
        Call("POST", "/v1/exceptions/{number}/resolve", "/v1/exceptions/4/resolve", body: #"{}"#),
        Call("POST", "/v1/exceptions/{number}/assign", "/v1/exceptions/4/assign", body: #"{"owner":"安全主管"}"#),
        Call("POST", "/v1/exceptions/{number}/assign", "/v1/exceptions/4/assign"),
        Call("POST", "/v1/exceptions/{number}/dismiss", "/v1/exceptions/4/dismiss", body: #"{"note":"a supplier's tag"}"#),
        Call("POST", "/v1/exceptions/{number}/dismiss", "/v1/exceptions/4/dismiss", body: "{}"),
        Call("POST", "/v1/exceptions/{number}/dismiss", "/v1/exceptions/5/dismiss", body: #"{"note":"gone"}"#),
        Call(
            "POST", "/v1/exceptions/{number}/correct", "/v1/exceptions/4/correct", body: #"{"person":"1001","note":"seen on the camera"}"#),
        Call("POST", "/v1/exceptions/{number}/correct", "/v1/exceptions/5/correct", body: #"{"person":"1001"}"#),
        Call("POST", "/v1/exceptions/{number}/correct", "/v1/exceptions/4/correct", body: #"{"note":"?"}"#),
        Call("GET", "/v1/tags"),
        Call("GET", "/v1/tags/{epc}", "/v1/tags/3034257bf7194e4000001a85"),
        Call("GET", "/v1/tags/{epc}", "/v1/tags/00"),
        Call("GET", "/v1/tags/{epc}", "/v1/tags/xyz"),
        Call("PUT", "/v1/tags/{epc}", "/v1/tags/BEEF", body: #"{"item":"DRILL-02"}"#),
        Call("PUT", "/v1/tags/{epc}", "/v1/tags/3034257BF7194E4000001A85", body: #"{"item":"DRILL-02"}"#),
        Call("PUT", "/v1/tags/{epc}", "/v1/tags/BEEF", body: #"{"thing":"DRILL-02"}"#),
        Call("DELETE", "/v1/tags/{epc}", "/v1/tags/3034257BF7194E4000001A85"),
        Call("DELETE", "/v1/tags/{epc}", "/v1/tags/BEEF"),
        Call("GET", "/v1/recording"),
        Call("DELETE", "/v1/recording"),
        Call("POST", "/v1/recording", body: #"{"note":"gate walk"}"#),
        Call("POST", "/v1/recording"),
        Call("GET", "/v1/recording"),
        Call("DELETE", "/v1/recording"),
        Call("GET", "/v1/recordings/{name}", "/v1/recordings/20261121T101530.capture"),
        Call("GET", "/v1/recordings/{name}", "/v1/recordings/..%2F..%2Fetc%2Fpasswd"),
    ]

    /// What the check of `docs/api.yaml` is given.
    private func exchange(_ call: Call, status: Int, type: String, body: String) -> JSON {
        [
            "method": .string(call.method), "path": .string(call.template), "url": .string(call.path), "status": .integer(Int64(status)),
            "type": .string(type), "body": .string(body),
        ]
    }

    @Test func answersAreAsDescribed() async throws {
        let gateway = FakeGateway()
        let exchanges = try await withServer(gateway) { folder, group in
            let capture = folder.write(#"{"capture":1,"recorded":"2026-11-21T10:15:30.000+08:00","note":""}"# + "\n", to: "one.capture")
            gateway.update { $0.recordingPath = capture }
            var exchanges = try await blocking { try Self.calls.map { try self.perform($0, folder.socket) } }
            // The same with every right taken away.
            exchanges += try await self.refused(folder)
            exchanges += try await self.streams(folder, gateway)
            return exchanges
        }
        let routes: [JSON] = Route.all.map {
            ["method": .string($0.method.rawValue), "path": .string($0.path), "right": .string($0.right.rawValue)]
        }
        let folder = TestFolder()
        let input: JSON = ["routes": .array(routes), "exchanges": .array(exchanges)]
        let file = folder.write(input.canonicalText, to: "exchanges.json")
        let (status, output) = try await blocking { try Self.check(file) }
        #expect(status == 0, "\(output)")
        // Every route was called with success.
        for route in Route.all {
            let isCalled = exchanges.contains {
                $0["path"]?.string == route.path && $0["method"]?.string == route.method.rawValue && ($0["status"]?.integer ?? 0) < 300
            }
            #expect(isCalled, "\(route.method) \(route.path)")
        }
    }

    @Test func everyOperatingRouteRefusesReaders() async throws {
        let gateway = FakeGateway()
        let exchanges = try await withServer(gateway, policy: AccessPolicy(operators: []), folder: TestFolder()) { folder, _ in
            try await blocking { try Self.calls.map { ($0, try self.perform($0, folder.socket)) } }
        }
        for (call, exchange) in exchanges {
            let right = Route.all.first { $0.method.rawValue == call.method && $0.path == call.template }?.right
            #expect((exchange["status"] == 403) == (right == .operate), "\(call.method) \(call.path)")
        }
        #expect(gateway.performed.isEmpty && gateway.imported.isEmpty)
    }

    @Test func unknownPathsAndMethodsAreProblems() async throws {
        try await withServer(FakeGateway()) { folder, _ in
            try await blocking {
                for call in [Call("GET", "/"), Call("GET", "/v1/nothing"), Call("DELETE", "/v1/status"), Call("POST", "/v1/events")] {
                    let exchange = try self.perform(call, folder.socket)
                    #expect(exchange["status"] == 404, "\(call.path)")
                    let problem = try JSON(parsing: exchange["body"]?.string ?? "")
                    #expect(problem["code"] == "not_found")
                }
            }
        }
    }

    private func perform(_ call: Call, _ socket: String) throws -> JSON {
        let connection = try HTTPConnection(unixSocket: socket)
        var request = HTTPClient.HTTPRequest(call.method, "http://stockgate\(call.path)", totalTimeout: 10_000)
        request.body = call.body.map { Array($0.utf8) }
        let response = try connection.perform(request)
        return exchange(
            call, status: response.status, type: response[header: "content-type"] ?? "",
            body: String(decoding: response.body, as: UTF8.self))
    }

    private func refused(_ folder: TestFolder) async throws -> [JSON] {
        try await withServer(FakeGateway(), policy: AccessPolicy(operators: [])) { folder, _ in
            try await blocking { try Self.calls.map { try self.perform($0, folder.socket) }.filter { $0["status"] == 403 } }
        }
    }

    /// A few lines of each stream.
    private func streams(_ folder: TestFolder, _ gateway: FakeGateway) async throws -> [JSON] {
        let client = try ControlClient(socket: folder.socket)
        return try await blocking {
            var events: [JSON] = []
            try client.lines(["events"], [("follow", "true")]) { line in
                events.append(line)
                return events.count < Fixtures.events.count
            }
            var happenings: [JSON] = []
            try client.lines(["watch"]) { line in
                happenings.append(line)
                return happenings.count <= Fixtures.happenings.count
            }
            let text = { (lines: [JSON]) in lines.map { $0.canonicalText + "\n" }.joined() }
            return [
                self.exchange(Call("GET", "/v1/events"), status: 200, type: "application/x-ndjson", body: text(events)),
                self.exchange(Call("GET", "/v1/watch"), status: 200, type: "application/x-ndjson", body: text(happenings)),
            ]
        }
    }

    /// Runs the check with the Python that `make test` has set up; elsewhere it needs `yaml` and `jsonschema`.
    private static func check(_ file: String) throws -> (status: Int32, output: String) {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            ProcessInfo.processInfo.environment["STOCKGATE_PYTHON"] ?? "python3", tests.appendingPathComponent("check_api.py").path,
            tests.appendingPathComponent("../../docs/api.yaml").path, file,
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }
}

import Foundation
import HTTPClient
import Testing

@Suite struct HTTPConnectionTests {
    private static func answer(_ body: String, status: String = "200 OK", headers: String = "") -> String {
        "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }

    @Test func sendsMethodHeadersAndBody() throws {
        let server = try ScriptedServer { _ in
            [.send(Self.answer("hello", status: "202 Accepted", headers: "Location: /job/1\r\nRetry-After: 7\r\n"))]
        }
        let connection = try HTTPConnection()
        let response = try connection.perform(
            HTTPRequest("POST", "http://127.0.0.1:\(server.port)/a?b=c", headers: [.init("X-One", "1")], body: Array("body".utf8)))
        #expect(response.status == 202)
        #expect(response.body == Array("hello".utf8))
        #expect(response[header: "location"] == "/job/1")
        #expect(response[header: "Retry-After"] == "7")
        let request = try #require(server.requests.first)
        #expect(request.head.hasPrefix("POST /a?b=c HTTP/1.1\r\n"))
        #expect(request.head.contains("X-One: 1"))
        #expect(!request.head.contains("Expect:"))
        #expect(request.body == Array("body".utf8))
    }

    @Test(arguments: ["GET", "POST", "PUT", "DELETE", "PATCH"]) func methods(_ method: String) throws {
        let server = try ScriptedServer { _ in [.send(Self.answer("ok"))] }
        let url = "http://127.0.0.1:\(server.port)/"
        let connection = try HTTPConnection()
        for body in [nil, [], Array("x".utf8)] as [[UInt8]?] {
            #expect(try connection.perform(HTTPRequest(method, url, body: body)).status == 200)
            #expect(server.requests.last?.head.hasPrefix("\(method) / ") == true)
            #expect(server.requests.last?.body == body ?? [])
        }
    }

    @Test func keepsTheConnection() throws {
        let server = try ScriptedServer { _ in [.send(Self.answer("ok"))] }
        let connection = try HTTPConnection()
        for _ in 0..<50 { #expect(try connection.perform(HTTPRequest("GET", "http://127.0.0.1:\(server.port)/")).status == 200) }
        #expect(server.connections == 1)
    }

    @Test func connectsAnewAfterTheServerClosed() throws {
        let server = try ScriptedServer { _ in [.send(Self.answer("ok")), .close] }
        let connection = try HTTPConnection()
        for _ in 0..<3 { #expect(try connection.perform(HTTPRequest("GET", "http://127.0.0.1:\(server.port)/")).status == 200) }
        #expect(server.connections == 3)
    }

    @Test func boundsTheBody() throws {
        let server = try ScriptedServer { _ in
            [.send("HTTP/1.1 200 OK\r\n\r\n"), .flood(String(repeating: "x", count: 65_536))]
        }
        let connection = try HTTPConnection()
        let error = #expect(throws: HTTPError.self) { try connection.perform(HTTPRequest("GET", "http://127.0.0.1:\(server.port)/")) }
        #expect(error?.reason == .tooLarge)
    }

    @Test func bodyOfExactlyTheBound() throws {
        let body = String(repeating: "y", count: HTTPConnection.maximumBody)
        let server = try ScriptedServer { _ in [.send(Self.answer(body))] }
        let response = try HTTPConnection().perform(HTTPRequest("GET", "http://127.0.0.1:\(server.port)/"))
        #expect(response.body.count == HTTPConnection.maximumBody)
    }

    @Test func streamsOverAUnixSocket() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/control.sock"
        let server = try ScriptedServer(unixSocket: path) { request in
            request.head.hasPrefix("GET /events")
                ? [.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), .flood("5\r\nline\n\r\n")]
                : [.send(Self.answer("no", status: "403 Forbidden"))]
        }
        let connection = try HTTPConnection(unixSocket: path)
        var bytes: [UInt8] = []
        let error = #expect(throws: HTTPError.self) {
            try connection.stream(HTTPRequest("GET", "http://stockgate/events", totalTimeout: nil)) { piece in
                bytes += piece
                return bytes.count < 1_000
            }
        }
        #expect(error?.reason == .receiverStopped)
        #expect(bytes.starts(with: Array("line\nline\n".utf8)))
        #expect(server.requests.first?.head.contains("Host: stockgate") == true)

        // Of an answer that is no success, the body is kept.
        let refusal = try connection.stream(HTTPRequest("GET", "http://stockgate/other")) { _ in true }
        #expect(refusal.status == 403)
        #expect(refusal.body == Array("no".utf8))
    }

    @Test func timesOut() throws {
        let server = try ScriptedServer { _ in [.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")] }
        let connection = try HTTPConnection()
        let error = #expect(throws: HTTPError.self) {
            try connection.perform(HTTPRequest("GET", "http://127.0.0.1:\(server.port)/", totalTimeout: 100))
        }
        #expect(error?.reason == .timedOut)
    }

    @Test func cancelEndsARequestAtOnceAndAllLaterOnes() throws {
        let started = DispatchSemaphore(value: 0)
        let server = try ScriptedServer { _ in
            started.signal()
            return []
        }
        let connection = try HTTPConnection()
        let clock = ContinuousClock()
        Thread.detachNewThread {
            started.wait()
            connection.cancel()
        }
        let taken = clock.measure {
            let error = #expect(throws: HTTPError.self) { try connection.perform(HTTPRequest("GET", "http://127.0.0.1:\(server.port)/")) }
            #expect(error?.reason == .cancelled)
        }
        #expect(taken < .seconds(1))
        let error = #expect(throws: HTTPError.self) { try connection.perform(HTTPRequest("GET", "http://127.0.0.1:\(server.port)/")) }
        #expect(error?.reason == .cancelled)
    }

    @Test func errorsNameTheURLWithoutSecrets() throws {
        let error = #expect(throws: HTTPError.self) {
            try HTTPConnection().perform(HTTPRequest("GET", "http://user:password@127.0.0.1:1/a/b?token=secret#x"))
        }
        #expect(error?.reason == .failed)
        #expect(error?.code == 7)
        #expect(error?.url == "http://127.0.0.1:1/a/b")
        #expect(error?.description.contains("secret") == false)
        #expect(error?.description.contains("password") == false)
    }

    @Test(arguments: [
        HTTPRequest("GET", "http://127.0.0.1:1/\r\nX: y"), HTTPRequest("GET", "http://127.0.0.1:1/ HTTP/1.1"),
        HTTPRequest("GET\r\n", "http://127.0.0.1:1/"), HTTPRequest("GET", "http://127.0.0.1:1/", headers: [.init("A", "b\r\nC: d")]),
        HTTPRequest("GET", "http://127.0.0.1:1/", headers: [.init("A: b", "c")]), HTTPRequest("GET", "http://127.0.0.1:1/\0"),
    ]) func refusesSmuggling(_ request: HTTPRequest) throws {
        let error = #expect(throws: HTTPError.self) { try HTTPConnection().perform(request) }
        #expect(error?.reason == .invalidRequest)
    }

    @Test(arguments: ["file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1:1", "nonsense://x"]) func onlyHTTP(_ url: String) throws {
        let error = #expect(throws: HTTPError.self) { try HTTPConnection().perform(HTTPRequest("GET", url)) }
        #expect(error?.reason == .failed)
    }
}

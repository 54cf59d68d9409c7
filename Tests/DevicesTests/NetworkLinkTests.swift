import Dispatch
import Foundation
import NIOPosix
import Readings
import TestSupport
import Testing

@testable import Devices

@Suite(.serialized, .timeLimit(.minutes(1)))
struct NetworkLinkTests {
    private typealias Events = AsyncStream<ConnectionEvent>.Iterator

    private func calling(_ port: UInt16, host: String = "127.0.0.1", tls: TLSFiles? = nil) async throws -> (ConnectionHarness, Events) {
        let harness = try await ConnectionHarness("", .tcp(TCPEndpoint(host: host, port: port, tls: tls)))
        return (harness, harness.events.makeAsyncIterator())
    }

    private func failure(_ port: UInt16, host: String = "127.0.0.1", tls: TLSFiles? = nil) async throws -> DeviceError {
        let (harness, _) = try await calling(port, host: host, tls: tls)
        var story: [ConnectionEvent] = []
        for await event in harness.events { story.append(event) }
        guard story.count == 1, case .failed(let error) = story[0] else {
            throw DeviceError(.connect, path: "", detail: "it did not fail: \(story)")
        }
        return error
    }

    @Test(arguments: [("127.0.0.1", false), ("localhost", false), ("::1", true)])
    func carriesBytesBothWays(host: String, v6: Bool) async throws {
        let server = try NetworkPeer.listening(v6: v6)
        var (harness, events) = try await calling(server.port, host: host)
        let device = try server.accept()
        #expect(await events.next() == .opened)
        #expect(try await harness.link { $0.deviceName } == (v6 ? "[::1]:\(server.port)" : "127.0.0.1:\(server.port)"))
        let all = (0...255).map(UInt8.init)
        device.write(all)
        #expect(await events.bytes(256) == all)
        #expect(try await harness.write(all))
        #expect(try device.read() == all)
        try await harness.close()
        #expect(await events.next() == .closed(.requested(reason: "test")))
        #expect(await events.next() == .released)
        #expect(try device.read() == [])
        #expect(NetworkPeer.descriptors(connectedTo: server.port).isEmpty)
    }

    /// A half-open connection cannot be made without rights over the network; that the kernel was told to look for one can be seen.
    @Test func asksTheKernelToFindAConnectionThatIsDead() async throws {
        let server = try NetworkPeer.listening()
        var (harness, events) = try await calling(server.port)
        let device = try server.accept()
        #expect(await events.next() == .opened)
        let descriptor = try #require(NetworkPeer.descriptors(connectedTo: server.port).first)
        func option(_ level: Int32, _ name: Int32) -> Int32 {
            var value: Int32 = -1
            var size = socklen_t(4)
            getsockopt(descriptor, level, name, &value, &size)
            return value
        }
        let tcp = Int32(IPPROTO_TCP)
        #expect(option(SOL_SOCKET, SO_KEEPALIVE) == 1 && option(tcp, TCP_NODELAY) == 1)
        let (idle, interval, count) = (option(tcp, TCP_KEEPIDLE), option(tcp, TCP_KEEPINTVL), option(tcp, TCP_KEEPCNT))
        #expect(idle == 5 && interval == 2 && count == 3 && idle + interval * count < 30)
        #expect(option(tcp, TCP_USER_TIMEOUT) == 10_000)
        device.close()
        #expect(
            await events.next()
                == .closed(.failed(DeviceError(.read, path: "tcp://127.0.0.1:\(server.port)", detail: "the device closed the connection"))))
        #expect(await events.next() == .released)
        _ = harness
    }

    @Test func tellsThatTheDeviceRestarted() async throws {
        let server = try NetworkPeer.listening()
        var (harness, events) = try await calling(server.port)
        defer { withExtendedLifetime(harness) {} }
        let device = try server.accept()
        #expect(await events.next() == .opened)
        device.write([1, 2])
        #expect(await events.bytes(2) == [1, 2])
        device.reset()
        guard case .closed(.failed(let error)) = await events.next() else { throw NetworkPeer.Failure("no failure") }
        #expect(error.errorNumber == ECONNRESET)
        #expect(await events.next() == .released)
    }

    @Test func neverQueuesMoreThanItsBoundAndClosesAllTheSame() async throws {
        let server = try NetworkPeer.listening()
        var (harness, events) = try await calling(server.port)
        // It takes the call, and then nothing.
        let device = try server.accept()
        #expect(await events.next() == .opened)
        var accepted = 0
        while try await harness.write([UInt8](repeating: 1, count: 60_000)) {
            accepted += 60_000
            try #require(accepted < 64 << 20)
        }
        #expect(await events.next() == .dropped(60_000))
        let start = BootClock.now()
        try await harness.close()
        #expect(await events.next() == .closed(.requested(reason: "test")))
        // What waits is given its time, and no more.
        #expect(BootClock.now() - start >= .milliseconds(200))
        device.close()
    }

    @Test func theLastWordGoesOutBeforeTheClose() async throws {
        let server = try NetworkPeer.listening()
        for _ in 0..<50 {
            var (harness, events) = try await calling(server.port)
            let device = try server.accept()
            let first = await events.next()
            try #require(first == .opened)
            try await harness.writeAndClose([0xBB, 0x00, 0x28])
            #expect(try device.read() == [0xBB, 0x00, 0x28])
            #expect(try device.read() == [])
        }
    }

    @Test func saysWhoRefused() async throws {
        let server = try NetworkPeer.listening()
        let port = server.port
        server.close()
        let error = try await failure(port)
        #expect(
            error.description
                == "connect tcp://127.0.0.1:\(port): Connection refused (ECONNREFUSED): there is a machine, but nothing listens on this port"
        )
        #expect(try await failure(port, host: "localhost").errorNumber == ECONNREFUSED)
    }

    @Test func saysThatNobodyKnowsTheName() async throws {
        let error = try await failure(5_084, host: "reader.invalid")
        #expect(error.description == "resolve tcp://reader.invalid:5084: nobody knows the name reader.invalid")
    }

    @Test(arguments: [false, true]) func canBeClosedWhileItCalls(byName: Bool) async throws {
        let server = try NetworkPeer.listening()
        for _ in 0..<50 {
            let (harness, _) = try await calling(server.port, host: byName ? "localhost" : "127.0.0.1")
            try await harness.close("changed my mind")
            var story: [ConnectionEvent] = []
            for await event in harness.events { story.append(event) }
            let cancelled = DeviceError(.cancel, path: harness.path, detail: "changed my mind")
            try #require(
                story == [.failed(cancelled)] || story == [.opened, .closed(.requested(reason: "changed my mind")), .released], "\(story)")
            (try? server.accept(within: 0))?.close()
        }
    }

    // MARK: - Devices that call

    private func listening(_ tls: TLSFiles? = nil, pool: NIOThreadPool = .singleton) async throws -> (ConnectionHarness, UInt16) {
        let chosen = try NetworkPeer.listening()
        let port = chosen.port
        chosen.close()
        let endpoint = TCPEndpoint(host: "127.0.0.1", port: port, listens: true, tls: tls)
        return (try await ConnectionHarness("", .tcp(endpoint), pool: pool), port)
    }

    @Test func takesTheCallOfADevice() async throws {
        let (harness, port) = try await listening()
        var events = harness.events.makeAsyncIterator()
        let device = try NetworkPeer.callingPatiently(port: port)
        #expect(await events.next() == .opened)
        #expect(try await harness.link { $0.deviceName?.hasPrefix("127.0.0.1:") } == true)
        device.write([7, 8])
        #expect(await events.bytes(2) == [7, 8])
        #expect(try await harness.write([9]))
        #expect(try device.read() == [9])
        // A second caller while the first one is well: refused and counted, and nothing of it is heard.
        for count in 1...2 {
            let second = try NetworkPeer.calling(port: port)
            second.write([0x66])
            #expect(try second.read() == [])
            let notes = try await harness.link { $0.notes }
            #expect(notes.count == 1 && notes[0].hasPrefix(count == 1 ? "refused a call from 127.0.0.1:" : "refused 2 calls, the last one"))
        }
        device.write([1])
        #expect(await events.bytes(1) == [1])
        device.close()
        #expect(await events.next() == .closed(.gone))
        #expect(await events.next() == .released)
        // The address is free again.
        try NetworkPeer.listening(port: port).close()
    }

    /// Reading files takes time, and whoever calls makes us do it.
    @Test func readsFilesForAFewCallersOnly() async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        try certificates.issue("gateway", names: "IP:127.0.0.1")
        let files = TLSFiles(certificateFile: certificates.file("gateway.pem"), keyFile: certificates.file("gateway.key"))
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let (harness, port) = try await listening(files, pool: pool)
        try NetworkPeer.callingPatiently(port: port).close()
        // Nobody can read a file now.
        let gate = DispatchSemaphore(value: 0)
        let isBusy = AsyncStream.makeStream(of: Void.self)
        pool.submit { _ in
            isBusy.continuation.finish()
            gate.wait()
        }
        for await _ in isBusy.stream {}
        // More than may wait at a time: the last one is refused at once.
        var callers: [NetworkPeer] = []
        for _ in 0...(TCPListenerLink.maximumCallers + 1) { callers.append(try NetworkPeer.calling(port: port)) }
        #expect(try callers.last?.read() == [])
        let notes = try await harness.link { $0.notes }
        #expect(notes.first?.hasPrefix("refused") == true, "\(notes)")
        gate.signal()
        for caller in callers { caller.close() }
        try await harness.close("enough")
        for await _ in harness.events {}
        try await pool.shutdownGracefully()
    }

    /// The name would be compared with nothing.
    @Test func refusesANameThatNobodyProves() async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        try certificates.issue("gateway", names: "IP:127.0.0.1")
        let (harness, _) = try await listening(
            TLSFiles(
                certificateFile: certificates.file("gateway.pem"), keyFile: certificates.file("gateway.key"), serverName: "scanner"))
        var events = harness.events.makeAsyncIterator()
        guard case .failed(let error) = await events.next() else { throw NetworkPeer.Failure("no failure") }
        #expect(error.operation == .tls)
        #expect(error.detail == "server_name needs authority_file where the device calls: nothing would be checked")
    }

    @Test func stopsWaitingForACall() async throws {
        let (harness, port) = try await listening()
        try await harness.close("enough")
        var story: [ConnectionEvent] = []
        for await event in harness.events { story.append(event) }
        #expect(story == [.failed(DeviceError(.cancel, path: harness.path, detail: "enough"))])
        try NetworkPeer.listening(port: port).close()
    }

    @Test func saysThatAnAddressIsTaken() async throws {
        let other = try NetworkPeer.listening()
        let harness = try await ConnectionHarness("", .tcp(TCPEndpoint(host: "127.0.0.1", port: other.port, listens: true)))
        var events = harness.events.makeAsyncIterator()
        guard case .failed(let error) = await events.next() else { throw NetworkPeer.Failure("no failure") }
        #expect(
            error.description
                == "listen tcp-listen://127.0.0.1:\(other.port): Address already in use (EADDRINUSE): another program listens on this port")
    }

    // MARK: - TLS

    @Test func speaksTLSWithADeviceItCalls() async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        try certificates.issue("reader", names: "IP:127.0.0.1")
        try certificates.issue("gateway", names: "DNS:gateway", use: "clientAuth")
        // It asks for our certificate, too.
        let server = try certificates.serve("reader", "-Verify", "1", "-CAfile", "good.pem", "-verify_return_error")
        defer { server.stop() }
        let files = TLSFiles(
            authorityFile: certificates.file("good.pem"), certificateFile: certificates.file("gateway.pem"),
            keyFile: certificates.file("gateway.key"))
        // Twice: files are read for each connection.
        for _ in 0..<2 {
            var (harness, events) = try await calling(server.port, tls: files)
            #expect(await events.next() == .opened)
            #expect(try await harness.link { $0.deviceName } == "127.0.0.1:\(server.port), reader")
            try await harness.write(Array("EPC\n".utf8))
            #expect(await events.bytes(4) == Array("CPE\n".utf8))
            let long = [UInt8](repeating: 0x41, count: 3_000)
            try await harness.write(long + [0x0A])
            #expect(await events.bytes(3_001) == long + [0x0A])
            try await harness.close()
            #expect(await events.next() == .closed(.requested(reason: "test")))
            #expect(await events.next() == .released)
        }
    }

    @Test func takesOnlyTheRightCertificate() async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        try certificates.issue("reader", names: "DNS:reader.lan")
        try certificates.issue("old", names: "IP:127.0.0.1", isExpired: true)
        let good = TLSFiles(authorityFile: certificates.file("good.pem"))
        let server = try certificates.serve("reader")
        let path = "tls://127.0.0.1:\(server.port)"
        #expect(
            try await failure(server.port, tls: good).description
                == "tls \(path): the certificate of reader is not made out to 127.0.0.1; server_name can name another")
        let other = certificates.file("other.pem")
        #expect(
            try await failure(server.port, tls: TLSFiles(authorityFile: other)).description
                == "tls \(path): the certificate of reader is not signed by an authority in \(other)")
        #expect(
            try await failure(server.port, tls: TLSFiles(serverName: "reader.lan")).description
                == "tls \(path): the certificate of reader is not signed by an authority that this machine trusts")
        // Named for what it is, it is good.
        var (harness, events) = try await calling(
            server.port, tls: TLSFiles(authorityFile: certificates.file("good.pem"), serverName: "reader.lan"))
        #expect(await events.next() == .opened)
        try await harness.close()
        server.stop()
        let expired = try certificates.serve("old")
        #expect(try await failure(expired.port, tls: good).detail == "the certificate of old has expired")
        expired.stop()
    }

    @Test func saysWhyThereIsNoTLS() async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        try certificates.issue("reader", names: "IP:127.0.0.1")
        let good = TLSFiles(authorityFile: certificates.file("good.pem"))
        // A machine that does not speak TLS.
        let plain = try NetworkPeer.listening()
        async let failed = failure(plain.port, tls: good)
        let peer = try plain.accept()
        peer.write(Array("HTTP/1.0 400 Bad Request\r\n\r\n".utf8))
        #expect(try await failed.detail == "the other end does not speak TLS")
        // Only what is older than 1.2. Debian's own settings would not even offer it.
        let old = try certificates.serve("reader", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        #expect(try await failure(old.port, tls: good).detail == "the other end speaks only versions of TLS older than 1.2")
        old.stop()
        // Files that are not there, or are something else.
        let missing = try await failure(1, tls: TLSFiles(authorityFile: "/nowhere.pem"))
        #expect(
            missing.operation == .tls && missing.detail == "the authorities cannot be read from /nowhere.pem: No such file or directory")
        let wrong = try await failure(
            1,
            tls: TLSFiles(
                authorityFile: certificates.file("good.pem"), certificateFile: certificates.file("reader.pem"),
                keyFile: certificates.file("good.key")))
        #expect(wrong.detail == "the key cannot be used from \(certificates.file("good.key")): key values mismatch")
    }

    @Test func givesUpOnAHandshakeThatDoesNotEnd() async throws {
        let silent = try NetworkPeer.listening()
        let start = BootClock.now()
        let error = try await failure(silent.port, tls: TLSFiles())
        #expect(error.detail == "no TLS handshake within 5 s")
        #expect(BootClock.now() - start < .seconds(20))
    }

    @Test func takesTheEncryptedCallOfADeviceThatShowsItsCertificate() async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        try certificates.issue("gateway", names: "IP:127.0.0.1")
        try certificates.issue("scanner", names: "DNS:scanner", use: "clientAuth")
        try certificates.issue("stranger", by: "other", names: "DNS:stranger", use: "clientAuth")
        let (harness, port) = try await listening(
            TLSFiles(
                authorityFile: certificates.file("good.pem"), certificateFile: certificates.file("gateway.pem"),
                keyFile: certificates.file("gateway.key")))
        var events = harness.events.makeAsyncIterator()
        // Strangers do not keep the device out, nor does one who says nothing.
        let mute = try NetworkPeer.callingPatiently(port: port)
        let stranger = try certificates.call(port: port, "-cert", "stranger.pem", "-key", "stranger.key")
        stranger.waitUntilEnded()
        let notes = try await harness.link { $0.notes }
        #expect(
            notes.first?.hasSuffix("the certificate of stranger is not signed by an authority in \(certificates.file("good.pem"))") == true,
            "\(notes)")
        let device = try certificates.call(port: port, "-cert", "scanner.pem", "-key", "scanner.key")
        #expect(await events.next() == .opened)
        #expect(try await harness.link { $0.deviceName?.hasSuffix(", scanner") } == true)
        device.input.write(Data("scan\n".utf8))
        #expect(await events.bytes(5) == Array("scan\n".utf8))
        try await harness.write(Array("beep\n".utf8))
        #expect(try device.output.read(upToCount: 5) == Data("beep\n".utf8))
        device.stop()
        #expect(await events.next() == .closed(.gone))
        #expect(await events.next() == .released)
        mute.close()
    }
}

import Decoding
import DeviceSimulators
import Devices
import Glibc
import Readings
import Testing

/// The simulated reader on loopback, with a client of a few lines.
@Suite(.timeLimit(.minutes(1))) struct LLRPRunnerTests {
    /// A blocking client: what a device connection does, on the calling thread.
    struct Client {
        var session = LLRPSession(.init(), plan: SessionPlan(), radio: RadioSettings(region: .fcc))
        var readings: [Reading] = []
        var failure: SessionFailure?
        let descriptor: Int32

        init(_ descriptor: Int32) {
            self.descriptor = descriptor
            act { $0.opened(at: $1, into: &$2) }
        }

        init(port: UInt16) throws {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = LLRPRunnerTests.loopback(port)
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            try #require(result == 0)
            self.init(descriptor)
        }

        mutating func act(_ body: (inout LLRPSession, Instant, inout SessionOutput) -> Void) {
            var output = SessionOutput()
            body(&session, BootClock.now(), &output)
            readings += output.batch.readings
            failure = failure ?? output.failure
            for message in output.transmissions {
                _ = message.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            }
        }

        /// Until `isDone`, or the connection ends.
        mutating func run(until isDone: (Client) -> Bool) {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while !isDone(self) {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                act { session, now, output in buffer[..<count].withUnsafeBytes { session.receive($0, at: now, into: &output) } }
            }
        }

        var tagCount: Int { readings.count { if case .tag = $0 { true } else { false } } }
    }

    static func port(_ address: String) -> UInt16 { address.split(separator: ":").last.flatMap { UInt16($0) } ?? 0 }

    static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    @Test func oneClientIsServedAndASecondIsRefused() throws {
        var reader = LLRPReaderSimulator(.init(.impinj))
        reader.tags = [LLRPSessionTests.tag]
        let server = try SimulatedDeviceRunner(reader, at: .listen(host: "127.0.0.1", port: 0))
        server.start()
        defer { server.stop() }
        var first = try Client(port: Self.port(server.address))
        first.run { $0.tagCount >= 20 }
        #expect(first.session.state == .reading)
        var second = try Client(port: Self.port(server.address))
        second.run { $0.failure != nil }
        #expect(second.failure?.reason == "another client is connected")
        close(second.descriptor)
        first.run { $0.tagCount >= 40 }
        #expect(first.tagCount >= 40)
        // The cable is pulled; the next connection finds what was kept, and reads on.
        server.hangUp()
        first.run { _ in false }
        close(first.descriptor)
        var third = try Client(port: Self.port(server.address))
        third.run { $0.tagCount >= 20 && $0.session.isInitialised }
        #expect(third.session.state == .reading)
        third.act { $0.release(at: $1, into: &$2) }
        third.run { _ in false }
        close(third.descriptor)
        #expect(!server.device.isReading)
        #expect(server.device.complaints == [])
    }

    @Test func theReaderMayCall() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 1) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        try #require(isBound)
        var reader = LLRPReaderSimulator(.init(.zebra))
        reader.tags = [LLRPSessionTests.tag]
        let server = try SimulatedDeviceRunner(reader, at: .call(host: "127.0.0.1", port: UInt16(bigEndian: address.sin_port)))
        server.start()
        defer { server.stop() }
        var client = Client(accept(listener, nil, nil))
        client.run { $0.tagCount >= 10 }
        #expect(client.session.state == .reading)
        close(client.descriptor)
    }

    @Test func addressesAreChecked() {
        #expect(throws: SimulatedLinkError.self) {
            try SimulatedDeviceRunner(LLRPReaderSimulator(), at: .listen(host: "reader.invalid", port: 0))
        }
    }
}

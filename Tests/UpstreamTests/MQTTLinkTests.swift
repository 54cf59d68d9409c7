import Foundation
import Glibc
import SiteConfiguration
import Synchronization
import Testing

@testable import Upstream

@Suite struct MQTTLinkTests {
    /// A server whose queue of connections is full: the next one waits until somebody is accepted.
    private final class FullServer {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        private(set) var port = 0
        private var fillers: [Int32] = []

        init() throws {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &address) { [listener] pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = bind(listener, $0, length)
                    listen(listener, 0)
                    _ = getsockname(listener, $0, &length)
                }
            }
            port = Int(UInt16(bigEndian: address.sin_port))
            // A backlog of 0 holds one connection; a second one may be half open.
            for _ in 0..<2 {
                let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
                withUnsafePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = connect(filler, $0, length) }
                }
                fillers.append(filler)
            }
        }

        deinit {
            for descriptor in fillers + [listener] { close(descriptor) }
        }

        /// Accepts everybody.
        /// - Returns: what the clients besides the fillers sent, until each has gone or said nothing for two seconds.
        func open(seconds: Double) -> [[UInt8]] {
            for filler in fillers { close(filler) }
            fillers = []
            var received: [[UInt8]] = []
            let end = Date(timeIntervalSinceNow: seconds)
            while Date() < end {
                var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
                guard poll(&waiting, 1, 200) > 0 else { continue }
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { continue }
                var patience = timeval(tv_sec: 2, tv_usec: 0)
                setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
                var bytes = [UInt8](repeating: 0, count: 1_024)
                let count = recv(connection, &bytes, bytes.count, 0)
                received.append(Array(bytes.prefix(max(0, count))))
                close(connection)
            }
            return received
        }
    }

    /// A link that is given up while it connects must not come through later: with its client id it would throw out its successor.
    @Test func aLinkThatWasClosedWhileItConnectedSaysNothing() throws {
        let server = try FullServer()
        let maker = MosquittoLinkMaker(
            broker: .init(host: "127.0.0.1", port: UInt16(server.port)), clientID: "crib1", session: .clean(window: 10))
        let link = try maker.link(will: nil)
        let isLost = Mutex(false)
        try link.open { event in if case .lost = event { isLost.withLock { $0 = true } } }
        // Blocked in connect(); nothing tells when it has got there.
        usleep(300_000)
        link.close()
        let received = server.open(seconds: 6)
        #expect(received.flatMap { $0 } == [])
        #expect(received.count >= 2, "the connection was never there: the test shows nothing")
        #expect(isLost.withLock { $0 })
    }

    @Test func connectionsAreCountedOn() throws {
        let folder = try TemporaryFolder()
        var counter = MQTTConnectionCounter(directory: folder.path, destination: "hub/1")
        #expect([counter.next(), counter.next(), counter.next()] == [0, 1, 2])
        var next = MQTTConnectionCounter(directory: folder.path, destination: "hub/1")
        #expect(next.next() == 3)
        try "what?".write(toFile: "\(folder.path)/mqtt-hub%2F1.connections", atomically: true, encoding: .utf8)
        var spoilt = MQTTConnectionCounter(directory: folder.path, destination: "hub/1")
        #expect(spoilt.next() == 0)
        var nowhere = MQTTConnectionCounter(directory: "/nowhere", destination: "hub")
        #expect([nowhere.next(), nowhere.next()] == [0, 1])
    }

    /// The number of a birth goes from 255 to 0.
    @Test func sparkplugCountsBirthsInAByte() {
        let format = SparkplugFormat(site: "s", gatewayCode: "CRIB1", receipt: .application)
        #expect(format.will(connection: 256).payload == format.will(connection: 0).payload)
        #expect(format.will(connection: 1).payload != format.will(connection: 0).payload)
    }
}

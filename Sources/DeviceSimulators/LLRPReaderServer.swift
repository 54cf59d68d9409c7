import Decoding
import Devices
import Dispatch
import Glibc
import Readings
import Simulation
import Synchronization

/// A simulated LLRP reader on TCP: listens for its one client, or calls it.
public final class LLRPReaderServer: Sendable {
    public enum Place: Hashable, Sendable {
        /// An IPv4 address and a port; port 0: any that is free.
        case listen(String, UInt16)
        /// The reader calls the client there, again and again.
        case call(String, UInt16)
    }

    public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        public var description: String
    }

    /// The port that it listens on.
    public let port: UInt16
    private let place: Place
    private let listener: Int32
    private let shared: Mutex<Shared>
    private let isStopped = Atomic(false)
    private let isHangUpWanted = Atomic(false)
    private let thread = DispatchQueue(label: "llrp-reader")
    private let ended = DispatchSemaphore(value: 0)

    private struct Shared {
        var simulator: LLRPReaderSimulator
        var scene: GateScene?
        /// Written at the next opportunity.
        var waiting: [[UInt8]] = []
    }

    /// How long the scene is looked at by one antenna.
    private static let dwell = Instant.Span.milliseconds(30)

    /// - Parameter scene: what its antennas see, besides the simulator's own tags.
    /// - Throws: when the address is none, or taken.
    public init(_ simulator: LLRPReaderSimulator, at place: Place, scene: GateScene? = nil) throws(Failure) {
        self.place = place
        shared = Mutex(Shared(simulator: simulator, scene: scene))
        guard case .listen(let host, let wanted) = place else {
            listener = -1
            port = 0
            return
        }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(description: "socket: errno \(errno)") }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard var address = Self.address(host, wanted) else {
            Glibc.close(descriptor)
            throw Failure(description: "\(host) is no IPv4 address")
        }
        let isBound = Self.withAddress(&address) { Glibc.bind(descriptor, $0, $1) } == 0
        guard isBound, Glibc.listen(descriptor, 4) == 0 else {
            let code = errno
            Glibc.close(descriptor)
            throw Failure(description: "cannot listen on \(host):\(wanted): errno \(code)")
        }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        listener = descriptor
        port = UInt16(bigEndian: address.sin_port)
    }

    /// Begins to serve, on a thread of its own, until `stop`.
    public func start() {
        thread.async { self.run() }
    }

    /// Hangs up and returns when the thread has ended.
    public func stop() {
        isStopped.store(true, ordering: .relaxed)
        ended.wait()
    }

    /// The connection is cut, as by a cable.
    public func hangUp() { isHangUpWanted.store(true, ordering: .relaxed) }

    /// Looks at the reader or does something to it; the messages returned are sent.
    @discardableResult
    public func with<Result: Sendable>(_ body: (inout LLRPReaderSimulator, Instant) -> (Result, [[UInt8]])) -> Result {
        shared.withLock { shared in
            let (result, messages) = body(&shared.simulator, BootClock.now())
            shared.waiting += messages
            return result
        }
    }

    /// Somebody walks through the scene.
    public func add(_ walk: GateScene.Walk) { shared.withLock { $0.scene?.add(walk) } }

    // MARK: The thread

    private func run() {
        defer {
            if listener >= 0 { Glibc.close(listener) }
            ended.signal()
        }
        var client: Int32 = -1
        var turn = 0
        var nextLook = BootClock.now()
        while !isStopped.load(ordering: .relaxed) {
            if client < 0, case .call(let host, let port) = place {
                client = Self.connect(host, port)
                if client < 0 {
                    _ = poll(nil, 0, 100)
                } else if !write(shared.withLock { $0.simulator.connected(at: BootClock.now()) }, to: client) {
                    hangUp(&client)
                }
            }
            var requests = [
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0), pollfd(fd: client, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&requests, 2, 5)
            if isHangUpWanted.exchange(false, ordering: .relaxed) { hangUp(&client) }
            if requests[0].revents != 0 { accept(&client) }
            if client >= 0, requests[1].revents != 0 { receive(from: &client) }
            let now = BootClock.now()
            let messages = shared.withLock { shared in
                var messages = shared.waiting
                shared.waiting = []
                messages += shared.simulator.advance(to: now)
                let ports = shared.simulator.activeAntennas
                if shared.scene != nil, !ports.isEmpty, nextLook <= now {
                    nextLook = now + Self.dwell
                    turn += 1
                    let reads = shared.scene?.reads(port: UInt8(clamping: ports[turn % ports.count]), at: now) ?? []
                    messages += shared.simulator.read(reads, at: now)
                }
                return messages
            }
            if client >= 0, !write(messages, to: client) { hangUp(&client) }
        }
        hangUp(&client)
    }

    private func accept(_ client: inout Int32) {
        let caller = Glibc.accept(listener, nil, nil)
        guard caller >= 0 else { return }
        let now = BootClock.now()
        if client >= 0 {
            _ = write(shared.withLock { $0.simulator.refusal(at: now) }, to: caller)
            Glibc.close(caller)
            return
        }
        client = caller
        let (greeting, isTaken) = shared.withLock { ($0.simulator.connected(at: now), $0.simulator.isConnected) }
        if !write(greeting, to: client) || !isTaken { hangUp(&client) }
    }

    private func receive(from client: inout Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.recv(client, &buffer, buffer.count, 0)
        guard count > 0 else { return hangUp(&client) }
        let (messages, isConnected) = shared.withLock {
            ($0.simulator.receive(buffer[..<count], at: BootClock.now()), $0.simulator.isConnected)
        }
        if !write(messages, to: client) || !isConnected { hangUp(&client) }
    }

    private func hangUp(_ client: inout Int32) {
        guard client >= 0 else { return }
        Glibc.close(client)
        client = -1
        shared.withLock { $0.simulator.disconnected(at: BootClock.now()) }
    }

    /// - Returns: false when the client is gone.
    private func write(_ messages: [[UInt8]], to client: Int32) -> Bool {
        let bytes = messages.flatMap { $0 }
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    private static func address(_ host: String, _ port: UInt16) -> sockaddr_in? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        return inet_pton(AF_INET, host, &address.sin_addr) == 1 ? address : nil
    }

    private static func withAddress<Result>(_ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result
    {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    private static func connect(_ host: String, _ port: UInt16) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0, var address = address(host, port) else { return -1 }
        if withAddress(&address, { Glibc.connect(descriptor, $0, $1) }) == 0 { return descriptor }
        Glibc.close(descriptor)
        return -1
    }
}

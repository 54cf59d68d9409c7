import Glibc
import NIOCore
import NIOPosix

/// The link to a device on the network that calls: listens, and is open while one device is connected.
///
/// One call at a time. Who calls meanwhile is refused and counted, unless the call that is there has gone silent: then that one is
/// ended, so that a device that lost power gets through when it calls again.
final class TCPListenerLink: DeviceLink, SocketSessionOwner {
    /// Calls that may be set up and agree on TLS at the same time, before one of them is taken.
    static let maximumCallers = 4

    let path: String
    let transport: DeviceTransport
    weak var delegate: (any DeviceConnectionDelegate)?
    private(set) var deviceName: String?

    private enum Stage {
        case idle, opening
        case listening(any Channel)
        case open(any Channel, SocketSession)
        case closing, finished
    }

    private let endpoint: TCPEndpoint
    private let loop: any EventLoop
    private let pool: NIOThreadPool
    private var stage = Stage.idle
    private var closeRequest: String?
    private var callers: [SocketSession] = []
    /// Calls that were let in and are not over: from the first moment on, so that nobody can make us read files without end.
    private var admitted = 0
    private var refusals: UInt64 = 0
    private var lastRefusal = ""

    init(_ endpoint: TCPEndpoint, loop: any EventLoop, pool: NIOThreadPool) {
        (self.endpoint, self.loop, self.pool) = (endpoint, loop, pool)
        path = endpoint.path
        transport = .tcp(endpoint)
    }

    var notes: [String] {
        switch refusals {
        case 0: []
        case 1: ["refused a call \(lastRefusal)"]
        default: ["refused \(refusals) calls, the last one \(lastRefusal)"]
        }
    }

    func open() {
        loop.preconditionInEventLoop()
        guard case .idle = stage else { return }
        stage = .opening
        // The files are read again for each call; that they can be read is worth knowing at once.
        readContext(endpoint, isServer: true, loop: loop, pool: pool) { result in
            switch result {
            case _ where self.closeRequest != nil: self.cancel()
            case .success: self.listen()
            case .failure(let error): self.fail(error)
            }
        }
    }

    func write(_ bytes: [UInt8]) -> Bool {
        loop.preconditionInEventLoop()
        guard case .open(_, let session) = stage else { return false }
        return session.write(bytes)
    }

    func close(reason: String) {
        loop.preconditionInEventLoop()
        if closeRequest == nil { closeRequest = reason }
        switch stage {
        case .idle: stage = .finished
        case .listening(let server):
            stage = .closing
            stop(server) { self.cancel() }
        case .open(_, let session): session.close()
        case .opening, .closing, .finished: break
        }
    }

    // MARK: - Listening

    private func listen() {
        let address: SocketAddress
        do { address = try SocketAddress(ipAddress: endpoint.host, port: Int(endpoint.port)) } catch {
            return fail(DeviceError(.listen, path: path, detail: "\(endpoint.host) is no IP address of this machine"))
        }
        let link = NIOLoopBound(self, eventLoop: loop)
        var bootstrap = ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 4)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { link.value.admit($0) }
        for (option, value) in SocketSession.options { bootstrap = bootstrap.childChannelOption(option, value: value) }
        bootstrap.bind(to: address).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let server) where self.closeRequest != nil:
                self.stage = .closing
                self.stop(server) { self.cancel() }
            case .success(let server): self.stage = .listening(server)
            case .failure where self.closeRequest != nil: self.cancel()
            case .failure(let error): self.fail(DeviceError(error, .listen, path: self.path))
            }
        }
    }

    /// Sets up the channel of a call; a failure closes it.
    private func admit(_ channel: any Channel) -> EventLoopFuture<Void> {
        let from = channel.remoteAddress.map { "from \(SocketSession.text($0))" } ?? ""
        switch stage {
        case .listening where admitted < Self.maximumCallers: break
        case .open(_, let current):
            current.checkSilence { isSilent in
                if isSilent { current.close() }
            }
            fallthrough
        default:
            refuse(from)
            return loop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        admitted += 1
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.admitted -= 1 }
        let promise = loop.makePromise(of: Void.self)
        readContext(endpoint, isServer: true, loop: loop, pool: pool) { result in
            do {
                let context = try result.get()
                let session = SocketSession(path: self.path, isEncrypted: context != nil, owner: self)
                try session.install(on: channel, context: context, host: self.endpoint.host)
                promise.succeed()
            } catch {
                self.refuse("\(from): \(error)")
                promise.fail(error)
            }
        }
        return promise.futureResult
    }

    private func refuse(_ what: String) {
        refusals &+= 1
        lastRefusal = what
    }

    /// Closes the listening socket and waits until the address is free.
    private func stop(_ server: any Channel, then body: @escaping () -> Void) {
        for caller in callers { caller.close() }
        server.close().assumeIsolated().whenComplete { _ in body() }
    }

    private func cancel() { fail(DeviceError(.cancel, path: path, detail: closeRequest ?? "")) }

    private func fail(_ error: DeviceError) {
        stage = .finished
        delegate?.connection(self, failedToOpen: error, at: BootClock.now())
    }

    // MARK: - Calls

    func sessionConnected(_ session: SocketSession) {
        guard case .listening = stage else { return session.close() }
        callers.append(session)
    }

    func sessionStarted(_ session: SocketSession) {
        guard case .listening(let server) = stage else {
            refuse("from \(session.peer ?? "")")
            return session.close()
        }
        callers.removeAll { $0 === session }
        stage = .open(server, session)
        deviceName = [session.peer, session.peerSubject].compactMap(\.self).joined(separator: ", ")
        delegate?.connectionOpened(self, at: BootClock.now())
    }

    func session(_ session: SocketSession, received bytes: UnsafeRawBufferPointer) {
        delegate?.connection(self, received: bytes, at: BootClock.now())
    }

    func session(_ session: SocketSession, droppedWrite count: Int) {
        delegate?.connection(self, droppedWrite: count)
    }

    func sessionEnded(_ session: SocketSession, error: DeviceError?) {
        if let place = callers.firstIndex(where: { $0 === session }) {
            callers.remove(at: place)
            if let error { refuse("from \(session.peer ?? ""): \(error.detail.isEmpty ? error.description : error.detail)") }
        }
        guard case .open(let server, let current) = stage, current === session else { return }
        stage = .closing
        let end: ConnectionEnd = closeRequest.map { .requested(reason: $0) } ?? error.map(ConnectionEnd.failed) ?? .gone
        delegate?.connectionClosed(self, end: end, at: BootClock.now())
        stop(server) {
            self.stage = .finished
            self.delegate?.connectionReleased(self, at: BootClock.now())
        }
    }
}

import Glibc
import NIOCore
import NIOPosix

/// The link to a device on the network that we call. The name is looked up, and the files of TLS are read, on other threads.
final class TCPLink: DeviceLink, SocketSessionOwner {
    static let connectLimit = TimeAmount.seconds(5)

    let path: String
    let transport: DeviceTransport
    weak var delegate: (any DeviceConnectionDelegate)?
    private(set) var deviceName: String?

    private enum Stage {
        case idle, opening
        /// The socket is connected, TLS is not yet agreed.
        case starting(SocketSession)
        case open(SocketSession)
        case finished
    }

    private let endpoint: TCPEndpoint
    private let loop: any EventLoop
    private let pool: NIOThreadPool
    private var stage = Stage.idle
    private var closeRequest: String?
    /// Sockets that are being connected: one for each address of the name.
    private var attempts: [any Channel] = []

    init(_ endpoint: TCPEndpoint, loop: any EventLoop, pool: NIOThreadPool) {
        (self.endpoint, self.loop, self.pool) = (endpoint, loop, pool)
        path = endpoint.path
        transport = .tcp(endpoint)
    }

    func open() {
        loop.preconditionInEventLoop()
        guard case .idle = stage else { return }
        stage = .opening
        readContext(endpoint, isServer: false, loop: loop, pool: pool) { result in
            guard case .opening = self.stage else { return }
            switch result {
            case .success(let context): self.connect(context)
            case .failure(let error): self.fail(error)
            }
        }
    }

    func write(_ bytes: [UInt8]) -> Bool {
        loop.preconditionInEventLoop()
        guard case .open(let session) = stage else { return false }
        return session.write(bytes)
    }

    func close(reason: String) {
        loop.preconditionInEventLoop()
        if closeRequest == nil { closeRequest = reason }
        switch stage {
        case .idle: stage = .finished
        case .opening:
            // A look-up cannot be stopped; nothing comes of it any more.
            stage = .finished
            for channel in attempts { channel.close(promise: nil) }
            fail(DeviceError(.cancel, path: path, detail: reason))
        case .starting(let session), .open(let session): session.close()
        case .finished: break
        }
    }

    // MARK: - Opening

    private func connect(_ context: TLSContext?) {
        let (link, host) = (NIOLoopBound(self, eventLoop: loop), endpoint.host)
        var bootstrap = ClientBootstrap(group: loop).connectTimeout(Self.connectLimit).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let link = link.value
                guard case .opening = link.stage else { throw ChannelError.ioOnClosedChannel }
                link.attempts.append(channel)
                let session = SocketSession(path: link.path, isEncrypted: context != nil, owner: link)
                try session.install(on: channel, context: context, host: host)
            }
        }
        for (option, value) in SocketSession.options { bootstrap = bootstrap.channelOption(option, value: value) }
        let connected: EventLoopFuture<any Channel> =
            if let address = try? SocketAddress(ipAddress: host, port: Int(endpoint.port)) {
                bootstrap.connect(to: address)
            } else {
                bootstrap.connect(host: host, port: Int(endpoint.port))
            }
        connected.assumeIsolated().whenComplete { result in
            self.attempts.removeAll()
            switch (result, self.stage) {
            // Too late for anybody. Otherwise what was connected tells for itself how it goes on.
            case (.success(let channel), .finished): channel.close(promise: nil)
            case (.success, _): break
            case (.failure(let error), .opening): self.fail(self.deviceError(error))
            case (.failure, _): break
            }
        }
    }

    private func deviceError(_ error: any Error) -> DeviceError {
        guard let error = error as? NIOConnectionError else { return DeviceError(error, .connect, path: path) }
        // Of several addresses the last one stands for all.
        if let last = error.connectionErrors.last { return DeviceError(last.error, .connect, path: path) }
        return DeviceError(.resolve, path: path, detail: "nobody knows the name \(endpoint.host)")
    }

    private func fail(_ error: DeviceError) {
        stage = .finished
        delegate?.connection(self, failedToOpen: error, at: BootClock.now())
    }

    // MARK: - The socket

    func sessionConnected(_ session: SocketSession) {
        guard case .opening = stage else { return session.close() }
        stage = .starting(session)
    }

    func sessionStarted(_ session: SocketSession) {
        guard case .starting(let current) = stage, current === session else { return session.close() }
        stage = .open(session)
        deviceName = session.peerSubject.map { "\(session.peer ?? endpoint.host), \($0)" } ?? session.peer
        delegate?.connectionOpened(self, at: BootClock.now())
    }

    func session(_ session: SocketSession, received bytes: UnsafeRawBufferPointer) {
        delegate?.connection(self, received: bytes, at: BootClock.now())
    }

    func session(_ session: SocketSession, droppedWrite count: Int) {
        delegate?.connection(self, droppedWrite: count)
    }

    func sessionEnded(_ session: SocketSession, error: DeviceError?) {
        switch stage {
        case .starting(let current) where current === session:
            let cancelled = closeRequest.map { DeviceError(.cancel, path: path, detail: $0) }
            fail(cancelled ?? error ?? DeviceError(.connect, path: path, detail: "the device hung up at once"))
        case .open(let current) where current === session:
            stage = .finished
            let end: ConnectionEnd =
                if let closeRequest {
                    .requested(reason: closeRequest)
                } else {
                    .failed(error ?? DeviceError(.read, path: path, detail: "the device closed the connection"))
                }
            delegate?.connectionClosed(self, end: end, at: BootClock.now())
            delegate?.connectionReleased(self, at: BootClock.now())
        default: break
        }
    }
}

/// Reads the files that TLS needs, on a thread that may wait for them.
func readContext(
    _ endpoint: TCPEndpoint, isServer: Bool, loop: any EventLoop, pool: NIOThreadPool,
    then body: @escaping (Result<TLSContext?, DeviceError>) -> Void
) {
    guard let files = endpoint.tls else { return body(.success(nil)) }
    let path = endpoint.path
    pool.runIfActive(eventLoop: loop) { () -> Result<TLSContext?, DeviceError> in
        do throws(DeviceError) { return .success(try TLSContext(files, isServer: isServer, path: path)) } catch { return .failure(error) }
    }
    .assumeIsolated()
    .whenComplete { result in
        switch result {
        case .success(let result): body(result)
        case .failure: body(.failure(DeviceError(.cancel, path: path, detail: "the gateway is closing")))
        }
    }
}

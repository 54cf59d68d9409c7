import CLinux
import Glibc
import NIOCore
import NIOPosix

/// Who is told what happens on a connected socket; always on its event loop.
protocol SocketSessionOwner: AnyObject {
    /// The socket is connected; with TLS nothing can be said yet.
    func sessionConnected(_ session: SocketSession)
    /// Bytes can go both ways from now on.
    func sessionStarted(_ session: SocketSession)
    func session(_ session: SocketSession, received bytes: UnsafeRawBufferPointer)
    func session(_ session: SocketSession, droppedWrite count: Int)
    /// The socket is closed. `error`: what went wrong; nil when one of the two ends closed it.
    func sessionEnded(_ session: SocketSession, error: DeviceError?)
}

/// One connected socket of a link, above TLS where there is TLS: bounded writes, a close that lets them go out first.
final class SocketSession: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// With TLS a session starts with the handshake's end.
    private let isEncrypted: Bool
    private let path: String
    /// Held until the channel is gone, like the connection of a descriptor.
    private var owner: (any SocketSessionOwner)?
    private(set) var channel: (any Channel)?
    private(set) var isStarted = false
    /// Whose certificate the other end showed.
    private(set) var peerSubject: String?
    private var failure: DeviceError?
    private var pending = 0
    private var drainTimer: Scheduled<Void>?
    /// Whether this end closed it.
    private(set) var isClosing = false

    init(path: String, isEncrypted: Bool, owner: any SocketSessionOwner) {
        self.path = path
        self.isEncrypted = isEncrypted
        self.owner = owner
    }

    /// `10.0.0.5:49152`
    var peer: String? { channel?.remoteAddress.map(Self.text) }

    static func text(_ address: SocketAddress) -> String {
        let host = address.ipAddress ?? ""
        return "\(host.contains(":") ? "[\(host)]" : host):\(address.port ?? 0)"
    }

    /// - Returns: false when the bytes were dropped.
    func write(_ bytes: [UInt8]) -> Bool {
        guard isStarted, !isClosing, let channel, channel.isActive else { return false }
        guard bytes.count <= maximumPendingBytes - pending else {
            owner?.session(self, droppedWrite: bytes.count)
            return false
        }
        pending += bytes.count
        channel.writeAndFlush(channel.allocator.buffer(bytes: bytes)).assumeIsolated().whenComplete { _ in
            self.pending -= bytes.count
            if self.pending <= 0, self.drainTimer != nil { channel.close(promise: nil) }
        }
        return true
    }

    func close() {
        guard !isClosing else { return }
        isClosing = true
        guard let channel else { return }
        guard pending > 0 else { return channel.close(promise: nil) }
        drainTimer = channel.eventLoop.scheduleTask(in: longestDrain) { channel.close(promise: nil) }
    }

    // MARK: - The channel

    func handlerAdded(context: ChannelHandlerContext) {
        channel = context.channel
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        owner = nil
        channel = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        owner?.sessionConnected(self)
        if !isEncrypted { start(context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? TLSHandler.Established else { return context.fireUserInboundEventTriggered(event) }
        peerSubject = event.peerSubject
        start(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isStarted, !isClosing else { return }
        unwrapInboundIn(data).withUnsafeReadableBytes { owner?.session(self, received: $0) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if failure == nil { failure = DeviceError(error, .read, path: path) }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        drainTimer?.cancel()
        owner?.sessionEnded(self, error: failure)
    }

    private func start(_ context: ChannelHandlerContext) {
        guard !isStarted else { return }
        isStarted = true
        if isClosing { return context.close(promise: nil) }
        owner?.sessionStarted(self)
    }

    // MARK: - Half-open connections

    /// A device that lost power or its cable says nothing. Probes begin after 5 s of silence and come every 2 s, and bytes or probes
    /// without an answer for 10 s end the connection: at the latest 15 s after the last sign of life, and well within 30 s.
    static let options: [(option: ChannelOptions.Types.SocketOption, value: SocketOptionValue)] = [
        (.init(level: .tcp, name: .tcp_nodelay), 1),
        (.init(level: .socket, name: .so_keepalive), 1),
        (.init(level: .tcp, name: .init(rawValue: TCP_KEEPIDLE)), 5),
        (.init(level: .tcp, name: .init(rawValue: TCP_KEEPINTVL)), 2),
        (.init(level: .tcp, name: .init(rawValue: TCP_KEEPCNT)), 3),
        (.init(level: .tcp, name: .init(rawValue: TCP_USER_TIMEOUT)), 10_000),
    ]

    /// Calls back with whether the kernel waits for an answer of the other end just now.
    func checkSilence(_ body: @escaping (Bool) -> Void) {
        guard let provider = channel as? any SocketOptionProvider else { return body(false) }
        let state: EventLoopFuture<clinux_tcp_state> = provider.unsafeGetSocketOption(level: .tcp, name: .init(rawValue: TCP_INFO))
        state.assumeIsolated().whenComplete { result in
            if case .success(let state) = result { body(state.probes > 0 || state.retransmits > 0) } else { body(false) }
        }
    }
}

/// The pipeline of a connected socket.
extension SocketSession {
    func install(on channel: any Channel, context: TLSContext?, host: String) throws {
        if let context {
            guard let session = context.makeSession(host: host) else {
                throw DeviceError(.tls, path: path, detail: "\(host) can be no name in a certificate")
            }
            try channel.pipeline.syncOperations.addHandler(TLSHandler(session, path: path))
        }
        try channel.pipeline.syncOperations.addHandler(self)
    }
}

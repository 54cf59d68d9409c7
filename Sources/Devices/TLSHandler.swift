import NIOCore
import Readings

/// Encrypts a channel with OpenSSL: plain bytes above it, TLS records below.
///
/// `established` goes up when both ends have agreed; before that nothing can be written. A handshake that takes longer than
/// `handshakeLimit`, or fails, is an error, after which the channel is of no use.
final class TLSHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Goes up the pipeline as a user event.
    struct Established: Sendable {
        /// Whose certificate the other end showed; from a stranger.
        var peerSubject: String?
        /// `TLSv1.3`
        var version: String
    }

    static let handshakeLimit = TimeAmount.seconds(5)

    private enum Stage { case idle, shaking, established, over }

    private let session: TLSSession
    private let path: String
    private var stage = Stage.idle
    private var timer: Scheduled<Void>?

    init(_ session: TLSSession, path: String) {
        self.session = session
        self.path = path
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        begin(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if stage == .shaking { fail("the other end hung up in the middle of the handshake", context) }
        stage = .over
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard stage == .shaking || stage == .established else { return }
        guard unwrapInboundIn(data).withUnsafeReadableBytes({ session.feed($0) }) else { return fail("no memory", context) }
        if stage == .shaking { shake(context) }
        if stage == .established { read(context) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard stage == .established else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let step = unwrapOutboundIn(data).withUnsafeReadableBytes { session.write($0) }
        guard case .done = step else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            if case .failed(let reason) = step { fail(reason, context) }
            return
        }
        send(context, promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if stage == .established, mode != .input {
            stage = .over
            session.close()
            send(context, nil)
            context.flush()
        }
        context.close(mode: mode, promise: promise)
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard stage == .idle else { return }
        stage = .shaking
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.handshakeLimit) {
            if self.stage == .shaking { self.fail("no TLS handshake within 5 s", context) }
        }
        shake(context)
    }

    private func shake(_ context: ChannelHandlerContext) {
        let step = session.handshake()
        // Also what tells the other end why it failed.
        send(context, nil)
        context.flush()
        switch step {
        case .done:
            stage = .established
            timer?.cancel()
            context.fireUserInboundEventTriggered(Established(peerSubject: session.peerSubject, version: session.version))
        case .wantsInput: break
        case .ended: fail("the other end gave up", context)
        case .failed(let reason): fail(reason, context)
        }
    }

    /// A record holds at most 16 KiB of plain text (RFC 8446, section 5.1), and the pieces that go up are no larger.
    private func read(_ context: ChannelHandlerContext) {
        while stage == .established {
            var buffer = context.channel.allocator.buffer(capacity: 16_384)
            var step = TLSSession.Step.wantsInput
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 16_384) { bytes in
                let (result, count) = session.read(bytes)
                step = result
                return count
            }
            if buffer.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(buffer)) }
            switch step {
            case .done: continue
            case .wantsInput:
                // Reading may have to answer, for example a change of keys.
                send(context, nil)
                context.flush()
                return
            case .ended:
                stage = .over
                context.close(promise: nil)
            case .failed(let reason):
                // What tells the other end why.
                send(context, nil)
                context.flush()
                fail(reason, context)
            }
        }
    }

    /// Passes on what the session has to send; the promise goes with the last piece.
    private func send(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        var all: ByteBuffer?
        while true {
            var buffer = all ?? context.channel.allocator.buffer(capacity: 4_096)
            let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 4_096) { session.take($0) }
            if count == 0 { break }
            all = buffer
        }
        if let all { context.write(wrapOutboundOut(all), promise: promise) } else { promise?.succeed() }
    }

    private func fail(_ reason: String, _ context: ChannelHandlerContext) {
        guard stage != .over else { return }
        stage = .over
        timer?.cancel()
        context.fireErrorCaught(DeviceError(.tls, path: path, detail: reason))
    }
}

import NIOCore
import NIOPosix
import Readings

/// The link to a device node. Opening and the last close, which talk to hardware, run on the thread pool.
public final class DeviceConnection: DeviceLink {
    public let path: String
    public let transport: DeviceTransport
    public let loop: any EventLoop
    /// The name that the driver gives the device, once it is open; from a stranger, like everything a device says.
    public private(set) var deviceName: String?
    public private(set) var takenAt: Instant?
    public private(set) var notes: [String] = []
    /// Records lost to overruns of the kernel's buffer since the device was opened.
    public private(set) var overruns: UInt64 = 0
    public weak var delegate: (any DeviceConnectionDelegate)?

    private enum Stage {
        case idle
        case opening
        /// Open, but the device needs its time; nothing is read yet.
        case settling(OpenedDescriptors, Scheduled<Void>)
        case starting(OpenedDescriptors)
        case open(any Channel, OpenedDescriptors)
        case closing
        case finished
    }

    private let pool: NIOThreadPool
    private var stage = Stage.idle
    private var isCancelled = false
    private var closeRequest: String?
    private var failure: DeviceError?
    private var pending = 0
    /// Runs while a close waits for what was written before.
    private var drainTimer: Scheduled<Void>?
    /// Reports for a HID device; the first one is being sent.
    private var reports: [[UInt8]] = []
    /// What is to be done when no report is being sent any more.
    private var afterReports: (() -> Void)?

    public init(path: String, transport: DeviceTransport, loop: any EventLoop, pool: NIOThreadPool) {
        self.path = path
        self.transport = transport
        self.loop = loop
        self.pool = pool
    }

    /// Begins to open the device; once in the life of a connection.
    public func open() {
        loop.preconditionInEventLoop()
        guard case .idle = stage else { return }
        stage = .opening
        let (path, transport) = (path, transport)
        pool.runIfActive(eventLoop: loop) { () -> Result<OpenedDescriptors, DeviceError> in
            do throws(DeviceError) {
                switch transport {
                case .serial(let line): return .success(try SerialPort.open(path, line))
                case .evdev: return .success(try EventDevice.open(path))
                case .hidraw(let reports): return .success(try HIDDevice.open(path, featureReports: reports))
                case .tcp, .modbus: throw DeviceError(.open, path: path, detail: "this is no device node")
                }
            } catch {
                return .failure(error)
            }
        }
        .assumeIsolated()
        .whenComplete { result in
            switch result {
            case .success(.success(let descriptors)): self.settle(descriptors)
            case .success(.failure(let error)): self.fail(error)
            case .failure: self.fail(DeviceError(.cancel, path: path, detail: "the gateway is closing"))
            }
        }
    }

    @discardableResult
    public func write(_ bytes: [UInt8]) -> Bool {
        loop.preconditionInEventLoop()
        guard case .open(let channel, let descriptors) = stage, drainTimer == nil, descriptors.output != nil || descriptors.takesReports
        else { return false }
        guard bytes.count <= maximumPendingBytes - pending else {
            delegate?.connection(self, droppedWrite: bytes.count)
            return false
        }
        pending += bytes.count
        if descriptors.takesReports {
            reports.append(bytes)
            if reports.count == 1 { sendReport(descriptors.control) }
        } else {
            channel.writeAndFlush(channel.allocator.buffer(bytes: bytes)).assumeIsolated().whenComplete { _ in
                self.written(bytes.count)
            }
        }
        return true
    }

    /// Sends the first report where waiting is no harm: the driver hands it to the device while its caller waits.
    private func sendReport(_ descriptor: Int32) {
        let (report, path) = (reports[0], path)
        pool.runIfActive(eventLoop: loop) { () -> DeviceError? in
            do throws(DeviceError) { try HIDDevice.send(report, to: descriptor, path) } catch { return error }
            return nil
        }
        .assumeIsolated()
        .whenComplete { result in
            self.reports.removeFirst()
            let error: DeviceError? = if case .success(let error) = result { error } else { nil }
            if let error {
                self.channelFailed(error)
                if case .open(let channel, _) = self.stage { channel.close(promise: nil) }
            }
            if error == nil, self.afterReports == nil, !self.reports.isEmpty {
                self.sendReport(descriptor)
            } else {
                self.reports.removeAll()
                self.afterReports?()
                self.afterReports = nil
            }
            self.written(report.count)
        }
    }

    private func written(_ count: Int) {
        pending -= count
        if pending <= 0, drainTimer != nil, case .open(let channel, _) = stage { channel.close(promise: nil) }
    }

    public func close(reason: String) {
        loop.preconditionInEventLoop()
        if closeRequest == nil { closeRequest = reason }
        switch stage {
        case .idle: stage = .finished
        case .opening, .starting: isCancelled = true
        case .settling(let descriptors, let timer):
            timer.cancel()
            abandon(descriptors)
        case .open(let channel, _):
            guard pending > 0 else { return channel.close(promise: nil) }
            guard drainTimer == nil else { return }
            drainTimer = loop.scheduleTask(in: longestDrain) { channel.close(promise: nil) }
        case .closing, .finished: break
        }
    }

    // MARK: - Opening

    private func settle(_ descriptors: OpenedDescriptors) {
        guard !isCancelled else { return abandon(descriptors) }
        guard case .serial(let line) = transport, line.openDelay > .zero else { return start(descriptors) }
        let delay = TimeAmount.nanoseconds(min(line.openDelay, .seconds(10)).nanoseconds)
        let timer = loop.assumeIsolated().scheduleTask(in: delay) {
            descriptors.discardReceived()
            self.start(descriptors)
        }
        stage = .settling(descriptors, timer)
    }

    private func start(_ descriptors: OpenedDescriptors) {
        stage = .starting(descriptors)
        let handler = NIOLoopBound(ConnectionHandler(self), eventLoop: loop)
        let bootstrap = NIOPipeBootstrap(group: loop)
            .channelOption(.maxMessagesPerRead, value: 4)
            // One size for all reads: a whole number of input records fits, and the buffer is used again and again.
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4_096))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
            }
        let started =
            if let output = descriptors.output {
                bootstrap.takingOwnershipOfDescriptors(input: descriptors.input, output: output)
            } else {
                bootstrap.takingOwnershipOfDescriptor(input: descriptors.input)
            }
        started.assumeIsolated().whenFailure { error in
            // A channel that came to life reports its end itself, and one that was set up has closed its descriptors.
            guard case .starting = self.stage else { return }
            if !handler.value.wasAdded { descriptors.closeUnused() }
            self.failure = DeviceError(error, .open, path: self.path)
            self.abandon(descriptors, closingUnused: false)
        }
    }

    fileprivate func channelActive(_ channel: any Channel) {
        guard case .starting(let descriptors) = stage else { return }
        stage = .open(channel, descriptors)
        (deviceName, takenAt, notes) = (descriptors.name, descriptors.takenAt, descriptors.notes)
        delegate?.connectionOpened(self, at: BootClock.now())
        if isCancelled { channel.close(promise: nil) }
    }

    /// Gives an opened device back that nobody was told of.
    private func abandon(_ descriptors: OpenedDescriptors, closingUnused: Bool = true) {
        stage = .closing
        if closingUnused { descriptors.closeUnused() }
        let error = failure ?? DeviceError(.cancel, path: path, detail: closeRequest ?? "")
        release(descriptors) { self.fail(error) }
    }

    private func fail(_ error: DeviceError) {
        stage = .finished
        delegate?.connection(self, failedToOpen: error, at: BootClock.now())
    }

    // MARK: - Closing

    fileprivate func channelFailed(_ error: any Error) {
        if failure == nil { failure = DeviceError(error, .read, path: path) }
    }

    fileprivate func channelInactive() {
        guard case .open(_, let descriptors) = stage else { return }
        stage = .closing
        drainTimer?.cancel()
        let end: ConnectionEnd =
            if let closeRequest {
                .requested(reason: closeRequest)
            } else if let failure, !failure.meansGone {
                .failed(failure)
            } else {
                .gone
            }
        delegate?.connectionClosed(self, end: end, at: BootClock.now())
        let drains = if case .requested = end { true } else { false }
        let finish = {
            self.release(descriptors, drains: drains) {
                self.stage = .finished
                self.delegate?.connectionReleased(self, at: BootClock.now())
            }
        }
        // The node must not be closed, and its number used again, under a report that is being sent.
        if reports.isEmpty { finish() } else { afterReports = finish }
    }

    private func release(_ descriptors: OpenedDescriptors, drains: Bool = false, then body: @escaping () -> Void) {
        pool.runIfActive(eventLoop: loop) { descriptors.release(drains: drains) }.assumeIsolated().whenComplete { result in
            // A pool that was shut down runs nothing; the descriptor must not stay open for that.
            if case .failure = result { descriptors.release(drains: false) }
            body()
        }
    }

    // MARK: - Receiving

    fileprivate func received(_ bytes: UnsafeRawBufferPointer) {
        delegate?.connection(self, received: bytes, at: BootClock.now())
    }

    fileprivate func received(_ records: [InputEventParser.Record]) {
        let now = BootClock.now()
        for record in records {
            switch record {
            case .key(let code, let value):
                delegate?.connection(self, key: code, value: value, at: now)
            case .overrun:
                overruns &+= 1
                delegate?.connectionOverran(self, at: now)
            }
        }
    }
}

/// The end of the pipeline: hands what was read to its connection.
private final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Held until the channel is gone: a connection lives as long as its descriptors.
    private var connection: DeviceConnection?
    private var parser: InputEventParser?
    private var records: [InputEventParser.Record] = []
    private(set) var wasAdded = false

    init(_ connection: DeviceConnection) {
        self.connection = connection
        if case .evdev = connection.transport { parser = InputEventParser() }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        wasAdded = true
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        connection = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        connection?.channelActive(context.channel)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
            if parser == nil {
                connection?.received(bytes)
            } else {
                parser?.parse(bytes) { records.append($0) }
                connection?.received(records)
                records.removeAll(keepingCapacity: true)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        connection?.channelFailed(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection?.channelInactive()
    }
}

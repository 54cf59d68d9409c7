import NIOCore
import NIOPosix
import Readings

@testable import Devices

/// What a connection told its delegate.
enum ConnectionEvent: Hashable, Sendable {
    case opened
    case failed(DeviceError)
    case received([UInt8])
    case key(UInt16, Int32)
    case overran
    case dropped(Int)
    case closed(ConnectionEnd)
    case released
}

/// One connection on the shared event loop; its story is awaited event by event.
final class ConnectionHarness: Sendable {
    static let loop = MultiThreadedEventLoopGroup.singleton.next()

    private final class Recorder: DeviceConnectionDelegate {
        let tell: AsyncStream<ConnectionEvent>.Continuation

        init(_ tell: AsyncStream<ConnectionEvent>.Continuation) {
            self.tell = tell
        }

        func connectionOpened(_ connection: any DeviceLink, at now: Instant) { tell.yield(.opened) }
        func connection(_ connection: any DeviceLink, failedToOpen error: DeviceError, at now: Instant) {
            tell.yield(.failed(error))
            tell.finish()
        }
        func connection(_ connection: any DeviceLink, received bytes: UnsafeRawBufferPointer, at now: Instant) {
            tell.yield(.received(Array(bytes)))
        }
        func connection(_ connection: any DeviceLink, key code: UInt16, value: Int32, at now: Instant) { tell.yield(.key(code, value)) }
        func connectionOverran(_ connection: any DeviceLink, at now: Instant) { tell.yield(.overran) }
        func connection(_ connection: any DeviceLink, droppedWrite count: Int) { tell.yield(.dropped(count)) }
        func connectionClosed(_ connection: any DeviceLink, end: ConnectionEnd, at now: Instant) { tell.yield(.closed(end)) }
        func connectionReleased(_ connection: any DeviceLink, at now: Instant) {
            tell.yield(.released)
            tell.finish()
        }
    }

    private struct Bound {
        let connection: any DeviceLink
        let recorder: Recorder
    }

    private let bound: NIOLoopBound<Bound>
    let events: AsyncStream<ConnectionEvent>
    let path: String

    /// Begins to open the path.
    init(_ path: String, _ transport: DeviceTransport = .serial(SerialLine()), pool: NIOThreadPool = .singleton) async throws {
        let (events, tell) = AsyncStream.makeStream(of: ConnectionEvent.self)
        self.events = events
        self.path = if case .tcp(let endpoint) = transport { endpoint.path } else { path }
        bound = try await Self.loop.submit {
            let connection = DeviceLinks(loop: Self.loop, pool: pool).makeLink(path: path, transport: transport)
            let recorder = Recorder(tell)
            connection.delegate = recorder
            connection.open()
            return NIOLoopBound(Bound(connection: connection, recorder: recorder), eventLoop: Self.loop)
        }.get()
    }

    @discardableResult
    func write(_ bytes: [UInt8]) async throws -> Bool {
        try await Self.loop.submit { self.bound.value.connection.write(bytes) }.get()
    }

    /// Both in one go, as at the end of the gateway.
    func writeAndClose(_ bytes: [UInt8]) async throws {
        try await Self.loop.submit {
            let link = self.bound.value.connection
            link.write(bytes)
            link.close(reason: "test")
        }.get()
    }

    func link<Value: Sendable>(_ body: @escaping @Sendable (any DeviceLink) -> Value) async throws -> Value {
        try await Self.loop.submit { body(self.bound.value.connection) }.get()
    }

    func close(_ reason: String = "test") async throws {
        try await Self.loop.submit { self.bound.value.connection.close(reason: reason) }.get()
    }
}

extension AsyncStream<ConnectionEvent>.Iterator {
    /// The next `count` bytes, however they are cut; fewer when something else happens first.
    mutating func bytes(_ count: Int) async -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard case .received(let more) = await next() else { break }
            bytes += more
        }
        return bytes
    }
}

import Glibc
import HTTPClient

/// What connections to a broker are made for. Called on the connector's thread where nothing else is said.
protocol MQTTConnectorUser: Sendable {
    /// What to subscribe to.
    var subscriptions: [String] { get }
    /// What the broker publishes when it loses us; nil: nothing.
    /// - Parameter connection: counts the connections; the first has a number that differs between starts.
    func will(of connection: UInt64) -> MQTTMessage?
    /// A connection is about to be made.
    func begins(_ connection: UInt64)
    /// What comes over the connection; on any thread. A message is acknowledged when this returns.
    func take(_ event: MQTTLinkEvent, of connection: UInt64, over link: any MQTTLink)
    /// The connection is there, and everything is subscribed to.
    func connected(_ connection: UInt64, over link: any MQTTLink) throws(DeliveryError)
    /// `MQTTConnector.attend` was called.
    func attend(_ connection: UInt64, over link: any MQTTLink) throws(DeliveryError)
    /// The connection is about to be ended in good order.
    func farewell(_ connection: UInt64, over link: any MQTTLink)
    /// The connection ended or did not come about.
    /// - Parameter error: nil: it is made again at once.
    func disconnected(_ error: DeliveryError?)
}

/// Keeps a connection to a broker: on a thread of its own it connects, subscribes, and begins anew when the connection is lost or one of
/// its files has changed.
final class MQTTConnector: Sendable {
    private let files: [String]
    private let timeoutMilliseconds: Int64
    private let linkMaker: any MQTTLinkMaker
    private let shared: Guarded<Shared>

    private struct Shared: Sendable {
        var counter: MQTTConnectionCounter
        var connection: UInt64 = 0
        var isConnected = false
        var subscriptions = 0
        /// Messages that the user is busy with.
        var handled = 0
        var lost: DeliveryError?
        var isAsked = false
        var hasWork = false
        var isStopping = false
        var hasEnded = false
    }

    /// - Parameter files: whose change makes a new connection.
    init(
        files: [String], timeoutMilliseconds: Int64, linkMaker: any MQTTLinkMaker,
        counter: MQTTConnectionCounter = MQTTConnectionCounter(directory: nil, destination: "")
    ) {
        self.files = files
        self.timeoutMilliseconds = timeoutMilliseconds
        self.linkMaker = linkMaker
        shared = Guarded(Shared(counter: counter))
    }

    /// Starts the thread, which holds the user until a stop is requested.
    /// - Throws: `DeliveryError` when the system gives no thread.
    func start(_ user: any MQTTConnectorUser, stopSignal: StopSignal) throws(DeliveryError) {
        stopSignal.onRequest { [shared] in
            shared.update { $0.isStopping = true }
            // Who comes after us with the same client id must not be answered by our will.
            shared.wait(milliseconds: 700, until: \.hasEnded)
        }
        let started = startDetachedThread { [self] in run(user) }
        guard started == 0 else {
            shared.update { $0.hasEnded = true }
            throw .retryable("no thread for MQTT, errno \(started)")
        }
    }

    /// Asks for a connection while a back-off is running.
    func ask() { shared.update { $0.isAsked = true } }

    /// Has `MQTTConnectorUser.attend` called soon.
    func attend() { shared.update { $0.hasWork = true } }

    /// - Returns: false when the thread had not ended after `milliseconds`, or the user was still busy with a message.
    func awaitEnd(milliseconds: Int64) -> Bool {
        shared.wait(milliseconds: milliseconds) { $0.hasEnded && $0.handled == 0 }
    }

    // MARK: The thread

    private func run(_ user: any MQTTConnectorUser) {
        defer { shared.update { $0.hasEnded = true } }
        var backOff = BackOff()
        while !shared.read(\.isStopping) {
            let stamps = files.map(FileStamp.init)
            let end = connectAndStay(user, stamps, &backOff)
            shared.update { $0.isAsked = false }
            user.disconnected(end)
            guard let end else { continue }
            var wait = backOff.failed(random: Double.random(in: 0..<1))
            if case .refused = end { wait = DeliveryLoop.refusedRetry }
            while wait > 0, !shared.wait(milliseconds: min(wait, 1_000), until: { $0.isStopping || $0.isAsked }) {
                wait -= 1_000
                if files.map(FileStamp.init) != stamps { break }
            }
        }
    }

    /// - Returns: why the connection ended; nil: to be made again at once.
    private func connectAndStay(_ user: any MQTTConnectorUser, _ stamps: [FileStamp], _ backOff: inout BackOff) -> DeliveryError? {
        let connection = shared.update { shared in
            shared.connection = shared.counter.next()
            (shared.isConnected, shared.subscriptions, shared.lost) = (false, 0, nil)
            return shared.connection
        }
        user.begins(connection)
        var link: (any MQTTLink)?
        defer { link?.close() }
        do {
            let new = try linkMaker.link(will: user.will(of: connection))
            link = new
            // The link lets go of its handler when the connection is lost.
            try new.open { [self] event in take(event, of: connection, over: new, for: user) }
            try wait { $0.isConnected }
            let topics = user.subscriptions
            for topic in topics { try new.subscribe(topic) }
            try wait { $0.subscriptions >= topics.count }
            try user.connected(connection, over: new)
            backOff.succeeded()
            return try stay(user, connection, new, stamps)
        } catch {
            return error
        }
    }

    private func take(_ event: MQTTLinkEvent, of connection: UInt64, over link: any MQTTLink, for user: any MQTTConnectorUser) {
        var isMessage = false
        if case .received = event { isMessage = true }
        let isPresent = shared.update { shared in
            guard connection == shared.connection else { return false }
            switch event {
            case .connected: shared.isConnected = true
            case .subscribed: shared.subscriptions += 1
            case .received: shared.handled += 1
            case .lost(let error): shared.lost = error
            case .acknowledged, .oversized: break
            }
            return true
        }
        guard isPresent else {
            // It was given up meanwhile: its successor gets the message again.
            if isMessage { link.drop() }
            return
        }
        user.take(event, of: connection, over: link)
        if isMessage { shared.update { $0.handled -= 1 } }
    }

    private func wait(until condition: (Shared) -> Bool) throws(DeliveryError) {
        var isInTime = false
        var isBusy = true
        // A link that is busy with a message hears nothing of what comes after it.
        while !isInTime, isBusy {
            isInTime = shared.wait(milliseconds: timeoutMilliseconds) { condition($0) || $0.lost != nil || $0.isStopping }
            isBusy = shared.read { $0.handled > 0 }
        }
        let (lost, isStopping) = shared.read { ($0.lost, $0.isStopping) }
        if isStopping { throw .stopped }
        if let lost { throw lost }
        guard isInTime else { throw .retryable("the broker does not answer within \(timeoutMilliseconds / 1_000) s") }
    }

    private func stay(
        _ user: any MQTTConnectorUser, _ connection: UInt64, _ link: any MQTTLink, _ stamps: [FileStamp]
    ) throws(DeliveryError) -> DeliveryError? {
        while true {
            shared.wait(milliseconds: 1_000) { $0.lost != nil || $0.isStopping || $0.hasWork }
            let now = shared.read { $0 }
            if let lost = now.lost { return lost }
            if now.isStopping {
                leave(user, connection, link)
                return .stopped
            }
            if now.hasWork {
                shared.update { $0.hasWork = false }
                try user.attend(connection, over: link)
            } else if files.map(FileStamp.init) != stamps {
                leave(user, connection, link)
                return nil
            }
        }
    }

    private func leave(_ user: any MQTTConnectorUser, _ connection: UInt64, _ link: any MQTTLink) {
        user.farewell(connection, over: link)
        link.close()
        shared.wait(milliseconds: 200) { $0.lost != nil }
    }
}

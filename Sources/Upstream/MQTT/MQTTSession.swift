import HTTPClient
import Synchronization

/// The connections of a destination: says the birth over each and shows the devices. Deliveries borrow the connection.
final class MQTTSession: Sendable {
    private let format: any MQTTFormat
    private let receiptTopic: String?
    private let board: DeviceStateBoard
    private let timeoutMilliseconds: Int64
    private let connector: MQTTConnector
    private let shared: Guarded<Shared>
    /// Messages of this connection after its birth; held while one is given to the link, so that they are numbered in the order in which
    /// they go.
    private let order = Mutex<UInt64>(0)

    struct Shared: Sendable {
        var link: (any MQTTLink)?
        /// See `MQTTConnectorUser`.
        var connection: UInt64 = 0
        var isReady = false
        var isLost = false
        /// Connections that ended or did not come about, and why the last one did.
        var failures = 0
        var failure: DeliveryError?
        /// Answers whose messages are not known yet: the library may be faster than the caller.
        var early: [Int32: MQTTAnswer] = [:]
        /// Messages without an answer; nil: not an event.
        var expected: [Int32: Int64?] = [:]
        var answers: [Int64: MQTTAnswer] = [:]
        var book: MQTTReceiptBook
        var wantsBirth = false
        var isStopping = false
    }

    /// - Parameters:
    ///   - gatewayCode: whose receipts count.
    ///   - receiptTopic: nil: the broker's answer is the receipt.
    ///   - files: whose change makes a new connection.
    init(
        format: any MQTTFormat, gatewayCode: String, receiptTopic: String?, files: [String], board: DeviceStateBoard,
        timeoutMilliseconds: Int64,
        stopSignal: StopSignal, linkMaker: any MQTTLinkMaker, counter: MQTTConnectionCounter
    ) throws(DeliveryError) {
        self.format = format
        self.receiptTopic = receiptTopic
        self.board = board
        self.timeoutMilliseconds = timeoutMilliseconds
        shared = Guarded(Shared(book: MQTTReceiptBook(gatewayCode: gatewayCode)))
        connector = MQTTConnector(files: files, timeoutMilliseconds: timeoutMilliseconds, linkMaker: linkMaker, counter: counter)
        board.onChange { [connector] in connector.attend() }
        stopSignal.onRequest { [shared] in shared.update { $0.isStopping = true } }
        try connector.start(self, stopSignal: stopSignal)
    }

    // MARK: For deliveries

    /// Waits for a connection; asks for one when a back-off is running. From now on receipts of an epoch count.
    /// - Parameter above: everything up to this number is settled.
    /// - Returns: the number of the connection.
    func ready(origin: String, above: Int64) throws(DeliveryError) -> UInt64 {
        let failures = shared.read(\.failures)
        connector.ask()
        shared.wait(milliseconds: timeoutMilliseconds + 1_000) { $0.isReady || $0.isStopping || $0.failures > failures }
        let now = shared.read { $0 }
        if now.isStopping { throw .stopped }
        guard now.isReady else { throw now.failure ?? .retryable("no connection to the broker yet") }
        shared.update { shared in
            shared.answers = [:]
            shared.book.watch(origin: origin, above: above)
        }
        return now.connection
    }

    func publish(_ event: OutgoingEvent, connection: UInt64) throws(MQTTPublishError) {
        guard let link = shared.read({ $0.connection == connection && $0.isReady ? $0.link : nil }) else {
            throw .notConnected("the connection to the broker was lost")
        }
        let result = order.withLock { order in
            Result { () throws(MQTTPublishError) in
                order += 1
                let message = format.message(of: event, order: order, milliseconds: wallMilliseconds())
                try publish(message, of: event.sequence, over: link)
            }
        }
        try result.get()
    }

    struct News: Sendable {
        var answers: [Int64: MQTTAnswer]
        /// nil: nothing.
        var receipts: MQTTReceiptBook.News?
        /// Why there will be no more.
        var end: DeliveryError?
    }

    /// Waits for answers and receipts; empty when none came in time.
    func news(connection: UInt64, milliseconds: Int64) -> News {
        shared.wait(milliseconds: milliseconds) {
            !$0.answers.isEmpty || $0.book.hasNews || $0.isStopping || !$0.isReady || $0.connection != connection
        }
        return shared.update { shared in
            defer { shared.answers = [:] }
            var end: DeliveryError?
            if shared.isStopping {
                end = .stopped
            } else if !shared.isReady || shared.connection != connection {
                end = shared.failure ?? .retryable("the connection to the broker was lost")
            }
            return News(answers: shared.answers, receipts: shared.book.look(), end: end)
        }
    }

    private func sayBirth(_ connection: UInt64, over link: any MQTTLink) throws(DeliveryError) {
        let result = order.withLock { order in
            Result { () throws(MQTTPublishError) in
                order = 0
                try publish(format.birth(connection: connection, milliseconds: wallMilliseconds()), of: nil, over: link)
            }
        }
        guard case .success = result else { throw .retryable("the connection to the broker was lost") }
        try showDevices(over: link)
    }

    private func showDevices(over link: any MQTTLink) throws(DeliveryError) {
        for (name, state) in board.devices.sorted(by: { $0.key < $1.key }) {
            guard let message = format.message(ofDevice: name, state: state) else { return }
            do {
                try publish(message, of: nil, over: link)
            } catch {
                throw .retryable("the connection to the broker was lost")
            }
        }
    }

    private func publish(_ message: MQTTMessage, of sequence: Int64?, over link: any MQTTLink) throws(MQTTPublishError) {
        let identifier = try link.publish(message)
        shared.update { shared in
            guard let answer = shared.early.removeValue(forKey: identifier) else {
                shared.expected[identifier] = .some(sequence)
                return
            }
            if let sequence { shared.answers[sequence] = answer }
        }
    }
}

extension MQTTSession: MQTTConnectorUser {
    var subscriptions: [String] { [receiptTopic, format.subscription].compactMap { $0 } }

    func will(of connection: UInt64) -> MQTTMessage? { format.will(connection: connection) }

    func begins(_ connection: UInt64) {
        shared.update { shared in
            shared.connection = connection
            shared.isLost = false
            (shared.early, shared.expected) = ([:], [:])
            shared.wantsBirth = false
        }
    }

    func take(_ event: MQTTLinkEvent, of connection: UInt64, over link: any MQTTLink) {
        let wantsBirth = shared.update { shared in
            shared.take(event, of: connection, receiptTopic: receiptTopic, format)
            return shared.wantsBirth
        }
        if wantsBirth { connector.attend() }
    }

    func connected(_ connection: UInt64, over link: any MQTTLink) throws(DeliveryError) {
        try sayBirth(connection, over: link)
        shared.update { shared in
            shared.link = link
            shared.isReady = true
        }
    }

    func attend(_ connection: UInt64, over link: any MQTTLink) throws(DeliveryError) {
        let wantsBirth = shared.update { shared in
            defer { shared.wantsBirth = false }
            return shared.wantsBirth
        }
        if wantsBirth { try sayBirth(connection, over: link) } else { try showDevices(over: link) }
    }

    /// What the broker would say if we went without a word.
    func farewell(_ connection: UInt64, over link: any MQTTLink) {
        shared.update { $0.isReady = false }
        do {
            try publish(format.will(connection: connection), of: nil, over: link)
            shared.wait(milliseconds: 300) { $0.expected.isEmpty || $0.isLost }
        } catch {
            // Then the connection is gone, and the broker publishes the will by itself.
        }
    }

    func disconnected(_ error: DeliveryError?) {
        shared.update { shared in
            shared.link = nil
            shared.isReady = false
            shared.failures += 1
            shared.failure = error
        }
    }
}

extension MQTTSession.Shared {
    fileprivate mutating func take(_ event: MQTTLinkEvent, of connection: UInt64, receiptTopic: String?, _ format: any MQTTFormat) {
        guard connection == self.connection else { return }
        switch event {
        case .connected, .subscribed, .oversized: break
        case .acknowledged(let identifier, let answer):
            guard let sequence = expected.removeValue(forKey: identifier) else {
                early[identifier] = answer
                return
            }
            if let sequence { answers[sequence] = answer }
        case .received(let topic, let payload, _):
            if topic == receiptTopic {
                if let receipt = MQTTReceipt(payload) { book.take(receipt) }
            } else if format.asksForBirth(payload) {
                wantsBirth = true
            }
        case .lost(let error):
            isLost = true
            isReady = false
            failure = error
        }
    }
}

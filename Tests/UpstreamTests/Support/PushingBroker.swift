import Foundation
import Readings
import TestSupport
import Upstream

/// A broker in memory that keeps a session: what is not acknowledged comes again, in order, at the next connection. On request it loses
/// connections and acknowledgements.
final class PushingBroker: MQTTLinkMaker, @unchecked Sendable {
    struct Message {
        var topic: String
        var payload: [UInt8]
        var isRetained = false
        /// What is told instead of the payload.
        var oversize: Int?
    }

    // Everything is touched with the condition's lock held.
    private let changed = NSCondition()
    private var generator: SeededGenerator
    private var queue: [Message] = []
    private var retained: Message?
    private var said: [JSON] = []
    private var made = 0
    private var hasSession = false
    private var isFaulty: Bool
    private weak var present: PushingLink?

    init(seed: UInt64? = nil) {
        generator = SeededGenerator(seed: seed ?? 0)
        isFaulty = seed != nil
    }

    /// What the gateway said on its state topic.
    var states: [JSON] { locked { said } }
    var connections: Int { locked { made } }

    /// From now on everything works.
    func calm() { locked { isFaulty = false } }

    func publish(_ topic: String, _ text: String, retain: Bool = false) {
        locked {
            queue.append(Message(topic: topic, payload: Array(text.utf8)))
            if retain { retained = Message(topic: topic, payload: Array(text.utf8), isRetained: true) }
        }
    }

    func publishOversized(_ topic: String, bytes: Int) { locked { queue.append(Message(topic: topic, payload: [], oversize: bytes)) } }

    func loseConnection() { locked { present }?.close() }

    func wait(until condition: ([JSON]) -> Bool) -> Bool {
        let limit = Date(timeIntervalSinceNow: 20)
        changed.lock()
        defer { changed.unlock() }
        while !condition(said) { guard changed.wait(until: limit) else { return condition(said) } }
        return true
    }

    func link(will: MQTTMessage?) throws(DeliveryError) -> any MQTTLink {
        let link = PushingLink(self)
        locked {
            made += 1
            present = link
        }
        return link
    }

    /// From the first subscription on.
    fileprivate var remembersUs: Bool { locked { hasSession } }

    /// As with Mosquitto, what is retained stands behind what already waits.
    fileprivate func subscribed(to topic: String) {
        locked {
            hasSession = true
            if let retained, retained.topic == topic { queue.append(retained) }
        }
    }

    fileprivate func chance(_ one: Int) -> Bool { locked { isFaulty && Int.random(in: 0..<one, using: &generator) == 0 } }

    fileprivate func message(at index: Int) -> Message? {
        changed.lock()
        defer { changed.unlock() }
        if queue.count <= index { _ = changed.wait(until: Date(timeIntervalSinceNow: 0.01)) }
        return index < queue.count ? queue[index] : nil
    }

    fileprivate func acknowledged(_ count: Int) { locked { queue.removeFirst(count) } }

    fileprivate func take(_ message: MQTTMessage) {
        locked { said.append((try? JSON(parsing: message.payload)) ?? .null) }
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        changed.lock()
        defer {
            changed.broadcast()
            changed.unlock()
        }
        return body()
    }
}

final class PushingLink: MQTTLink, @unchecked Sendable {
    // Touched with the lock held.
    private let lock = NSLock()
    private var handler: (@Sendable (MQTTLinkEvent) -> Void)?
    /// Asked for, and not yet answered.
    private var subscriptions: [String] = []
    private var isClosed = false
    private let broker: PushingBroker

    fileprivate init(_ broker: PushingBroker) { self.broker = broker }

    func open(_ handler: @escaping @Sendable (MQTTLinkEvent) -> Void) throws(DeliveryError) {
        lock.withLock { self.handler = handler }
        DispatchQueue.global().async { [self] in
            handler(.connected)
            converse(handler)
            lock.withLock { self.handler = nil }
            handler(.lost(.retryable("told to")))
        }
    }

    func subscribe(_ topic: String) throws(DeliveryError) {
        lock.withLock { subscriptions.append(topic) }
    }

    func publish(_ message: MQTTMessage) throws(MQTTPublishError) -> Int32 {
        guard !lock.withLock({ isClosed }) else { throw .notConnected("told to") }
        broker.take(message)
        lock.withLock { handler }?(.acknowledged(1, .taken))
        return 1
    }

    func close() { lock.withLock { isClosed = true } }

    func drop() { close() }

    private var isOpen: Bool { lock.withLock { !isClosed } }

    private func converse(_ handler: (MQTTLinkEvent) -> Void) {
        // Handled, and not yet acknowledged.
        var open = 0
        while isOpen {
            // The link's one thread answers when it is not busy with a message.
            while let topic = lock.withLock({ subscriptions.popLast() }) {
                broker.subscribed(to: topic)
                handler(.subscribed)
            }
            guard broker.remembersUs else { continue }
            let next = broker.message(at: open)
            guard isOpen else { return }
            if let next {
                handler(
                    next.oversize.map { .oversized(topic: next.topic, bytes: $0) }
                        ?? .received(topic: next.topic, payload: next.payload, isRetained: next.isRetained))
                guard isOpen else { return }
                open += 1
                if broker.chance(15) { return }
            } else if open == 0 {
                continue
            }
            if !broker.chance(2) {
                broker.acknowledged(open)
                open = 0
            }
        }
    }
}

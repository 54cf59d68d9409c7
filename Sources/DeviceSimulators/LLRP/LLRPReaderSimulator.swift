import Decoding
import Identifiers
import Readings

/// An LLRP reader, bytes in and bytes out: no socket, no clock. `SimulatedDeviceRunner` puts it on the network.
///
/// It keeps the rules that readers are known to keep, also the awkward ones: one client at a time, one inventory in all, powers by index
/// only, vendor's parameters only after they were enabled, reports kept while nobody is connected.
public struct LLRPReaderSimulator: SimulatedDevice {
    /// Whose reader it plays.
    public enum Personality: String, Hashable, Sendable, CaseIterable {
        case generic, impinj, zebra
    }

    public struct Configuration: Hashable, Sendable {
        public var personality: Personality
        /// The newest version that it speaks: 1 is 1.0.1, 2 is 1.1.
        public var version: UInt8 = 1
        public var antennaCount: UInt16 = 4
        /// The communication standard (`RadioRegion`).
        public var standard: UInt16 = RadioRegion.fcc.rawValue
        public var country: UInt16 = 840
        public var maximumROSpecs: UInt32
        /// Hundredths of a dBm, from index 1.
        public var powers: [Int16]
        public var inputCount: UInt16 = 4
        public var outputCount: UInt16 = 4
        /// Otherwise its times count from its start.
        public var hasUTCClock = true
        public var canHoldReports: Bool
        /// Reports kept while nobody is connected; the oldest go first.
        public var backlogLimit: Int
        /// Between two reads.
        public var readInterval = Instant.Span.milliseconds(10)
        /// UTC at `Instant.zero`, in microseconds since 1970: 2026-11-21T08:00:00Z.
        public var wallClock: UInt64 = 1_795_248_000_000_000

        public init(_ personality: Personality = .generic) {
            self.personality = personality
            maximumROSpecs = personality == .impinj ? 1 : 8
            canHoldReports = personality == .generic
            backlogLimit = personality == .zebra ? 66_000 : 1_000
            powers =
                switch personality {
                case .generic: [1_000, 1_500, 2_000, 2_700, 3_000]
                case .impinj: (0...80).map { 1_000 + 25 * $0 }
                case .zebra: (0...192).map { 1_000 + 10 * $0 }
                }
        }
    }

    /// What goes wrong.
    public struct Faults: Hashable, Sendable {
        /// Takes everything and says nothing.
        public var isMute = false
        /// Does not greet.
        public var isUnfriendly = false
        /// Types of messages that are passed over.
        public var ignored: Set<UInt16> = []
        /// Types of messages that are answered with a status of this code.
        public var refused: [UInt16: UInt16] = [:]
        /// Types of messages that are answered with ERROR_MESSAGE and this code.
        public var errors: [UInt16: UInt16] = [:]
        /// The status of the greeting.
        public var connectionStatus: UInt16 = 0
        public var sendsKeepalives = true

        public init() {}
    }

    /// A tag that lies before antennas.
    public struct Tag: Hashable, Sendable {
        public var epc: EPC
        public var antennas: [UInt8]
        /// dBm
        public var rssi: Int8

        public init(epc: EPC, antennas: [UInt8] = [1], rssi: Int8 = -55) {
            self.epc = epc
            self.antennas = antennas
            self.rssi = rssi
        }
    }

    struct Inventory {
        var id: UInt32
        var state: UInt8 = 0
        var spec: LLRPParameter
        /// None: all.
        var antennas: [UInt16]
        var starts: Bool
    }

    public let configuration: Configuration
    public var faults = Faults()
    public var tags: [Tag] = []

    public internal(set) var isConnected = false
    public var isHangingUp: Bool { !isConnected }
    /// Levels of the outputs, the first that of port 1.
    public internal(set) var outputs: [Bool]
    public internal(set) var inputs: [Bool]
    public internal(set) var connectedAntennas: Set<UInt16>
    /// Messages of the client, by type, in their order.
    public internal(set) var receivedTypes: [UInt16] = []
    /// What was wrong with the client's messages.
    public internal(set) var complaints: [String] = []
    /// Powers that the client chose, by index.
    public internal(set) var chosenPowers: [UInt16] = []

    var version: UInt8 = 1
    var inventories: [Inventory] = []
    var areExtensionsEnabled = false
    var enabledEvents: Set<Int> = []
    var keepalive: Instant.Span?
    var nextKeepalive: Instant?
    var nextRead: Instant?
    var nextTag = 0
    var holdsUponReconnect = false
    var isHolding = false
    var backlog: [[UInt8]] = []
    var bootedAt = Instant.zero
    var ownID: UInt32 = 0
    var notes: [String] = []
    private var buffer: [UInt8] = []

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        outputs = Array(repeating: true, count: Int(configuration.outputCount))
        inputs = Array(repeating: false, count: Int(configuration.inputCount))
        connectedAntennas = Set(1...max(1, configuration.antennaCount))
    }

    // MARK: The connection

    /// A client connected, or this reader called it: the greeting.
    public mutating func connected(at now: Instant) -> [[UInt8]] {
        isConnected = true
        buffer = []
        version = 1
        isHolding = holdsUponReconnect
        nextKeepalive = keepalive.map { now + $0 }
        if faults.isMute || faults.isUnfriendly { return [] }
        var out = greeting(status: faults.connectionStatus, at: now)
        if faults.connectionStatus != 0 {
            isConnected = false
        } else if !isHolding {
            out += takeBacklog()
        }
        return out
    }

    /// What a second client is told before it is hung up on.
    public mutating func refusal(at now: Instant) -> [[UInt8]] { greeting(status: 2, at: now) }

    public mutating func disconnected(at now: Instant) {
        isConnected = false
        nextKeepalive = nil
    }

    /// Power was lost: nothing is as it was.
    public mutating func restarted(at now: Instant) {
        let faults = faults
        let tags = tags
        self = LLRPReaderSimulator(configuration)
        self.faults = faults
        self.tags = tags
        bootedAt = now
    }

    /// Bytes from the client.
    public mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] {
        buffer += bytes
        var out: [[UInt8]] = []
        while buffer.count >= LLRPMessage.headerLength {
            let length = buffer[2..<6].reduce(0) { $0 << 8 | Int($1) }
            guard (LLRPMessage.headerLength...1 << 20).contains(length) else {
                complaints.append("length \(length)")
                buffer = []
                break
            }
            guard buffer.count >= length else { break }
            let frame = Array(buffer[..<length])
            buffer.removeFirst(length)
            do {
                out += answer(try LLRPMessage(frame), at: now)
            } catch {
                complaints.append("\(error)")
            }
        }
        return out
    }

    /// When `advance` must be called.
    public var nextDeadline: Instant? {
        [isConnected && faults.sendsKeepalives && !faults.isMute ? nextKeepalive : nil, isReading && !tags.isEmpty ? nextRead : nil]
            .compactMap { $0 }.min()
    }

    public mutating func advance(to now: Instant) -> [[UInt8]] {
        var out: [[UInt8]] = []
        if isConnected, let due = nextKeepalive, let keepalive, due <= now {
            nextKeepalive = due + keepalive
            if faults.sendsKeepalives, !faults.isMute { out += [message("KEEPALIVE")] }
        }
        while isReading, !tags.isEmpty, let due = nextRead, due <= now {
            nextRead = due + configuration.readInterval
            let tag = tags[nextTag % tags.count]
            let turn = nextTag / tags.count
            nextTag += 1
            guard !tag.antennas.isEmpty else { continue }
            let antenna = tag.antennas[turn % tag.antennas.count]
            out += read([TagRead(epc: tag.epc, antenna: antenna, rssi: Int16(tag.rssi) * 100)], at: due)
        }
        return out
    }

    // MARK: The world around it

    public var isReading: Bool { inventories.contains { $0.state == 2 } }

    /// Ports in use by what is active now.
    public var activeAntennas: [UInt16] {
        let all = connectedAntennas.sorted()
        guard let active = inventories.first(where: { $0.state == 2 }) else { return [] }
        return active.antennas.isEmpty ? all : active.antennas.filter { connectedAntennas.contains($0) }
    }

    /// Tags answered.
    public mutating func read(_ reads: [TagRead], at now: Instant) -> [[UInt8]] {
        guard let active = inventories.first(where: { $0.state == 2 }) else { return [] }
        let ports = activeAntennas
        let seen = reads.filter { ports.contains(UInt16($0.antenna)) }
        guard !seen.isEmpty else { return [] }
        return deliver([report(seen, for: active, at: now)])
    }

    public mutating func put(_ epc: EPC, antenna: UInt8?) {
        take(epc)
        tags.append(Tag(epc: epc, antennas: antenna.map { [$0] } ?? Array(1...UInt8(clamping: max(1, configuration.antennaCount)))))
    }

    public mutating func take(_ epc: EPC) { tags.removeAll { $0.epc == epc } }

    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        switch action {
        case .tag(let epc, let antenna):
            // What it did not read before there was a tag, it does not make up for.
            if tags.isEmpty { nextRead = now + configuration.readInterval }
            put(epc, antenna: antenna)
        case .remove(let epc): take(epc)
        case .input(let line, let isActive):
            // Ports count from 1, lines from 0.
            guard line < configuration.inputCount else { return nil }
            return setInput(UInt16(line) + 1, isActive, at: now)
        case .scan, .badge: return nil
        }
        return []
    }

    public mutating func takeNotes() -> [String] {
        defer { notes = [] }
        return notes
    }

    public mutating func setInput(_ port: UInt16, _ isActive: Bool, at now: Instant) -> [[UInt8]] {
        guard port >= 1, port <= configuration.inputCount else { return [] }
        inputs[Int(port) - 1] = isActive
        return event(1, at: now) {
            try LLRPParameter("GPIEvent", fields: ["GPIPortNumber": LLRPValue(port), "GPIEvent": LLRPValue(isActive)])
        }
    }

    public mutating func setAntenna(_ port: UInt16, _ isConnected: Bool, at now: Instant) -> [[UInt8]] {
        if isConnected { connectedAntennas.insert(port) } else { connectedAntennas.remove(port) }
        return event(8, at: now) {
            try LLRPParameter("AntennaEvent", fields: ["EventType": LLRPValue(isConnected ? 1 : 0), "AntennaID": LLRPValue(port)])
        }
    }

    public mutating func exception(_ text: String, at now: Instant) -> [[UInt8]] {
        event(4, at: now) { try LLRPParameter("ReaderExceptionEvent", fields: ["Message": LLRPValue(text)]) }
    }

    /// The buffer of reports overflowed.
    public mutating func overflow(at now: Instant) -> [[UInt8]] {
        event(3, at: now) { try LLRPParameter("ReportBufferOverflowErrorEvent") }
    }

    /// All inventories end, as if by a hand on the reader's own page.
    public mutating func endInventories(at now: Instant) -> [[UInt8]] {
        var out: [[UInt8]] = []
        for index in inventories.indices where inventories[index].state == 2 {
            inventories[index].state = 0
            out += inventoryEvent(1, inventories[index].id, at: now)
        }
        return out
    }

    /// All inventories are gone, and nothing is said about it.
    public mutating func forgetInventories() { inventories = [] }

    // MARK: Sending

    func time(at now: Instant) -> UInt64 {
        if configuration.hasUTCClock { return configuration.wallClock &+ UInt64(clamping: now.nanoseconds / 1_000) }
        return UInt64(clamping: (now - bootedAt).nanoseconds / 1_000)
    }

    /// To the client, or to the queue.
    mutating func deliver(_ messages: [[UInt8]]) -> [[UInt8]] {
        if faults.isMute { return [] }
        if isConnected, !isHolding { return messages }
        backlog += messages
        if backlog.count > configuration.backlogLimit { backlog.removeFirst(backlog.count - configuration.backlogLimit) }
        return []
    }

    mutating func takeBacklog() -> [[UInt8]] {
        defer { backlog = [] }
        return backlog
    }
}

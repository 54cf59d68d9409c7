import Readings

/// What a protocol makes of what a device sends. One value per open device; it holds the framing state and nothing else.
///
/// A decoder survives any bytes: what it cannot use is counted by reason in the batch, never thrown, never logged per frame, and
/// after it the decoder finds the next good frame. It gives the same readings however the bytes are cut.
public protocol Decoder: Sendable {
    /// Takes bytes in the order they came.
    mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch)
    /// Takes one key event of an evdev device: `EV_KEY` code and value (1 press, 0 release, 2 repeat).
    mutating func decode(key code: UInt16, value: Int32, at now: Instant, into batch: inout DecodedBatch)
    /// When silence alone will mean something, for example the end of a scan without a terminator.
    var nextDeadline: Instant? { get }
    /// Tells the decoder that time has come; called at `nextDeadline` or later.
    mutating func advance(to now: Instant, into batch: inout DecodedBatch)
    /// Input was lost (the kernel's queue overran): what is under way must not be believed, nor its rest be taken for a whole.
    mutating func inputLost(at now: Instant, into batch: inout DecodedBatch)
    /// Forgets a half frame; called when the device was closed and opened again.
    mutating func reset()
    /// The device works already, and what it shows at first was told before; called after `reset`.
    mutating func resumed()
    /// What decides what later frames mean, of a decoder that goes by more than the frame at hand; nil: nothing does. Neither a half
    /// frame nor what only counts rejects stands in it.
    func snapshot(at now: Instant) -> JSON?
    /// Takes over what another decoder knew; called after `resumed`.
    mutating func restore(_ snapshot: JSON, at now: Instant)
    /// Whether a frame is how the device says that it will not or cannot carry out a request; nil: it is not.
    func refusal(of request: [UInt8], in frame: [UInt8]) -> Refusal?
}

/// What a device says instead of carrying out a request.
public struct Refusal: Hashable, Sendable {
    /// For people.
    public var meaning: String
    /// The same request will be refused again.
    public var isLasting: Bool

    public init(meaning: String, isLasting: Bool) {
        self.meaning = meaning
        self.isLasting = isLasting
    }
}

extension Decoder {
    public mutating func decode(key code: UInt16, value: Int32, at now: Instant, into batch: inout DecodedBatch) {
        batch.rejects.count(.unexpectedInput)
    }

    public mutating func inputLost(at now: Instant, into batch: inout DecodedBatch) {
        batch.rejects.count(.incomplete)
        reset()
    }

    public mutating func resumed() {}

    public func snapshot(at now: Instant) -> JSON? { nil }

    public mutating func restore(_ snapshot: JSON, at now: Instant) {}

    public func refusal(of request: [UInt8], in frame: [UInt8]) -> Refusal? { nil }

    public var nextDeadline: Instant? { nil }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {}
}

/// What one call of a decoder brought. Reused from call to call, so that the hot path allocates nothing.
public struct DecodedBatch: Sendable {
    public var readings: [Reading] = []
    public var signals: [Signal] = []
    public var rejects = RejectCounts()

    public init() {}

    /// Room for more than this is given back: one huge report, such as what a reader kept for a day, does not hold its memory for ever.
    public static let keptCapacity = 16_384

    public mutating func removeAll() {
        if readings.capacity > Self.keptCapacity { readings = [] } else { readings.removeAll(keepingCapacity: true) }
        if signals.capacity > Self.keptCapacity { signals = [] } else { signals.removeAll(keepingCapacity: true) }
        rejects = RejectCounts()
    }
}

/// What a device says about itself and its work: for the session that steers it, never for a station.
public enum Signal: Hashable, Sendable {
    /// A whole frame or line that is not a reading: the answer to a command.
    case answer([UInt8])
    /// To be sent to the device at once: an acknowledgement that it waits for.
    case reply([UInt8])
    /// The device said that it works, though there is nothing to report.
    case alive
    /// The device did not answer for a while and does so again: it may have been without power meanwhile, and have lost its settings.
    case interrupted
    /// The device looked for a code and found none: no scan, and no fault.
    case noRead
    /// A round of inventory is over and the next may be asked for.
    case roundEnded
    /// A round of inventory did not happen, because of the fault told just before: the next may be asked for after a pause.
    case roundFailed
    /// The device says that it could not do something. `isTransient`: try again; otherwise a person must look.
    /// A round of inventory goes on unless `roundFailed` follows.
    case fault(code: UInt8, meaning: String, isTransient: Bool)
    /// The fault told just before is that of one antenna of the round, from 1; the round goes on with the others.
    case antennaFault(antenna: UInt8, meaning: String)
}

/// Why bytes gave no reading.
public enum RejectReason: UInt8, Hashable, Sendable, CaseIterable {
    /// Bytes outside any frame, skipped one by one until a frame was found.
    case noise
    /// A frame whose check did not agree.
    case checksum
    /// A frame whose length field cannot be right.
    case length
    /// A frame with a good check and a content that its protocol does not allow.
    case malformed
    /// A good frame of a kind that this decoder does not know.
    case unknownFrame
    /// A scan or line longer than allowed; all of it was dropped.
    case tooLong
    /// A frame or scan that stopped in the middle.
    case incomplete
    /// A key that stands in no key map of the profile's layout.
    case unknownKey
    /// A control character that the profile does not expect in a scan.
    case controlCharacter
    /// Input of a kind that this decoder cannot have, for example key events for a serial protocol.
    case unexpectedInput
    /// The same report again inside the profile's duplicate window.
    case duplicate
    /// The number of a card that makes one up each time it is read: it names nobody.
    case randomNumber
}

/// Rejects by reason.
public struct RejectCounts: Hashable, Sendable {
    private var counts: InlineCounts = .init()

    public init() {}

    public mutating func count(_ reason: RejectReason, times: UInt64 = 1) { counts[reason] &+= times }

    public subscript(reason: RejectReason) -> UInt64 { counts[reason] }

    public var total: UInt64 { RejectReason.allCases.reduce(0) { $0 &+ counts[$1] } }

    public static func += (left: inout RejectCounts, right: RejectCounts) { left.counts.values &+= right.counts.values }

    /// What was counted since `earlier`.
    public func since(_ earlier: RejectCounts) -> RejectCounts {
        var difference = self
        difference.counts.values &-= earlier.counts.values
        return difference
    }

    /// Only the reasons that occurred.
    public var byReason: [(reason: RejectReason, count: UInt64)] {
        RejectReason.allCases.compactMap { counts[$0] > 0 ? ($0, counts[$0]) : nil }
    }

    /// A counter for each reason inline: a dictionary would allocate on the hot path.
    private struct InlineCounts: Hashable, Sendable {
        var values: SIMD16<UInt64> = .zero

        subscript(reason: RejectReason) -> UInt64 {
            get { values[Int(reason.rawValue)] }
            set { values[Int(reason.rawValue)] = newValue }
        }
    }
}

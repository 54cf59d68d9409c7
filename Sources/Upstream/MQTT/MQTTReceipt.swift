import Readings

/// What a receiver says on the receipt topic: everything of one gateway and epoch up to a number is settled.
struct MQTTReceipt: Hashable, Sendable {
    /// Bytes of a receipt; one with all the rejections that there may be has about as many.
    static let maximumSize = 128 << 10
    /// As many events can be without a receipt.
    static let maximumRejections = 1_000

    var gateway: String
    /// See `OutgoingEvent.origin`.
    var epoch: String
    var upTo: Int64
    /// Refused for good, by number.
    var rejected: [Int64: String] = [:]

    /// nil for what is no receipt.
    init?(_ payload: [UInt8]) {
        guard payload.count <= Self.maximumSize, let json = try? JSON(parsing: payload), let gateway = json["gateway"]?.string,
            let epoch = json["epoch"]?.string, let upTo = json["upto"]?.integer
        else { return nil }
        self.gateway = gateway
        self.epoch = epoch
        self.upTo = upTo
        let entries = json["rejected"]?.array ?? []
        guard entries.count <= Self.maximumRejections else { return nil }
        for entry in entries {
            guard let sequence = entry["seq"]?.integer else { return nil }
            let words = [entry["code"]?.string ?? entry["code"]?.integer.map(String.init), entry["reason"]?.string].compactMap { $0 }
            rejected[sequence] = printable(words.isEmpty ? "rejected" : words.joined(separator: ": "))
        }
    }
}

/// What a receiver has said, in bounded space: the numbers since somebody looked, and its rejections until the events are settled,
/// whether a delivery runs or not.
struct MQTTReceiptBook: Hashable, Sendable {
    struct News: Hashable, Sendable {
        /// The highest number since the delivery began; nil: no receipt came.
        var highest: Int64?
        /// The number of the last receipt.
        var latest: Int64?
        /// A receipt said the same as the one before it, and none after it said more.
        var isRepeated = false
        /// By number; these stay.
        var rejected: [Int64: String] = [:]
    }

    private let gatewayCode: String
    private var origin = ""
    private var above: Int64 = 0
    private var present = News()
    private(set) var hasNews = false

    init(gatewayCode: String) {
        self.gatewayCode = gatewayCode
    }

    /// A delivery begins: what was said before counts for rejections only.
    /// - Parameters:
    ///   - origin: the epoch that it is about.
    ///   - above: everything up to this number is settled.
    mutating func watch(origin: String, above: Int64) {
        let rejected = origin == self.origin ? present.rejected.filter { $0.key > above } : [:]
        self.origin = origin
        self.above = above
        present = News(rejected: rejected)
        hasNews = false
    }

    mutating func take(_ receipt: MQTTReceipt) {
        guard receipt.gateway == gatewayCode, receipt.epoch == origin else { return }
        hasNews = true
        for (sequence, reason) in receipt.rejected where sequence > above { present.rejected[sequence] = reason }
        if present.rejected.count > MQTTReceipt.maximumRejections {
            // The lowest are settled first; what is published later is rejected again.
            for sequence in present.rejected.keys.sorted().dropFirst(MQTTReceipt.maximumRejections) { present.rejected[sequence] = nil }
        }
        present.latest = receipt.upTo
        if let highest = present.highest, receipt.upTo <= highest {
            // A lower number is a receipt that comes late.
            if receipt.upTo == highest { present.isRepeated = true }
        } else {
            present.highest = receipt.upTo
            present.isRepeated = false
        }
    }

    /// - Returns: nil when no receipt came since the last look.
    mutating func look() -> News? {
        guard hasNews else { return nil }
        hasNews = false
        defer { present.isRepeated = false }
        return present
    }
}

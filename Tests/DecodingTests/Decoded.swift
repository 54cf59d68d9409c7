import Decoding
import Identifiers
import Readings

/// Drives a decoder as a device connection does, and keeps what came of it.
struct Decoded {
    var decoder: any Decoder
    var batch = DecodedBatch()
    var now = Instant.zero

    init(_ decoder: any Decoder) {
        self.decoder = decoder
    }

    init(_ configuration: DecoderConfiguration) {
        decoder = configuration.makeDecoder()
    }

    mutating func feed(_ hex: String) {
        feed(bytes: Hex.bytes(hex) ?? [])
    }

    mutating func feed(text: String) {
        feed(bytes: Array(text.utf8))
    }

    mutating func feed(bytes: [UInt8]) {
        bytes.withUnsafeBytes { decoder.decode($0, at: now, into: &batch) }
    }

    mutating func key(_ code: UInt16, _ value: Int32) {
        decoder.decode(key: code, value: value, at: now, into: &batch)
    }

    /// Presses and releases keys.
    mutating func tap(_ codes: UInt16...) {
        for code in codes {
            key(code, 1)
            key(code, 0)
        }
    }

    /// Lets time pass, with every deadline at its own time.
    mutating func wait(_ span: Instant.Span) {
        let end = now + span
        while let deadline = decoder.nextDeadline, deadline <= end {
            now = max(now, deadline)
            decoder.advance(to: now, into: &batch)
        }
        now = end
    }

    var tags: [TagRead] { batch.readings.compactMap { if case .tag(let read) = $0 { read } else { nil } } }
    var scans: [Scan] { batch.readings.compactMap { if case .scan(let scan) = $0 { scan } else { nil } } }
    /// The scans as text, with the AIM identifier before them.
    var texts: [String] { scans.map { ($0.symbology?.description ?? "") + String(decoding: $0.data, as: UTF8.self) } }
    var badges: [String] { batch.readings.compactMap { if case .badge(let read) = $0 { read.credential } else { nil } } }
    var rejects: [String: UInt64] {
        Dictionary(batch.rejects.byReason.map { ("\($0.reason)", $0.count) }, uniquingKeysWith: { first, _ in first })
    }
}

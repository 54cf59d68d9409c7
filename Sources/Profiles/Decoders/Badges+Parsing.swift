import Decoding
import Readings

extension EM4100Protocol.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init(
            check: reader.choice("check") ?? .xor8,
            duplicateWindow: reader.milliseconds("duplicate_window_ms", in: 0...60_000) ?? .seconds(1),
            form: BadgeForm(table: reader.table("badge")))
    }
}

extension BadgeForm {
    /// A table that holds nothing else; nil: it is not there.
    init(table reader: TOMLTableReader?) {
        self = reader.map { BadgeForm($0, isWhole: true) } ?? BadgeForm()
    }

    /// - Parameter isWhole: the table holds nothing else.
    init(_ reader: TOMLTableReader, isWhole: Bool) {
        self.init(
            notation: reader.choice("gives") ?? (isWhole ? .hexadecimal : .decimal), order: reader.choice("order") ?? .asSent,
            byteCount: reader.integer("low_bytes", in: 1...8).map { Int($0) })
        if isWhole { reader.finish() }
    }
}

extension PN532Protocol.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init(
            duplicateWindow: reader.milliseconds("duplicate_window_ms", in: 0...60_000) ?? .seconds(1),
            form: BadgeForm(table: reader.table("badge")), takesRandom: reader.bool("random_numbers") ?? false)
    }
}

extension OSDPSession.Configuration {
    init(_ reader: TOMLTableReader) {
        let replyTimeout = reader.milliseconds("reply_timeout_ms", in: 20...2_000) ?? .milliseconds(200)
        let offlineTimeout = reader.milliseconds("offline_ms", in: 500...60_000) ?? .milliseconds(2_000)
        if offlineTimeout <= replyTimeout { reader.problem("offline_ms", "must be longer than reply_timeout_ms") }
        self.init(
            check: reader.choice("check") ?? .crc,
            poll: reader.milliseconds("poll_ms", in: 20...1_000) ?? .milliseconds(50),
            replyTimeout: replyTimeout, offlineTimeout: offlineTimeout, bits: reader.choice("bits") ?? .wiegand,
            form: BadgeForm(table: reader.table("badge")))
    }
}

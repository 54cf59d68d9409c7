import Decoding
import Readings

extension EM4100Protocol.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init(
            check: reader.choice("check") ?? .xor8,
            duplicateWindow: reader.milliseconds("duplicate_window_ms", in: 0...60_000) ?? .seconds(1),
            form: reader.table("badge").map { BadgeForm($0, isWhole: true) } ?? BadgeForm())
    }
}

extension BadgeForm {
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
        self.init()
    }
}

extension OSDPSession.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init()
    }
}

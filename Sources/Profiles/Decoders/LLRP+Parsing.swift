import Decoding
import Readings

extension LLRPSession.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init(
            keepalive: reader.milliseconds("keepalive_ms", in: 1_000...60_000) ?? .seconds(10),
            extensions: reader.choice("extensions") ?? .auto, rotation: reader.choice("rotation") ?? .auto,
            version: reader.choice("version") ?? .auto,
            reportEvery: UInt16(clamping: reader.integer("report_every", in: 1...1_000) ?? 1),
            mode: reader.integer("rf_mode", in: 0...65_535).map { UInt32(clamping: $0) },
            unknownRegion: reader.choice("region_unknown") ?? .refuse)
    }
}

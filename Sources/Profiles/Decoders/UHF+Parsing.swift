import Decoding
import Readings

extension A0Protocol.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init(
            countsFrequencyFrom865: reader.bool("frequency_from_865") ?? false,
            phaseUnitsPerTurn: reader.integer("phase_units_per_turn", in: 1...65_536).map(UInt32.init))
    }
}

extension UHFReader18Protocol.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init(
            records: reader.choice("records", isRequired: true) ?? .plain,
            signalOffset: reader.integer("signal_offset_db", in: -200...0).map { Int16(truncatingIfNeeded: $0) })
    }
}

extension M100Protocol.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init(framing: reader.choice("framing", isRequired: true) ?? .bb7E)
    }
}

extension MercuryProtocol.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init()
    }
}

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
        self.init()
    }
}

extension M100Protocol.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init()
    }
}

extension MercuryProtocol.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init()
    }
}

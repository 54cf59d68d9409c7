import Decoding
import Readings

extension ModbusProtocol.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init()
    }
}

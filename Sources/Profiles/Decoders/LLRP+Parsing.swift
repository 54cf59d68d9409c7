import Decoding
import Readings

extension LLRPSession.Configuration {
    init(_ reader: TOMLTableReader) {
        self.init()
    }
}

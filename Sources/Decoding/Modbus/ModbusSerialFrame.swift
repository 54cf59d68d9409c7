/// A request or response of Modbus as it goes over a serial line: unit, function and data, CRC with the low byte first (MODBUS over
/// Serial Line V1.02, sections 2.2 and 2.5.1).
///
/// The daemon leaves the line to libmodbus; this is for a probe, which shares it with other protocols.
public struct ModbusSerialFrame: Hashable, Sendable {
    /// 1...247; 0 is all.
    public var unit: UInt8
    /// The request or response, function first, without unit and check.
    public var content: [UInt8]

    public init(unit: UInt8, content: [UInt8]) {
        self.unit = unit
        self.content = content
    }

    /// As it goes over the line.
    public var encoded: [UInt8] {
        let bytes = [unit] + content
        let crc = Checksum.crcModbus(bytes)
        return bytes + [UInt8(truncatingIfNeeded: crc), UInt8(truncatingIfNeeded: crc >> 8)]
    }

    /// Finds the response to this request, a read, among what came: the same unit and function, as much data as was asked for, a good
    /// check. Noise and the echo of the request, which some converters to RS-485 give, are passed over.
    /// - Returns: nil when it is not there, or this is no read.
    public func response(in bytes: [UInt8]) -> ModbusSerialFrame? {
        guard let function = content.first, ModbusRequest.reads.contains(function), ModbusRequest.fault(content) == nil else { return nil }
        let count = ModbusRequest.byteCount(ofRead: function, count: Int(content[3]) << 8 | Int(content[4]))
        // Unit, function, number of bytes; two bytes of check behind the data.
        let length = 5 + count
        guard bytes.count >= length else { return nil }
        for start in 0...(bytes.count - length)
        where bytes[start] == unit && bytes[start + 1] == function && Int(bytes[start + 2]) == count {
            let frame = ModbusSerialFrame(unit: unit, content: Array(bytes[(start + 1)..<(start + length - 2)]))
            if frame.encoded.elementsEqual(bytes[start..<(start + length)]) { return frame }
        }
        return nil
    }
}

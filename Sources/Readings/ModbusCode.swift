/// Numbers that the bus of a Modbus unit and the decoder of its frames must agree on. They stand in recordings, too: the bus makes up
/// answers for requests that had none, so that these are seen, counted and replayed.
public enum ModbusCode {
    /// Stands for the place of the poll in the answer to a command.
    public static let command: UInt8 = 0xFF
    /// In a response: the request could not be carried out (MODBUS Application Protocol Specification V1.1b3, section 7).
    public static let exceptionFlag: UInt8 = 0x80
    /// Exceptions that no device gives: how the bus says that a request had no answer, or one that could not be read.
    public static let noAnswer: UInt8 = 0xFF
    public static let spoilt: UInt8 = 0xFE

    /// The exceptions by which a gateway says that the unit behind it does not answer: path unavailable, no answer of the target
    /// (section 7).
    private static let gateway: ClosedRange<UInt8> = 0x0A...0x0B

    /// Whether an exception is how a gateway says that the unit behind it does not answer.
    public static func isGatewaySilence(_ code: UInt8) -> Bool { gateway.contains(code) }

    /// Whether an exception means that the unit itself said nothing.
    public static func isSilence(_ code: UInt8) -> Bool { code == noAnswer || isGatewaySilence(code) }
}

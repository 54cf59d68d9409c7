import Readings

/// A HID point-of-sale scanner: reports of 64 bytes, Honeywell's commands as output reports.
public struct HIDPointOfSaleDevice: SimulatedDevice {
    /// What its report descriptor says: report 2 of 63 bytes in, report FD of 63 bytes out, usage page 8C.
    public static let descriptor: [UInt8] = [
        0x05, 0x8C, 0x09, 0x02, 0xA1, 0x01, 0x85, 0x02, 0x09, 0x12, 0xA1, 0x02, 0x75, 0x08, 0x95, 0x3F, 0x81, 0x02, 0xC0, 0x85, 0xFD, 0x09,
        0x00, 0x75, 0x08, 0x95, 0x3F, 0x91, 0x02, 0xC0,
    ]

    public private(set) var beeps = 0

    public init() {}

    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        guard case .scan(let text) = action else { return nil }
        let code = SimulatedCode(text)
        return Self.reports(code.aim, code.data)
    }

    /// Each call brings one output report.
    public mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] {
        guard bytes.first == 0xFD, bytes.count >= 5 else { return [] }
        let command = Array(bytes[2...])
        if command.starts(with: [0x16, 0x07, 0x0D]) {
            beeps += 1
            return []
        }
        guard command.starts(with: [0x16, 0x4D, 0x0D] + Array("REVINF.".utf8)) else { return [] }
        let text = "Product Name: Simulated scanner\r\nBoot Revision: : 1\r\nSoftware Revision: 1\r\nSerial Number: 0000000001\r\n"
        return Self.reports("]X0", Array(text.utf8)) + Self.reports("]Z6", Array("REVINF\u{6}.".utf8))
    }

    private static func reports(_ aim: String, _ data: [UInt8]) -> [[UInt8]] {
        stride(from: 0, to: max(data.count, 1), by: 56).map { start in
            let part = Array(data[min(start, data.count)..<min(start + 56, data.count)])
            let padding = [UInt8](repeating: 0, count: 56 - part.count + 2)
            return [0x02, UInt8(part.count)] + Array(aim.utf8) + part + padding + [start + 56 < data.count ? 1 : 0]
        }
    }
}

/// What a HID device says it is: usage page and usage of its first application collection, for example 008c:0002 for a bar code
/// scanner (HID Point of Sale Usage Tables 1.02).
///
/// Reads no more of a report descriptor than that needs (Device Class Definition for HID 1.11, section 6.2.2): items, the global
/// usage page with its stack, and local usages. Total: any bytes give a usage or none.
enum HIDUsage {
    /// The kernel's bound of a report descriptor, in bytes (HID_MAX_DESCRIPTOR_SIZE of linux/hid.h).
    static let maximumDescriptor = 4_096

    /// - Returns: `page:usage` as four hexadecimal digits each, lower case; nil when there is no application collection.
    static func first(in descriptor: some Collection<UInt8>) -> String? {
        let bytes = Array(descriptor.prefix(maximumDescriptor))
        var page: UInt32 = 0
        var saved: [UInt32] = []
        /// The first usage since the last main item; only that one names a collection.
        var usage: UInt32?
        var place = 0
        while place < bytes.count {
            let prefix = bytes[place]
            place += 1
            if prefix == 0xFE {
                // A long item: its length, a tag, and data that nobody has defined yet.
                guard place < bytes.count else { return nil }
                place += 2 + Int(bytes[place])
                continue
            }
            let size = [0, 1, 2, 4][Int(prefix & 3)]
            guard bytes.count - place >= size else { return nil }
            var data: UInt32 = 0
            for index in 0..<size { data |= UInt32(bytes[place + index]) << UInt32(8 * index) }
            place += size
            switch prefix & 0xFC {
            case 0x04: page = data & 0xFFFF
            case 0xA4 where saved.count < 16: saved.append(page)
            case 0xB4: page = saved.popLast() ?? page
            // With four bytes a usage brings its page along. Usage, and usage minimum.
            case 0x08, 0x18: if usage == nil { usage = size == 4 ? data : page << 16 | data }
            case 0xA0:
                if data & 0xFF == 0x01, let usage {
                    return hexadecimal(UInt16(truncatingIfNeeded: usage >> 16), digits: 4) + ":"
                        + hexadecimal(UInt16(truncatingIfNeeded: usage), digits: 4)
                }
                usage = nil
            case 0x80, 0x90, 0xB0, 0xC0: usage = nil
            default: break
            }
        }
        return nil
    }
}

/// Lower case, with leading zeros.
func hexadecimal(_ number: UInt16, digits: Int) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}

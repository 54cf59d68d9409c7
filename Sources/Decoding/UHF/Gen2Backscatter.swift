import Identifiers
import Readings

/// What a Gen2 tag sends when it is counted: PC, XPC where the PC says so, EPC, CRC (GS1 EPC UHF Gen2 Air Interface, 6.3.2.1.2).
enum Gen2Backscatter {
    struct Refusal: Error {
        var reason: RejectReason
    }

    /// The EPC, if length and CRC agree.
    static func epc(in bytes: UnsafeRawBufferPointer) -> Result<EPC, Refusal> {
        guard bytes.count >= 6, bytes.count <= 4 + 4 + EPC.maximumByteCount else { return .failure(Refusal(reason: .malformed)) }
        let end = bytes.count - 2
        guard Checksum.crcGen2(bytes[..<end]) == UInt16(bytes[end]) << 8 | UInt16(bytes[end + 1]) else {
            return .failure(Refusal(reason: .checksum))
        }
        var start = 2
        let words = Int(bytes[0] >> 3)
        if bytes[0] & 0x02 != 0 {
            // The XPC indicator: one extension word follows, and another if its highest bit is set. The length in the PC counts them
            // for some tags and not for others, so it says nothing here.
            start += bytes[2] & 0x80 != 0 ? 4 : 2
        } else if words * 2 != end - start {
            return .failure(Refusal(reason: .malformed))
        }
        guard start < end, let epc = EPC(bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<end])) else {
            return .failure(Refusal(reason: .malformed))
        }
        return .success(epc)
    }
}

/// A printed code as an action gives it: text, perhaps with an AIM identifier such as `]E0` in front. FNC1 inside is GS (1D).
struct SimulatedCode {
    /// With the identifier, `]C0` where none was given.
    let text: [UInt8]
    let aim: String
    let data: [UInt8]

    init(_ bytes: [UInt8]) {
        let hasAIM = bytes.count >= 3 && bytes[0] == 0x5D
        aim = hasAIM ? String(decoding: bytes[..<3], as: UTF8.self) : "]C0"
        data = hasAIM ? Array(bytes[3...]) : bytes
        text = hasAIM ? bytes : Array(aim.utf8) + bytes
    }
}

/// Takes lines out of what comes: the text before a CR, an LF or both.
struct CommandLines: Sendable {
    private var held: [UInt8] = []
    /// A longer line is dropped: a device does not keep everything either.
    private static let limit = 1_024

    mutating func take(_ bytes: [UInt8]) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == 0x0D || byte == 0x0A {
                if !held.isEmpty { lines.append(String(decoding: held, as: UTF8.self)) }
                held = []
            } else if held.count < Self.limit {
                held.append(byte)
            }
        }
        return lines
    }
}

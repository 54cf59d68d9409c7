import Glibc

/// Lines from a descriptor that others wait for: a person's or a script's orders to a simulator.
public struct SimulatorLines {
    /// nil: the script is over.
    public private(set) var descriptor: Int32?
    private var text: [UInt8] = []

    /// The longest line that is obeyed.
    private static let longestLine = 16_384

    public init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// The whole lines that are there; does not wait.
    public mutating func take() -> [String] {
        guard let descriptor else { return [] }
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, 0) > 0 else { return [] }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = read(descriptor, &buffer, buffer.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return [] }
        guard count > 0 else {
            self.descriptor = nil
            return []
        }
        text += buffer[..<count]
        var lines: [String] = []
        while let end = text.firstIndex(of: 0x0A) {
            let line = String(decoding: text[..<end], as: UTF8.self)
            text.removeSubrange(...end)
            if line.contains(where: { $0 != " " }) { lines.append(line) }
        }
        if text.count > Self.longestLine { text.removeAll() }
        return lines
    }
}

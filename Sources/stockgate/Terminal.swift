import Glibc
import OperatorText
import Readings

/// Where output goes. Takes escaped text only.
struct Terminal {
    static let output = Terminal(descriptor: STDOUT_FILENO)
    static let errors = Terminal(descriptor: STDERR_FILENO)

    let descriptor: Int32
    let hasColours: Bool

    enum Style: String {
        case plain = ""
        case heading = "1"
        case good = "32"
        case warning = "33"
        case bad = "31"
        case faint = "2"
    }

    private init(descriptor: Int32) {
        self.descriptor = descriptor
        // no-color.org: any value but an empty one turns colours off.
        hasColours =
            isatty(descriptor) == 1 && Invocation.environment("NO_COLOR") == nil && Invocation.environment("TERM") != "dumb"
    }

    func write(_ line: Printable, _ style: Style = .plain) {
        write(bytes: Array(styled(line, style).utf8) + [0x0A])
    }

    func write(_ pieces: [(Printable, Style)]) {
        write(bytes: Array(pieces.map { styled($0.0, $0.1) }.joined().utf8) + [0x0A])
    }

    /// The canonical form escapes control and bidirectional characters.
    func write(json: JSON) {
        write(bytes: json.canonicalBytes + [0x0A])
    }

    /// The stored bytes of an event: its own canonical form.
    func write(canonical bytes: [UInt8]) {
        write(bytes: bytes + [0x0A])
    }

    /// A whole document of our own, made of files that were checked.
    func write(document text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            // Control characters out of a profile must not reach the terminal.
            String(String.UnicodeScalarView(line.unicodeScalars.filter { $0.properties.generalCategory != .control }))
        }
        write(bytes: Array(lines.joined(separator: "\n").utf8))
    }

    /// Comma-separated values, whose lines end as RFC 4180 has it; their cells were escaped when they were made.
    func write(sheet text: String) {
        write(bytes: Array(text.utf8))
    }

    private func styled(_ text: Printable, _ style: Style) -> String {
        hasColours && style != .plain && !text.isEmpty ? "\u{1B}[\(style.rawValue)m\(text.text)\u{1B}[0m" : text.text
    }

    /// Unbuffered, so that lines of a stream are seen as they come; a reader that went away ends the program by SIGPIPE.
    private func write(bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + offset }, $0.count - offset) }
            if count > 0 {
                offset += count
            } else if errno != EINTR {
                return
            }
        }
    }
}

import CLinux
import Glibc
import Logging
import Readings

/// Writes log lines for journald: the priority as `<n>` in front (sd-daemon(3)), then the message and its metadata, on standard error.
///
/// On a terminal there is no `<n>`. Values come from devices: control characters never leave here unescaped.
public struct JournalLogHandler: LogHandler {
    public var logLevel: Logger.Level = .info
    public var metadata: Logger.Metadata = [:]
    private let label: String
    private let isJournal: Bool

    public init(label: String) {
        self.label = label
        isJournal = isatty(STDERR_FILENO) == 0
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        var line = isJournal ? "<\(event.level.priority)>" : "\(event.level) "
        line += escaped("\(event.message)")
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            let text = escaped("\(value)")
            line += " \(key)=\(text.contains(" ") ? "\"\(text)\"" : text)"
        }
        line += "\n"
        // One write a line, so that lines of several threads do not mix.
        let bytes = Array(line.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    private func escaped(_ text: String) -> String {
        // The canonical JSON form escapes every control and direction character; its quotes are not needed here.
        String(JSON.string(String(text.prefix(2_000))).canonicalText.dropFirst().dropLast())
    }
}

extension Logger.Level {
    /// syslog(3).
    fileprivate var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}

/// One thing that is wrong in a file that people write, with the place to mend it.
public struct TOMLProblem: Error, Hashable, Sendable, CustomStringConvertible {
    public var file: String
    /// Counted from 1; nil when the problem has no line, for example a file that cannot be read.
    public var line: Int?
    /// The key with its tables, for example `session.step[2].send`; empty when no key is at fault.
    public var key: String
    public var reason: String

    public init(file: String, line: Int?, key: String, reason: String) {
        self.file = file
        self.line = line
        self.key = key
        self.reason = reason
    }

    /// `file:line: key: reason`
    public var description: String {
        var text = file
        if let line { text += ":\(line)" }
        if !key.isEmpty { text += ": \(key)" }
        return text + ": \(reason)"
    }
}

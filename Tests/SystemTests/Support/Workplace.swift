import Foundation
import Synchronization

/// Where a test went wrong, in words.
struct StoryFailure: Error, CustomStringConvertible {
    var description: String
}

/// A folder of its own for one story: site file, profiles, simulated devices, state. It goes with the test.
final class Workplace: Sendable {
    /// Short, because the path of a socket has 107 bytes at most.
    let path: String
    private let logs = Mutex<[String]>([])

    init() throws {
        var template = Array("/tmp/stockgate-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw StoryFailure(description: "no folder: \(String(cString: strerror(errno)))") }
        path = String(cString: made)
        try FileManager.default.createDirectory(atPath: file("dev"), withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ name: String, _ text: String) throws {
        let url = URL(fileURLWithPath: file(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func read(_ name: String) -> String {
        FileManager.default.contents(atPath: file(name)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// A name for the log of one more run of the daemon.
    func newLog() -> String {
        logs.withLock { logs in
            logs.append(file("stockgated-\(logs.count + 1).log"))
            return logs[logs.count - 1]
        }
    }

    /// What the last runs of the daemon said.
    var recentLogs: String {
        logs.withLock { $0.suffix(2) }.map { path in
            let lines = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self).split(separator: "\n").suffix(
                80)
            return "--- \(path)\n" + lines.joined(separator: "\n")
        }.joined(separator: "\n")
    }
}

/// Tells a story at a workplace; when it goes wrong, the daemon's log is shown.
func story(_ body: (Workplace) async throws -> Void) async throws {
    let place = try Workplace()
    do {
        try await body(place)
    } catch {
        print("\(error)\n\(place.recentLogs)")
        throw error
    }
}

/// Looks again and again until there is an answer. What is looked at is in memory or in a small file.
@discardableResult
func eventually<Value>(_ what: String, within limit: Duration = .seconds(20), _ look: () throws -> Value?) async throws -> Value {
    let end = ContinuousClock.now + limit
    while true {
        if let value = try look() { return value }
        guard ContinuousClock.now < end else { throw StoryFailure(description: "within \(limit) did not happen: \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Runs what blocks its thread on a thread of its own.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}

/// What the tests are told from outside.
enum Setting {
    static let isLong = ProcessInfo.processInfo.environment["STOCKGATE_LONG"] == "1"
    static let hasVectors = !(ProcessInfo.processInfo.environment["STOCKGATE_VECTORS"] ?? "").isEmpty

    static let testsFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let profiles = testsFolder.deletingLastPathComponent().appendingPathComponent("DeviceProfiles").path

    /// `STOCKGATE_PYTHON`, else the virtual environment of the tests, else the system's.
    static let python: String = {
        if let python = ProcessInfo.processInfo.environment["STOCKGATE_PYTHON"] { return python }
        let own = testsFolder.deletingLastPathComponent().appendingPathComponent(".venv-tests/bin/python3").path
        return FileManager.default.isExecutableFile(atPath: own) ? own : "/usr/bin/python3"
    }()

    static func counterpart(_ name: String) -> String { testsFolder.appendingPathComponent("counterparts/\(name)").path }

    /// A program of this package, built beside the tests.
    static func program(_ name: String) throws -> String {
        let places = [CommandLine.arguments[0], "/proc/self/exe"].map {
            URL(fileURLWithPath: $0).resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent(name).path
        }
        guard let found = places.first(where: FileManager.default.isExecutableFile(atPath:)) else {
            throw StoryFailure(description: "\(name) is in none of \(places)")
        }
        return found
    }
}

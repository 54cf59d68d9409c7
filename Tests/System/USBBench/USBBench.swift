import Foundation
import Synchronization

/// A mock USB bus with one program on it: `usb_bench.py` as its tests see it.
///
/// The program is any executable of this package, unmodified. What it prints, and what the bench notices, are events, awaited in
/// order; give the test a time limit, because an event that never comes is awaited for ever.
public final class USBBench: Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    private let process: Process
    private let input: FileHandle
    private let replies: AsyncStream<String>
    private let events: AsyncStream<String>
    private let transcript: Transcript

    /// What came so far: shown when something else was awaited.
    private final class Transcript: Sendable {
        private let lines = Mutex<[String]>([])

        func append(_ line: String) { lines.withLock { $0.append(line) } }
        var text: String { lines.withLock { $0.suffix(60).joined(separator: "\n") } }
    }

    /// Sets the bus up. The program starts with `command("start")`.
    /// - Throws: when umockdev is not installed, naming the Debian packages.
    public init(program: String, arguments: [String] = [], environment: [String: String] = [:]) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let script = folder.appendingPathComponent("usb_bench.py")
        let wrapper = "/usr/bin/umockdev-wrapper"
        guard FileManager.default.isExecutableFile(atPath: wrapper) else {
            throw Failure(description: "this test needs umockdev: apt-get install umockdev gir1.2-umockdev-1.0 python3-gi")
        }
        process = Process()
        process.executableURL = URL(fileURLWithPath: wrapper)
        process.arguments = ["/usr/bin/python3", script.path, program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (commands, output) = (Pipe(), Pipe())
        process.standardInput = commands
        process.standardOutput = output
        input = commands.fileHandleForWriting
        let (replies, reply) = AsyncStream.makeStream(of: String.self)
        let (events, event) = AsyncStream.makeStream(of: String.self)
        let transcript = Transcript()
        (self.replies, self.events, self.transcript) = (replies, events, transcript)
        try process.run()
        Thread.detachNewThread {
            var rest = Data()
            while let data = try? output.fileHandleForReading.read(upToCount: 1), !data.isEmpty {
                guard data[data.startIndex] == 0x0A else {
                    rest += data
                    continue
                }
                let line = String(decoding: rest, as: UTF8.self)
                rest.removeAll()
                transcript.append(line)
                if line == "ok" || line.hasPrefix("ok ") || line.hasPrefix("error ") {
                    reply.yield(line)
                } else {
                    event.yield(line.hasPrefix("child ") ? String(line.dropFirst(6)) : line)
                }
            }
            reply.finish()
            event.finish()
        }
    }

    deinit {
        // The end of its input ends the bench, and that ends the program.
        try? input.close()
        process.waitUntilExit()
    }

    /// Has the bench do something; see `usb_bench.py` for the commands.
    /// - Returns: the answer without its "ok".
    @discardableResult
    public func command(_ line: String) async throws -> String {
        try input.write(contentsOf: Data((line + "\n").utf8))
        var iterator = replies.makeAsyncIterator()
        guard let reply = await iterator.next(), reply == "ok" || reply.hasPrefix("ok ") else {
            throw Failure(description: "\(line) failed; the bench said:\n\(transcript.text)")
        }
        return String(reply.dropFirst(3))
    }

    /// Waits for a line of the program or of the bench; lines before it are passed over.
    @discardableResult
    public func await(_ isAwaited: (String) -> Bool) async throws -> String {
        var iterator = events.makeAsyncIterator()
        while let line = await iterator.next() {
            if isAwaited(line) { return line }
        }
        throw Failure(description: "the awaited line never came; the bench said:\n\(transcript.text)")
    }

    /// Waits for exactly this line.
    public func await(_ line: String) async throws {
        try await self.await { $0 == line }
    }
}

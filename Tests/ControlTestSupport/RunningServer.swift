import Control
import Foundation
import Glibc
import Logging
import ServiceLifecycle

/// Where one test's socket and files are; removed with it.
public final class TestFolder: Sendable {
    public let path: String
    public var socket: String { path + "/control.sock" }

    public init() {
        var template = Array("/tmp/sg-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("mkdtemp: errno \(errno)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    public func write(_ text: String, to name: String) -> String {
        let file = "\(path)/\(name)"
        guard let stream = fopen(file, "w") else { fatalError("\(file): errno \(errno)") }
        fputs(text, stream)
        fclose(stream)
        return file
    }

    deinit {
        guard let directory = opendir(path) else { return }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            unlink("\(path)/\(name)")
        }
        closedir(directory)
        rmdir(path)
    }
}

/// Runs a server on a socket of its own for the length of a body, then shuts it down gracefully.
public func withServer<Result: Sendable>(
    _ gateway: FakeGateway, policy: AccessPolicy = AccessPolicy(operators: [0, geteuid()]), folder: TestFolder = TestFolder(),
    _ body: @escaping @Sendable (TestFolder, ServiceGroup) async throws -> Result
) async throws -> Result {
    let (listening, signal) = AsyncStream.makeStream(of: Void.self)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = ControlServer(
        path: folder.socket, operations: gateway, policy: policy, logger: logger, onListening: { signal.finish() })
    let group = ServiceGroup(services: [server], logger: logger)
    return try await withThrowingTaskGroup(of: Result?.self) { tasks in
        tasks.addTask {
            defer { signal.finish() }
            try await group.run()
            return nil
        }
        for await _ in listening {}
        tasks.addTask { try await body(folder, group) }
        var result: Result?
        while let finished = try await tasks.next() {
            if let finished {
                result = finished
                await group.triggerGracefulShutdown()
            }
        }
        withExtendedLifetime(folder) {}
        guard let result else { throw CancellationError() }
        return result
    }
}

/// Runs blocking work on a thread of its own: Swift tasks and Dispatch share the few threads of a small machine.
public func blocking<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try work() }) }
    }
}

/// Waits until something is so, at most ten seconds.
public func eventually(_ condition: @Sendable () -> Bool) async -> Bool {
    for _ in 0..<1_000 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return condition()
}

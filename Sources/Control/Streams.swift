import Hummingbird
import Ledger
import NIOCore
import Readings
import ServiceLifecycle

/// Events as they are committed, without gaps: the log is read on whenever something new is in it.
enum EventStream {
    static func answer(_ query: EventQuery, _ request: ControlRequest) -> Response {
        Answer.lines { writer in
            var output = writer
            try await request.request.body.consumeWithCancellationOnInboundClose { _ in
                try await run(query, request.operations, into: &output)
            }
            try await output.finish(nil)
        }
    }

    private static func run(_ query: EventQuery, _ operations: any GatewayOperations, into writer: inout any ResponseBodyWriter)
        async throws
    {
        // Listened to before the first look, so that no event falls between the look and the wait.
        var news = await operations.follow()
        var query = query
        try await send(&query, operations, into: &writer)
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            for await _ in news.cancelOnGracefulShutdown() { try await send(&query, operations, into: &writer) }
            if Task.isCancelled || Task.isShuttingDownGracefully { return }
            // Fell behind or the gateway is ending; a pause, so that the latter is no busy loop.
            try await Task.sleep(for: .milliseconds(50))
            news = await operations.follow()
            try await send(&query, operations, into: &writer)
        }
    }

    /// Writes everything after `query.after` and moves it on.
    private static func send(_ query: inout EventQuery, _ operations: any GatewayOperations, into writer: inout any ResponseBodyWriter)
        async throws
    {
        while true {
            let page = try await operations.events(query)
            for event in page.events { try await writer.write(line: event) }
            let isFirst = query.after == nil
            query.after = max(page.last, query.after ?? 0)
            // The newest so many were asked for; from here on all.
            query.limit = EventQuery.limits.upperBound
            if isFirst || !page.hasMore { return }
        }
    }
}

/// Live happenings and new events in one stream.
enum WatchStream {
    static func answer(_ request: ControlRequest) -> Response {
        Answer.lines { writer in
            var output = writer
            let operations = request.operations
            try await request.request.body.consumeWithCancellationOnInboundClose { _ in
                // The head goes out with the first bytes; a watcher wants to know at once that it watches.
                try await output.write(line: ["kind": "watching", "time": .string(await operations.now().rfc3339)])
                let relay = WatchRelay()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for await happening in await operations.watch().cancelOnGracefulShutdown() { relay.offer(happening) }
                        relay.finish()
                    }
                    group.addTask { try await follow(operations, into: relay) }
                    for await _ in relay.signals.cancelOnGracefulShutdown() {
                        let time = JSON.string(await operations.now().rfc3339)
                        try await output.write(ByteBuffer(bytes: relay.take().flatMap { line(of: $0, at: time) }))
                    }
                    group.cancelAll()
                }
            }
            try await output.finish(nil)
        }
    }

    private static func line(of happening: JSON, at time: JSON) -> [UInt8] {
        guard case .object(var members) = happening else { return [] }
        if members["time"] == nil { members["time"] = time }
        return JSON.object(members).canonicalBytes + [0x0A]
    }

    /// What is committed from now on.
    private static func follow(_ operations: any GatewayOperations, into relay: WatchRelay) async throws {
        let news = await operations.follow()
        var query = EventQuery(limit: 1)
        query.after = try await operations.events(query).last
        query.limit = EventQuery.limits.upperBound
        for await _ in news.cancelOnGracefulShutdown() {
            let page = try await operations.events(query)
            query.after = max(page.last, query.after ?? 0)
            for event in page.events { relay.offer(["kind": "event", "event": event]) }
        }
    }
}

/// How a verification goes on, and what it found.
enum VerificationStream {
    static func answer(_ request: ControlRequest) -> Response {
        Answer.lines { writer in
            var output = writer
            let operations = request.operations
            try await request.request.body.consumeWithCancellationOnInboundClose { _ in
                for await line in await operations.verify().cancelOnGracefulShutdown() { try await output.write(line: line) }
            }
            try await output.finish(nil)
        }
    }
}

/// A finished recording.
enum RecordingFile {
    static func answer(_ path: String, _ request: ControlRequest) async throws -> Response {
        let file = FileIO()
        do {
            let body = try await file.loadFile(path: path, context: request.context)
            return Response(status: .ok, headers: [.contentType: "application/x-ndjson", .cacheControl: "no-store"], body: body)
        } catch {
            throw OperationError(.notFound, "the recording is no longer there")
        }
    }
}

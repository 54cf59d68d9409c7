import Glibc
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// The control API: HTTP and JSON on a Unix socket, described by `docs/api.yaml`.
///
/// One request at a time per connection. On graceful shutdown open streams end with a complete answer.
public struct ControlServer: Service {
    private let socket: ControlSocket
    private let operations: any GatewayOperations
    private let policy: AccessPolicy
    private let diagnosis: PeerDiagnosis?
    private let logger: Logger
    private let onListening: @Sendable () async -> Void

    /// - Parameters:
    ///   - path: at most 100 bytes; its folder must exist.
    ///   - group: gets the socket and may operate; where the machine lacks it, only root and the gateway's own user may open the socket.
    ///   - diagnosis: tells users apart for a gateway in a user namespace of its own; without it those that the namespace lacks only read.
    ///   - onListening: called once the socket can be connected to.
    public init(
        path: String, operations: any GatewayOperations, policy: AccessPolicy = AccessPolicy(operators: [0, geteuid()]),
        group: String = Caller.operatingGroup, diagnosis: PeerDiagnosis? = nil, logger: Logger,
        onListening: @escaping @Sendable () async -> Void = {}
    ) {
        socket = ControlSocket(path: path, group: group)
        self.operations = operations
        self.policy = policy
        self.diagnosis = diagnosis
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until graceful shutdown, then removes the socket.
    /// - Throws: `ControlSocketError` when the socket is in use or cannot be made; what swift-nio throws when binding fails.
    public func run() async throws {
        try socket.claim()
        let outcome = Outcome()
        var quiet = logger
        // Its lines name the socket by the name that it has only while it is opened.
        quiet.logLevel = max(logger.logLevel, .warning)
        let application = Application(
            router: router(), configuration: ApplicationConfiguration(address: .unixDomainSocket(path: socket.pathWhileOpening)),
            onServerRunning: { channel in
                let result = Result { () throws(ControlSocketError) in try socket.publish() }
                outcome.set(result)
                if case .failure = result {
                    try? await channel.close()
                } else {
                    await onListening()
                }
            },
            logger: quiet)
        defer { if case .success(let inode) = outcome.result { socket.remove(inode: inode) } }
        do {
            try await application.run()
        } catch {
            if case .failure(let failure) = outcome.result { throw failure }
            throw error
        }
    }

    /// What became of the socket's name.
    private final class Outcome: Sendable {
        private let value = Mutex<Result<UInt64, ControlSocketError>?>(nil)

        var result: Result<UInt64, ControlSocketError>? { value.withLock { $0 } }
        func set(_ result: Result<UInt64, ControlSocketError>) { value.withLock { $0 = result } }
    }

    private func router() -> Router<ControlContext> {
        let router = Router(context: ControlContext.self)
        router.add(middleware: ProblemMiddleware(logger: logger))
        let (operations, policy, group, diagnosis) = (operations, policy, socket.group, diagnosis)
        for route in Route.all {
            router.on(RouterPath(route.path), method: route.method) { request, context in
                let request = ControlRequest(
                    request: request, context: context, operations: operations, policy: policy, operatingGroup: group,
                    diagnosis: diagnosis, right: route.right)
                return try await route.answer(request)
            }
        }
        return router
    }
}

/// A request with the connection it came on.
struct ControlContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// Turns errors into problem documents.
private struct ProblemMiddleware: RouterMiddleware {
    let logger: Logger

    func handle(
        _ request: Request, context: ControlContext, next: (Request, ControlContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as OperationError {
            return Answer.problem(error)
        } catch let error as HTTPError where error.status == .notFound {
            return Answer.problem(OperationError(.notFound, "no such path or method; docs/api.yaml lists them"))
        } catch is NIOTooManyBytesError {
            return Answer.problem(OperationError(.tooLarge, "the request is larger than \(ControlRequest.usualBodyLimit >> 10) KiB"))
        } catch {
            logger.error(
                "control request failed", metadata: ["method": "\(request.method)", "error": "\(String(reflecting: type(of: error)))"])
            return Answer.problem(OperationError(.internal, "see the log of stockgated"))
        }
    }
}

import CPostgres
import Glibc
import HTTPClient
import SiteConfiguration

/// One connection to a server.
final class PostgreSQLSession: @unchecked Sendable {
    // Used with the lock of its destination held.
    private let connection: OpaquePointer
    private let place: String
    private let stopSignal: StopSignal
    private let timeoutMilliseconds: Int64

    /// What a statement came to.
    enum Answer {
        /// Rows that were added.
        case done(rows: Int)
        /// The data are at fault, by SQLSTATE (PostgreSQL 15, appendix A).
        case refused(String)
    }

    /// - Throws: `DeliveryError`; what is wrong with TLS, a password or the name of a database needs a person.
    init(
        _ configuration: Site.Destination.PostgreSQL, _ parameters: PostgreSQLParameters, stopSignal: StopSignal
    ) throws(DeliveryError) {
        let foreign = PostgreSQLParameters.variables { getenv($0).map { String(cString: $0) } }
        guard foreign.isEmpty else {
            throw .refused("PostgreSQL: the environment has \(foreign.joined(separator: ", ")); only the site file may say such things")
        }
        let files = configuration.tls.files
        let host = parameters.hosts.first ?? ""
        // libpq passes over a revocation list that it cannot read, and says of a certificate only that it is wrong.
        let tls: TLSClient? = if parameters.checksCertificate { try TLSClient(files, host: host) } else { nil }
        timeoutMilliseconds = Int64(max(1, min(3_600, configuration.timeoutSeconds))) * 1_000
        // What stands before the connection string may be named in it too.
        var options = [
            ("tcp_user_timeout", "\(timeoutMilliseconds)"), ("dbname", configuration.connection), ("application_name", "stockgate"),
            ("client_encoding", "UTF8"),
        ]
        if parameters.checksCertificate {
            if parameters.mode == nil { options.append(("sslmode", "verify-full")) }
            options.append(("sslrootcert", files.authority ?? Self.systemAuthorities))
        }
        if let file = files.certificate {
            options += [("sslcert", file), ("sslkey", files.key ?? file)]
        }
        if let file = files.revocation { options.append(("sslcrl", file)) }
        if let file = configuration.passwordFile { options.append(("password", try SecretFile.word(in: file, what: "password"))) }
        let started = Self.withNames(options) { PQconnectStartParams($0, $1, 1) }
        guard let started else { throw .retryable("PostgreSQL: out of memory") }
        connection = started
        place = "PostgreSQL \(host)"
        self.stopSignal = stopSignal
        PQsetNoticeProcessor(connection, dropNotice, nil)
        do {
            try connect()
            // The receipt is the commit, so it must be one.
            _ = try run(
                "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'", [])
        } catch {
            let reason = error.description
            if let tls, reason.contains("SSL") || reason.contains("certificate") {
                Self.probe(tls, host: parameters.addresses.first ?? host, port: parameters.port ?? "5432")
                if let problem = tls.problem ?? TLSProblem(alertIn: reason, files: files) { throw .tls(problem, at: place) }
            }
            throw error
        }
    }

    deinit {
        PQfinish(connection)
    }

    /// Where Debian's ca-certificates puts them all.
    private static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    // MARK: Connecting

    private func connect() throws(DeliveryError) {
        let end = Self.now + timeoutMilliseconds
        var step = PGRES_POLLING_WRITING
        while step != PGRES_POLLING_OK {
            guard step != PGRES_POLLING_FAILED, PQstatus(connection) != CONNECTION_BAD else { throw connectFailure() }
            try wait(for: step == PGRES_POLLING_WRITING ? POLLOUT : POLLIN, until: end)
            step = PQconnectPoll(connection)
        }
        // Otherwise sending waits within libpq until the server has read everything, whatever time and a stop say.
        guard PQsetnonblocking(connection, 1) == 0 else { throw .retryable("\(place): \(message)") }
    }

    /// libpq gives no SQLSTATE for a connection that did not come about.
    private func connectFailure() -> DeliveryError {
        let reason = "\(place): \(message)"
        let needsAPerson = [
            "authentication failed", "does not exist", "no password supplied", "certificate", "SSL", "pg_hba.conf", "permission denied",
            "private key", "invalid",
        ]
        return needsAPerson.contains { reason.contains($0) } ? .refused(reason) : .retryable(reason)
    }

    /// Asks for TLS as libpq does (PostgreSQL 15, section 55.2.10), for the check of the certificate to say what is wrong.
    private static func probe(_ tls: TLSClient, host: String, port: String) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, port, &hints, &list) == 0, let address = list?.pointee else { return }
        defer { freeaddrinfo(list) }
        let descriptor = socket(address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let request: [UInt8] = [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F]
        var answer: UInt8 = 0
        guard Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0,
            send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count, recv(descriptor, &answer, 1, 0) == 1,
            answer == UInt8(ascii: "S")
        else { return }
        tls.probe(descriptor)
    }

    // MARK: Statements

    /// Runs one statement, which is one transaction.
    /// - Throws: `DeliveryError`; the connection is then of no more use.
    func run(_ statement: String, _ values: [String]) throws(DeliveryError) -> Answer {
        let end = Self.now + timeoutMilliseconds
        let sent = Self.withTexts(values) { PQsendQueryParams(connection, statement, Int32(values.count), nil, $0, nil, nil, 0) }
        guard sent == 1 else { throw .retryable("\(place): \(message)") }
        try flush(until: end)
        var answer: Answer?
        while true {
            while PQisBusy(connection) == 1 {
                try wait(for: POLLIN, until: end)
                guard PQconsumeInput(connection) == 1 else { throw .retryable("\(place): \(message)") }
            }
            guard let result = PQgetResult(connection) else { break }
            defer { PQclear(result) }
            answer = try read(result)
        }
        guard let answer, PQstatus(connection) == CONNECTION_OK else { throw .retryable("\(place): \(message)") }
        return answer
    }

    /// Sends what is left. The server may not read on before its own words are taken (PostgreSQL 15, section 34.4, `PQflush`).
    private func flush(until end: Int64) throws(DeliveryError) {
        while true {
            switch PQflush(connection) {
            case 0: return
            case 1:
                let ready = try wait(for: POLLOUT | POLLIN, until: end)
                if ready & POLLIN != 0, PQconsumeInput(connection) != 1 { throw .retryable("\(place): \(message)") }
            default: throw .retryable("\(place): \(message)")
            }
        }
    }

    private func read(_ result: OpaquePointer) throws(DeliveryError) -> Answer {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK: return .done(rows: Int(String(cString: PQcmdTuples(result))) ?? 0)
        default:
            let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) } ?? ""
            let text = printable("\(state) \(String(cString: PQresultErrorMessage(result)))")
            switch state.prefix(2) {
            // Data, integrity, a limit of this row.
            case "22", "23", "54": return .refused(text)
            // Authorisation, privileges, names.
            case "28", "3D", "3F", "42", "25", "0L", "0P": throw .refused("\(place): \(text)")
            default: throw .retryable("\(place): \(text)")
            }
        }
    }

    private var message: String { printable(String(cString: PQerrorMessage(connection)).split(separator: "\n").joined(separator: "; ")) }

    /// Waits for the socket, but no longer than until a stop is requested or the time is over, which hold also where there is always
    /// something to read.
    /// - Returns: what the socket is ready for.
    @discardableResult
    private func wait(for events: Int32, until end: Int64) throws(DeliveryError) -> Int32 {
        var entry = pollfd(fd: PQsocket(connection), events: Int16(events), revents: 0)
        guard entry.fd >= 0 else { throw .retryable("\(place): \(message)") }
        while true {
            if stopSignal.isRequested { throw .stopped }
            if Self.now >= end { throw .retryable("\(place): no answer within \(timeoutMilliseconds / 1_000) s") }
            if poll(&entry, 1, 100) > 0 { return Int32(entry.revents) }
        }
    }

    /// Monotonic, in milliseconds.
    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    private static func withNames<Result>(
        _ options: [(String, String)], _ use: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        withTexts(options.map(\.0)) { names in withTexts(options.map(\.1)) { use(names, $0) } }
    }

    /// The texts as C strings, and NULL after the last.
    private static func withTexts<Result>(_ texts: [String], _ use: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result) -> Result {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let pointers = copies.map { UnsafePointer($0) } + [nil]
        return pointers.withUnsafeBufferPointer { use($0.baseAddress) }
    }
}

/// Called by libpq, which would write to standard error.
private nonisolated func dropNotice(_ context: UnsafeMutableRawPointer?, _ text: UnsafePointer<CChar>?) {}

import Foundation
import Glibc
import Testing

/// A PostgreSQL cluster of its own in a temporary folder, run by a user who is not root.
final class PostgreSQLServer {
    let port: Int
    private var server: Process?
    private let folder: TemporaryFolder

    /// nil where it is not installed.
    static let tools: String? = {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        return versions.sorted().reversed().map { "/usr/lib/postgresql/\($0)/bin" }.first {
            FileManager.default.isExecutableFile(atPath: "\($0)/initdb") && FileManager.default.isExecutableFile(atPath: "\($0)/psql")
        }
    }()

    /// The folder of its Unix socket.
    var socketFolder: String { folder.path }

    init(_ tls: CertificateAuthority.Issued? = nil, authority: CertificateAuthority? = nil, clientCertificates: Bool = false) throws {
        folder = try TemporaryFolder()
        port = try ScriptedServer { _ in [] }.port
        try Self.give(folder.path)
        try run("initdb", ["-D", "\(folder.path)/data", "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
        let host = tls == nil ? "host" : "hostssl"
        let certificate = clientCertificates ? " clientcert=verify-ca" : ""
        try put("data/pg_hba.conf", "local all owner trust\n\(host) all all 127.0.0.1/32 scram-sha-256\(certificate)\n")
        var configuration = "port = \(port)\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '\(folder.path)'\n"
        if let tls {
            try put("server.pem", String(contentsOfFile: tls.certificate, encoding: .utf8))
            try put("server.key", String(contentsOfFile: tls.key, encoding: .utf8))
            configuration += "ssl = on\nssl_cert_file = '\(folder.path)/server.pem'\nssl_key_file = '\(folder.path)/server.key'\n"
        }
        if let authority {
            try put("ca.pem", String(contentsOfFile: authority.certificate, encoding: .utf8))
            configuration += "ssl_ca_file = '\(folder.path)/ca.pem'\n"
        }
        try put("data/postgresql.conf", configuration)
        try start()
        try query("CREATE ROLE gateway LOGIN PASSWORD 'right'")
        try query(
            """
            CREATE TABLE stockgate_event (gateway text NOT NULL, epoch text NOT NULL, seq bigint NOT NULL, id uuid NOT NULL UNIQUE,
            type text NOT NULL, time timestamptz NOT NULL, body jsonb NOT NULL, PRIMARY KEY (gateway, epoch, seq))
            """)
        try query("GRANT SELECT, INSERT ON stockgate_event TO gateway")
    }

    deinit {
        stop()
    }

    /// As a child of the test: what pg_ctl leaves behind would keep the descriptors by which Foundation notices that pg_ctl has ended.
    func start() throws {
        let process = try Self.process("postgres", ["-D", "\(folder.path)/data"])
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        server = process
        for _ in 0..<300 {
            let look = try Self.process("pg_isready", ["-q", "-h", folder.path, "-p", "\(port)"])
            try look.run()
            look.waitUntilExit()
            if look.terminationStatus == 0 { return }
            usleep(50_000)
        }
        Issue.record("PostgreSQL does not answer")
    }

    /// As a crash would: nothing is finished, the next start recovers.
    func stop() {
        guard let server, server.isRunning else { return }
        kill(server.processIdentifier, SIGQUIT)
        server.waitUntilExit()
    }

    @discardableResult
    func query(_ statement: String) throws -> [String] {
        try run("psql", ["-h", folder.path, "-p", "\(port)", "-U", "owner", "-d", "postgres", "-qAtX", "-c", statement])
            .split(separator: "\n").map(String.init)
    }

    private func put(_ name: String, _ text: String) throws {
        let path = "\(folder.path)/\(name)"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        chmod(path, 0o600)
        try Self.give(path)
    }

    /// The server refuses to run as root.
    private static func give(_ path: String) throws {
        guard getuid() == 0 else { return }
        let user = try #require(getpwnam("postgres"), "there is no user postgres").pointee
        #expect(chown(path, user.pw_uid, user.pw_gid) == 0)
    }

    /// By a user who is not root.
    private static func process(_ tool: String, _ arguments: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            (getuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : [])
            + ["\(try #require(tools))/\(tool)"] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        return process
    }

    @discardableResult
    private func run(_ tool: String, _ arguments: [String]) throws -> String {
        let process = try Self.process(tool, arguments)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        if process.terminationStatus != 0 { Issue.record("\(tool) \(arguments.joined(separator: " ")): \(text)") }
        return text
    }
}

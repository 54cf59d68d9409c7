import CPostgres

/// A connection string of libpq, read by libpq.
public struct PostgreSQLParameters: Hashable, Sendable {
    /// In the order of the string; names that begin with `/` are folders of a Unix socket. Never empty.
    public let hosts: [String]
    /// Where the connection leads: `hostaddr`, which spares looking up a name, else the hosts.
    public let addresses: [String]
    public let port: String?
    public let mode: String?
    public let hasPassword: Bool
    /// Parameters about TLS files that have keys of their own in the site file.
    public let tlsFileNames: [String]

    /// - Throws: `PostgreSQLParameterError` with libpq's words.
    public init(_ text: String) throws(PostgreSQLParameterError) {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(text, &message) else {
            defer { PQfreemem(message) }
            throw PostgreSQLParameterError(reason: printable(message.map { String(cString: $0) } ?? "out of memory"))
        }
        defer { PQconninfoFree(options) }
        var values: [String: String] = [:]
        var next = options
        while let keyword = next.pointee.keyword {
            if let value = next.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            next += 1
        }
        // libpq would look into files and the environment: where it leads, and whether TLS is checked, must stand in the site file.
        if values["service"] != nil { throw PostgreSQLParameterError(reason: "may name no service: it would lead to another file") }
        hosts = (values["host"] ?? "").split(separator: ",").map(String.init)
        guard !hosts.isEmpty else {
            throw PostgreSQLParameterError(
                reason: values["hostaddr"] == nil
                    ? "needs host: a name, an address or the folder of a Unix socket"
                    : "needs host beside hostaddr: it is what the server's certificate is made out to")
        }
        guard values["hostaddr"] == nil || !hosts.contains(where: Self.isFolder) else {
            throw PostgreSQLParameterError(reason: "may have no hostaddr beside the folder of a Unix socket")
        }
        addresses = values["hostaddr"]?.split(separator: ",").map(String.init) ?? hosts
        port = values["port"]?.split(separator: ",").first.map(String.init)
        mode = values["sslmode"]
        hasPassword = values["password"] != nil
        tlsFileNames = ["sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir", "sslpassword", "passfile"].filter { values[$0] != nil }
    }

    /// Whether nothing leaves the machine: there is no TLS on a Unix socket.
    public var isLocal: Bool { hosts.allSatisfy(Self.isFolder) }

    private static func isFolder(_ host: String) -> Bool { host.hasPrefix("/") || host.hasPrefix("@") }

    /// Whether the server's certificate is checked. Without a word it is.
    public var checksCertificate: Bool { !isLocal && ["verify-full", "verify-ca", nil].contains(mode) }

    /// `name` or `schema.name` as the server takes it; nil for what is none.
    public static func quoted(table: String) -> String? {
        let parts = table.split(separator: ".", omittingEmptySubsequences: false)
        let isName: (Substring) -> Bool = { part in
            (1...63).contains(part.utf8.count) && part.utf8.allSatisfy { $0 == 0x5F || ($0 | 0x20).isLetter || ($0 >= 0x30 && $0 <= 0x39) }
                && part.first?.isNumber == false
        }
        guard (1...2).contains(parts.count), parts.allSatisfy(isName) else { return nil }
        return parts.map { "\"\($0)\"" }.joined(separator: ".")
    }

    /// Variables by which libpq would take a host, a password or a TLS mode from the environment instead of the site file.
    /// - Parameter value: of a variable; nil: it is not set.
    public static func variables(_ value: (String) -> String?) -> [String] {
        guard let options = PQconninfoParse("", nil) else { return [] }
        defer { PQconninfoFree(options) }
        var names = ["PGSERVICEFILE", "PGSYSCONFDIR"]
        var next = options
        while next.pointee.keyword != nil {
            if let name = next.pointee.envvar { names.append(String(cString: name)) }
            next += 1
        }
        return names.filter { value($0)?.isEmpty == false }
    }
}

public struct PostgreSQLParameterError: Error, Hashable, Sendable {
    public var reason: String
}

extension UInt8 {
    fileprivate var isLetter: Bool { self >= 0x61 && self <= 0x7A }
}

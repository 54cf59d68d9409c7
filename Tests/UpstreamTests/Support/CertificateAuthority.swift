import Foundation
import HTTPClient
import Testing

/// A certificate authority of the openssl command, in a folder of its own.
final class CertificateAuthority {
    private let folder: TemporaryFolder
    private let name: String

    /// Its own certificate.
    var certificate: String { file("ca.pem") }
    /// Its revocation list; written by `publishList`.
    var list: String { file("crl.pem") }

    init(_ name: String = "authority") throws {
        self.name = name
        folder = try TemporaryFolder()
        let configuration = """
            [ca]
            default_ca = own
            [own]
            database = \(folder.path)/index.txt
            new_certs_dir = \(folder.path)
            serial = \(folder.path)/serial
            certificate = \(folder.path)/ca.pem
            private_key = \(folder.path)/ca.key
            default_md = sha256
            policy = any
            copy_extensions = copy
            unique_subject = no
            [any]
            commonName = supplied
            [req]
            distinguished_name = name
            [name]
            """
        try configuration.write(toFile: file("ca.cnf"), atomically: true, encoding: .utf8)
        try "".write(toFile: file("index.txt"), atomically: true, encoding: .utf8)
        try "1000\n".write(toFile: file("serial"), atomically: true, encoding: .utf8)
        try openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file("ca.key"), "-out",
            certificate, "-days", "30", "-subj", "/CN=\(name)", "-config", file("ca.cnf"), "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-addext", "subjectKeyIdentifier=hash",
        ])
    }

    func file(_ name: String) -> String { "\(folder.path)/\(name)" }

    enum Validity: String {
        case now
        case past
        case future
    }

    struct Issued {
        var certificate: String
        var key: String
        /// Key and certificate in one file.
        var both: String
    }

    /// - Parameter names: of a subject alternative name, such as `IP:127.0.0.1`.
    func issue(_ subject: String, names: String = "IP:127.0.0.1,IP:::1,DNS:localhost", _ validity: Validity = .now) throws -> Issued {
        let issued = Issued(certificate: file("\(subject).pem"), key: file("\(subject).key"), both: file("\(subject).both"))
        try openssl([
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", issued.key, "-out",
            file("\(subject).csr"), "-subj", "/CN=\(subject)", "-addext", "subjectAltName=\(names)", "-config", file("ca.cnf"),
        ])
        let dates =
            switch validity {
            case .now: ["-days", "10"]
            case .past: ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"]
            case .future: ["-startdate", "20690101000000Z", "-enddate", "20690201000000Z"]
            }
        try openssl(
            ["ca", "-batch", "-notext", "-config", file("ca.cnf"), "-in", file("\(subject).csr"), "-out", issued.certificate] + dates)
        try (read(issued.key) + read(issued.certificate)).write(to: URL(fileURLWithPath: issued.both))
        return issued
    }

    func revoke(_ issued: Issued) throws {
        try openssl(["ca", "-config", file("ca.cnf"), "-revoke", issued.certificate])
    }

    @discardableResult
    func publishList() throws -> String {
        try openssl(["ca", "-config", file("ca.cnf"), "-gencrl", "-crldays", "10", "-out", list])
        return list
    }

    private func read(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl \(arguments): \(String(decoding: text, as: UTF8.self))")
    }
}

import CTLS
import Glibc
import HTTPClient

/// Settings for a library that makes its TLS connection itself, read from the files as they are now.
///
/// The certificate is checked by OpenSSL alone: authorities, name, dates and revocation lists.
final class TLSClient: @unchecked Sendable {
    // Never changes after `init`, and what it points to is made for use by several threads.
    private let client: OpaquePointer
    private let files: TLSFiles
    private let host: String

    /// - Throws: `DeliveryError.refused` when a file cannot be used.
    init(_ files: TLSFiles, host: String) throws(DeliveryError) {
        self.files = files
        self.host = host
        var file = CTLS_FILE_NONE
        var reason = [CChar](repeating: 0, count: 256)
        guard
            let client = ctls_client_new(
                files.authority, files.certificate, files.key, files.revocation, host, Self.isAddress(host), &file, &reason, reason.count)
        else {
            let words = String(decoding: reason.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            switch file {
            case CTLS_FILE_AUTHORITIES:
                throw .refused("the authorities in \(files.authority ?? "the system's file") cannot be read: \(words)")
            case CTLS_FILE_REVOCATION: throw .refused("the revocation lists in \(files.revocation ?? "") cannot be read: \(words)")
            case CTLS_FILE_CERTIFICATE, CTLS_FILE_KEY:
                let names = [files.certificate, files.key].compactMap { $0 }.joined(separator: " and ")
                throw .refused("\(names) cannot be used as our certificate: \(words)")
            default: throw .refused("TLS: \(words.isEmpty ? "the name \(printable(host)) is none" : words)")
            }
        }
        self.client = client
    }

    deinit {
        ctls_client_free(client)
    }

    /// An `SSL_CTX`, alive as long as this object.
    var context: UnsafeMutableRawPointer { ctls_client_context(client) }

    /// What was wrong with the server's certificate; nil: nothing.
    var problem: TLSProblem? {
        let result = ctls_client_verify_result(client)
        return TLSProblem(verification: result, text: String(cString: ctls_verify_text(result)), files: files, host: host)
    }

    /// Tries a handshake on a connected socket with time-outs, for `problem` to say what is wrong.
    func probe(_ socket: Int32) {
        ctls_client_probe(client, socket)
    }

    static func isAddress(_ host: String) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16)
        return inet_pton(AF_INET, host, &buffer) == 1 || inet_pton(AF_INET6, host, &buffer) == 1
    }
}

extension DeliveryError {
    /// A TLS problem as the queue takes it.
    static func tls(_ problem: TLSProblem, at place: String) -> DeliveryError {
        problem.mayPass ? .retryable("\(place): \(problem)") : .refused("\(place): \(problem)")
    }
}

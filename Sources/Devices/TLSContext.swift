import CTLS
import NIOCore

/// Certificates and keys, read from their files once: what the TLS sessions of one connection are made from.
final class TLSContext: @unchecked Sendable {
    // OpenSSL counts references to it with atomics, and nothing changes it after it was made.
    private let context: OpaquePointer
    let isServer: Bool
    private let files: TLSFiles

    /// Reads the files: call it where waiting for a disk is no harm.
    /// - Throws: `DeviceError` that names the file.
    init(_ files: TLSFiles, isServer: Bool, path: String) throws(DeviceError) {
        guard !isServer || files.certificateFile != nil else {
            throw DeviceError(.tls, path: path, detail: "a device that calls must be shown a certificate; certificate_file is missing")
        }
        guard !isServer || files.serverName == nil || files.authorityFile != nil else {
            throw DeviceError(.tls, path: path, detail: "server_name needs authority_file where the device calls: nothing would be checked")
        }
        var file = CTLS_FILE_NONE
        var reason = [CChar](repeating: 0, count: 256)
        guard
            let context = ctls_context_new(
                isServer, files.authorityFile, files.certificateFile, files.keyFile, &file, &reason, reason.count)
        else {
            let words = text(reason)
            let detail =
                switch file {
                case CTLS_FILE_AUTHORITIES: "the authorities cannot be read from \(files.authorityFile ?? "the system's store"): \(words)"
                case CTLS_FILE_CERTIFICATE: "no certificate can be read from \(files.certificateFile ?? ""): \(words)"
                case CTLS_FILE_KEY: "the key cannot be used from \(files.keyFile ?? files.certificateFile ?? ""): \(words)"
                default: words
                }
            throw DeviceError(.tls, path: path, detail: detail)
        }
        self.context = context
        self.isServer = isServer
        self.files = files
    }

    deinit {
        ctls_context_free(context)
    }

    /// - Parameter host: the device that is called.
    /// - Returns: nil when memory ran out, or the name can be none.
    func makeSession(host: String) -> TLSSession? {
        let name = files.serverName ?? (isServer ? nil : host)
        let isAddress = name.map { (try? SocketAddress(ipAddress: $0, port: 0)) != nil } ?? false
        return ctls_session_new(context, name, isAddress).map {
            TLSSession($0, name: name, authorities: files.authorityFile)
        }
    }
}

/// One encrypted conversation, without a socket: bytes in, bytes out.
final class TLSSession {
    enum Step {
        case done
        case wantsInput
        case ended
        /// In plain words.
        case failed(String)
    }

    private let session: OpaquePointer
    private let name: String?
    private let authorities: String?

    fileprivate init(_ session: OpaquePointer, name: String?, authorities: String?) {
        (self.session, self.name, self.authorities) = (session, name, authorities)
    }

    deinit {
        ctls_session_free(session)
    }

    /// `TLSv1.3`
    var version: String { String(cString: ctls_version(session)) }

    /// Whose certificate was shown; from a stranger.
    var peerSubject: String? {
        var buffer = [CChar](repeating: 0, count: 256)
        return ctls_peer_subject(session, &buffer, buffer.count) ? text(buffer) : nil
    }

    func feed(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else { return true }
        return ctls_feed(session, base, bytes.count)
    }

    /// - Returns: how much of the buffer was filled with what is to be sent.
    func take(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        buffer.bindMemory(to: UInt8.self).baseAddress.map { ctls_take(session, $0, buffer.count) } ?? 0
    }

    func handshake() -> Step { step(ctls_handshake(session)) }

    /// - Returns: how much of the buffer was filled with what the other end said.
    func read(_ buffer: UnsafeMutableRawBufferPointer) -> (Step, count: Int) {
        guard let base = buffer.bindMemory(to: UInt8.self).baseAddress else { return (.wantsInput, 0) }
        var count = 0
        return (step(ctls_read(session, base, buffer.count, &count)), count)
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Step {
        guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else { return .done }
        return step(ctls_write(session, base, bytes.count))
    }

    func close() { ctls_close(session) }

    private func step(_ step: ctls_step) -> Step {
        switch step {
        case CTLS_DONE: .done
        case CTLS_WANTS_INPUT: .wantsInput
        case CTLS_ENDED: .ended
        default: .failed(failure)
        }
    }

    /// The codes are those of <openssl/x509_vfy.h>, the words those of OpenSSL's TLS alerts and reasons.
    private var failure: String {
        let subject = peerSubject.map { " of \($0)" } ?? ""
        let code = ctls_verify_result(session)
        switch code {
        case 0: break
        case 2, 18, 19, 20, 21:
            return "the certificate\(subject) is not signed by an authority \(authorities.map { "in \($0)" } ?? "that this machine trusts")"
        case 9: return "the certificate\(subject) is not valid yet: is the clock of this machine right?"
        case 10: return "the certificate\(subject) has expired"
        case 62, 64: return "the certificate\(subject) is not made out to \(name ?? "this device"); server_name can name another"
        default: return "the certificate\(subject) is not good: \(String(cString: ctls_verify_text(code)))"
        }
        let reason = String(cString: ctls_reason(session))
        let isAsked = "the device refuses us: "
        return switch reason {
        case "wrong version number", "http request", "packet length too long", "record layer failure", "bad record type":
            "the other end does not speak TLS"
        case "unsupported protocol", "tlsv1 alert protocol version": "the other end speaks only versions of TLS older than 1.2"
        case "no shared cipher", "sslv3 alert handshake failure", "ssl/tls alert handshake failure": "no cipher that both ends speak"
        case "peer did not return a certificate": "the device shows no certificate"
        case "tlsv13 alert certificate required", "certificate required": isAsked + "it asks for a certificate; see certificate_file"
        case "tlsv1 alert unknown ca": isAsked + "it does not trust who signed our certificate, or we its"
        case "": "the other end gave up"
        default: reason
        }
    }
}

/// What C wrote, up to the zero.
private func text(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

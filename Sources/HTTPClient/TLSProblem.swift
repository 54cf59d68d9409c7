/// Why TLS did not come about, in words for a technician.
public struct TLSProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// Whether time or the other end may mend it; everything else needs a person here.
    public var mayPass: Bool
    public var description: String

    public init(_ description: String, mayPass: Bool = false) {
        self.description = description
        self.mayPass = mayPass
    }

    /// A result of OpenSSL's check of the server's certificate.
    /// - Parameters:
    ///   - verification: `X509_V_ERR_…` of <openssl/x509_vfy.h>.
    ///   - text: OpenSSL's words, for results without words of ours.
    ///   - host: whose certificate it is.
    public init?(verification: Int, text: String, files: TLSFiles, host: String) {
        let authorities = files.authority ?? "the system's authorities"
        let lists = files.revocation ?? "the revocation list"
        switch verification {
        case 0: return nil
        // No certificate of an authority that we know: unable to get issuer, self-signed (leaf, in chain), unable to verify the leaf.
        case 2, 18, 19, 20, 21:
            self.init("the server's certificate was not issued by an authority in \(authorities)")
        case 9: self.init("the server's certificate is not valid yet, or this machine's clock is behind", mayPass: true)
        case 10: self.init("the server's certificate has expired, or this machine's clock is ahead")
        case 23: self.init("the server's certificate was revoked by its authority (\(lists))")
        case 3: self.init("\(lists) holds no list of the authority that issued the server's certificate, or none for one above it")
        case 11: self.init("a list in \(lists) is not valid yet, or this machine's clock is behind", mayPass: true)
        case 12: self.init("a list in \(lists) is out of date: fetch a new one from the authority")
        case 8: self.init("a list in \(lists) is not signed by the authority that it names")
        case 62, 64: self.init("the server's certificate is not made out to \(host)")
        default: self.init("the server's certificate was refused: \(text)")
        }
    }

    /// What the other end says of our certificate, or our lack of one, by the name of its TLS alert (RFC 8446 section 6.2).
    public init?(alertIn text: String, files: TLSFiles) {
        guard let position = text.firstRange(of: " alert ") else { return nil }
        let alert = text[position.upperBound...].prefix { $0.isLetter || $0 == " " }
        let own = files.certificate ?? "our certificate"
        switch alert {
        case "certificate required" where files.certificate == nil, "handshake failure" where files.certificate == nil:
            self.init("the server asks for a client certificate (\(alert)): certificate_file and key_file are not set")
        case "unknown ca": self.init("the server does not know the authority that issued \(own)")
        case "certificate expired": self.init("the server says that \(own) has expired")
        case "certificate revoked": self.init("the server says that \(own) was revoked")
        default: self.init("the server refused TLS: \(alert)")
        }
    }

    /// CURLcode of <curl/curl.h> with libcurl's words.
    init?(curl code: Int32, verification: Int, text: String, files: TLSFiles, url: String) {
        switch code {
        case 58: self.init("\(files.certificate ?? "") or \(files.key ?? "its key") cannot be used as our certificate: \(text)")
        case 77: self.init("the authorities in \(files.authority ?? "the system's file") cannot be read: \(text)")
        case 82: self.init("the revocation lists in \(files.revocation ?? "") cannot be read: \(text)")
        case 51, 60:
            let host = String(Self.host(of: url))
            // libcurl compares the name itself, says so in words only, and reports 0, or 1 where OpenSSL was not asked yet.
            if verification <= 1 {
                self.init("the server's certificate is not made out to \(host): \(text)")
            } else if let problem = TLSProblem(verification: verification, text: text, files: files, host: host) {
                self = problem
            } else {
                return nil
            }
        case 35, 56:
            guard let problem = TLSProblem(alertIn: text, files: files) else { return nil }
            self = problem
        default: return nil
        }
    }

    private static func host(of url: String) -> Substring {
        guard let start = url.firstRange(of: "://")?.upperBound else { return url[...] }
        return url[start...].prefix { $0 != "/" }
    }
}

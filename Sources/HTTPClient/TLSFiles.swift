import Glibc

/// Files in PEM form that a TLS connection rests on.
public struct TLSFiles: Hashable, Sendable {
    /// Certificate authorities to trust instead of the system's.
    public var authority: String?
    /// Our own certificate with the chain above it, for a server that asks for one.
    public var certificate: String?
    /// The key of our certificate, without a pass phrase; nil: it stands in the certificate's file.
    public var key: String?
    /// Certificate revocation lists, one of every authority in the server's chain; nil: revocation is not checked.
    public var revocation: String?

    public init(authority: String? = nil, certificate: String? = nil, key: String? = nil, revocation: String? = nil) {
        self.authority = authority
        self.certificate = certificate
        self.key = key
        self.revocation = revocation
    }

    public var isEmpty: Bool { all.isEmpty }

    public var all: [String] { [authority, certificate, key, revocation].compactMap { $0 } }

    /// The files as they are now: compare two to see whether something changed.
    public var stamps: [FileStamp] { all.map(FileStamp.init) }
}

/// What tells that a file is another one than before, or was written to.
public struct FileStamp: Hashable, Sendable {
    private var device: UInt
    private var node: UInt
    private var size: Int
    private var seconds: Int
    private var nanoseconds: Int

    /// A file that is not there is all zeros.
    public init(of path: String) {
        var status = stat()
        _ = stat(path, &status)
        device = UInt(status.st_dev)
        node = UInt(status.st_ino)
        size = Int(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}

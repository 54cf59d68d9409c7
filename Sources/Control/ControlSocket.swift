import CLinux
import Glibc

/// Why the control socket could not be opened.
public struct ControlSocketError: Error, Hashable, Sendable, CustomStringConvertible {
    public var path: String
    public var reason: Reason
    /// 0 where the reason needs none.
    public var errno: Int32

    public enum Reason: String, Hashable, Sendable {
        /// Another gateway answers there.
        case inUse = "another gateway serves this socket"
        case notASocket = "a file that is no socket stands there"
        case noDirectory = "its folder is missing or is no folder"
        /// A Unix socket's path has at most 107 bytes (unix(7)).
        case tooLong = "the path is longer than 100 bytes"
        case publish = "it could not be given its mode, group and name"
    }

    public var description: String {
        errno == 0
            ? "control socket \(path): \(reason.rawValue)"
            : "control socket \(path): \(reason.rawValue): \(String(cString: strerror(errno)))"
    }
}

/// The place of the control socket in the file system.
///
/// The server listens on a name of its own beside it, and only a socket with the right mode and group is then renamed to the name that
/// clients use: nobody can connect in between, and the stale socket of a gateway that was killed is replaced in one step.
struct ControlSocket {
    var path: String
    var group: String

    var pathWhileOpening: String { path + ".new" }

    /// Makes sure that nobody serves this path.
    func claim() throws(ControlSocketError) {
        guard path.utf8.count <= 100 else { throw ControlSocketError(path: path, reason: .tooLong, errno: 0) }
        let slash = path.lastIndex(of: "/")
        // With its slash, so that a link to a folder is followed.
        let folder = slash.map { String(path[...$0]) } ?? "./"
        var inode: UInt64 = 0
        guard clinux_file_kind(folder, &inode) == Int32(CLINUX_FILE_FOLDER) else {
            throw ControlSocketError(path: path, reason: .noDirectory, errno: 0)
        }
        let kind = clinux_file_kind(path, &inode)
        if kind < 0 { return }
        guard kind == Int32(CLINUX_FILE_SOCKET) else { throw ControlSocketError(path: path, reason: .notASocket, errno: 0) }
        if isAnswered { throw ControlSocketError(path: path, reason: .inUse, errno: 0) }
    }

    /// Gives the listening socket its group, mode 0660 and name.
    /// - Returns: the inode, to know it again.
    func publish() throws(ControlSocketError) -> UInt64 {
        let failure = { ControlSocketError(path: path, reason: .publish, errno: errno) }
        // A group that this machine lacks, or that an unprivileged gateway may not give away, leaves the socket to its owner.
        if let entry = Caller.group(named: group), chown(pathWhileOpening, uid_t.max, entry.id) != 0, errno != EPERM { throw failure() }
        guard chmod(pathWhileOpening, 0o660) == 0 else { throw failure() }
        var inode: UInt64 = 0
        guard clinux_file_kind(pathWhileOpening, &inode) > 0, rename(pathWhileOpening, path) == 0 else { throw failure() }
        return inode
    }

    /// Removes the socket, unless another one stands there by now.
    func remove(inode: UInt64) {
        var present: UInt64 = 0
        if clinux_file_kind(path, &present) > 0, present == inode { unlink(path) }
    }

    /// Whether a process listens there; one that does not accept at once counts too.
    private var isAnswered: Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        return result == 0 || errno != ECONNREFUSED
    }
}

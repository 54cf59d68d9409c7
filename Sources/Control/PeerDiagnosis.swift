import CLinux
import Glibc
import NIOCore
import Synchronization

/// Who is at the other end of the control socket, for a gateway in a user namespace of its own (`PrivateUsers=` of systemd).
///
/// There everybody but root and the gateway's own user is "nobody" to SO_PEERCRED. The kernel answers in the numbers of the machine to a
/// netlink socket that was opened outside, which the service manager hands over: `stockgated-peers.socket`.
public final class PeerDiagnosis: Sendable {
    /// What the kernel says for a user that a namespace lacks, unless /proc/sys/kernel/overflowuid was changed (user_namespaces(7)).
    static let nobody: UInt32 = 65_534

    /// One question at a time, or answers would be taken by the wrong asker.
    private let descriptor: Mutex<Int32>

    init(descriptor: Int32) {
        self.descriptor = Mutex(descriptor)
    }

    /// Takes the descriptor named `peers` (sd_listen_fds(3)); nil where there is none for this process.
    public init?(environment: [String: String]) {
        guard let process = environment["LISTEN_PID"].flatMap(Int32.init), process == getpid(),
            let count = environment["LISTEN_FDS"].flatMap(Int32.init), (1...64).contains(count),
            let place = environment["LISTEN_FDNAMES"]?.split(separator: ":", omittingEmptySubsequences: false).firstIndex(of: "peers"),
            place < Int(count)
        else { return nil }
        let descriptor = 3 + Int32(place)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        self.descriptor = Mutex(descriptor)
    }

    /// nil where the kernel does not say it: before Linux 5.3, or when the other end is gone.
    func user(of channel: any Channel) async throws -> UInt32? {
        // On the thread of the loop, where the connection cannot be closed meanwhile.
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { self.user(of: $0) } ?? nil
        }.get()
    }

    func user(of connection: Int32) -> UInt32? {
        descriptor.withLock { descriptor in
            var user: UInt32 = 0
            return clinux_peer_owner(descriptor, connection, &user) == 0 ? user : nil
        }
    }
}

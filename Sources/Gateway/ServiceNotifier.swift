import CLinux
import Glibc

/// Tells systemd how the service is doing: datagrams to the socket named in `NOTIFY_SOCKET` (sd_notify(3)), without libsystemd.
struct ServiceNotifier: Sendable {
    private let address: String?

    /// Half of `WATCHDOG_USEC`, the interval at which the watchdog wants to be fed; nil: no watchdog, or one for another process.
    let watchdogInterval: Duration?

    init(environment: [String: String]) {
        address = environment["NOTIFY_SOCKET"]
        let isOurs = environment["WATCHDOG_PID"].flatMap { Int32($0) }.map { $0 == getpid() } ?? true
        watchdogInterval = isOurs ? environment["WATCHDOG_USEC"].flatMap { Int64($0) }.map { .microseconds(max(1, $0 / 2)) } : nil
    }

    func ready(status: String) { send("READY=1\nSTATUS=\(status)") }
    func status(_ text: String) { send("STATUS=\(text)") }
    func reloading() { send("RELOADING=1") }
    func stopping() { send("STOPPING=1") }
    /// The start, or the end, takes longer than the unit allows: this many seconds more from now on.
    func extendTimeout(seconds: Int64) { send("EXTEND_TIMEOUT_USEC=\(seconds * 1_000_000)") }
    func feedWatchdog() { send("WATCHDOG=1") }

    private func send(_ message: String) {
        guard let address, address.utf8.count < 108, address.hasPrefix("/") || address.hasPrefix("@") else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { path in
            path.copyBytes(from: address.utf8)
            // A leading @ stands for the abstract namespace, whose names begin with a zero byte.
            if address.hasPrefix("@") { path[0] = 0 }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + address.utf8.count)
        let bytes = Array(message.utf8)
        _ = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}

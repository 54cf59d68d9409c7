import Glibc
import SiteConfiguration

/// The daemon, or a command of the storekeeper, as a child process.
struct DemoProcess {
    let identifier: pid_t

    /// - Parameter log: where standard error goes; nil: where this program's goes.
    /// - Throws: `CommandFailure` when it cannot be started.
    init(program: String, arguments: [String], log: String? = nil) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let log { posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0o640) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        // The signals that the demonstration waits for are blocked in it; the daemon must hear them.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var strings: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for string in strings { free(string) } }
        var child = pid_t()
        let result = posix_spawn(&child, program, &actions, &attributes, &strings, environ)
        guard result == 0 else { throw CommandFailure.file(program, String(cString: strerror(result)), Invocation.language ?? .english) }
        identifier = child
    }

    /// Whether it has ended, with its exit code.
    func ended(waiting: Bool) -> Int32? {
        var status: Int32 = 0
        var result: pid_t
        repeat { result = waitpid(identifier, &status, waiting ? 0 : WNOHANG) } while result < 0 && errno == EINTR
        guard result == identifier else { return result == 0 ? nil : -1 }
        return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
    }

    func end() { kill(identifier, SIGTERM) }
}

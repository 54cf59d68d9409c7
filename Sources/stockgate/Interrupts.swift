import Glibc

/// SIGINT and SIGTERM, waited or looked for instead of dying of them.
struct Interrupts {
    private var set = sigset_t()

    /// From now on they wait. Must come before any thread begins.
    init() {
        sigemptyset(&set)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGALRM] { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Until one comes, or the time is over.
    func wait(seconds: Int?) {
        if let seconds { alarm(UInt32(seconds)) }
        var (set, number) = (set, Int32(0))
        sigwait(&set, &number)
    }

    /// Whether one has come.
    var isPending: Bool {
        var pending = sigset_t()
        sigpending(&pending)
        return [SIGINT, SIGTERM, SIGHUP].contains { sigismember(&pending, $0) == 1 }
    }
}

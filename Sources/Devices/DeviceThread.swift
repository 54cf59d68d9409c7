import CLinux
import Glibc

/// Why a thread could not be had.
struct ThreadError: Error {
    var number: Int32
}

/// Starts a thread of its own for something that blocks; somebody must join or detach it.
/// - Parameter name: at most 15 characters, for top and gdb.
func startThread(_ name: StaticString, _ body: @escaping @Sendable () -> Void) -> Result<pthread_t, ThreadError> {
    let argument = Unmanaged.passRetained(
        ThreadBody {
            clinux_name_thread(UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self))
            body()
        })
    var thread = pthread_t()
    let number = pthread_create(&thread, nil, runThread, argument.toOpaque())
    guard number == 0 else {
        argument.release()
        return .failure(ThreadError(number: number))
    }
    return .success(thread)
}

/// What a thread is to do, on its way through C.
private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

/// A global function: a closure handed to C would inherit the isolation of where it was written.
private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run() }
    return nil
}

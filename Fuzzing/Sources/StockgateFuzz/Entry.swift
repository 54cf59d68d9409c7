import CLibFuzzer
import Glibc

/// What is fuzzed by this run.
nonisolated(unsafe) private var target: FuzzTarget?

/// The program: SwiftPM gives this name to `main` of an executable. `STOCKGATE_FUZZ` names what is fuzzed, `list` prints all names; the
/// arguments are libFuzzer's.
@_cdecl("stockgate_fuzz_main")
public func run(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
    let targets = FuzzTarget.all(profiles: environment("STOCKGATE_PROFILES") ?? "DeviceProfiles")
    let name = environment("STOCKGATE_FUZZ") ?? ""
    if name == "list" {
        for target in targets { print(target.name) }
        return 0
    }
    guard let found = targets.first(where: { $0.name == name }) else {
        print("STOCKGATE_FUZZ must be one of \(targets.map(\.name).joined(separator: ", "))")
        return 2
    }
    target = found
    var (count, arguments) = (count, arguments)
    return LLVMFuzzerRunDriver(&count, &arguments) { data, size in
        target?.run(Array(UnsafeBufferPointer(start: data, count: size)))
        return 0
    }
}

private func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

/// Something is not as it must be: the run ends, and libFuzzer keeps the input.
func require(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fatalError("broken: \(what())") }
}

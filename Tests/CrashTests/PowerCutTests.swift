import Foundation
import Glibc
import Store
import Synchronization
import TestSupport
import Testing

/// Power cuts for real: the store writes to an ext4 on a loop device whose image lies on an XFS; while the writer stands still the image
/// is copied as it is. The copy holds what the "disk" had been given at that moment and nothing that only the kernel knew. It is mounted,
/// which replays ext4's journal, and the store is opened on it.
///
/// What this cannot show: a drive that loses or reorders what it has been given.
@Suite(.serialized) struct PowerCutTests {
    /// Cuts at each rate, in events a second.
    private static let plan: [(rate: Int, cuts: Int)] =
        LongRuns.areAsked ? [(1, 200), (20, 400), (500, 400)] : [(1, 20), (20, 20), (500, 20)]

    @Test func acknowledgedEventsSurvive() throws {
        guard let disks = try OuterDisk() else { return }
        let results = Mutex<[String: PowerCutRig.Result]>([:])
        let failures = Mutex<[String]>([])
        // A cut at one event a second takes seconds: many machines side by side.
        let shares = Self.plan.flatMap { plan in
            let machines = LongRuns.areAsked && plan.rate == 1 ? 2 : 1
            return (0..<machines).map { (plan.rate, plan.cuts / machines, "\(plan.rate)-\($0)") }
        }
        let group = DispatchGroup()
        for (rate, cuts, name) in shares {
            group.enter()
            // They mostly sleep: threads of their own, not a pool as wide as the processor.
            Thread {
                defer { group.leave() }
                do {
                    let rig = try PowerCutRig(disks, name: name, rate: rate, isDurable: true)
                    let result = try rig.cut(cuts)
                    results.withLock { $0["\(rate) events/s", default: .init()].add(result) }
                } catch {
                    failures.withLock { $0.append("\(name): \(error)") }
                }
            }.start()
        }
        group.wait()
        #expect(failures.withLock { $0 } == [])
        for (rate, result) in results.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            print("power cuts, FULL, \(rate): \(result)")
            #expect(result.lost == 0 && result.problems.isEmpty, "\(rate): \(result) \(result.problems)")
        }
        #expect(results.withLock { $0.values.reduce(0) { $0 + $1.cuts } } == Self.plan.reduce(0) { $0 + $1.cuts })
    }

    /// Else the test above would show nothing.
    @Test func normalSynchronisationIsCaught() throws {
        guard let disks = try OuterDisk() else { return }
        let rig = try PowerCutRig(disks, name: "normal", rate: 20, isDurable: false)
        let result = try rig.cut(10)
        print("power cuts, NORMAL, 20 events/s: \(result)")
        #expect(result.lost > 0)
    }
}

/// The XFS that the images lie on.
private final class OuterDisk: Sendable {
    let path: String

    /// - Returns: nil where the machine does not allow it; the reason is printed.
    init?() throws {
        guard let problem = Self.problem() else {
            path = NSTemporaryDirectory() + "stockgate-power-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            do {
                try run("truncate", "-s", "6G", "\(path).img")
                try run("mkfs.xfs", "-q", "-m", "reflink=1", "\(path).img")
                try run("mount", "-o", "loop", "\(path).img", path)
            } catch {
                print("power cuts skipped: \(error)")
                try? FileManager.default.removeItem(atPath: "\(path).img")
                return nil
            }
            return
        }
        print("power cuts skipped: \(problem)")
        return nil
    }

    deinit {
        unmount(path)
        try? FileManager.default.removeItem(atPath: "\(path).img")
        try? FileManager.default.removeItem(atPath: path)
    }

    private static func problem() -> String? {
        if geteuid() != 0 { return "mounting needs root" }
        if access("/dev/loop-control", F_OK) != 0 { return "no loop devices" }
        let systems = (try? String(contentsOfFile: "/proc/filesystems", encoding: .utf8)) ?? ""
        for system in ["xfs", "ext4"] where !systems.split(whereSeparator: \.isWhitespace).contains(Substring(system)) {
            return "this kernel has no \(system)"
        }
        for program in ["mkfs.xfs", "mkfs.ext4", "mount", "umount", "cp", "truncate"] where (try? run("which", program)) == nil {
            return "no \(program)"
        }
        return nil
    }
}

/// One writer on one image, and the copies that are taken of it.
private final class PowerCutRig {
    struct Result: CustomStringConvertible, Sendable {
        var cuts = 0
        var acknowledged: Int64 = 0
        var lost: Int64 = 0
        var cutsWithLoss = 0
        var problems: [String] = []

        mutating func add(_ other: Result) {
            cuts += other.cuts
            acknowledged += other.acknowledged
            lost += other.lost
            cutsWithLoss += other.cutsWithLoss
            problems += other.problems
        }

        var description: String {
            "\(cuts) cuts, \(acknowledged) events acknowledged, \(lost) lost in \(cutsWithLoss) cuts, \(problems.count) broken stores"
        }
    }

    private let folder: String
    private let rate: Int
    private let isDurable: Bool
    private var writer: pid_t?
    private let word: UnsafeMutablePointer<Int64>
    private let wordPath: String

    init(_ disks: OuterDisk, name: String, rate: Int, isDurable: Bool) throws {
        folder = "\(disks.path)/\(name)"
        self.rate = rate
        self.isDurable = isDurable
        wordPath = "\(folder)/word"
        for part in ["", "/disk", "/copy"] {
            try FileManager.default.createDirectory(atPath: folder + part, withIntermediateDirectories: true)
        }
        try Data(count: 8).write(to: URL(filePath: wordPath))
        let descriptor = open(wordPath, O_RDWR)
        let mapped = mmap(nil, 8, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        close(descriptor)
        word = try #require(mapped != MAP_FAILED ? mapped : nil).assumingMemoryBound(to: Int64.self)
        try run("truncate", "-s", "200M", "\(folder)/disk.img")
        try run("mkfs.ext4", "-q", "\(folder)/disk.img")
        try run("mount", "-o", "loop", "\(folder)/disk.img", "\(folder)/disk")
    }

    deinit {
        stopWriter()
        munmap(word, 8)
        unmount("\(folder)/disk")
    }

    func cut(_ count: Int) throws -> Result {
        var result = Result()
        for number in 0..<count {
            // A new store from time to time: its whole log is checked after every cut.
            if number % 40 == 0 { try startWriter(number / 40) }
            try cutOnce(&result, store: "store\(number / 40)")
        }
        return result
    }

    private func startWriter(_ number: Int) throws {
        stopWriter()
        // The disk is small, and must not fill up.
        if number > 0 { try FileManager.default.removeItem(atPath: "\(folder)/disk/store\(number - 1)") }
        word.pointee = 0
        writer = try spawn([
            try storeWriterProbe().path, "\(folder)/disk/store\(number)", "CRIB1", "8", "\(rate)", wordPath, isDurable ? "full" : "normal",
        ])
        let deadline = ContinuousClock.now + .seconds(60)
        while word.pointee == 0, ContinuousClock.now < deadline { usleep(1_000) }
        try #require(word.pointee > 0, "the writer acknowledged nothing")
    }

    private func stopWriter() {
        guard let writer else { return }
        kill(writer, SIGKILL)
        _ = waited(writer)
        self.writer = nil
    }

    private func cutOnce(_ result: inout Result, store: String) throws {
        let writer = try #require(writer)
        // At slow rates long enough for a new event.
        usleep(UInt32.random(in: 0..<max(100_000, 2_000_000 / UInt32(rate))))
        kill(writer, SIGSTOP)
        usleep(3_000)
        // A writer that has ended loses nothing, and shows nothing.
        var status: Int32 = 0
        try #require(waitpid(writer, &status, WNOHANG) == 0, "the writer ended: \(status)")
        // Not before it stands still: what was acknowledged later would hide a loss.
        let acknowledged = word.pointee
        try run("cp", "--reflink=always", "\(folder)/disk.img", "\(folder)/copy.img")
        kill(writer, SIGCONT)
        try run("mount", "-o", "loop", "\(folder)/copy.img", "\(folder)/copy")
        defer {
            unmount("\(folder)/copy")
            unlink("\(folder)/copy.img")
        }
        result.cuts += 1
        do {
            let found = try EventStore(directory: "\(folder)/copy/\(store)", gateway: "CRIB1", random: { 1 })
            defer { found.close() }
            let report = try found.verify()
            if !report.isIntact { result.problems += report.problems }
            if report.events != found.lastSequence { result.problems.append("\(report.events) events up to \(found.lastSequence)") }
            _ = try found.load()
            let lost = max(0, acknowledged - found.lastSequence)
            result.acknowledged += acknowledged
            result.lost += lost
            result.cutsWithLoss += lost > 0 ? 1 : 0
        } catch {
            result.problems.append("\(error)")
        }
    }
}

/// The program that writes, built beside the tests.
private func storeWriterProbe() throws -> URL {
    let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let folders = [URL(fileURLWithPath: CommandLine.arguments[0]), executable].map { $0.deletingLastPathComponent() }
    let found = folders.map { $0.appendingPathComponent("StoreWriterProbe") }.first {
        FileManager.default.isExecutableFile(atPath: $0.path)
    }
    return try #require(found, "StoreWriterProbe is missing")
}

private struct CommandFailed: Error, CustomStringConvertible {
    var description: String
}

private func run(_ command: String...) throws {
    let status = waited(try spawn(command))
    guard status == 0 else { throw CommandFailed(description: "\(command.joined(separator: " ")): status \(status)") }
}

/// Busy for a moment: a child that another thread starts holds every descriptor until it is another program.
private func unmount(_ path: String) {
    for _ in 0..<200 {
        if umount2(path, 0) == 0 || errno != EBUSY { return }
        usleep(10_000)
    }
    umount2(path, Int32(MNT_DETACH))
}

/// Without pipes: a writer that another thread starts at the same moment would inherit them and keep them open.
private func spawn(_ command: [String]) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    let result = posix_spawnp(&process, command[0], &actions, nil, &arguments, environ)
    guard result == 0 else { throw CommandFailed(description: "\(command[0]): errno \(result)") }
    return process
}

private func waited(_ process: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    return status
}

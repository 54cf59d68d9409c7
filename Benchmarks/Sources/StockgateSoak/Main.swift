import CSoak
import Foundation
import Glibc

/// Sixteen readers on pseudo-terminals, 1,000 reads a second each, against the unmodified daemon and against a bare C read loop:
/// nothing lost, and what it costs.
@main
enum Main {
    static func main() throws {
        var arguments = CommandLine.arguments.dropFirst()
        func option(_ name: String, _ standard: String) -> String {
            guard let index = arguments.firstIndex(of: name), index + 1 < arguments.endIndex else { return standard }
            return arguments[index + 1]
        }
        if arguments.first == "--peer" {
            arguments.removeFirst()
            exit(soak_peer_main(option("--folder", "."), Int32(option("--readers", "16")) ?? 16))
        }
        let seconds = Double(option("--seconds", "600")) ?? 600
        let gateway = option("--gateway", "../.build/release/stockgated")
        let command = option("--command", "../.build/release/stockgate")
        let profiles = option("--profiles", "../DeviceProfiles")
        let soak = try Soak(readers: 16, gateway: gateway, command: command, profiles: profiles)
        var isGood = true
        print("16 readers, 1,000 reads/s each, through pseudo-terminals\n")
        let batched = try soak.measureGateway(seconds: seconds, framesPerWrite: 16)
        print("gateway, 16 ms a write    \(batched)   wanted: nothing lost, at most 15 % of a core, at most 64 MB")
        isGood = isGood && batched.isComplete && batched.share <= 0.15 && batched.memory <= 64
        let brief = min(seconds, 30)
        let single = try soak.measureGateway(seconds: brief, framesPerWrite: 1)
        print("gateway, a frame a write  \(single)")
        let peer = try soak.measurePeer(seconds: brief, framesPerWrite: 1)
        print("C loop, a frame a write   \(peer)")
        let ratio = single.share / peer.share
        print("ratio \((ratio * 100).rounded() / 100), wanted: at most 3")
        isGood = isGood && single.isComplete && peer.isComplete && ratio <= 3
        soak.clean()
        exit(isGood ? 0 : 1)
    }
}

/// What one run showed.
struct Result: CustomStringConvertible {
    var sent: UInt64
    var read: UInt64
    var dropped: UInt64
    var rejects: UInt64
    /// CPU time over wall time.
    var share: Double
    /// Resident, MiB; 0: not asked.
    var memory: Double

    var isComplete: Bool { sent == read && dropped == 0 && rejects == 0 && sent > 0 }

    var description: String {
        let rounded = { (value: Double) in (value * 10).rounded() / 10 }
        return "sent \(sent), read \(read), rejected \(rejects), bench dropped \(dropped), \(rounded(share * 100)) % of a core, "
            + "\(rounded(memory)) MB"
    }
}

struct SoakError: Error, CustomStringConvertible {
    var description: String
}

struct Soak {
    let folder: URL
    let readers: Int
    let gateway: String
    let command: String

    init(readers: Int, gateway: String, command: String, profiles: String) throws {
        self.readers = readers
        self.gateway = gateway
        self.command = command
        folder = FileManager.default.temporaryDirectory.appending(path: "stockgate-soak-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let profiles = URL(filePath: profiles).standardizedFileURL.path
        var site = """
            [gateway]
            code = "SOAK"
            site = "soak"
            state_directory = "\(folder.path)/state"
            control_socket = "\(folder.path)/control.sock"
            profiles = ["\(profiles)"]


            """
        for index in 0..<readers {
            site += "[[device]]\nname = \"reader-\(index)\"\nprofile = \"r2000/a0-uhf\"\nport = \"\(folder.path)/reader-\(index)\"\n\n"
        }
        for index in 0..<readers {
            let antennas = (1...4).map {
                "{ device = \"reader-\(index)\", port = \($0), side = \"\($0 % 2 == 0 ? "inside" : "outside")\" }"
            }
            site += "[[station]]\nname = \"gate-\(index)\"\nkind = \"gate\"\nantenna = [\(antennas.joined(separator: ", "))]\n\n"
        }
        try site.write(to: folder.appending(path: "site.toml"), atomically: true, encoding: .utf8)
    }

    func clean() { try? FileManager.default.removeItem(at: folder) }

    /// Runs the bench in a thread of its own for `seconds`, then lets it finish its rounds.
    private func load<Value>(framesPerWrite: Int, _ body: (OpaquePointer) throws -> Value) throws -> Value {
        guard let load = soak_load_create(folder.path, Int32(readers)) else {
            throw SoakError(description: "no pseudo-terminals: \(errno)")
        }
        let handle = Int(bitPattern: load)
        let thread = Thread {
            soak_load_run(OpaquePointer(bitPattern: handle), Int32(framesPerWrite))
            Thread.current.threadDictionary["done"] = true
        }
        thread.qualityOfService = .userInteractive
        thread.start()
        let value = try body(load)
        while !thread.isFinished { usleep(10_000) }
        soak_load_destroy(load)
        return value
    }

    func measureGateway(seconds: Double, framesPerWrite: Int) throws -> Result {
        try load(framesPerWrite: framesPerWrite) { load in
            let process = try start(gateway, ["--config", folder.appending(path: "site.toml").path], log: "gateway.log")
            defer {
                process.terminate()
                process.waitUntilExit()
            }
            try wait("all readers read") { soak_load_waiting(load) == 0 && soak_load_frames(load) > 0 }
            sleep(2)
            let start = (cpu(of: process), Date())
            Thread.sleep(forTimeInterval: seconds)
            let share = (cpu(of: process) - start.0) / Date().timeIntervalSince(start.1)
            let memory = residentMegabytes(of: process)
            soak_load_stop(load)
            try wait("all rounds end") { soak_load_waiting(load) == Int32(readers) }
            sleep(1)
            let (read, rejects) = try counters()
            return Result(
                sent: soak_load_frames(load), read: read, dropped: soak_load_dropped(load), rejects: rejects, share: share, memory: memory)
        }
    }

    func measurePeer(seconds: Double, framesPerWrite: Int) throws -> Result {
        try load(framesPerWrite: framesPerWrite) { load in
            let output = Pipe()
            let process = Process()
            process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            process.arguments = ["--peer", "--folder", folder.path, "--readers", "\(readers)"]
            process.standardOutput = output
            try process.run()
            try wait("all readers read") { soak_load_waiting(load) == 0 && soak_load_frames(load) > 0 }
            sleep(2)
            let start = (cpu(of: process), Date())
            Thread.sleep(forTimeInterval: seconds)
            let share = (cpu(of: process) - start.0) / Date().timeIntervalSince(start.1)
            let memory = residentMegabytes(of: process)
            soak_load_stop(load)
            try wait("all rounds end") { soak_load_waiting(load) == Int32(readers) }
            sleep(1)
            process.terminate()
            process.waitUntilExit()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            guard let read = UInt64(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                throw SoakError(description: "the peer said \(text)")
            }
            return Result(
                sent: soak_load_frames(load), read: read, dropped: soak_load_dropped(load), rejects: 0, share: share, memory: memory)
        }
    }

    private func start(_ program: String, _ arguments: [String], log: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let path = folder.appending(path: log).path
        FileManager.default.createFile(atPath: path, contents: nil)
        process.standardError = FileHandle(forWritingAtPath: path)
        process.standardOutput = process.standardError
        try process.run()
        return process
    }

    private func wait(_ what: String, _ condition: () -> Bool) throws {
        for _ in 0..<3_000 {
            if condition() { return }
            usleep(10_000)
        }
        throw SoakError(description: "\(what): not within 30 s; see \(folder.path)")
    }

    /// Readings and rejects over all devices, as the daemon's own command says.
    private func counters() throws -> (readings: UInt64, rejects: UInt64) {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: command)
        process.arguments = ["devices", "--json", "--socket", "\(folder.path)/control.sock"]
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard let answer = try JSONSerialization.jsonObject(with: data) as? [String: Any],
            let devices = answer["devices"] as? [[String: Any]]
        else { throw SoakError(description: "devices: \(String(decoding: data, as: UTF8.self))") }
        var readings: UInt64 = 0
        var rejects: UInt64 = 0
        for device in devices {
            readings += (device["readings"] as? NSNumber)?.uint64Value ?? 0
            for (_, count) in device["rejects"] as? [String: NSNumber] ?? [:] { rejects += count.uint64Value }
        }
        return (readings, rejects)
    }

    private func cpu(of process: Process) -> Double {
        let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)) ?? ""
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private func residentMegabytes(of process: Process) -> Double {
        let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0) / 1_024
    }
}

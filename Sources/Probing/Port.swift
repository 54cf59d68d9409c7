import Devices
import Dispatch
import FoundationEssentials
import Glibc
import Profiles
import Readings
import Synchronization

/// What this machine knows of a port: its names, its udev properties, and who else has it open.
public struct Port: Sendable {
    /// A program that has the port open.
    public struct Holder: Hashable, Sendable {
        public var process: Int32
        public var program: String
    }

    /// What a person wrote.
    public let path: String
    /// The device node behind it.
    public let node: String
    public let properties: [String: String]
    /// The name to write into a site file: one that stays with the place where the device is plugged in, where there is one.
    public let stableName: String

    public init(_ path: String) {
        self.path = path
        node = Self.resolved(path)
        let found = Self.deviceNode(node)
        properties = found.map { $0.properties.merging(["SUBSYSTEM": $0.subsystem, "DEVNAME": $0.path]) { $1 } } ?? [:]
        let links = found?.links.map(String.init) ?? []
        let preferred = ["/dev/stockgate/", "/dev/serial/by-path/", "/dev/serial/by-id/"].lazy.compactMap { folder in
            links.sorted().first { $0.hasPrefix(folder) }
        }.first
        stableName = path == node ? preferred ?? path : path
    }

    /// Everybody but this process who has the node open; others' files are seen by root and by themselves only.
    public func holders() -> [Holder] {
        var holders: [Holder] = []
        for process in Self.processes() where process != getpid() {
            let folder = "/proc/\(process)/fd"
            let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            guard files.contains(where: { Self.target(of: "\(folder)/\($0)") == node }) else { continue }
            holders.append(Holder(process: process, program: Self.program(process)))
        }
        return holders.sorted { $0.process < $1.process }
    }

    /// Which of these programs run.
    public static func running(_ programs: Set<String>) -> [Holder] {
        processes().map { Holder(process: $0, program: program($0)) }.filter { programs.contains($0.program) }
    }

    /// The serial ports of this machine, other than consoles.
    public static func all() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/dev")) ?? []
        return names.filter { $0.hasPrefix("ttyUSB") || $0.hasPrefix("ttyACM") }.sorted().map { "/dev/\($0)" }
    }

    /// The name of the group that a node belongs to; nil where either is unknown.
    public static func group(of path: String) -> String? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.groupOwnerAccountName] as? String
    }

    private static func processes() -> [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
    }

    private static func program(_ process: Int32) -> String {
        guard let data = FileManager.default.contents(atPath: "/proc/\(process)/comm") else { return "?" }
        return String(decoding: data.prefix { $0 != 0x0A }, as: UTF8.self)
    }

    private static func target(of link: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink(link, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }

    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// The node as udev knows it; nil where there is no udev or no such node.
    private static func deviceNode(_ path: String) -> DeviceNode? {
        let isComplete = DispatchSemaphore(value: 0)
        let shared = Shared()
        let monitor = DeviceMonitor(subsystems: ["tty"])
        do throws(DeviceError) {
            try monitor.start { event in
                switch event {
                case .appeared(let node) where node.path == path: shared.value.withLock { $0 = node }
                case .enumerated: isComplete.signal()
                default: break
                }
            }
        } catch {
            return nil
        }
        _ = isComplete.wait(timeout: .now() + .seconds(2))
        monitor.stop()
        return shared.value.withLock { $0 }
    }

    private final class Shared: Sendable {
        let value = Mutex<DeviceNode?>(nil)
    }
}

/// The real thing.
extension TriedLine: ProbedLine {
    public func apply(_ line: DeviceProfile.SerialLine) throws(DeviceError) {
        try apply(
            SerialLine(
                baud: UInt32(clamping: line.baud), dataBits: line.dataBits,
                parity: SerialLine.Parity(rawValue: line.parity.rawValue) ?? .none,
                stopBits: line.stopBits, dtr: line.dtr, rts: line.rts))
    }

    public var lineErrors: UInt64? { errors?.settings }
    public var now: Instant { BootClock.now() }
}

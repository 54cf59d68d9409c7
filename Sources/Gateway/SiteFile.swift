import CNIOLinux
import Glibc
import Profiles
import SiteConfiguration

/// Reads the site configuration: one file and the drop-ins of the folder beside it.
public enum SiteFile {
    /// Reads `path` and `NAME.d/*.toml` beside it, in the order of their names.
    /// - Returns: the site, or everything that is wrong with it.
    public static func load(path: String) -> Result<Site, SiteProblems> {
        var collector = SiteCollector()
        collector.read(path)
        let folder = path.hasSuffix(".toml") ? path.dropLast(5) + ".d" : path + ".d"
        for name in (try? folderEntries(String(folder)))?.sorted() ?? [] where name.hasSuffix(".toml") {
            collector.read("\(folder)/\(name)")
        }
        return collector.site()
    }

    /// Reads one text, for tests and for `config check -`.
    public static func parse(_ text: String, file: String) -> Result<Site, SiteProblems> {
        var collector = SiteCollector()
        collector.read(text: text, file: file)
        return collector.site()
    }

    /// The whole of a small file; nil with `errno` set.
    static func contents(of path: String, limit: Int = 1 << 20, isText: Bool = true) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= limit {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 { return nil }
            if count == 0 { return isText ? String(validating: bytes, as: UTF8.self) : String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
        errno = EFBIG
        return nil
    }
}

/// Everything that is wrong with a site configuration.
public struct SiteProblems: Error, Sendable, CustomStringConvertible {
    public var problems: [TOMLProblem]

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

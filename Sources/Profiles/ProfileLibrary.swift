import Decoding
import FoundationEssentials

/// A problem of one profile, which disables that profile and no other.
public typealias ProfileProblem = TOMLProblem

/// The profiles of all layers.
public struct ProfileLibrary: Sendable {
    /// By id. A profile of a later folder stands for one of the same id before it.
    public private(set) var profiles: [DeviceProfile] = []
    public private(set) var problems: [ProfileProblem] = []
    public private(set) var layouts: [String: KeyboardLayout] = [:]

    /// Folders and files that are looked at in one layer; a link into a file system root must not hang the daemon.
    static let maximumEntries = 2_000
    static let layoutFolder = "keyboard-layouts"

    public init() {}

    /// Reads `<directory>/<vendor>/<model>/profile.toml` and `<directory>/keyboard-layouts/<name>.toml` of all layers. A folder that
    /// does not exist is an empty layer; whatever cannot be read is a problem.
    /// - Parameter layoutDirectories: further layers, whose keyboard layouts count and whose profiles do not.
    public init(directories: [String], layoutDirectories: [String] = []) {
        for directory in layoutDirectories + directories { loadLayouts(directory) }
        var byID: [String: DeviceProfile] = [:]
        for directory in directories {
            for vendor in entries(directory) where vendor != Self.layoutFolder {
                for model in entries("\(directory)/\(vendor)") {
                    let file = "\(directory)/\(vendor)/\(model)/profile.toml"
                    guard FileManager.default.fileExists(atPath: file) else { continue }
                    // A file that is bad leaves the profile of the layer before in force.
                    if let profile = load(file, id: "\(vendor)/\(model)") { byID[profile.id] = profile }
                }
            }
        }
        profiles = byID.values.sorted { $0.id < $1.id }
    }

    public subscript(id: String) -> DeviceProfile? { profiles.first { $0.id == id } }

    /// Reads one profile, as `stockgate profile check` does with a file that stands anywhere.
    /// - Parameter id: nil: as the two folders around the file are called.
    public mutating func load(_ file: String, id: String? = nil) -> DeviceProfile? {
        let folders = file.split(separator: "/")
        let id = id ?? folders.dropLast().suffix(2).joined(separator: "/")
        guard Self.isID(id) else {
            problems.append(
                ProfileProblem(file: file, line: nil, key: "", reason: "the folders must be <vendor>/<model> in lower case, digits and -"))
            return nil
        }
        guard let document = document(file) else { return nil }
        return read(document, id: id)
    }

    /// Reads the text of a profile, wherever it comes from.
    public mutating func read(_ document: TOMLDocument, id: String) -> DeviceProfile? {
        let reader = TOMLTableReader(document)
        let profile = DeviceProfile(reader, id: id, layouts: layouts)
        problems += reader.problems
        return profile
    }

    /// `vendor/model`, lower-case letters, digits and `-`, at most 64 characters.
    public static func isID(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && text.utf8.count <= 64
            && parts.allSatisfy { part in
                !part.isEmpty && part.utf8.first != 0x2D
                    && part.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
            }
    }

    private mutating func loadLayouts(_ directory: String) {
        let folder = "\(directory)/\(Self.layoutFolder)"
        for entry in entries(folder) where entry.hasSuffix(".toml") {
            guard let document = document("\(folder)/\(entry)") else { continue }
            let reader = TOMLTableReader(document)
            let layout = KeyboardLayout(reader, name: String(entry.dropLast(5)))
            problems += reader.problems
            if let layout { layouts[layout.name] = layout }
        }
    }

    private mutating func document(_ file: String) -> TOMLDocument? {
        do throws(TOMLProblem) {
            return try TOMLDocument(contentsOf: file)
        } catch {
            problems.append(error)
            return nil
        }
    }

    private mutating func entries(_ directory: String) -> [String] {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory else { return [] }
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: directory).filter { !$0.hasPrefix(".") }.sorted()
            guard names.count <= Self.maximumEntries else {
                problems.append(ProfileProblem(file: directory, line: nil, key: "", reason: "more than \(Self.maximumEntries) entries"))
                return []
            }
            return names
        } catch {
            problems.append(ProfileProblem(file: directory, line: nil, key: "", reason: "cannot be listed: \(error)"))
            return []
        }
    }
}

extension TOMLDocument {
    /// Reads a file.
    /// - Throws: `TOMLProblem` when it cannot be read, is longer than `maximumLength`, is not UTF-8 or no TOML.
    public init(contentsOf file: String) throws(TOMLProblem) {
        let data: Data
        do {
            let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int
            guard let size, size <= Self.maximumLength else {
                throw TOMLProblem(file: file, line: nil, key: "", reason: "longer than \(Self.maximumLength) bytes")
            }
            data = try Data(contentsOf: URL(fileURLWithPath: file))
        } catch let problem as TOMLProblem {
            throw problem
        } catch {
            throw TOMLProblem(file: file, line: nil, key: "", reason: "cannot be read: \(error)")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw TOMLProblem(file: file, line: nil, key: "", reason: "is not UTF-8")
        }
        try self.init(file: file, text: text)
    }
}

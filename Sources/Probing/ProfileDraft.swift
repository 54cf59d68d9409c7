import Decoding
import FoundationEssentials
import Glibc
import Profiles
import Readings

/// Why a draft cannot be written.
public struct ProfileDraftError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// The id is not `vendor/model`.
        case badID
        /// The capture has several devices: one must be chosen.
        case severalDevices([String])
        /// Nothing came from the device.
        case nothing
        /// The folder is there already.
        case exists
        /// A file or folder cannot be made.
        case write(errorNumber: Int32)
    }

    public var kind: Kind
    /// The id, the device, or the path.
    public var subject: String

    public var description: String { "\(subject): \(kind)" }
}

/// A new profile as far as a capture tells: what a person goes on from.
public struct ProfileDraft: Sendable {
    public let id: String
    public let ranking: CaptureRanking
    private let header: Capture.Header
    private let lines: [Capture.Line]
    private let name: String
    private let library: ProfileLibrary

    /// The name of the device in the capture of the new profile.
    private static let device = "device"

    /// - Parameters:
    ///   - captureName: what the capture file is called, without its ending.
    ///   - device: which one of the capture; nil: the only one.
    public init(
        id: String, captureName: String, header: Capture.Header, lines: [Capture.Line], device: String?, library: ProfileLibrary
    ) throws(ProfileDraftError) {
        guard ProfileLibrary.isID(id) else { throw ProfileDraftError(kind: .badID, subject: id) }
        let talking = Set(
            lines.filter {
                switch $0.content {
                case .received, .key: true
                default: false
                }
            }.map { $0.device ?? "" })
        guard device != nil || talking.count <= 1 else {
            throw ProfileDraftError(kind: .severalDevices(talking.sorted()), subject: id)
        }
        let chosen = device ?? talking.first ?? ""
        guard talking.contains(chosen) else { throw ProfileDraftError(kind: .nothing, subject: chosen) }
        self.id = id
        self.header = header
        self.library = library
        self.lines = lines.filter { line in
            switch line.content {
            case .received, .transmitted, .key, .inputLost: (line.device ?? "") == chosen
            default: false
            }
        }
        name = Self.fileName(captureName)
        ranking = CaptureRanking(self.lines, library: library)
    }

    /// Letters, digits, `-` and `_` of the capture's name.
    private static func fileName(_ text: String) -> String {
        let safe = text.lowercased().unicodeScalars.map { scalar -> Character in
            scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_") ? Character(scalar) : "-"
        }.prefix(60)
        let name = String(safe).drop { $0 == "-" }
        return name.isEmpty ? "capture" : String(name)
    }

    private var best: CaptureRanking.Entry? { ranking.entries.first.flatMap { $0.score.points > 0 ? $0 : nil } }
    /// The profile that the draft follows: one for any device of its kind before one for a single product.
    private var nearest: DeviceProfile? {
        let candidates = (best?.profiles ?? []).compactMap { library[$0] }
        return candidates.first { $0.rules.isEmpty } ?? candidates.first
    }

    // MARK: Files

    /// The files of the new folder, by name.
    public var files: [(name: String, text: String)] {
        [("profile.toml", profileText), ("\(name).capture", captureText), (expectedName, expectedText)]
    }

    public var expectedName: String { "\(name).expected" }

    private var captureText: String {
        var header = header
        // Where the gateway's event log stood is nobody's business here.
        header.gateway = nil
        header.devices = [Self.device: id]
        let renamed = lines.map { Capture.Line(time: $0.time, device: Self.device, content: $0.content) }
        return ([header.json] + renamed.map(\.json)).map { String(decoding: $0.canonicalBytes, as: UTF8.self) + "\n" }.joined()
    }

    private var expectedText: String {
        var texts: [JSON] = [["verify": "Compare every line with what was held before the device; then remove this line."]]
        for reading in best?.listener.readings ?? [] {
            let content: Capture.Content
            switch reading {
            case .tag(let read): content = .tag(read)
            case .late(let read):
                texts.append(["d": .string(Self.device), "late": read.json])
                continue
            case .scan(let scan): content = .scan(scan)
            case .badge(let read): content = .badge(read)
            case .input, .state: continue
            }
            var members = Capture.Line(time: .zero, device: Self.device, content: content).json.object ?? [:]
            members["t"] = nil
            texts.append(.object(members))
        }
        let rejects = best?.score.rejects.byReason ?? []
        if !rejects.isEmpty {
            let counts = Dictionary(rejects.map { ("\($0.reason)", JSON.integer(Int64(clamping: $0.count))) }, uniquingKeysWith: { $1 })
            texts.append(["d": .string(Self.device), "rejects": .object(counts)])
        }
        return texts.map { String(decoding: $0.canonicalBytes, as: UTF8.self) + "\n" }.joined()
    }

    private var profileText: String {
        func quoted(_ text: String) -> String { String(decoding: JSON.string(text).canonicalBytes, as: UTF8.self) }
        let isRecording = !header.note.hasPrefix("Not a recording")
        var lines = [
            "# Begun from a capture. Everything here is a guess until you have compared it with the device and its documents.",
            "id = \(quoted(id))", "name = \(quoted(id.split(separator: "/").joined(separator: " ")))",
            "# The names on the boxes.", "models = [\(quoted(id.split(separator: "/").last.map(String.init) ?? id))]",
            isRecording
                ? "# 3 once \(expectedName) has been compared with what was held before the device."
                : "# 2 once the frames' publication is named in sources.",
            "support = 1", "# What is odd about the device.", "quirks = []",
            "sources = [\(quoted("capture \(name), \(header.recorded.prefix(10))"))]", "",
        ]
        lines += [
            "# How it is found: `udevadm info /dev/ttyUSB0` shows the properties. Without a rule the site file names its port. The ids of a",
            "# USB-serial converter (FTDI, CH340, CP210x, PL2303) are refused.", "#[[match]]", "#ID_VENDOR_ID = \"05e0\"",
            "#ID_MODEL_ID = \"1701\"", "",
        ]
        let entry = best
        if let nearest, let source = try? String(contentsOfFile: nearest.file, encoding: .utf8) {
            let sections = Self.sections(of: source)
            lines.append("# As in \(nearest.id).")
            lines += sections.transport + [""] + sections.decoder
            if !sections.radio.isEmpty {
                lines += ["", "# As in \(nearest.id): what the site file may set of the radio. Compare with the documents of the device."]
                lines += sections.radio
            }
            if !sections.session.isEmpty {
                lines += [
                    "",
                    "# As in \(nearest.id): what is sent after opening. Compare with the documents of the device before you let it be sent.",
                ]
                lines += sections.session
            }
            if !sections.feedback.isEmpty {
                lines += ["", "# What \(nearest.id) sends for light and beep; outputs are wired differently everywhere."]
                lines += sections.feedback.map { $0.isEmpty ? "#" : "# \($0)" }
            }
        } else {
            let takesKeys = entry?.configuration.takesKeys ?? self.lines.contains { if case .key = $0.content { true } else { false } }
            lines +=
                takesKeys
                ? ["[transport]", "kind = \"evdev\""]
                : ["[transport]", "kind = \"serial\"", "# As it was when the capture was made.", "baud = 9600"]
            let fallback = takesKeys ? DecoderConfiguration.Name.keyboardWedge : .scannerLine
            lines += ["", "[decoder]", "protocol = \(quoted(entry?.configuration.protocolName ?? fallback.rawValue))"]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The lines of the tables that are taken over, each with the comments above it.
    private static func sections(of text: String) -> Sections {
        var sections: [String: [String]] = [:]
        var current = ""
        var comments: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("#") || line.isEmpty {
                comments.append(line)
                continue
            }
            if line.hasPrefix("[") { current = String(line.drop { $0 == "[" }.prefix { $0 != "." && $0 != "]" }) }
            sections[current, default: []] += comments + [line]
            comments = []
        }
        func taken(_ name: String) -> [String] { Array((sections[name] ?? []).drop { $0.isEmpty }) }
        return Sections(
            transport: taken("transport"), decoder: taken("decoder"), radio: taken("radio"), session: taken("session"),
            feedback: taken("feedback"))
    }

    private struct Sections {
        var transport: [String]
        var decoder: [String]
        var radio: [String]
        var session: [String]
        var feedback: [String]
    }

    // MARK: Writing

    /// Writes the folder and checks it.
    /// - Parameter directory: a layer of profiles; made when it is missing.
    /// - Returns: the folder, and what `ProfileLibrary` has to say against the new profile.
    /// - Throws: `ProfileDraftError`; a folder that is there already is never touched.
    public func write(to directory: String) throws(ProfileDraftError) -> (folder: String, problems: [ProfileProblem]) {
        let folder = "\(directory)/\(id)"
        let parent = "\(directory)/\(id.prefix { $0 != "/" })"
        for path in [directory, parent] where mkdir(path, 0o755) != 0 && errno != EEXIST {
            throw ProfileDraftError(kind: .write(errorNumber: errno), subject: path)
        }
        // Making the folder is the test whether it is there.
        guard mkdir(folder, 0o755) == 0 else {
            throw ProfileDraftError(kind: errno == EEXIST ? .exists : .write(errorNumber: errno), subject: folder)
        }
        for file in files {
            let path = "\(folder)/\(file.name)"
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw ProfileDraftError(kind: .write(errorNumber: errno), subject: path) }
            defer { close(descriptor) }
            var rest = Array(file.text.utf8)[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                guard count > 0 else { throw ProfileDraftError(kind: .write(errorNumber: errno), subject: path) }
                rest = rest.dropFirst(count)
            }
        }
        var checked = library
        let before = checked.problems.count
        _ = checked.load("\(folder)/profile.toml", id: id)
        return (folder, Array(checked.problems.dropFirst(before)))
    }
}

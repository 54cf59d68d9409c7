import Decoding
import FoundationEssentials
import Profiles
import Readings

/// The profiles, captures and expected readings of `DeviceProfiles/`.
enum ShippedProfiles {
    static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
        .appendingPathComponent("DeviceProfiles").path

    static let library = ProfileLibrary(directories: [directory])

    /// All captures, as paths below `DeviceProfiles/`.
    static let captures: [String] = {
        var paths: [String] = []
        for profile in library.profiles {
            let folder = "\(directory)/\(profile.id)"
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            paths += names.filter { $0.hasSuffix(".capture") }.map { "\(profile.id)/\($0)" }
        }
        return paths.sorted()
    }()

    static func lines(_ path: String) throws -> [JSON] {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(path)"))
        return try data.split(separator: 0x0A).map { try JSON(parsing: Array($0)) }
    }
}

/// A capture with the readings that it must give.
struct ProvenCapture {
    let path: String
    let header: Capture.Header
    let lines: [Capture.Line]
    /// By device, in order.
    var expected: [String: [JSON]] = [:]
    var expectedRejects: [String: JSON] = [:]

    init(_ path: String) throws {
        self.path = path
        let all = try ShippedProfiles.lines(path)
        guard let first = all.first else { throw CaptureError("\(path) is empty") }
        header = try Capture.Header(json: first)
        lines = try all.dropFirst().map(Capture.Line.init(json:))
        for line in try ShippedProfiles.lines(String(path.dropLast(".capture".count)) + ".expected") {
            if line["verify"] != nil { throw CaptureError("\(path): nobody has compared the expected readings with the device yet") }
            guard let device = line["d"]?.string, var members = line.object else { throw CaptureError("an expected reading without \"d\"") }
            members["d"] = nil
            if let rejects = members["rejects"] {
                expectedRejects[device] = rejects
            } else {
                expected[device, default: []].append(.object(members))
            }
        }
    }

    /// The input lines of one device.
    func input(of device: String) -> [Capture.Line] {
        lines.filter { $0.device == device }
    }
}

/// Decodes lines of a capture as a connection would, with every deadline at its time and a long silence at the end.
struct Replay {
    private(set) var batch = DecodedBatch()
    private var decoder: any Decoder
    private var now = Instant.zero

    init(_ configuration: DecoderConfiguration) {
        decoder = configuration.makeDecoder()
    }

    mutating func run(_ lines: [Capture.Line], after delay: Instant.Span = .zero) {
        for line in lines {
            advance(to: line.time + delay)
            switch line.content {
            case .received(let bytes): feed(bytes)
            case .key(let code, let value): decoder.decode(key: code, value: value, at: now, into: &batch)
            default: break
            }
        }
    }

    mutating func feed(_ bytes: some Collection<UInt8>) {
        Array(bytes).withUnsafeBytes { decoder.decode($0, at: now, into: &batch) }
    }

    mutating func key(_ code: UInt16) {
        for value: Int32 in [1, 0] { decoder.decode(key: code, value: value, at: now, into: &batch) }
    }

    mutating func advance(to time: Instant) {
        while let deadline = decoder.nextDeadline, deadline <= time {
            now = max(now, deadline)
            decoder.advance(to: now, into: &batch)
        }
        now = max(now, time)
    }

    mutating func finish() {
        advance(to: now + .seconds(60))
    }

    /// The readings as the expected files have them.
    var readings: [JSON] {
        batch.readings.compactMap { reading in
            let content: Capture.Content
            switch reading {
            case .tag(let read): content = .tag(read)
            case .late(let read): return ["late": read.json]
            case .scan(let scan): content = .scan(scan)
            case .badge(let read): content = .badge(read)
            case .input(let change): content = .input(change)
            case .state: return nil
            }
            var members = Capture.Line(time: .zero, content: content).json.object ?? [:]
            members["t"] = nil
            return .object(members)
        }
    }

    var rejects: JSON? {
        let counts = batch.rejects.byReason
        return counts.isEmpty
            ? nil
            : .object(
                Dictionary(counts.map { ("\($0.reason)", .integer(Int64(clamping: $0.count))) }, uniquingKeysWith: { first, _ in first }))
    }
}

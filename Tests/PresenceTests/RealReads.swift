import Foundation
import Identifiers
import Readings

/// The published reads in the folder that `STOCKGATE_VECTORS` names: `reads-ecd` (one fixed reader, tags moved past it and tags lying
/// still; CC0) and `reads-uci427` (a tag on the body of somebody who never leaves the room; Torres, Visvanathan and Ranasinghe 2016,
/// doi 10.24432/C5GG6B, CC BY 4.0). Every file of these sets that lies there is tried.
enum RealReads {
    struct Trace {
        let file: String
        let epc: EPC
        let reads: [(at: Instant, read: TagRead)]

        var seconds: Double { Double((reads.last!.at - reads[0].at).milliseconds) / 1_000 }
    }

    private static let root = ProcessInfo.processInfo.environment["STOCKGATE_VECTORS"].flatMap { $0.isEmpty ? nil : $0 }

    static let arePresent = root.map { FileManager.default.fileExists(atPath: $0 + "/reads-ecd") } ?? false

    /// One trace for each file and tag of `reads-ecd`, sorted.
    static let moved: [Trace] = {
        guard arePresent, let root else { return [] }
        let folder = root + "/reads-ecd"
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasSuffix(".csv.gz") }.sorted().flatMap { file in
            traces(table: unzipped(folder + "/" + file), file: String(file.dropLast(7)))
        }
    }()

    /// How many passes each tag of a file makes.
    static let passes: [String: [String: Int]] = {
        guard arePresent, let root, let data = FileManager.default.contents(atPath: root + "/reads-ecd/file_arc_num.json"),
            let counts = try? JSONDecoder().decode([String: [String: Int]].self, from: data)
        else { return [:] }
        return Dictionary(uniqueKeysWithValues: counts.map { ("test_" + $0.dropLast(4), $1) })
    }()

    /// One trace for each trial of `reads-uci427`, of whatever rooms are there.
    static let worn: [Trace] = {
        guard arePresent, let root else { return [] }
        let folder = root + "/reads-uci427"
        let rooms = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix("_Dataset") }.sorted()
        return rooms.flatMap { room in
            let trials = ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/" + room)) ?? []).sorted()
            return trials.compactMap { trial(path: "\(folder)/\(room)/\($0)", name: "\(room)/\($0)") }
        }
    }()

    private static func unzipped(_ path: String) -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", path]
        let pipe = Pipe()
        process.standardOutput = pipe
        guard (try? process.run()) != nil else { return "" }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }

    private static func traces(table: String, file: String) -> [Trace] {
        var lines = table.split(whereSeparator: \.isNewline).map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
        }
        guard !lines.isEmpty else { return [] }
        let columns = lines.removeFirst()
        guard let rssi = columns.firstIndex(of: "peakRssi"), let phase = columns.firstIndex(of: "phase"),
            let channel = columns.firstIndex(of: "channel"), let id = columns.firstIndex(of: "idHex"),
            let time = columns.firstIndex(of: "time_reader")
        else { return [] }
        var reads: [EPC: [(at: Instant, read: TagRead)]] = [:]
        for line in lines where line.count > max(rssi, phase, channel, id, time) {
            guard let epc = EPC(hex: line[id]), let seconds = Double(line[time]), let level = Double(line[rssi]) else { continue }
            let degrees = Double(line[phase]) ?? 0
            let read = TagRead(
                epc: epc, antenna: 1, rssi: Int16(level * 100), frequency: UInt32((Double(line[channel]) ?? 0) * 1_000),
                phase: UInt16(truncatingIfNeeded: Int((degrees / 360 * 65_536).rounded())))
            reads[epc, default: []].append((Instant(nanoseconds: Int64((seconds * 1_000).rounded()) * 1_000_000), read))
        }
        return reads.map { Trace(file: file, epc: $0, reads: $1.sorted { $0.at < $1.at }) }.sorted { $0.epc < $1.epc }
    }

    private static func trial(path: String, name: String) -> Trace? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let epc = EPC([0xE2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])!
        var reads: [(at: Instant, read: TagRead)] = []
        for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let fields = line.split(separator: ",").compactMap { Double($0.trimmingCharacters(in: .whitespaces)) }
            guard fields.count == 9 else { continue }
            let read = TagRead(
                epc: epc, antenna: UInt8(fields[4]), rssi: Int16(fields[5] * 100), frequency: UInt32(fields[7] * 1_000),
                phase: UInt16(truncatingIfNeeded: Int((fields[6] / (2 * Double.pi) * 65_536).rounded())))
            reads.append((Instant(nanoseconds: Int64((fields[0] * 1_000).rounded()) * 1_000_000), read))
        }
        guard reads.count > 1 else { return nil }
        return Trace(file: name, epc: epc, reads: reads.sorted { $0.at < $1.at })
    }
}

import Foundation
import Ledger

/// Durable commits per second beside a plain C program that writes the same rows, and the bytes that each event costs the disk.
///
/// `stockgate-store-bench [DIRECTORY] [--speed]`: on the disk of the directory. Bytes are told only where nothing else writes to that disk; a
/// file system of its own on a loop device will do.
@main
enum Main {
    static let runs = 5

    static func main() throws {
        let parent = CommandLine.arguments.dropFirst().first { !$0.hasPrefix("--") } ?? FileManager.default.temporaryDirectory.path
        var failed = false
        print("events and state rows in one transaction, synchronous=FULL, in \(parent); median of \(runs) interleaved runs")
        print("group   C commits/s   store commits/s   events in each   ratio   wanted")
        for (group, commits, wanted) in [(1, 2_000, 0.45), (100, 300, 0.667)] {
            var decisions = Decisions()
            let all = decisions.fill() + decisions.some(group * commits, of: .putAway)
            let rows = PeerRows(all)
            let untimed = all.count - group * commits
            var peers: [Double] = []
            var ours: [Double] = []
            var sizes: [Double] = []
            for run in 0..<runs {
                try inDirectory("\(parent)/peer-\(run)") { directory in
                    guard let seconds = rows.write(to: "\(directory)/events.db", untimed: untimed, group: group) else {
                        fatalError("the peer could not write to \(directory)")
                    }
                    peers.append(Double(commits) / seconds)
                }
                try inDirectory("\(parent)/store-\(run)") { directory in
                    let store = try StoreRun(directory: directory, decisions: all, untimed: untimed, group: group)
                    ours.append(Double(commits) / store.seconds)
                    sizes.append(Double(store.statistics.events) / Double(max(1, store.statistics.groups)))
                }
            }
            let ratio = zip(ours, peers).map { $0 / $1 }.sorted()[runs / 2]
            failed = failed || ratio < wanted
            print(
                column(group, 5), column(Int(peers.sorted()[runs / 2]), 13), column(Int(ours.sorted()[runs / 2]), 17),
                column(String(format: "%.1f", sizes.sorted()[runs / 2]), 16), column(String(format: "%.2f", ratio), 7),
                column(String(format: "%.2f", wanted), 8))
        }
        if !CommandLine.arguments.contains("--speed") { failed = try bytes(in: parent) || failed }
        if failed { exit(1) }
    }

    /// - Returns: whether an event costs more than it may.
    private static func bytes(in parent: String) throws -> Bool {
        var failed = false
        let disk = Disk(holding: parent)
        print(
            "\nbytes for each event, the last checkpoint included\(disk.map { ", disk \($0.name)" } ?? "; no disk is seen under the directory")"
        )
        print("event                             WAL   checkpoint      store    at the disk    C at the disk   wanted")
        let kinds: [(String, Decisions.Kind, Int, Double)] = [
            ("one, one state row", .putAway, 1, 15_000), ("a checkout, item and permit", .checkout, 1, 25_000),
            ("in groups of 50", .putAway, 50, 5_000), ("checkouts in groups of 50", .checkout, 50, .infinity),
        ]
        for (name, kind, group, wanted) in kinds {
            let events = 4_000
            var decisions = Decisions()
            let fill = decisions.fill()
            let all = fill + decisions.some(events, of: kind)
            var counted: (wal: Double, checkpoint: Double) = (0, 0)
            let store = try differential(disk, parent, fill, all) { directory, decisions in
                let run = try StoreRun(directory: directory, decisions: decisions, untimed: fill.count, group: group)
                counted = (Double(run.statistics.walBytesWritten), Double(run.statistics.checkpointBytesWritten))
            }
            let peer = try differential(disk, parent, fill, all) { directory, decisions in
                _ = PeerRows(decisions).write(to: "\(directory)/events.db", untimed: fill.count, group: group)
            }
            let count = Double(events)
            let sum = (counted.wal + counted.checkpoint) / count
            failed = failed || (store.map { $0 / count } ?? sum) > wanted
            print(
                name.padding(toLength: 28, withPad: " ", startingAt: 0), column(Int(counted.wal / count), 8),
                column(Int(counted.checkpoint / count), 12), column(Int(sum), 10),
                column(store.map { String(Int($0 / count)) } ?? "-", 14), column(peer.map { String(Int($0 / count)) } ?? "-", 16),
                column(wanted.isFinite ? String(Int(wanted)) : "-", 8))
        }
        return failed
    }

    /// What the timed part alone cost the disk: all of it less what the filling alone costs.
    private static func differential(
        _ disk: Disk?, _ parent: String, _ fill: [Decision], _ all: [Decision], _ run: (String, [Decision]) throws -> Void
    ) throws -> Double? {
        func cost(_ decisions: [Decision]) throws -> Double? {
            try inDirectory("\(parent)/bytes") { directory in
                let before = disk?.bytesWritten()
                try run(directory, decisions)
                return before.flatMap { before in disk.map { Double($0.bytesWritten() - before) } }
            }
        }
        let base = try cost(fill)
        return try cost(all).flatMap { whole in base.map { whole - $0 } }
    }

    private static func inDirectory<Result>(_ path: String, _ body: (String) throws -> Result) throws -> Result {
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    private static func column(_ value: some CustomStringConvertible, _ width: Int) -> String {
        let text = value.description
        return String(repeating: " ", count: max(0, width - text.utf8.count)) + text
    }
}

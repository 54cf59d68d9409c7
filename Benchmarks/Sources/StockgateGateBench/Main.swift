import Engine
import Foundation
import Ledger
import Readings
import Store

/// How long a gate takes from its decision to the light with a year of loans in the store, and how long the report of a month with 50,000
/// loans, at the unmodified daemon too.
///
/// `stockgate-gate-bench [DIRECTORY] [--gateway PROGRAM] [--command PROGRAM] [--profiles FOLDER] [--walks COUNT]`: the store is made in the
/// directory, on whose disk the commits are timed, and removed again.
@main
enum Main {
    /// Milliseconds.
    static let wanted = (decision: 15.0, report: 1_000.0)

    static func main() throws {
        var arguments = Array(CommandLine.arguments.dropFirst())
        func option(_ name: String, _ standard: String) -> String {
            guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else { return standard }
            defer { arguments.removeSubrange(index...index + 1) }
            return arguments[index + 1]
        }
        let gateway = option("--gateway", "../.build/release/stockgated")
        let command = option("--command", "../.build/release/stockgate")
        let profiles = URL(filePath: option("--profiles", "../DeviceProfiles")).standardizedFileURL.path
        let walks = Int(option("--walks", "3000")) ?? 3_000
        let parent = arguments.first ?? FileManager.default.temporaryDirectory.path
        let folder = URL(filePath: parent).standardizedFileURL.appending(path: "gate-bench-\(getpid())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }

        // The walks of the engine's clock end before now.
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        let year = try fill("\(folder)/state", endingAt: now - Int64(walks) * 10_000 - 600_000)
        var isGood = try decide(walks, in: folder, time: year.end)
        let free = (0..<Workshop.tools).filter { tool in
            ItemKey(Workshop.itemName(tool)).map { year.ledger.state.loans[$0] == nil } ?? false
        }
        let daemon = DaemonRun(folder: folder, gateway: gateway, command: command, profiles: profiles, month: year.month)
        isGood = try daemon.run(freeTools: free) && isGood
        if !isGood { exit(1) }
    }

    private static func fill(_ directory: String, endingAt end: Int64) throws -> Year {
        let start = milliseconds()
        let store = try EventStore(directory: directory, gateway: Workshop.code, random: { Workshop.epoch })
        let masterStore = try MasterStore(directory: directory)
        let rows = Workshop.master
        let version = try masterStore.apply(rows, at: "2026-01-01T00:00:00Z", source: "bench")
        var master = try MasterData().applying(rows)
        master.version = version.number
        var year = Year(endingAt: end, site: Workshop.site(in: directory), master: master, digest: version.digest, store: store)
        try year.run()
        let events = store.lastSequence
        store.close()
        masterStore.close()
        say(
            "a year made in \(Int((milliseconds() - start) / 1_000)) s: \(year.lent) tools lent, \(year.ledger.state.loans.count) of them out, \(Workshop.people) people, \(Workshop.tools) tools, \(year.reminders) reminders, \(year.exceptions) exceptions, \(events) events, \(size(of: directory)) MiB"
        )
        return year
    }

    /// - Returns: whether it was fast enough.
    private static func decide(_ walks: Int, in folder: String, time: Int64) throws -> Bool {
        let directory = "\(folder)/state"
        let start = milliseconds()
        let (store, state, _) = try EventStore.opened(directory: directory, gateway: Workshop.code, backups: nil) { Workshop.epoch }
        let opened = milliseconds()
        let (masterStore, _) = try MasterStore.opened(directory: directory, gateway: Workshop.code, backups: "\(directory)/backups")
        var master = try MasterData().applying(try masterStore.load())
        master.version = masterStore.version.number
        let imported = milliseconds()
        let begin = Instant(nanoseconds: 3_600_000_000_000)
        let engine = Engine(site: Workshop.site(in: directory), epoch: store.epoch, state: state, master: master, startingAt: begin)
        let ready = milliseconds()
        say(
            "loaded as a start does: store and state \(Int(opened - start)) ms, master data \(Int(imported - opened)) ms, engine \(Int(ready - imported)) ms"
        )
        let peer = StorePeer(path: "\(folder)/peer.db", state: state.rows)
        var gate = GateDecisions(engine: engine, startingAt: begin, time: time, store: store, peer: peer)
        say("\nwalks through a gate, engine and store as in the daemon, one at a time; ms, disk of \(folder)")
        say(String(repeating: " ", count: 52) + Percentiles.heading)
        var isGood = true
        for (name, share, most) in [("one tool", 0.8, 1), ("two to ten tools", 0.2, 10)] {
            let before = gate.samples.count
            gate.walk(Int(Double(walks) * share), most: most)
            let samples = Array(gate.samples[before...])
            let after = Percentiles(samples.map(\.afterPresence))
            let events = samples.reduce(0) { $0 + $1.events }
            let bytes = samples.reduce(0) { $0 + $1.bytes }
            say("\(name): the ledger's verdict".padded(to: 52) + "\(Percentiles(samples.map(\.ledger)))")
            say("\(name): the gate's reckoning and the verdict".padded(to: 52) + "\(Percentiles(samples.map(\.decided)))")
            say("\(name): the verdict, the disk and the light".padded(to: 52) + "\(after)")
            say("\(name): all of it".padded(to: 52) + "\(Percentiles(samples.map(\.whole)))")
            say("\(name): plain C commits the same bytes".padded(to: 52) + "\(Percentiles(samples.map(\.peer)))")
            say("  \(events) events, \(bytes / max(1, events)) bytes each; wanted: p99 from verdict to light at most \(wanted.decision)")
            isGood = isGood && after.at(0.99) <= wanted.decision
        }
        say("last words, which nobody waits for: to the decision".padded(to: 52) + "\(Percentiles(gate.laterWords))")
        say("walks whose tools are not where they were carried: \(gate.isWrong) of \(gate.walks)")
        isGood = isGood && gate.isWrong * 100 <= gate.walks
        store.close()
        masterStore.close()
        return isGood
    }

    private static func size(of directory: String) -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let sizes = names.map { (try? FileManager.default.attributesOfItem(atPath: "\(directory)/\($0)")[.size] as? Int) ?? 0 }
        return sizes.reduce(0, +) >> 20
    }
}

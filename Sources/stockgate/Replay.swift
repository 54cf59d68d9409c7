import ArgumentParser
import Gateway
import Ledger
import MasterImport
import OperatorText
import Presence
import Profiles
import Readings
import SiteConfiguration

struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpReplay))

    @Option(name: .long, help: ArgumentHelp(.helpConfigOption, value: "file"))
    var config: String

    @Option(name: .long, help: ArgumentHelp(.helpMaster, value: "file"))
    var master: [String] = []

    @Option(name: .long, help: ArgumentHelp(.helpState, value: "file"))
    var state: String?

    @Option(name: .long, help: ArgumentHelp(.helpProfiles, value: "folder"))
    var profiles: [String] = []

    @Argument(help: ArgumentHelp(.helpCapture))
    var capture: String

    @Flag(name: .long, help: ArgumentHelp(.helpSightings))
    var sightings = false

    @OptionGroup var output: OutputOptions

    func run() throws {
        let language = output.language
        let site: Site
        switch SiteFile.load(path: config) {
        case .success(let loaded): site = loaded
        case .failure(let error): throw ProblemList.failure(error.problems, language)
        }
        let rows = try MasterFiles.read(master, set: nil, language).rows
        let library = ProfileLibrary(directories: profiles.isEmpty ? site.gateway.profileDirectories : profiles)
        do throws(ReplayError) {
            try replay(site: site, library: library, master: try masterData(rows))
        } catch {
            throw CommandFailure.file(capture, error.description, language)
        }
    }

    private func replay(site: Site, library: ProfileLibrary, master: MasterData) throws(ReplayError) {
        var file = try CaptureFile(path: capture)
        var start = try file.startState()
        if let state { start = try stateFile(state) }
        var replay = try Gateway.Replay(
            site: site, library: library, master: master, state: try start.map(Self.row), header: file.header)
        if sightings {
            replay.onSighting = { station, sighting in
                var members = sighting.json(station: station)
                members["crossed"] = sighting.crossed.map { .integer($0.nanoseconds) }
                show(members, first: sighting.first, last: sighting.last)
            }
            replay.onStay = { show($1.json(station: $0), first: $1.first, last: $1.last) }
        } else {
            replay.onEvent = { Terminal.output.write(canonical: $0.bytes) }
        }
        while let line = try file.next() { try replay.take(line, number: file.lineNumber) }
        replay.finish()
    }

    /// Times are nanoseconds since the capture began.
    private func show(_ sighting: [String: JSON], first: Instant, last: Instant) {
        var members = sighting
        members["first"] = .integer(first.nanoseconds)
        members["last"] = .integer(last.nanoseconds)
        let json = JSON.object(members)
        if output.json {
            Terminal.output.write(canonical: json.canonicalBytes)
        } else {
            Terminal.output.write([(SightingLine.of(json, output.language), .plain)])
        }
    }

    /// People without a key get one from their place in the files, so that two replays agree.
    private func masterData(_ rows: [MasterRow]) throws(ReplayError) -> MasterData {
        var drawn: UInt64 = 0
        let empty = MasterData()
        let keyed = empty.mintingKeys(for: rows) {
            drawn += 1
            return drawn
        }
        do throws(MasterRefusal) {
            return try empty.applying(keyed)
        } catch {
            throw ReplayError(line: nil, reason: error.problems.first?.description ?? "master data were refused")
        }
    }

    /// `{"key":…,"value":…}` a line, as the `state` lines of a capture hold it.
    private func stateFile(_ path: String) throws(ReplayError) -> [JSON] {
        let bytes: [UInt8]
        do throws(FileFailure) {
            bytes = try FileFailure.contents(of: path)
        } catch {
            throw ReplayError(line: nil, reason: "\(path): \(error)")
        }
        var rows: [JSON] = []
        for (position, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() where !line.isEmpty {
            guard let row = try? JSON(parsing: Array(line)) else {
                throw ReplayError(line: nil, reason: "\(path):\(position + 1): not JSON")
            }
            rows.append(row)
        }
        return rows
    }

    private static func row(_ json: JSON) throws(ReplayError) -> StateRow {
        guard let key = json["key"]?.string else { throw ReplayError(line: nil, reason: "a state row without \"key\"") }
        return StateRow(key: key, value: json["value"])
    }
}

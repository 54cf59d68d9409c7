import ArgumentParser
import Decoding
import Gateway
import Glibc
import OperatorText
import Probing
import Profiles
import Readings

struct ProfileNew: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: help(.helpProfileNew), discussion: help(.helpProfileNewMore))

    @Option(name: .long, help: ArgumentHelp(.helpFrom, value: "capture"))
    var from: String

    @Option(name: .long, help: ArgumentHelp(.helpID, value: "vendor/model"))
    var id: String

    @Option(name: .long, help: ArgumentHelp(.helpFolder, value: "folder"))
    var output: String = "."

    @Option(name: .long, help: ArgumentHelp(.helpCaptureDevice, value: "name"))
    var device: String?

    @OptionGroup var folders: ProfileFolders
    @OptionGroup var options: OutputOptions

    func run() throws {
        let language = options.language
        let (header, lines) = try capture()
        let draft: ProfileDraft
        let written: (folder: String, problems: [ProfileProblem])
        do throws(ProfileDraftError) {
            let name = from.split(separator: "/").last.map(String.init) ?? from
            draft = try ProfileDraft(
                id: id, captureName: name.hasSuffix(".capture") ? String(name.dropLast(8)) : name, header: header, lines: lines,
                device: device,
                library: folders.library)
            written = try draft.write(to: output)
        } catch {
            throw failure(error)
        }
        if options.json { Terminal.output.write(json: json(draft, written)) } else { tell(draft, written.folder) }
        guard written.problems.isEmpty else {
            var failure = ProblemList.failure(written.problems, language)
            failure.lines.insert(ToolText.newBad(language), at: 0)
            throw failure
        }
    }

    private func capture() throws -> (Capture.Header, [Capture.Line]) {
        do throws(ReplayError) {
            var file = try CaptureFile(path: from)
            var lines: [Capture.Line] = []
            while let line = try file.next() { lines.append(line) }
            return (file.header, lines)
        } catch {
            throw CommandFailure.file(from, error.description, options.language)
        }
    }

    private func tell(_ draft: ProfileDraft, _ folder: String) {
        let language = options.language
        Terminal.output.write(ToolText.newRanking(language), .heading)
        for entry in draft.ranking.entries.prefix(6) {
            let name =
                entry.profiles.isEmpty
                ? entry.configuration.protocolName : "\(entry.configuration.protocolName) (\(entry.profiles.joined(separator: ", ")))"
            Terminal.output.write(
                ToolText.newFit(
                    language,
                    [
                        "protocol": Printable(escaping: name), "points": Printable(entry.score.points),
                        "readings": Printable(entry.score.readings),
                        "frames": Printable(entry.score.frames), "rejects": Printable(entry.score.rejects.total),
                    ]))
        }
        let shown = Printable(escaping: folder)
        Terminal.output.write(ToolText.newWritten(language, ["folder": shown]), .good)
        Terminal.output.write(
            ToolText.newNext(language, ["file": Printable(escaping: draft.expectedName), "folder": Printable(escaping: output)]))
    }

    private func json(_ draft: ProfileDraft, _ written: (folder: String, problems: [ProfileProblem])) -> JSON {
        [
            "folder": .string(written.folder), "good": .bool(written.problems.isEmpty), "problems": ProblemList.json(written.problems),
            "files": .array(draft.files.map { .string($0.name) }),
            "protocols": .array(
                draft.ranking.entries.map { entry in
                    [
                        "protocol": .string(entry.configuration.protocolName), "profiles": .array(entry.profiles.map(JSON.string)),
                        "points": .integer(Int64(entry.score.points)), "readings": .integer(Int64(entry.score.readings)),
                        "frames": .integer(Int64(entry.score.frames)), "rejects": .integer(Int64(clamping: entry.score.rejects.total)),
                    ]
                }),
        ]
    }

    private func failure(_ error: ProfileDraftError) -> CommandFailure {
        let language = options.language
        let subject = Printable(escaping: error.subject)
        switch error.kind {
        case .badID: return .usage(ToolText.newID(language, ["text": subject]))
        case .severalDevices(let names):
            return .usage(ToolText.newDevices(language, ["devices": Printable(escaping: names.joined(separator: ", "))]))
        case .nothing: return CommandFailure(.negative, code: "no_reading", [ToolText.newNothing(language, ["device": subject])])
        case .exists: return CommandFailure(.badInput, code: "exists", [ToolText.newExists(language, ["folder": subject])])
        case .write(let number):
            let reason = Printable(escaping: String(cString: strerror(number)))
            return CommandFailure(.badInput, code: "bad_input", [ToolText.newFile(language, ["file": subject, "reason": reason])])
        }
    }
}

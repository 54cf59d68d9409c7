import ArgumentParser
import Control
import OperatorText
import Readings

struct Record: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpRecord))

    @Option(name: .long, help: ArgumentHelp(.helpOutput, value: "file"))
    var output: String?

    @Option(name: .customLong("for"), help: ArgumentHelp(.helpFor, value: "seconds"))
    var seconds: Int?

    @Option(name: .long, help: ArgumentHelp(.helpRecordNote))
    var note: String = ""

    @OptionGroup var daemon: DaemonOptions

    private static let longest = 86_400

    func run() throws {
        if let seconds, !(1...Self.longest).contains(seconds) {
            throw CommandFailure.usage(
                Text.errorPositive(
                    daemon.output.language, ["option": "--for", "lower": "1", "upper": Printable(Self.longest)]))
        }
        let connection = try daemon.connect()
        let language = connection.language
        // Before anything is recorded, so that an interrupt at any moment ends the recording too.
        let signals = Interrupts()
        let started = try connection.send("POST", ["recording"], body: ["note": .string(note)])
        let name = started["name"]?.string ?? ""
        let path = output ?? Self.fileName(name)
        let file: OutputFile
        do throws(FileFailure) {
            file = try OutputFile(path)
        } catch {
            _ = try? connection.send("DELETE", ["recording"])
            throw CommandFailure.file(path, error.description, language)
        }
        if !daemon.json {
            Terminal.errors.write(
                seconds.map { Text.recordStartedFor(language, ["seconds": Printable($0)]) } ?? Text.recordStarted(language), .faint)
        }
        signals.wait(seconds: seconds)
        let ended = try connection.send("DELETE", ["recording"])
        var failure: FileFailure?
        try connection.told { () throws(ControlFailure) in
            try connection.client.bytes(["recordings", name]) { piece in
                do throws(FileFailure) { try file.write(piece) } catch { failure = error }
                return failure == nil
            }
        }
        if let failure { throw CommandFailure.file(path, failure.description, language) }
        if daemon.json {
            var members = ended.object ?? [:]
            members["file"] = .string(path)
            return (path == "-" ? Terminal.errors : Terminal.output).write(json: .object(members))
        }
        Terminal.errors.write(
            Text.doneRecord(
                language,
                [
                    "lines": Printable(ended["lines"]?.integer ?? 0), "bytes": Printable(ended["bytes"]?.integer ?? 0),
                    "file": Printable(escaping: path),
                ]), .good)
    }

    /// The daemon's name for it, as far as it is one that may be a file here.
    static func fileName(_ name: String) -> String {
        let safe = name.utf8.prefix(80).filter {
            ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || [0x2D, 0x2E, 0x5F].contains($0)
        }
        let text = String(decoding: safe, as: UTF8.self)
        return text.isEmpty || text.hasPrefix(".") ? "recording.capture" : text
    }
}

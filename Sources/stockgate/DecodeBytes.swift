import ArgumentParser
import Decoding
import Identifiers
import OperatorText
import Profiles
import Readings
import SiteConfiguration

/// `stockgate decode --profile ID --hex …`: the default of `decode`.
struct DecodeBytes: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "bytes", abstract: help(.helpDecodeBytes))

    @Option(name: .long, help: ArgumentHelp(.helpProfileID, value: "vendor/model"))
    var profile: String

    @Option(name: .long, help: ArgumentHelp(.helpHex))
    var hex: String

    @Option(name: .long, help: ArgumentHelp(.helpProfiles, value: "folder"))
    var profiles: [String] = []

    @OptionGroup var output: OutputOptions

    func run() throws {
        let language = output.language
        guard let bytes = Hex.bytes(hex) else {
            throw CommandFailure.usage(Text.errorHex(language, ["text": Printable(escaping: hex, limit: 64)]))
        }
        let library = ProfileLibrary(directories: profiles.isEmpty ? Site.Gateway(code: "", site: "").profileDirectories : profiles)
        guard let found = library[profile] else {
            throw CommandFailure(
                .negative, code: "not_found", [Text.errorProfile(language, ["text": Printable(escaping: profile, limit: 64)])])
        }
        var decoder = found.decoder.makeDecoder()
        var batch = DecodedBatch()
        bytes.withUnsafeBytes { decoder.decode($0, at: .zero, into: &batch) }
        // Silence ends what has no terminator.
        while let deadline = decoder.nextDeadline { decoder.advance(to: deadline, into: &batch) }
        for reading in batch.readings { Terminal.output.write(json: Self.json(reading)) }
        for signal in batch.signals { Terminal.output.write(json: Self.json(signal)) }
        let rejects = batch.rejects.byReason
        guard !rejects.isEmpty else { return }
        var counts: [String: JSON] = [:]
        for (reason, count) in rejects { counts["\(reason)"] = .integer(Int64(clamping: count)) }
        Terminal.output.write(json: ["rejects": .object(counts)])
        if batch.readings.isEmpty, batch.signals.isEmpty {
            throw CommandFailure(.negative, code: "no_reading", [Text.errorNoReading(language)])
        }
    }

    private static func json(_ reading: Reading) -> JSON {
        switch reading {
        case .tag(let read): ["tag": read.json]
        case .late(let read): ["late": read.json]
        case .scan(let scan):
            [
                "scan": .compact([
                    "hex": .string(Hex.text(scan.data)), "text": .string(String(decoding: scan.data, as: UTF8.self)),
                    "aim": scan.symbology.map { .string($0.description) },
                ])
            ]
        case .badge(let badge): ["badge": .string(badge.credential)]
        case .input(let change): ["input": ["line": .integer(Int64(change.line)), "active": .bool(change.isActive)]]
        case .state(let state): ["state": .string(state.isReading ? "reading" : "not_reading")]
        }
    }

    private static func json(_ signal: Signal) -> JSON {
        switch signal {
        case .answer(let bytes): ["answer": .string(Hex.text(bytes))]
        case .reply(let bytes): ["reply": .string(Hex.text(bytes))]
        case .alive: ["signal": "alive"]
        case .roundEnded: ["signal": "round_ended"]
        case .interrupted: ["signal": "interrupted"]
        case .roundFailed: ["signal": "round_failed"]
        case .noRead: ["signal": "no_read"]
        case .fault(let code, let meaning, let isTransient):
            ["fault": ["code": .integer(Int64(code)), "meaning": .string(meaning), "transient": .bool(isTransient)]]
        case .antennaFault(let antenna, let meaning):
            ["antenna_fault": ["antenna": .integer(Int64(antenna)), "meaning": .string(meaning)]]
        }
    }
}

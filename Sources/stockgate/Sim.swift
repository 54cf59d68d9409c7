import ArgumentParser
import DeviceSimulators
import Glibc
import Identifiers
import OperatorText
import Readings
import SiteConfiguration

struct Sim: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpSim), subcommands: [SimDevice.self])
}

struct SimDevice: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: help(.helpSimDevice), discussion: help(.helpSimDeviceMore))

    @Argument(help: ArgumentHelp(.helpKind))
    var kind: String?

    @Flag(name: .long, help: ArgumentHelp(.helpKinds))
    var list = false

    @Flag(name: .long, help: ArgumentHelp(.helpPTY))
    var pty = false

    @Option(name: .long, help: ArgumentHelp(.helpLink, value: "path"))
    var link: String?

    @Option(name: .long, help: ArgumentHelp(.helpListen, value: "host:port"))
    var listen: String?

    @Option(name: .long, help: ArgumentHelp(.helpTagFile, value: "file"))
    var tags: String?

    @Option(name: .long, help: ArgumentHelp(.helpTagOption, value: "epc"))
    var tag: [String] = []

    @Option(name: .long, help: ArgumentHelp(.helpRate, value: "reads"))
    var rate: Int = 50

    @Option(name: .long, help: ArgumentHelp(.helpSeed))
    var seed: UInt64 = 1

    @Option(name: .long, help: ArgumentHelp(.helpScanText, value: "text"))
    var scan: [String] = []

    @OptionGroup var output: OutputOptions

    func run() throws {
        let language = output.language
        if list { return try listKinds() }
        guard let name = kind, let kind = SimulatedDeviceKind.all.first(where: { $0.name == name }) else {
            let kinds = SimulatedDeviceKind.all.map(\.name).joined(separator: ", ")
            throw CommandFailure.usage(
                ToolText.simNoKind(
                    language, ["kind": Printable(escaping: self.kind ?? "", limit: 64), "kinds": Printable(escaping: kinds)]))
        }
        guard (1...20_000).contains(rate) else {
            throw CommandFailure.usage(Text.errorPositive(language, ["option": "--rate", "lower": "1", "upper": "20000"]))
        }
        let signals = Interrupts()
        let place = try place(of: kind)
        let setting = SimulatedDeviceKind.Setting(tags: try epcs(), readsPerSecond: rate, seed: seed)
        let runner: SimulatedDeviceRunner
        do {
            runner = try SimulatedDeviceRunner(kind, setting, at: place, takesLines: true, report: show)
        } catch {
            throw CommandFailure.file(link ?? listen ?? name, "\(error)", language)
        }
        introduce(kind, runner.address, place)
        for text in scan { runner.obey("scan \(text)") }
        runner.run { signals.isPending }
    }

    private func place(of kind: SimulatedDeviceKind) throws -> SimulatedDeviceRunner.Place {
        let language = output.language
        if let listen {
            guard !pty, link == nil else { throw CommandFailure.usage(ToolText.simOneReach(language)) }
            guard let colon = listen.lastIndex(of: ":"), let port = UInt16(listen[listen.index(after: colon)...]) else {
                throw CommandFailure.usage(ToolText.simBadAddress(language, ["text": Printable(escaping: listen, limit: 64)]))
            }
            let host = listen[..<colon].trimmed { $0 == "[" || $0 == "]" }
            return .tcp(host: host.isEmpty ? "127.0.0.1" : host, port: port)
        }
        if case .tcp(let port) = kind.reach, !pty, link == nil { return .tcp(host: "127.0.0.1", port: port) }
        return .pseudoTerminal(link: link)
    }

    private func epcs() throws -> [EPC] {
        var lines = tag
        if let tags {
            do throws(FileFailure) {
                let text = String(decoding: try FileFailure.contents(of: tags), as: UTF8.self)
                lines += text.split(whereSeparator: \.isNewline).map { $0.trimmed(\.isWhitespace) }.filter {
                    !$0.isEmpty && !$0.hasPrefix("#")
                }
            } catch {
                throw CommandFailure.file(tags, error.description, output.language)
            }
        }
        return try lines.map { line in
            guard let epc = EPC(hex: line) else {
                throw CommandFailure.usage(ToolText.simBadTag(output.language, ["text": Printable(escaping: line, limit: 64)]))
            }
            return epc
        }
    }

    private func listKinds() throws {
        let language = output.language
        if output.json {
            return Terminal.output.write(json: [
                "kinds": .array(
                    SimulatedDeviceKind.all.map {
                        [
                            "kind": .string($0.name), "summary": .string($0.summary), "profile": .string($0.profile),
                            "reach": .string($0.reachText),
                        ]
                    })
            ])
        }
        var table = Table(
            headings: [Text.headKind(language), ToolText.headSummary(language), ToolText.headReach(language), Text.headProfile(language)])
        for kind in SimulatedDeviceKind.all {
            table.add([
                .init(Printable(escaping: kind.name)), .init(Printable(escaping: kind.summary)), .init(Printable(escaping: kind.reachText)),
                .init(Printable(escaping: kind.profile)),
            ])
        }
        table.print()
    }

    private func introduce(_ kind: SimulatedDeviceKind, _ address: String, _ place: SimulatedDeviceRunner.Place) {
        if output.json {
            return Terminal.output.write(json: ["address": .string(address), "kind": .string(kind.name), "profile": .string(kind.profile)])
        }
        let language = output.language
        let shown = Printable(escaping: address)
        var key: Printable = "port"
        if case .tcp = place { key = "address" }
        Terminal.output.write(ToolText.simReady(language, ["kind": Printable(escaping: kind.name), "address": shown]), .heading)
        Terminal.output.write(ToolText.simProfile(language, ["profile": Printable(escaping: kind.profile), "key": key, "address": shown]))
        Terminal.output.write(ToolText.simForms(language, ["forms": Self.forms]), .faint)
    }

    private static let forms = Printable(escaping: SimulatorCommand.forms.joined(separator: ", "))

    private func show(_ event: SimulatedDeviceRunner.Event) {
        if output.json { return Terminal.output.write(json: event.json) }
        let language = output.language
        func text(_ raw: String) -> Printable { Printable(escaping: raw) }
        switch event {
        case .connected: Terminal.output.write(ToolText.simConnected(language), .good)
        case .disconnected: Terminal.output.write(ToolText.simDisconnected(language), .warning)
        case .asked(let what, 1): Terminal.output.write(ToolText.simAsked(language, ["what": text(what)]))
        case .asked(let what, let count):
            Terminal.output.write(ToolText.simAskedTimes(language, ["what": text(what), "count": Printable(count)]))
        case .obeyed(let line): Terminal.output.write(ToolText.simObeyed(language, ["line": text(line)]), .faint)
        case .notUnderstood(let line):
            Terminal.errors.write(ToolText.simNotUnderstood(language, ["line": text(line), "forms": Self.forms]), .bad)
        case .cannot(let line): Terminal.errors.write(ToolText.simCannot(language, ["line": text(line)]), .bad)
        }
    }
}

extension SimulatedDeviceKind {
    fileprivate var reachText: String {
        switch reach {
        case .pseudoTerminal: "pty"
        case .tcp(let port): "tcp \(port)"
        }
    }
}

extension SimulatedDeviceRunner.Event {
    fileprivate var json: JSON {
        switch self {
        case .connected: ["event": "connected"]
        case .disconnected: ["event": "disconnected"]
        case .asked(let what, let count): ["event": "asked", "what": .string(what), "count": .integer(Int64(count))]
        case .obeyed(let line): ["event": "obeyed", "line": .string(line)]
        case .notUnderstood(let line): ["event": "not_understood", "line": .string(line)]
        case .cannot(let line): ["event": "cannot", "line": .string(line)]
        }
    }
}

extension StringProtocol {
    /// Without the characters at both ends that `isBlank` names.
    func trimmed(_ isBlank: (Character) -> Bool) -> String {
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(self[first...last])
    }
}

import ArgumentParser
import DeviceSimulators
import Glibc
import Identifiers
import OperatorText
import Readings
import Simulation
import SiteConfiguration

struct Sim: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: help(.helpSim), subcommands: [SimScene.self, SimDevice.self],
        defaultSubcommand: SimScene.self)
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

    @Option(name: .long, help: ArgumentHelp(.helpCall, value: "host:port"))
    var call: String?

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

    @Option(name: .long, help: ArgumentHelp(.helpDeviceScenario, value: "name"))
    var scenario: String?

    @Option(name: .long, help: ArgumentHelp(.helpSceneGate, value: "angled|pedestal"))
    var gate: String = "angled"

    @Option(name: .long, help: ArgumentHelp(.helpDeviceSpeed, value: "factor"))
    var speed: Double = 1

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
        var isOnNetwork = true
        if case .pseudoTerminal = place { isOnNetwork = false }
        let device = kind.make(
            .init(tags: try epcs(), readsPerSecond: rate, seed: seed, isOnNetwork: isOnNetwork, scene: try scene(for: kind)))
        try run(device, kind, at: place, until: signals)
    }

    private func run<Device: SimulatedDevice>(
        _ device: Device, _ kind: SimulatedDeviceKind, at place: SimulatedPlace, until signals: Interrupts
    ) throws {
        let runner: SimulatedDeviceRunner<Device>
        do {
            runner = try SimulatedDeviceRunner(device, at: place, seed: seed)
        } catch {
            throw CommandFailure.file(link ?? listen ?? call ?? kind.name, "\(error)", output.language)
        }
        introduce(kind, runner.address, place)
        for text in scan { runner.obey("scan \(text)").forEach(show) }
        var lines = SimulatorLines(STDIN_FILENO)
        while !signals.isPending {
            runner.turn(orReadable: lines.descriptor).forEach(show)
            for line in lines.take() { runner.obey(line).forEach(show) }
        }
        runner.stop()
    }

    /// What a reader reads of the scene that was asked for.
    private func scene(for kind: SimulatedDeviceKind) throws -> SceneReads? {
        let language = output.language
        guard let name = scenario else { return nil }
        guard kind.playsScenes else {
            let kinds = SimulatedDeviceKind.all.filter(\.playsScenes).map(\.name).joined(separator: ", ")
            throw CommandFailure.usage(SceneText.sceneNoReader(language, ["kinds": Printable(escaping: kinds)]))
        }
        guard (0.01...1_000).contains(speed) else { throw CommandFailure.usage(SceneText.sceneSpeed(language)) }
        guard let layout = GateLayout.named(gate) else { throw CommandFailure.usage(SceneText.sceneGate(language)) }
        guard let scenario = GateScenario(rawValue: name), scenario != .day else {
            let names = GateScenario.allCases.filter { $0 != .day }.map(\.rawValue).joined(separator: ", ")
            throw CommandFailure.usage(
                SceneText.sceneUnknown(language, ["name": Printable(escaping: name, limit: 64), "names": Printable(escaping: names)]))
        }
        let run = GateRun(scenario, layout: layout, seed: seed)
        return SceneReads(run.reads, speedPercent: Int(speed * 100))
    }

    private func place(of kind: SimulatedDeviceKind) throws -> SimulatedPlace {
        guard [pty || link != nil, listen != nil, call != nil].count(where: \.self) <= 1 else {
            throw CommandFailure.usage(ToolText.simOneReach(output.language))
        }
        if let listen {
            let (host, port) = try address(listen)
            return .listen(host: host, port: port)
        }
        if let call {
            let (host, port) = try address(call)
            return .call(host: host, port: port)
        }
        if case .tcp(let port) = kind.reach, !pty, link == nil { return .listen(host: "127.0.0.1", port: port) }
        return .pseudoTerminal(link: link)
    }

    private func address(_ text: String) throws -> (host: String, port: UInt16) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw CommandFailure.usage(ToolText.simBadAddress(output.language, ["text": Printable(escaping: text, limit: 64)]))
        }
        let host = text[..<colon].trimmed { $0 == "[" || $0 == "]" }
        return (host.isEmpty ? "127.0.0.1" : host, port)
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
                            "reach": .string($0.reachText), "actions": .array($0.actions.map { .string($0.rawValue) }),
                        ]
                    })
            ])
        }
        var table = Table(
            headings: [
                Text.headKind(language), ToolText.headSummary(language), ToolText.headReach(language), ToolText.headNotices(language),
                Text.headProfile(language),
            ])
        for kind in SimulatedDeviceKind.all {
            table.add([
                .init(Printable(escaping: kind.name)), .init(Printable(escaping: kind.summary)), .init(Printable(escaping: kind.reachText)),
                .init(Printable(escaping: kind.actions.map(\.rawValue).joined(separator: " "))), .init(Printable(escaping: kind.profile)),
            ])
        }
        table.print()
    }

    private func introduce(_ kind: SimulatedDeviceKind, _ address: String, _ place: SimulatedPlace) {
        if output.json {
            return Terminal.output.write(json: ["address": .string(address), "kind": .string(kind.name), "profile": .string(kind.profile)])
        }
        let language = output.language
        let shown = Printable(escaping: address)
        var key: Printable = "port"
        switch place {
        case .pseudoTerminal: break
        case .listen: key = "address"
        case .call: key = "listen"
        }
        Terminal.output.write(ToolText.simReady(language, ["kind": Printable(escaping: kind.name), "address": shown]), .heading)
        Terminal.output.write(ToolText.simProfile(language, ["profile": Printable(escaping: kind.profile), "key": key, "address": shown]))
        Terminal.output.write(ToolText.simForms(language, ["forms": forms(kind.actions)]), .faint)
    }

    private func forms(_ actions: [SimulatedAction.Kind]) -> Printable {
        Printable(escaping: SimulatorCommand.forms(actions).joined(separator: ", "))
    }

    private func show(_ event: SimulatedDeviceEvent) {
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
            Terminal.errors.write(
                ToolText.simNotUnderstood(language, ["line": text(line), "forms": forms(SimulatedAction.Kind.allCases)]), .bad)
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

extension SimulatedDeviceEvent {
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

import ArgumentParser
import Decoding
import Devices
import Glibc
import OperatorText
import Probing
import Profiles
import Readings
import SiteConfiguration

struct Probe: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpProbe), discussion: help(.helpProbeMore))

    @Argument(help: ArgumentHelp(.helpPort))
    var port: String

    @Flag(name: .long, help: ArgumentHelp(.helpListenOnly))
    var listenOnly = false

    @Option(name: .long, help: ArgumentHelp(.helpSeconds))
    var seconds: Int = 8

    @OptionGroup var folders: ProfileFolders
    @OptionGroup var output: OutputOptions

    private static let longest = 3_600

    func run() throws {
        let language = output.language
        guard (0...Self.longest).contains(seconds) else {
            throw CommandFailure.usage(
                Text.errorPositive(language, ["option": "--seconds", "lower": "0", "upper": Printable(Self.longest)]))
        }
        let profiles = folders.library.profiles
        guard !profiles.isEmpty else {
            throw CommandFailure(
                .badInput, code: "no_profiles",
                [
                    ToolText.probeNoProfiles(
                        language, ["folders": Printable(escaping: folders.directories.joined(separator: ", "), limit: 400)])
                ])
        }
        let signals = Interrupts()
        let advice = ProbeAdvice(port: port, language: language)
        let line: TriedLine
        do throws(DeviceError) {
            line = try TriedLine(port)
        } catch {
            throw advice.failure(error)
        }
        // Whatever happens, the port is left as it was found.
        defer { line.release() }
        let place = Port(port)
        let talk = ProbeTalk(isSilent: output.json, language: language)
        talk.introduce(place)
        var probe = SerialProbe(
            profiles: profiles, plan: ProbePlan(profiles: profiles, seconds: seconds, listenOnly: listenOnly), properties: place.properties,
            isInterrupted: { signals.isPending }, report: talk.report)
        let result: ProbeResult
        do throws(DeviceError) {
            result = try probe.run(on: line)
        } catch {
            throw CommandFailure(.negative, code: "device", [Printable(escaping: error.description, limit: 400)])
        }
        if output.json { Terminal.output.write(json: result.json(port: port, stablePort: place.stableName)) }
        guard let found = result.found else {
            if result.isInterrupted {
                line.release()
                Glibc.exit(130)
            }
            throw advice.notFound(result, place)
        }
        talk.conclude(found, result, place)
    }
}

/// What a person who waits is told.
struct ProbeTalk {
    let isSilent: Bool
    let language: Site.Language

    func introduce(_ port: Port) {
        let what = ["ID_VENDOR", "ID_MODEL", "ID_VENDOR_ID", "ID_MODEL_ID", "ID_USB_DRIVER", "ID_PATH"].compactMap { port.properties[$0] }
        guard !what.isEmpty else { return }
        say(.probePort, ["port": escaped(port.path), "what": escaped(what.joined(separator: " "))], .heading)
    }

    func report(_ progress: SerialProbe.Progress) {
        switch progress {
        case .listening(let listening):
            let tenths = (listening.duration.milliseconds + 50) / 100
            say(.probeListening, ["line": escaped(listening.line.summary), "seconds": escaped("\(tenths / 10).\(tenths % 10)")])
        case .heard(let heard):
            if heard.refusal != nil { return say(.probeRefused, [:], .faint) }
            if heard.byteCount == 0 {
                say(.probeNothing, [:], .faint)
            } else {
                say(.probeHeard, ["count": Printable(heard.byteCount), "bytes": bytes(heard.sample, of: heard.byteCount)])
            }
            if let errors = heard.lineErrors, errors > 0 { say(.probeErrors, ["count": Printable(errors)], .warning) }
        case .asking(let question):
            // The same question away from the profile's own setting says nothing new.
            let steps = Set(question.asking.map { "\($0.profile): \($0.step)" }).sorted().joined(separator: ", ")
            say(.probeAsking, ["line": escaped(question.line.summary), "bytes": escaped(Hex.text(question.send)), "steps": escaped(steps)])
        case .asked(let asked):
            guard let answer = asked.answer else { return say(.probeNoAnswer, [:], .faint) }
            say(asked.profiles.isEmpty ? .probeOther : .probeAnswer, ["bytes": escaped(Hex.text(answer))])
        }
    }

    func conclude(_ found: ProbeResult.Candidate, _ result: ProbeResult, _ port: Port) {
        say(
            .probeFound, ["profile": escaped(found.profile), "name": escaped(found.name), "line": escaped(found.line.summary)], .good)
        if found.isMatched { say(.probeWhyMatched) }
        if found.score.isAnswered {
            say(.probeWhyAnswered)
        } else if found.score.isChecked {
            say(
                .probeWhyFrames,
                ["count": Printable(found.score.readings + found.score.frames), "rejects": Printable(found.score.rejects.total)])
        } else {
            say(.probeWhyText, ["count": Printable(found.score.readings)])
        }
        let others = result.candidates.dropFirst().filter { $0.points >= max(ProbeScore.worthwhile, found.points - 10) }.map(\.profile)
        if !others.isEmpty { say(.probeAlso, ["profiles": escaped(others.joined(separator: ", "))]) }
        if found.isElsewhere { say(.probeElsewhere, ["line": escaped(found.line.summary)], .warning) }
        say(.probeSite, [:], .heading)
        guard !isSilent else { return }
        for line in ProbeResult.siteLines(found, port: port.stableName) { Terminal.output.write(escaped(line)) }
    }

    private func say(_ text: ToolText, _ values: [String: Printable] = [:], _ style: Terminal.Style = .plain) {
        if !isSilent { Terminal.output.write(text(language, values), style) }
    }

    /// Text as text, everything else escaped.
    private func bytes(_ sample: [UInt8], of count: Int) -> Printable {
        let isText = sample.allSatisfy { $0 >= 0x20 && $0 < 0x7F || [0x02, 0x03, 0x04, 0x0A, 0x0D, 0x1D, 0x1E].contains($0) }
        let shown = isText ? Printable(escaping: String(decoding: sample, as: UTF8.self)) : Printable(escaping: Hex.text(sample))
        return count > sample.count ? shown + " …" : shown
    }

    private func escaped(_ text: String) -> Printable { Printable(escaping: text, limit: 400) }
}

/// What to do when a probe cannot be done or finds nothing.
struct ProbeAdvice {
    let port: String
    let language: Site.Language

    private var name: [String: Printable] { ["port": Printable(escaping: port)] }

    func failure(_ error: DeviceError) -> CommandFailure {
        switch error.errorNumber {
        case EBUSY, EWOULDBLOCK:
            let holders = Port(port).holders()
            let lines = holders.map {
                ToolText.probeHeldBy(language, ["program": Printable(escaping: $0.program), "process": Printable($0.process)])
            }
            return CommandFailure(
                .negative, code: "busy",
                [ToolText.probeBusy(language, name)] + (lines.isEmpty && geteuid() != 0 ? [ToolText.probeBusyUnknown(language)] : lines)
                    + others())
        case EACCES, EPERM:
            return CommandFailure(
                .negative, code: "permission",
                [ToolText.probePermission(language, name.merging(["group": Printable(escaping: Port.group(of: port) ?? "dialout")]) { $1 })]
            )
        case ENOENT, ENXIO, ENODEV:
            let ports = Port.all()
            let there =
                ports.isEmpty
                ? ToolText.probeNoPorts(language)
                : ToolText.probePorts(language, ["ports": Printable(escaping: ports.joined(separator: " "), limit: 400)])
            return CommandFailure(.negative, code: "missing", [ToolText.probeMissing(language, name), there] + others())
        default:
            return CommandFailure(
                .negative, code: "device",
                [ToolText.probeNotSerial(language, name), Printable(escaping: error.description, limit: 400)])
        }
    }

    func notFound(_ result: ProbeResult, _ port: Port) -> CommandFailure {
        var lines = [ToolText.probeNotFound(language, name)]
        if let nearest = result.candidates.first {
            lines.append(
                ToolText.probeWeak(language, ["profile": Printable(escaping: nearest.profile), "points": Printable(nearest.points)]))
        }
        lines.append(result.byteCount == 0 ? ToolText.probeSilent(language) : ToolText.probeNotUnderstood(language))
        // A pseudo-terminal is held by the simulator behind it.
        if !port.node.hasPrefix("/dev/pts/") {
            lines += port.holders().map {
                ToolText.probeHeldBy(language, ["program": Printable(escaping: $0.program), "process": Printable($0.process)])
            }
        }
        return CommandFailure(.negative, code: "no_profile", lines + others())
    }

    /// Programs that are known to get in the way.
    private func others() -> [Printable] {
        let running = Set(Port.running(["brltty", "ModemManager"]).map(\.program))
        return (running.contains("brltty") ? [ToolText.probeBraille(language)] : [])
            + (running.contains("ModemManager") ? [ToolText.probeModem(language)] : [])
    }
}

import Glibc
import OperatorText
import Presence
import Readings
import SiteConfiguration

/// What the walks say about the gate, what to change there, and the settings that follow.
struct WalkReport {
    let gate: String
    let test: WalkTest
    let antennas: [TunedAntenna]
    let language: Site.Language

    private var rights: [String: Printable] {
        ["right": Printable(test.walks.count { $0.isRight }), "count": Printable(test.walks.count)]
    }

    func print() {
        let headings: [WalkText] = [.headAntenna, .headSide, .headReads, .headStrongest, .headNear, .headReturn, .headBias]
        var table = Table(headings: headings.map { $0(language) }, numeric: [2, 3, 4, 5, 6])
        for (index, antenna) in antennas.enumerated() {
            let report = test.report(antenna: index)
            func level(_ hundredths: Int16?, _ unit: Printable) -> Printable {
                hundredths.map { Printable(escaping: Self.decibels($0)) + " " + unit } ?? ""
            }
            table.add([
                .init(Printable(escaping: antenna.name, limit: 40)), .init(Text.code(antenna.side.rawValue, of: "side", language)),
                .init(Printable(report.reads)), .init(level(report.strongest, "dBm")), .init(level(report.strongestNear, "dBm")),
                .init(report.returnTime.map { Printable($0.milliseconds) + " ms" } ?? ""), .init(level(report.bias, "dB")),
            ])
        }
        table.print()
        let advice = test.advice
        guard !advice.isEmpty else { return Terminal.output.write(WalkText.good(language, rights), .good) }
        Terminal.output.write(WalkText.advice(language, rights), .heading)
        for item in advice { Terminal.output.write([("  - ", .faint), (text(of: item), .warning)]) }
    }

    private func text(of advice: WalkTest.Advice) -> Printable {
        func name(_ index: Int) -> [String: Printable] { ["antenna": Printable(escaping: antennas[index].name, limit: 40)] }
        switch advice {
        case .silent(let index): return WalkText.silent(language, name(index))
        case .sidesSwapped: return WalkText.sidesSwapped(language)
        case .sidesAlike: return WalkText.sidesAlike(language)
        case .fewReads(let index):
            return WalkText.fewReads(language, name(index).merging(["count": Printable(test.report(antenna: index).reads)]) { $1 })
        case .slowReturn(let index):
            let time = test.report(antenna: index).returnTime ?? .zero
            return WalkText.slowReturn(language, name(index).merging(["time": Printable(time.milliseconds)]) { $1 })
        case .nearIsStrong: return WalkText.nearIsStrong(language)
        case .falseCrossing: return WalkText.falseCrossing(language)
        case .missedCrossing: return WalkText.missedCrossing(language)
        }
    }

    var json: JSON {
        [
            "gate": .string(gate), "good": .bool(test.advice.isEmpty),
            "walks": .array(
                test.walks.map { walk in
                    [
                        "task": .string(walk.task.rawValue), "reads": .integer(Int64(walk.reads.count)), "right": .bool(walk.isRight),
                        "decision": .string(walk.decision.word),
                    ]
                }),
            "antennas": .array(
                antennas.indices.map { index in
                    let report = test.report(antenna: index)
                    return .compact([
                        "device": .string(antennas[index].device), "port": .integer(Int64(antennas[index].port)),
                        "side": .string(antennas[index].side.rawValue), "reads": .integer(Int64(report.reads)),
                        "strongest": report.strongest.map { .decimal(Int64($0), scale: 100) },
                        "strongest_near": report.strongestNear.map { .decimal(Int64($0), scale: 100) },
                        "return_ms": report.returnTime.map { .integer($0.milliseconds) },
                        "bias_db": report.bias.map { .decimal(Int64($0), scale: 100) },
                    ])
                }),
            "advice": .array(
                test.advice.map { item in
                    .compact(["advice": .string(item.word), "antenna": item.antenna.map { .string(antennas[$0].name) }])
                }),
        ]
    }

    // The settings

    /// The drop-in of the site file; nil when the reader tells no signal levels.
    var settings: [String]? {
        let biased = antennas.indices.filter { test.report(antenna: $0).bias != nil }
        guard !biased.isEmpty else { return nil }
        var lines = ["# Measured by: stockgate gate tune \(gate)", "[[tuning]]", "station = \"\(gate)\""]
        if let floor = test.floor { lines.append("floor_dbm = \(Self.decibels(floor))") }
        lines.append("antenna = [")
        for index in biased {
            guard let bias = test.report(antenna: index).bias else { continue }
            let antenna = antennas[index]
            lines.append("    { device = \"\(antenna.device)\", port = \(antenna.port), bias_db = \(Self.decibels(bias)) },")
        }
        return lines + ["]"]
    }

    /// Shows the settings and writes them when the person agrees.
    func offer(folder: String, isAgreed: Bool, isAsking: Bool) throws {
        guard let settings, isAgreed || isAsking else { return }
        let file = "\(folder)/tuning-\(gate).toml"
        let name = Printable(escaping: file)
        let terminal = isAsking ? Terminal.output : Terminal.errors
        if isAsking {
            terminal.write(WalkText.settings(language, ["gate": Printable(escaping: gate, limit: 64)]), .heading)
            for line in settings { terminal.write("    " + Printable(escaping: line)) }
        }
        if !isAgreed {
            terminal.write(WalkText.ask(language, ["file": name]))
            guard let answer = readLine(), ["y", "yes", "j", "是"].contains(answer.lowercased()) else {
                return terminal.write(WalkText.kept(language), .faint)
            }
        }
        do throws(FileFailure) {
            let output = try OutputFile(file)
            let bytes = Array((settings.joined(separator: "\n") + "\n").utf8)
            var failure: FileFailure?
            bytes.withUnsafeBufferPointer { buffer in
                do throws(FileFailure) { try output.write(buffer) } catch { failure = error }
            }
            if let failure { throw failure }
        } catch {
            throw CommandFailure(
                .negative, code: "not_written",
                [WalkText.notWritten(language, ["file": name, "reason": Printable(escaping: error.description)])])
        }
        terminal.write(WalkText.written(language, ["file": name]), .good)
        let site = folder.hasSuffix("/site.d") ? String(folder.dropLast(7)) + "/site.toml" : "site.toml"
        terminal.write(WalkText.reload(language, ["site": Printable(escaping: site)]))
    }

    /// Hundredths with one digit after the point, which is what a reader can tell.
    static func decibels(_ hundredths: Int16) -> String {
        let tenths = (Int(hundredths) + (hundredths < 0 ? -5 : 5)) / 10
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }
}

extension WalkTest.Decision {
    var word: String {
        switch self {
        case .passed(.out): "passed_out"
        case .passed(.in): "passed_in"
        case .uncertain: "uncertain"
        case .none: "stayed"
        }
    }
}

extension WalkTest.Advice {
    var word: String {
        switch self {
        case .silent: "silent"
        case .sidesSwapped: "sides_swapped"
        case .sidesAlike: "sides_alike"
        case .fewReads: "few_reads"
        case .slowReturn: "slow_return"
        case .nearIsStrong: "near_is_strong"
        case .falseCrossing: "false_crossing"
        case .missedCrossing: "missed_crossing"
        }
    }

    var antenna: Int? {
        switch self {
        case .silent(let index), .fewReads(let index), .slowReturn(let index): index
        default: nil
        }
    }
}

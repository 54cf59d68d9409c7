import ArgumentParser
import OperatorText
import Readings
import SiteConfiguration
import Store

struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpRestore))

    @Argument(help: ArgumentHelp(.helpRestoreBackup))
    var backup: String

    @Option(name: .long, help: ArgumentHelp(.helpRestoreDirectory, value: "path"))
    var directory: String = "/var/lib/stockgate"

    @Flag(name: .long, help: ArgumentHelp(.helpRestoreDryRun))
    var dryRun = false

    @Flag(name: .long, help: ArgumentHelp(.helpRestoreYes))
    var yes = false

    @Flag(name: .long, help: ArgumentHelp(.helpRestoreForce))
    var force = false

    @OptionGroup var output: OutputOptions

    func run() throws {
        let language = output.language
        let folder = backup.count > 1 && backup.hasSuffix("/") ? String(backup.dropLast()) : backup
        let plan = try storing(language) { () throws(StoreError) in try StoreRestore.plan(backup: folder, directory: directory) }
        if !output.json { tell(plan, language) }
        var aside: String?
        if yes, !dryRun {
            aside = try storing(language) { () throws(StoreError) in
                try StoreRestore.run(
                    backup: folder, directory: directory, acceptsOtherSigner: force, random: { UInt64.random(in: .min ... .max) })
            }
        }
        if output.json {
            return Terminal.output.write(
                json: .compact([
                    "backup_last": .integer(plan.manifest.last), "created": .string(plan.manifest.created),
                    "present_last": plan.presentLast.map(JSON.integer), "lost": plan.lost.map(JSON.integer) ?? .null,
                    "signer": .string(plan.signer.rawValue),
                    "acknowledged": .object(plan.acknowledged.mapValues(JSON.integer)), "problem": plan.presentProblem.map(JSON.string),
                    "restored": .bool(aside != nil), "set_aside": aside.map(JSON.string),
                ]))
        }
        if let aside {
            Terminal.output.write(Text.doneRestore(language, ["path": Printable(escaping: aside, limit: 400)]), .good)
        } else {
            Terminal.output.write(Text.restoreNeedsYes(language))
        }
    }

    private func tell(_ plan: RestorePlan, _ language: Site.Language) {
        let manifest = plan.manifest
        Terminal.output.write(
            Text.restoreBackup(language, ["time": Printable(escaping: manifest.created), "last": Printable(manifest.last)]))
        switch plan.signer {
        case .thisGateway: break
        case .other: Terminal.output.write(Text.restoreOtherSigner(language), .warning)
        case .unknown: Terminal.output.write(Text.restoreUnknownSigner(language))
        }
        if let problem = plan.presentProblem {
            Terminal.output.write(Text.restoreUnreadable(language, ["reason": Printable(escaping: problem, limit: 400)]), .warning)
        } else if let last = plan.presentLast, let lost = plan.lost {
            Terminal.output.write(
                Text.restorePresent(language, ["last": Printable(last), "lost": Printable(lost)]), lost > 0 ? .warning : .plain)
        } else {
            Terminal.output.write(Text.restoreEmpty(language))
        }
        for (destination, last) in plan.acknowledged.sorted(by: { $0.key < $1.key }) {
            Terminal.output.write(
                Text.restoreAcknowledged(language, ["destination": Printable(escaping: destination), "last": Printable(last)]))
        }
    }
}

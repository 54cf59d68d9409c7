import ArgumentParser
import Identifiers
import Ledger
import OperatorText
import Readings
import SiteConfiguration

struct Tag: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: help(.helpTag), subcommands: [List.self, Bind.self, Unbind.self, Show.self], defaultSubcommand: List.self)

    /// A tag on the command line.
    static func epc(_ text: String, _ language: Site.Language) throws -> EPC {
        guard let epc = EPC(hex: text) else {
            throw CommandFailure.usage(Text.errorEPC(language, ["text": Printable(escaping: text, limit: 64)]))
        }
        return epc
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpTagList))

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let connection = try daemon.connect()
            let answer = try connection.get(["tags"])
            if daemon.json { return Terminal.output.write(json: answer) }
            let tags = answer["tags"]?.array ?? []
            guard !tags.isEmpty else { return Terminal.output.write(Text.emptyTags(connection.language)) }
            TagTable.print(tags, connection.language)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpTagShow))

        @Argument(help: ArgumentHelp(.helpEPC))
        var epc: String

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let epc = try Tag.epc(epc, daemon.output.language)
            let connection = try daemon.connect()
            let tag: JSON
            do {
                tag = try connection.get(["tags", epc.hex])
            } catch var failure as CommandFailure where failure.code == "not_found" {
                failure.lines = [Text.tagNotBound(connection.language, ["epc": Printable(escaping: epc.hex)])]
                throw failure
            }
            if daemon.json { return Terminal.output.write(json: tag) }
            TagTable.print([tag], connection.language)
        }
    }

    struct Bind: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpTagBind))

        @Argument(help: ArgumentHelp(.helpEPC))
        var epc: String

        @Option(name: .long, help: ArgumentHelp(.helpKey, value: "key"))
        var item: String?

        @Option(name: .long, help: ArgumentHelp(.helpKey, value: "key"))
        var person: String?

        @Option(name: .long, help: ArgumentHelp(.helpKey, value: "key"))
        var product: String?

        @Option(name: .long, help: ArgumentHelp(.helpKey, value: "key"))
        var location: String?

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let epc = try Tag.epc(epc, daemon.output.language)
            let bearer = try bearer(daemon.output.language)
            let connection = try daemon.connect()
            let answer = try connection.send("PUT", ["tags", epc.hex], body: bearer.json)
            if daemon.json { return Terminal.output.write(json: answer) }
            let language = connection.language
            Terminal.output.write(
                Text.doneTagBound(language, ["epc": Printable(escaping: epc.hex), "bearer": Naming(language).bearer(bearer.json)]), .good)
        }

        private func bearer(_ language: Site.Language) throws -> Bearer {
            let given = [("item", item), ("person", person), ("product", product), ("location", location)].compactMap { kind, key in
                key.map { (kind, $0) }
            }
            guard given.count == 1, let (kind, key) = given.first else { throw CommandFailure.usage(Text.errorOneBearer(language)) }
            guard let bearer = Bearer(json: .object([kind: .string(key)])) else {
                throw CommandFailure.usage(Text.errorKey(language, ["text": Printable(escaping: key, limit: 64)]))
            }
            return bearer
        }
    }

    struct Unbind: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpTagUnbind))

        @Argument(help: ArgumentHelp(.helpEPC))
        var epc: String

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let epc = try Tag.epc(epc, daemon.output.language)
            let connection = try daemon.connect()
            let answer = try connection.send("DELETE", ["tags", epc.hex])
            if daemon.json { return Terminal.output.write(json: answer) }
            Terminal.output.write(Text.doneTagUnbound(connection.language, ["epc": Printable(escaping: epc.hex)]), .good)
        }
    }
}

/// Tags and what they are bound to.
enum TagTable {
    static func print(_ tags: [JSON], _ language: Site.Language) {
        var table = Table([.headTag, .headBearer, .headSource, .headURI], language)
        for tag in tags {
            table.add([
                .init(Printable(escaping: tag["epc"]?.string ?? "", limit: 124)), .init(Naming(language).bearer(tag["bearer"])),
                .init(Text.code(tag["source"]?.string, of: "tag", language)), .init(Printable(escaping: tag["uri"]?.string ?? "")),
            ])
        }
        table.print()
    }
}

import ArgumentParser
import OperatorText
import Readings

struct Stock: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpStock))

    @Option(name: .long, help: ArgumentHelp(.helpLocation, value: "key"))
    var location: String?

    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        let connection = try daemon.connect()
        let answer = try connection.get(["stock"], location.map { [("location", $0)] } ?? [])
        if daemon.json { return Terminal.output.write(json: answer) }
        let language = connection.language
        let naming = Naming(language)
        let stock = answer["stock"]?.array ?? []
        guard !stock.isEmpty else { return Terminal.output.write(Text.emptyStock(language)) }
        var table = Table([.headLocation, .headWhat, .headLot, .headQuantity], numeric: [3], language)
        for row in stock {
            let what = row["item"] != nil ? naming.item(of: row) : naming.thing(row["product"], name: row["product_name"])
            table.add([
                .init(naming.location(of: row)), .init(what), .init(Printable(escaping: row["lot"]?.string ?? "", limit: 64)),
                .number(row["quantity"]?.integer ?? 1),
            ])
        }
        table.print()
    }
}

import ArgumentParser
import Glibc
import Identifiers
import OperatorText
import Readings
import SiteConfiguration

struct Decode: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: help(.helpDecode), subcommands: [DecodeBytes.self, Tag.self, Barcode.self], defaultSubcommand: DecodeBytes.self)

    struct Tag: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "epc", abstract: help(.helpDecodeEPC))

        @Argument(help: ArgumentHelp(.helpEPC))
        var hex: String

        @OptionGroup var output: OutputOptions

        func run() throws {
            let epc = try stockgate.Tag.epc(hex, output.language)
            let identity = epc.identity()
            Terminal.output.write(
                json: .compact([
                    "epc": .string(epc.hex), "uri": .string(identity.canonicalURI), "scheme": .string(identity.scheme.name),
                    "filter": identity.filter.map { .integer(Int64($0)) },
                    "elements": identity.elements.isEmpty ? nil : json(identity.elements),
                    "element_string": identity.elementString.map(JSON.string), "digital_link": identity.digitalLink.map(JSON.string),
                    "epc_uri": identity.pureIdentityURI.map(JSON.string), "tag_uri": identity.tagURI.map(JSON.string),
                    "raw_uri": .string(identity.rawURI), "refusal": identity.refusal.map { .string($0.rawValue) },
                ]))
        }
    }

    struct Barcode: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "barcode", abstract: help(.helpDecodeBarcode))

        @Argument(help: ArgumentHelp(.helpBarcode))
        var text: String

        @Option(name: .long, help: ArgumentHelp(.helpAIM, value: "]XY"))
        var aim: String?

        @OptionGroup var output: OutputOptions

        func run() throws {
            let symbology = try aim.map { text throws in
                guard let identifier = AIMIdentifier(text) else {
                    throw CommandFailure.usage(Text.errorAIM(output.language, ["text": Printable(escaping: text, limit: 16)]))
                }
                return identifier
            }
            let options = ScannedCode.Options(message: .init(referenceYear: Self.year()))
            let data = Self.bytes(of: text)
            let code = symbology.map { ScannedCode(aim: $0, data: data, options: options) } ?? ScannedCode(scan: data, options: options)
            let kind: JSON
            var plain: String?
            switch code.content {
            case .gs1: kind = "gs1"
            case .gtin: kind = "gtin"
            case .digitalLink: kind = "digital_link"
            case .text(let text):
                kind = "text"
                plain = text
            }
            Terminal.output.write(
                json: .compact([
                    "content": kind, "aim": code.aim.map { .string($0.description) }, "symbology": code.aim.map { .string($0.symbology) },
                    "hex": .string(Hex.text(code.data)), "text": plain.map(JSON.string), "uri": code.canonicalURI.map(JSON.string),
                    "elements": code.message.map { json($0.elements) }, "element_string": code.message.map { .string($0.bracketed) },
                    "error": code.error.map { .string($0.description) },
                ]))
        }

        /// The calendar year of this machine, for dates with two-digit years.
        private static func year() -> Int {
            Int(CivilDate(daysSince1970: Int64(time(nil)) / 86_400).year)
        }

        /// `\x1D` and the like stand for bytes that no shell passes easily.
        static func bytes(of text: String) -> [UInt8] {
            var result: [UInt8] = []
            var rest = Array(text.utf8)[...]
            while let byte = rest.popFirst() {
                if byte == 0x5C, rest.count >= 3, rest.first == 0x78,
                    let value = Hex.bytes(String(decoding: rest.dropFirst().prefix(2), as: UTF8.self))?.first
                {
                    result.append(value)
                    rest = rest.dropFirst(3)
                } else {
                    result.append(byte)
                }
            }
            return result
        }
    }

    private static func json(_ elements: [GS1Element]) -> JSON {
        .array(elements.map { ["ai": .string($0.ai.description), "value": .string($0.value)] })
    }
}

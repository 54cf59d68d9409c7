import Foundation
import Identifiers
import Testing

/// Every row of the Tag Data Standard vectors.
@Suite(.enabled(if: Vectors.arePresent, "STOCKGATE_VECTORS is not set"))
struct EPCVectorTests {
    struct Example: Decodable {
        var scheme: String
        var filter: UInt8?
        var elementString: String?
        var epcUri: String?
        var tagUri: String?
        var digitalLink: String?
        var hex: String
    }

    /// The hexadecimal digits filled to whole 16-bit words, as a reader reports them.
    private func epc(_ hex: String) throws -> EPC {
        try #require(EPC(hex: hex + String(repeating: "0", count: (4 - hex.count % 4) % 4)))
    }

    private func check(_ row: Example) throws {
        let identity = try epc(row.hex).identity()
        let scheme = row.scheme.split(separator: " ").first.map(String.init) ?? ""
        #expect(identity.refusal == nil, "\(row.hex)")
        #expect(identity.scheme.name.uppercased() == scheme.uppercased())
        #expect(identity.elementString == row.elementString, "\(row.hex)")
        #expect(identity.pureIdentityURI == row.epcUri, "\(row.hex)")
        #expect(identity.tagURI == row.tagUri, "\(row.hex)")
        if let filter = row.filter { #expect(identity.filter == filter) }
        if let link = row.digitalLink {
            // The host name of a ++ scheme is not part of the identity.
            #expect(identity.digitalLink == link.replacingOccurrences(of: "https://id.example.com", with: "https://id.gs1.org"))
        }
    }

    @Test func examplesOfTheStandard() throws {
        let rows = try Vectors.decoder.decode([Example].self, from: Vectors.data("tds-vectors/tds23-e3.json"))
        #expect(rows.count == 39)
        for row in rows { try check(row) }
        print("TDS 2.3 annex E.3: \(rows.count) rows")
    }

    @Test(arguments: ["epc-random-vectors.jsonl", "plus-scheme-vectors.jsonl"])
    func generatedRows(file: String) throws {
        let rows = try Vectors.lines("tds-vectors/\(file)", as: Example.self)
        #expect(!rows.isEmpty)
        for row in rows { try check(row) }
        print("\(file): \(rows.count) rows")
    }

    /// The factories give the bits of the 96-bit rows back.
    @Test func encodersReproduceTheRows() throws {
        let rows = try Vectors.lines("tds-vectors/epc-random-vectors.jsonl", as: Example.self)
        var count = 0
        for row in rows where row.scheme.hasSuffix("-96") {
            // Prefixes drawn at random hit those of restricted circulation; the factory refuses these.
            if row.scheme == "SGTIN-96", GTIN.isRestricted(String((row.elementString ?? "").dropFirst(4).prefix(14))) { continue }
            guard let encoded = try EncodedTag(elementString: row.elementString, epcURI: row.epcUri, filter: row.filter)?.encode(row.scheme)
            else { continue }
            #expect(encoded.hex == row.hex)
            count += 1
        }
        #expect(count > 50)
        print("encoded: \(count) rows")
    }
}

/// What the factories need to mint a tag, taken from the spellings of a row.
struct EncodedTag {
    let message: GS1Message
    let companyPrefixLength: Int
    let serial: UInt64?
    let filter: UInt8

    init?(elementString: String?, epcURI: String?, filter: UInt8?) throws {
        guard let elementString, let epcURI else { return nil }
        message = try GS1Message(bracketed: elementString, options: .year2026)
        let fields = epcURI.split(separator: ":").last.map { $0.split(separator: ".", omittingEmptySubsequences: false) } ?? []
        companyPrefixLength = fields.first?.count ?? 0
        serial = fields.last.flatMap { UInt64($0) }
        self.filter = filter ?? 0
    }

    func encode(_ scheme: String) throws -> EPC? {
        let length = companyPrefixLength
        switch scheme {
        case "SGTIN-96":
            return try EPC.sgtin96(gtin: message.gtin ?? "", companyPrefixLength: length, serial: serial ?? 0, filter: filter)
        case "SSCC-96": return try EPC.sscc96(message.sscc ?? "", companyPrefixLength: length, filter: filter)
        case "SGLN-96":
            return try EPC.sgln96(gln: message.gln ?? "", companyPrefixLength: length, glnExtension: serial ?? 0, filter: filter)
        case "GRAI-96":
            let type = String((message.grai ?? "").dropFirst().prefix(13))
            return try EPC.grai96(assetType: type, companyPrefixLength: length, serial: serial ?? 0, filter: filter)
        case "GIAI-96": return try EPC.giai96(message.giai ?? "", companyPrefixLength: length, filter: filter)
        case "GSRN-96": return try EPC.gsrn96(message.gsrn ?? "", companyPrefixLength: length, filter: filter)
        default: return nil
        }
    }
}

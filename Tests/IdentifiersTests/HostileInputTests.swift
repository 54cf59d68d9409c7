import Identifiers
import TestSupport
import Testing

/// Nothing traps, whatever a tag, a label or a stranger's link holds.
@Suite struct HostileInputTests {
    @Test func randomTags() {
        var generator = SeededGenerator(seed: propertySeed("random tags"))
        let headers = (UInt8.min...UInt8.max).filter { EPCScheme(header: $0) != .unknown }
        for round in 0..<60_000 {
            var bytes = randomBytes(1...62, &generator)
            if round % 4 != 0 { bytes[0] = headers[round % headers.count] }
            // Many zeros reach deeper into text fields.
            if round % 3 == 0 { for index in bytes.indices.dropFirst(6) where index % 2 == 0 { bytes[index] = 0 } }
            guard let epc = EPC(bytes) else { continue }
            let identity = epc.identity()
            #expect(!identity.canonicalURI.isEmpty)
            #expect((identity.refusal == nil) != (identity.tagURI == nil && identity.digitalLink == nil))
            if let link = identity.digitalLink {
                let options = GS1Message.Options(referenceYear: 2026, checksPairs: false)
                // Tags can hold what the General Specifications forbid (piece 0 of 0); parsing back may refuse, not trap.
                if let message = try? GS1Message(digitalLink: link, options: options) { #expect(message.digitalLink == link) }
            }
        }
    }

    @Test func randomScans() {
        var generator = SeededGenerator(seed: propertySeed("random scans"))
        let starts = [
            "", "]C1", "]d2", "]Q3", "]Q1https://a/01/", "]E0", "]E4", "]I1", "https://id.gs1.org/", "(01)", "]C101", "]C18003", "]C17007",
        ]
        for round in 0..<60_000 {
            let alphabet: [UInt8] = Array("0123456789%/?=&()\\]#\u{1D}AZaz-_.:+".utf8)
            let noise =
                round % 3 == 0
                ? randomBytes(0...120, &generator)
                : (0..<Int.random(in: 0...120, using: &generator)).map { _ in alphabet[Int.random(in: alphabet.indices, using: &generator)]
                }
            let bytes = Array(starts[round % starts.count].utf8) + noise
            let options = GS1Message.Options(referenceYear: Int.random(in: -10...10_000, using: &generator), checksPairs: round % 2 == 0)
            let code = ScannedCode(scan: bytes, options: .init(message: options, assumesTradeItemNumbers: true))
            if let message = code.message {
                #expect(!message.elements.isEmpty)
                _ = message.digitalLink
                _ = message.expiry(referenceYear: 2026)
                _ = message.quantity
            }
            _ = try? GS1Message(bracketed: String(decoding: bytes, as: UTF8.self), options: options)
            _ = try? GS1Message(digitalLink: bytes, options: options)
        }
    }

    @Test func extremeReferenceYears() {
        for year in [Int.min, -1, 0, Int.max] {
            _ = GS1Date("260228", referenceYear: year)
            _ = try? GS1Message(elementStrings: Array("17260228".utf8), options: .init(referenceYear: year, checksPairs: false))
        }
    }
}

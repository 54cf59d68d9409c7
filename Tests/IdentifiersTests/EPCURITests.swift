import Identifiers
import TestSupport
import Testing

/// From a key to the EPC URI, for those who know the company's prefix.
@Suite struct EPCURITests {
    private func message(_ link: String) throws -> GS1Message { try GS1Message(digitalLink: link, options: .year2026) }

    /// Tag Data Standard 2.3, examples of sections 6.3 and E.3; EPCIS 2.0 for classes.
    @Test(arguments: [
        ("/01/09506000134352/21/123456789", "95060001343", "urn:epc:id:sgtin:95060001343.05.123456789"),
        ("/01/09506000134352/21/32a%2Fb", "95060001343", "urn:epc:id:sgtin:95060001343.05.32a%2Fb"),
        ("/00/095201234567891235", "952012", "urn:epc:id:sscc:952012.03456789123"),
        ("/414/9521141123454/254/5678", "9521141", "urn:epc:id:sgln:9521141.12345.5678"),
        ("/414/9521141123454", "9521141", "urn:epc:id:sgln:9521141.12345.0"),
        ("/8003/095211411234545678", "9521141", "urn:epc:id:grai:9521141.12345.5678"),
        ("/8004/952114132a%2Fb", "9521141", "urn:epc:id:giai:9521141.32a%2Fb"),
        ("/8018/952114112345678906", "9521141", "urn:epc:id:gsrn:9521141.1234567890"),
        // A block of six digits.
        ("/8004/95211415678", "9521", "urn:epc:id:giai:952114.15678"),
    ])
    func instances(_ path: String, _ prefix: String, _ uri: String) throws {
        let message = try message("https://id.gs1.org" + path)
        #expect(message.epcURI(companyPrefixes: ["4000000", prefix]) == uri)
        #expect(message.epcURI(companyPrefixes: ["4000000"]) == nil)
        #expect(message.epcClassURI(companyPrefixes: [prefix]) == nil)
    }

    @Test func classes() throws {
        let lot = try message("https://id.gs1.org/01/09506000134352/10/ABC%2F1")
        #expect(lot.epcClassURI(companyPrefixes: ["95060001343"]) == "urn:epc:class:lgtin:95060001343.05.ABC%2F1")
        #expect(lot.epcURI(companyPrefixes: ["95060001343"]) == nil)
        let kind = try message("https://id.gs1.org/01/09506000134352")
        #expect(kind.epcClassURI(companyPrefixes: ["95060001343"]) == "urn:epc:idpat:sgtin:95060001343.05.*")
        #expect(kind.epcClassURI(companyPrefixes: ["4000000"]) == nil)
        // The longest prefix is the company's.
        #expect(kind.epcClassURI(companyPrefixes: ["950600", "9506000134352", "95060001343"]) == "urn:epc:idpat:sgtin:95060001343.05.*")
    }

    /// What a tag says by itself and what is made of its key by the prefix are the same.
    @Test(arguments: 6...12)
    func asOnTheTag(length: Int) throws {
        var generator = SeededGenerator(seed: propertySeed("EPC URI \(length)"))
        func key(_ digits: Int) -> String {
            let data = (0..<digits - 1).map { _ in String(Int.random(in: 0...9, using: &generator)) }.joined()
            return data + String(CheckDigit.compute(data) ?? 0)
        }
        for _ in 0..<300 {
            let serial = UInt64.random(in: 1...274_877_906_943, using: &generator)
            let (gtin, sscc, gln) = (key(14), key(18), key(13))
            var tags = [
                (try EPC.sscc96(sscc, companyPrefixLength: length), sscc.dropFirst()),
                (try EPC.sgln96(gln: gln, companyPrefixLength: length, glnExtension: serial), gln[...]),
                (try EPC.grai96(assetType: gln, companyPrefixLength: length, serial: serial), gln[...]),
                (try EPC.giai96(gln.prefix(length) + "77", companyPrefixLength: length), gln[...]),
            ]
            if !GTIN.isRestricted(gtin) {
                tags.append((try EPC.sgtin96(gtin: gtin, companyPrefixLength: length, serial: serial), gtin.dropFirst()))
            }
            for (tag, digits) in tags {
                let identity = tag.identity()
                let uri = try message(identity.canonicalURI).epcURI(companyPrefixes: [String(digits.prefix(length))])
                #expect(uri != nil && uri == identity.pureIdentityURI, "\(identity.canonicalURI)")
            }
        }
    }
}

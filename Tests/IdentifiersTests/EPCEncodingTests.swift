import Identifiers
import TestSupport
import Testing

@Suite struct EPCEncodingTests {
    /// Tag Data Standard 2.3 annex E.3.
    @Test func examples() throws {
        #expect(
            try EPC.sgtin96(gtin: "09506000134352", companyPrefixLength: 11, serial: 123_456_789, filter: 3).hex
                == "3066C4409047E140075BCD15")
        #expect(try EPC.sscc96("095201234567891235", companyPrefixLength: 6).hex == "311BA1B300CE0A6A83000000")
        #expect(
            try EPC.sgln96(gln: "9521141123454", companyPrefixLength: 7, glnExtension: 5678, filter: 3).hex == "3276451FD46072000000162E")
        #expect(
            try EPC.grai96(assetType: "9521141123454", companyPrefixLength: 7, serial: 5678, filter: 3).hex == "3376451FD40C0E400000162E")
        #expect(try EPC.giai96("95211415678", companyPrefixLength: 7, filter: 3).hex == "3476451FD40000000000162E")
        #expect(try EPC.gsrn96("952114112345678906", companyPrefixLength: 7, filter: 3).hex == "2D76451FD4499602D2000000")
    }

    @Test func refusals() {
        #expect(throws: EPCEncodingError.companyPrefixLength(3)) { try EPC.sscc96("095201234567891235", companyPrefixLength: 3) }
        #expect(throws: EPCEncodingError.companyPrefixLength(13)) { try EPC.sscc96("095201234567891235", companyPrefixLength: 13) }
        #expect(throws: EPCEncodingError.checkDigit) { try EPC.sscc96("095201234567891234", companyPrefixLength: 6) }
        #expect(throws: EPCEncodingError.keyLength(18)) { try EPC.sscc96("09520123456789123", companyPrefixLength: 6) }
        #expect(throws: EPCEncodingError.nonDigitCharacter) { try EPC.sscc96("09520123456789123A", companyPrefixLength: 6) }
        #expect(throws: EPCEncodingError.filter(8)) { try EPC.sscc96("095201234567891235", companyPrefixLength: 6, filter: 8) }
        #expect(throws: EPCEncodingError.serialRange(274_877_906_943)) {
            try EPC.sgtin96(gtin: "09506000134352", companyPrefixLength: 11, serial: 274_877_906_944)
        }
        #expect(throws: EPCEncodingError.restrictedTradeItemNumber) {
            try EPC.sgtin96(gtin: "02012345678903", companyPrefixLength: 7, serial: 1)
        }
        #expect(throws: EPCEncodingError.leadingZero) { try EPC.giai96("952114105678", companyPrefixLength: 7) }
        #expect(throws: EPCEncodingError.keyLength(8)) { try EPC.giai96("9521141", companyPrefixLength: 7) }
        #expect(throws: EPCEncodingError.serialRange(288_230_376_151_711_743)) {
            try EPC.giai96("9521141288230376151711744", companyPrefixLength: 7)
        }
        #expect(throws: EPCEncodingError.nonDigitCharacter) { try EPC.giai96("9521141A", companyPrefixLength: 7) }
    }

    /// What is encoded is decoded to the same key, for random keys and every length of the company prefix.
    @Test(arguments: 4...12)
    func roundTrip(companyPrefixLength: Int) throws {
        var generator = SeededGenerator(seed: propertySeed("EPC round trip \(companyPrefixLength)"))
        func key(_ digits: Int) -> String {
            let data = (0..<digits - 1).map { _ in String(Int.random(in: 0...9, using: &generator)) }.joined()
            return data + String(CheckDigit.compute(data) ?? 0)
        }
        for _ in 0..<300 {
            let serial = UInt64.random(in: 0...274_877_906_943, using: &generator)
            let filter = UInt8.random(in: 0...7, using: &generator)
            let (gtin, sscc, gln, gsrn) = (key(14), key(18), key(13), key(18))
            if !GTIN.isRestricted(gtin) {
                let epc = try EPC.sgtin96(gtin: gtin, companyPrefixLength: companyPrefixLength, serial: serial, filter: filter)
                #expect(epc.identity().elementString == "(01)\(gtin)(21)\(serial)")
                #expect(epc.identity().filter == filter)
            }
            #expect(
                try EPC.sscc96(sscc, companyPrefixLength: companyPrefixLength).identity().elementString == "(00)\(sscc)")
            #expect(
                try EPC.gsrn96(gsrn, companyPrefixLength: companyPrefixLength).identity().elementString == "(8018)\(gsrn)")
            #expect(
                try EPC.sgln96(gln: gln, companyPrefixLength: companyPrefixLength, glnExtension: serial).identity().elementString
                    == "(414)\(gln)" + (serial == 0 ? "" : "(254)\(serial)"))
            #expect(
                try EPC.grai96(assetType: gln, companyPrefixLength: companyPrefixLength, serial: serial).identity().elementString
                    == "(8003)0\(gln)\(serial)")
            let giai = String(key(14).prefix(max(companyPrefixLength, 6))) + String(serial)
            #expect(try EPC.giai96(giai, companyPrefixLength: companyPrefixLength).identity().elementString == "(8004)\(giai)")
        }
    }
}

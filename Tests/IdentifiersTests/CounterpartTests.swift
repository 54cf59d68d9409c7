import Foundation
import Identifiers
import Testing

private let counterpartLines = ProcessInfo.processInfo.environment["STOCKGATE_IDENTIFIER_COUNTERPARTS"]

/// Compares with what epcpy and biip read, as `Tests/counterparts/identifiers.py` wrote it down.
@Suite(.enabled(if: counterpartLines != nil, "STOCKGATE_IDENTIFIER_COUNTERPARTS is not set"))
struct CounterpartTests {
    struct Line: Decodable {
        var hex: String?
        var elementString: String?
        var epcUri: String?
        var scan: String?
        var bracketed: String?
        var expiry: String?
    }

    private func lines() throws -> [Line] {
        try Data(contentsOf: URL(fileURLWithPath: counterpartLines ?? "")).split(separator: 0x0A).map {
            try Vectors.decoder.decode(Line.self, from: $0)
        }
    }

    @Test func tags() throws {
        var compared = 0
        for line in try lines() {
            guard let hex = line.hex else { continue }
            let identity = try #require(EPC(hex: hex)).identity()
            #expect((identity.refusal == nil) == (line.epcUri != nil), "\(hex) \(String(describing: identity.refusal))")
            #expect(identity.pureIdentityURI == line.epcUri, "\(hex)")
            // epcpy writes the extension 0 of a location that has none.
            let elements = line.elementString.map { $0.hasSuffix("(254)0") ? String($0.dropLast(6)) : $0 }
            #expect(identity.elementString == elements, "\(hex)")
            compared += 1
        }
        print("epcpy: \(compared) tags compared")
    }

    @Test func scans() throws {
        var compared = 0
        let year = Calendar(identifier: .gregorian).component(.year, from: Date())
        for line in try lines() {
            guard let scan = line.scan else { continue }
            let code = ScannedCode(scan: Array(scan.utf8), options: .init(message: .init(referenceYear: year)))
            #expect(code.message?.bracketed == line.bracketed, "\(scan.debugDescription) \(String(describing: code.error))")
            #expect(code.message?.expiry(referenceYear: year)?.description == line.expiry, "\(scan.debugDescription)")
            compared += 1
        }
        print("biip: \(compared) scans compared")
    }
}

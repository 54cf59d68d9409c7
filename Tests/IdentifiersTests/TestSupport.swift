import Foundation
import Identifiers
import TestSupport

/// The seed of a property test: `STOCKGATE_SEED`, or another one for every run.
func propertySeed(_ name: String) -> UInt64 {
    let seed = ProcessInfo.processInfo.environment["STOCKGATE_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0 ... .max)
    print("\(name): STOCKGATE_SEED=\(seed)")
    return seed
}

func randomBytes(_ lengths: ClosedRange<Int>, _ generator: inout SeededGenerator, alphabet: UInt8 = .max) -> [UInt8] {
    (0..<Int.random(in: lengths, using: &generator)).map { _ in UInt8.random(in: 0...alphabet, using: &generator) }
}

/// The folder of test vectors; tests that read it are skipped where the variable is unset.
enum Vectors {
    static let folder = ProcessInfo.processInfo.environment["STOCKGATE_VECTORS"]
    static var arePresent: Bool { folder != nil }

    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    static func data(_ path: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: folder ?? "/nonexistent").appendingPathComponent(path))
    }

    static func lines<Row: Decodable>(_ path: String, as: Row.Type) throws -> [Row] {
        try data(path).split(separator: 0x0A).map { try decoder.decode(Row.self, from: $0) }
    }
}

extension GS1Message.Options {
    /// The year of the vectors.
    static let year2026 = Self(referenceYear: 2026)
}

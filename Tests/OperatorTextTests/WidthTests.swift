import Foundation
import Testing

@testable import OperatorText

/// Against Python's table of the same Unicode property, for every character that it knows.
@Suite struct WidthTests {
    @Test func wideCharactersAreThoseOfTheUnicodeStandard() throws {
        let script = """
            import unicodedata as u
            for c in range(0x300, 0x110000):
                if u.category(chr(c)) not in ("Cn", "Co", "Cs", "Mn", "Me", "Cf"):
                    print(c, 2 if u.east_asian_width(chr(c)) in "WF" else 1)
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        var checked = 0
        var different: [String] = []
        for line in output.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard let value = UInt32(parts[0]), let width = Int(parts[1]), let scalar = Unicode.Scalar(value) else { continue }
            checked += 1
            if DisplayWidth.of(scalar) != width { different.append(String(value, radix: 16)) }
        }
        #expect(checked > 100_000)
        // Characters that newer editions of either side moved.
        #expect(different.count < 40, "\(different)")
    }
}

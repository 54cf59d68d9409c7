import Foundation
import Ledger
import Readings
import Testing

@testable import Engine

/// `cabinet-scenarios.txt` as a storekeeper reads it: what is done, and what the gateway says and writes down.
struct CabinetScenario: CustomTestStringConvertible, Sendable {
    var title: String
    var options: Set<String> = []
    var steps: [(line: Int, step: String, expected: [String])] = []

    var testDescription: String { title }

    static let all: [CabinetScenario] = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("cabinet-scenarios.txt")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        var scenarios: [CabinetScenario] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("## ") {
                scenarios.append(CabinetScenario(title: String(line.dropFirst(3))))
            } else if line.hasPrefix("cabinet: ") {
                scenarios[scenarios.count - 1].options = Set(line.dropFirst(9).split(separator: ",").map { trimmed($0) })
            } else if line.hasPrefix("| ") {
                let cells = line.split(separator: "|").map { trimmed($0) }
                guard cells.count >= 1, !scenarios.isEmpty else { continue }
                let expected = cells.count > 1 ? cells[1].split(separator: ",").map { trimmed($0) } : []
                scenarios[scenarios.count - 1].steps.append((number + 1, cells[0], expected.filter { !$0.isEmpty }))
            }
        }
        return scenarios
    }()

    private static func trimmed(_ text: Substring) -> String { text.trimmingCharacters(in: .whitespaces) }

    func bench() throws -> CabinetBench {
        try CabinetBench(people: options.contains("two people") ? 2 : 1, hasLock: !options.contains("no lock"))
    }
}

extension CabinetBench {
    mutating func perform(_ step: String) throws {
        let words = step.split(separator: " ").map(String.init)
        let things = words.dropFirst().map(Self.epc)
        switch words.first {
        case "badge": badge(["li": "11", "li-2": "12", "han": "21", "wu": "31"][words[1]] ?? "999")
        case "open": door(isOpen: true)
        case "close": door(isOpen: false)
        case "take": inside.subtract(things)
        case "put": inside.formUnion(things)
        case "wait": run(seconds: try #require(Int64(words[1])))
        case "restart": restart()
        case "record": try record()
        case "reader": reader(isReading: words[1] == "reads")
        case "let": letIn(words.count > 2 ? words[2] : nil)
        case "lock": lock(isReading: words[1] == "reads")
        case "contact": contact(isReading: words[1] == "reads")
        case "store": store(works: words[1] == "works")
        case "station": try mode(try #require(StationMode(rawValue: words[1])))
        // Nobody hears of it.
        case "unseen": isDoorOpen = words[1] == "open"
        case "shelve":
            scan(words[1])
            scan("C-CRIB")
        default: try #require(Bool(false), "\(step) is no step")
        }
    }
}

@Suite("Cabinet: what is done, and what the gateway says")
struct CabinetScenarioTests {
    @Test func thereAreSome() { #expect(CabinetScenario.all.count >= 25) }

    @Test("As the table says", arguments: CabinetScenario.all)
    func table(scenario: CabinetScenario) throws {
        var bench = try scenario.bench()
        for (line, step, expected) in scenario.steps {
            for part in step.split(separator: ",") { try bench.perform(part.trimmingCharacters(in: .whitespaces)) }
            let said = bench.takeWords()
            #expect(said == expected, "line \(line): \(step)")
        }
    }
}

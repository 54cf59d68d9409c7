import Glibc
import Simulation

/// What is going on, for the one who waits.
func progress(_ text: String) {
    let line = Array("\(text)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
}

/// The report in Markdown with its plots.
struct Report {
    let study: Study
    let gates: [Study.GateResult]
    let dwells: [Study.DwellResult]

    var files: [(name: String, content: String)] { [("accuracy.md", text)] }

    var text: String {
        var lines: [String] = []
        for gate in gates {
            lines.append("## \(gate.layout.name)")
            lines += table(gate.methods + [gate.wrongRecords, gate.noRecords])
        }
        for dwell in dwells {
            lines.append("\(dwell.layout.name) \(dwell.dwell) ms: \(three(dwell.ours.f1)) / \(three(dwell.best.f1)) (\(dwell.bestName))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func table(_ methods: [Study.MethodResult]) -> [String] {
        var lines = [
            "| method | precision | recall | F1 | readable | wrong direction | undecided | ghosts |", "|---|---|---|---|---|---|---|---|",
        ]
        for method in methods {
            let total = method.total
            lines.append(
                "| \(method.name) | \(three(total.precision)) | \(three(total.recall)) | \(three(total.f1)) | \(three(total.readableRecall)) | \(total.wrongDirection) | \(total.undecided) | \(total.ghostTotal) |"
            )
        }
        return lines
    }
}

func three(_ value: Double) -> String { fixed(value, 3) }

/// A number with so many decimals, rounded half away from zero.
func fixed(_ value: Double, _ decimals: Int) -> String {
    var scale = 1
    for _ in 0..<decimals { scale *= 10 }
    let units = Int((value.magnitude * Double(scale)).rounded())
    let fraction = String(units % scale)
    let sign = value < 0 && units > 0 ? "-" : ""
    guard decimals > 0 else { return sign + String(units) }
    return sign + "\(units / scale)." + String(repeating: "0", count: decimals - fraction.count) + fraction
}

import Glibc
import Presence
import Readings
import Simulation

/// `stockgate-accuracy [--share PERCENT] [--seed N] [--output FOLDER]`
@main
struct StockgateAccuracy {
    static func main() {
        var share = 100
        var seed: UInt64 = 1
        var output: String?
        var arguments = CommandLine.arguments.dropFirst()
        while let argument = arguments.popFirst() {
            switch argument {
            case "--share": share = arguments.popFirst().flatMap { Int($0) } ?? share
            case "--seed": seed = arguments.popFirst().flatMap { UInt64($0) } ?? seed
            case "--output": output = arguments.popFirst()
            default:
                progress("usage: stockgate-accuracy [--share PERCENT] [--seed N] [--output FOLDER]")
                exit(2)
            }
        }
        let study = Study(share: max(1, min(share, 1_000)), firstSeed: seed)
        let report = study.run()
        guard let output else {
            print(report.text)
            return
        }
        for (name, content) in report.files {
            guard let file = fopen("\(output)/\(name)", "w") else {
                progress("cannot write \(output)/\(name)")
                exit(1)
            }
            fputs(content, file)
            fclose(file)
        }
        print("wrote \(report.files.map(\.name).joined(separator: ", ")) to \(output)")
    }
}

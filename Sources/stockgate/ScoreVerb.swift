import ArgumentParser
import OperatorText
import Readings
import Simulation
import SiteConfiguration

struct ScoreVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score", abstract: help(.helpScore), discussion: help(.helpScoreMore))

    @Option(name: .long, help: ArgumentHelp(.helpScoreEvents, value: "file"))
    var events: [String] = []

    @Option(name: .long, help: ArgumentHelp(.helpScoreTruth, value: "file"))
    var truth: [String] = []

    @Option(name: .long, help: ArgumentHelp(.helpScoreSeed))
    var seed: UInt64 = 1

    @OptionGroup var output: OutputOptions

    func run() throws {
        let language = output.language
        guard !events.isEmpty || !truth.isEmpty else { throw CommandFailure.usage(SceneText.scoreNothing(language)) }
        guard events.count == truth.count else { throw CommandFailure.usage(SceneText.scorePairs(language)) }
        var scores: [Score] = []
        for (events, truth) in zip(events, truth) { scores.append(try score(events, truth)) }
        let report = ScoreReport(scores: scores, seed: seed)
        if output.json { return Terminal.output.write(json: report.json) }
        let total = report.total
        Terminal.output.write(
            SceneText.scoreHead(
                language,
                ["runs": Printable(total.runs), "crossings": Printable(total.crossings), "readable": Printable(total.readable)]), .heading)
        var table = Table(headings: [
            SceneText.scoreFigure(language), SceneText.scoreValue(language), SceneText.scoreInterval(language, ["seed": Printable(seed)]),
        ])
        for figure in report.figures {
            let range = figure.interval.map {
                SceneText.scoreRange(
                    language, ["lower": Printable(escaping: figure.text($0.lower)), "upper": Printable(escaping: figure.text($0.upper))])
            }
            table.add([
                .init(Printable(escaping: figure.name)), .init(Printable(escaping: figure.text(figure.value))), .init(range ?? ""),
            ])
        }
        table.print()
    }

    private func score(_ events: String, _ truth: String) throws -> Score {
        let known: Truth
        var reader: DecisionReader
        let facts = try lines(of: truth)
        do throws(TruthError) {
            known = try Truth(lines: facts)
            reader = try DecisionReader(truth: known)
        } catch {
            throw CommandFailure.file(truth, error.description, output.language)
        }
        for (number, line) in try lines(of: events).enumerated() where !line.isEmpty {
            guard let json = try? JSON(parsing: line) else {
                throw CommandFailure.file(events, "line \(number + 1): not JSON", output.language)
            }
            reader.take(json)
        }
        // Events name who took a tool, not who brought one back.
        return Score(truth: known, decisions: reader.decisions, named: [.out])
    }

    private func lines(of path: String) throws -> [[UInt8]] {
        do throws(FileFailure) {
            return try FileFailure.contents(of: path).split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        } catch {
            throw CommandFailure.file(path, error.description, output.language)
        }
    }
}

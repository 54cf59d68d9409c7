import OperatorText
import Readings

extension Daemon {
    /// Asks for a change and tells what came of it: the sentences of its events, or with `--json` the answer.
    func change(_ path: [String], _ body: [String: JSON?] = [:], json: Bool) throws {
        let outcome = try send("POST", path, body: .compact(body))
        if json { return Terminal.output.write(json: outcome) }
        let numbers = (outcome["events"]?.array ?? []).compactMap(\.integer)
        guard let first = numbers.min() else { return Terminal.output.write(LoanText.nothingChanged(language)) }
        let page = try get(["events"], [("after", String(first - 1)), ("limit", String(min(1_000, numbers.count)))])
        for event in page["events"]?.array ?? [] where numbers.contains(event["seq"]?.integer ?? 0) {
            Terminal.output.write(EventSentence.of(event, language), EventLine.style(of: event))
        }
    }
}

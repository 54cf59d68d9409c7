import Hummingbird
import Ledger
import Readings

/// Permits, and what becomes of loans and tools.
extension Route {
    static let loans =
        permits + [
            Route(.get, "/v1/loans/{loan}", .read) { request in
                let report = try await request.operations.loan(request.loanNumber())
                return try await request.answer([
                    "loan": .string(report.number.description), "lines": .array(report.lines), "events": .array(report.events),
                ])
            },
            ofLoan("renew"), ofLoan("return"), ofLoan("void"),
            ofItem("/v1/items/{item}/transfer", "loan.transfer", people: ["person"], hint: "person is needed"),
            ofItem("/v1/items/{item}/lost", "loan.lost", hint: noteHint),
            ofItem(
                "/v1/items/{item}/inspect", "return.inspect", people: ["responsible"],
                hint: "result is fine, damaged or incomplete; missing has at most 100 items; note and photo have at most 512 bytes"),
            ofItem("/v1/items/{item}/service", "tool.service", hint: noteHint),
            Route(.get, "/v1/may", .read) { request in
                guard let reference = try request.query("person") else {
                    throw OperationError(.invalid, "person: needs an employee number or key")
                }
                let item = try request.query("item")
                guard item == nil || item.flatMap(ItemKey.init) != nil else { throw OperationError(.invalid, "item: not a key") }
                var question = LendingQuestion(
                    person: try await request.operations.person(called: reference), item: item.flatMap(ItemKey.init),
                    station: try request.query("station"))
                if let other = try request.query("with") { question.companions = [try await request.operations.person(called: other)] }
                return try await request.answer(request.operations.may(question).object ?? [:])
            },
        ]

    private static let noteHint = "note has at most 512 bytes"

    private static let permits = [
        Route(.get, "/v1/permits", .read) { request in
            let report = try await request.operations.permits()
            return try await request.answer(["requests": .array(report.requests), "permits": .array(report.permits)])
        },
        Route(.post, "/v1/permits", .operate) { request in
            let caller = try await request.caller()
            return try await request.perform(
                request.form("permit.request", people: ["person"]),
                hint: "needs person, and items or classes, at most 100 of each; quantity is 1 to 100000, days are YYYY-MM-DD, "
                    + "purpose has at most 512 bytes", by: caller)
        },
        ofPermit("approve"), ofPermit("reject"), ofPermit("withdraw"),
    ]

    private static func ofPermit(_ word: String) -> Route {
        Route(.post, "/v1/permits/{permit}/\(word)", .operate) { request in
            let caller = try await request.caller()
            var form = try await request.form("permit.\(word)")
            form["permit"] = .string(try request.path("permit"))
            return try await request.perform(form, hint: noteHint, by: caller)
        }
    }

    private static func ofLoan(_ word: String) -> Route {
        Route(.post, "/v1/loans/{loan}/\(word)", .operate) { request in
            let caller = try await request.caller()
            var form = try await request.form("loan.\(word)")
            form["loan"] = .string(try request.loanNumber().description)
            return try await request.perform(form, hint: "item is a key, \(noteHint)", by: caller)
        }
    }

    private static func ofItem(_ path: String, _ verb: String, people: [String] = [], hint: String) -> Route {
        Route(.post, path, .operate) { request in
            let caller = try await request.caller()
            var form = try await request.form(verb, people: people)
            form["item"] = .string(try request.path("item"))
            return try await request.perform(form, hint: hint, by: caller)
        }
    }
}

extension ControlRequest {
    func loanNumber() throws(OperationError) -> LoanNumber {
        guard let number = LoanNumber(try path("loan")) else {
            throw OperationError(.invalid, "loan: not the number of a loan; its check character tells when one is mistyped")
        }
        return number
    }

    /// The body as the form of a command, people named by their keys.
    /// - Parameter people: members that name a person by employee number or key.
    func form(_ verb: String, people: [String] = []) async throws -> [String: JSON] {
        guard var form = try await body().object else { throw OperationError(.invalid, "the body must be a JSON object") }
        form = form.filter { !$0.value.isNull }
        form["do"] = .string(verb)
        for member in people {
            guard let value = form[member] else { continue }
            guard let reference = value.string, !reference.isEmpty else {
                throw OperationError(.invalid, "\(member): needs an employee number or key")
            }
            form[member] = .string(try await operations.person(called: reference).text)
        }
        return form
    }
}

import Hummingbird
import Ledger
import Readings

/// Why an operation was not done. Nothing was changed.
public struct OperationError: Error, Hashable, Sendable, CustomStringConvertible {
    public var code: Code
    /// What exactly, in English.
    public var detail: String
    /// Everything that is wrong with the input.
    public var problems: [Problem]

    /// One thing that is wrong.
    public struct Problem: Hashable, Sendable {
        /// Which row of an import, counted from 0.
        public var row: Int?
        /// In English.
        public var text: String

        public init(row: Int? = nil, _ text: String) {
            self.row = row
            self.text = text
        }

        var json: JSON { .compact(["row": row.map { .integer(Int64($0)) }, "text": .string(text)]) }
    }

    /// Stable words; the answer's `code` member. `docs/api.yaml` lists them.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        case notFound = "not_found"
        /// Contradicts the present state.
        case conflict
        /// Not a form that is understood, or rows with problems.
        case invalid
        /// Only members of the operating group change anything.
        case notPermitted = "not_permitted"
        case tooLarge = "too_large"
        /// The store could not take it.
        case notStored = "not_stored"
        /// Not now: starting, stopping, or a station without its devices.
        case unavailable
        case `internal`
    }

    public init(_ code: Code, _ detail: String, problems: [Problem] = []) {
        self.code = code
        self.detail = detail
        self.problems = problems
    }

    public init(_ refusal: CommandRefusal) {
        let code: Code =
            switch refusal.code {
            case .notFound: .notFound
            case .conflict: .conflict
            case .notStored: .notStored
            }
        self.init(code, refusal.description)
    }

    public var description: String { "\(code.rawValue): \(detail)" }

    /// A problem document (RFC 9457).
    public var json: JSON {
        .compact([
            "type": .string("urn:stockgate:problem:\(code.rawValue)"), "title": .string(status.reasonPhrase),
            "status": .integer(Int64(status.code)), "code": .string(code.rawValue), "detail": .string(detail),
            "problems": problems.isEmpty ? nil : .array(problems.map(\.json)),
        ])
    }

    var status: HTTPResponse.Status {
        switch code {
        case .notFound: .notFound
        case .conflict: .conflict
        case .invalid: .unprocessableContent
        case .notPermitted: .forbidden
        case .tooLarge: .contentTooLarge
        case .notStored, .unavailable: .serviceUnavailable
        case .internal: .internalServerError
        }
    }
}

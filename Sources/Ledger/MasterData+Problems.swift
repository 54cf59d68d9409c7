/// What is wrong with one row of a batch.
public struct MasterProblem: Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        case unknownMember = "unknown_member"
        case missingMember = "missing_member"
        /// The member has another JSON type.
        case wrongType = "wrong_type"
        case badValue = "bad_value"
        /// The batch has two rows for the same thing.
        case duplicate
        case unknownReference = "unknown_reference"
        /// An EPC, code or key would stand for two things.
        case boundTwice = "bound_twice"
        /// Something deleted is still named by other rows.
        case stillReferenced = "still_referenced"
        /// A new person has no random key yet.
        case missingKey = "missing_key"
        /// The key of a person never changes: events name it.
        case changedKey = "changed_key"
    }

    /// The position of the row in the batch, from 0.
    public var row: Int
    public var set: MasterRow.Set
    public var id: String
    public var member: String?
    public var code: Code
    /// In English, without the row.
    public var message: String

    public var description: String { "\(set.rawValue) \(id)\(member.map { ", \($0)" } ?? ""): \(message)" }
}

/// Why a batch was refused: none of it was taken.
public struct MasterRefusal: Error, Hashable, Sendable {
    /// In the order of the rows; at most `limit`.
    public var problems: [MasterProblem]
    public static let limit = 1_000
}

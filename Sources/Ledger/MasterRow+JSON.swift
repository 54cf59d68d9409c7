import Readings

/// Why a JSON value is not a row of master data.
public struct MasterRowError: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String

    init(_ description: String) {
        self.description = description
    }
}

extension MasterRow {
    /// The longest id of a code, in bytes; other ids are keys.
    public static let maximumCodeLength = 512

    /// Reads one row. Its members are checked when it is applied.
    /// - Throws: `MasterRowError` when `set` or `id` is missing or unknown, or a delete has members.
    public init(json: JSON) throws(MasterRowError) {
        guard var members = json.object else { throw MasterRowError("a row must be an object") }
        guard let name = members.removeValue(forKey: "set")?.string, let set = Set(rawValue: name) else {
            throw MasterRowError("the row needs a \"set\": \(Set.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard let id = members.removeValue(forKey: "id") else { throw MasterRowError("the row needs an \"id\"") }
        guard let text = id.string else { throw MasterRowError("\"id\" must be text: a number loses its leading zeros") }
        guard Self.isValid(id: text, in: set) else {
            throw MasterRowError("\"id\" is empty, too long, or has characters that cannot be seen")
        }
        let deleted = members.removeValue(forKey: "deleted") ?? false
        guard let isDeleted = deleted.bool else { throw MasterRowError("\"deleted\" must be true or false") }
        guard !isDeleted || members.isEmpty else { throw MasterRowError("a deleted row has no other members") }
        self.init(set: set, id: text, body: members, isDeleted: isDeleted)
    }

    /// The row as upstream sends it.
    public var json: JSON {
        var members = body
        members["set"] = .string(set.rawValue)
        members["id"] = .string(id)
        if isDeleted { members["deleted"] = true }
        return .object(members)
    }

    /// `items DRILL-01`
    public var label: String { "\(set.rawValue) \(id)" }

    public static func isValid(id: String, in set: Set) -> Bool {
        set == .codes ? isPlain(id, maximumBytes: maximumCodeLength) : ItemKey(id) != nil
    }

    /// Not empty, not too long, nothing invisible in it.
    static func isPlain(_ text: String, maximumBytes: Int) -> Bool {
        !text.isEmpty && text.utf8.count <= maximumBytes
            && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control && $0.properties.generalCategory != .format }
    }
}

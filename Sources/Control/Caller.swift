/// Who is at the other end of the socket, as the kernel says (SO_PEERCRED).
public struct Caller: Hashable, Sendable, CustomStringConvertible {
    public var userID: UInt32
    public var groupID: UInt32
    /// The user's name, where the machine knows one.
    public var userName: String?
    /// Whether the user is a member of the operating group, by the process's group or by the group data base.
    public var isInOperatingGroup: Bool

    public init(userID: UInt32, groupID: UInt32, userName: String? = nil, isInOperatingGroup: Bool = false) {
        self.userID = userID
        self.groupID = groupID
        self.userName = userName
        self.isInOperatingGroup = isInOperatingGroup
    }

    /// `uid:1000 (anna)`: what events and the log record.
    public var description: String { userName.map { "uid:\(userID) (\($0))" } ?? "uid:\(userID)" }
}

/// What a caller may do. Reading and operating are separate rights.
public struct AccessPolicy: Hashable, Sendable {
    /// Users who operate whatever their groups are: root, and the user that the gateway runs as, who could read its memory anyway.
    public var operators: Set<UInt32>

    public enum Right: String, Hashable, Sendable, CaseIterable {
        /// To look at states, events and live happenings.
        case read
        /// To change something, and to fetch recordings, which hold badge numbers.
        case operate
    }

    public init(operators: Set<UInt32>) {
        self.operators = operators
    }

    /// Operators and members of the operating group operate; everybody who can open the socket reads.
    public func grants(_ right: Right, to caller: Caller) -> Bool {
        switch right {
        case .read: true
        case .operate: operators.contains(caller.userID) || caller.isInOperatingGroup
        }
    }
}

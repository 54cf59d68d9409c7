import Glibc
import NIOCore

extension Caller {
    /// The group whose members operate.
    public static let operatingGroup = "stockgate"

    /// Who is at the other end of an accepted connection, with the groups that the machine's user data base knows now.
    /// - Throws: `OperationError` when the kernel does not tell.
    static func peer(
        of channel: any Channel, operatingGroup: String, diagnosis: PeerDiagnosis?
    ) async throws(OperationError) -> Caller {
        var credentials: PeerCredentials
        do {
            guard let provider = channel as? any SocketOptionProvider else { throw OperationError(.internal, "not a socket") }
            let option: EventLoopFuture<PeerCredentials> = provider.unsafeGetSocketOption(
                level: SocketOptionLevel(SOL_SOCKET), name: SocketOptionName(SO_PEERCRED))
            credentials = try await option.get()
            if credentials.userID == PeerDiagnosis.nobody, let user = try await diagnosis?.user(of: channel) {
                // The group was not to be had; the group data base decides.
                credentials.userID = user
                credentials.groupID = PeerDiagnosis.nobody
            }
        } catch {
            throw OperationError(.internal, "the kernel does not say who asks: \(error)")
        }
        return Caller(userID: credentials.userID, groupID: credentials.groupID, operatingGroup: operatingGroup)
    }

    /// Looks up the name of a user and whether it is in the group.
    init(userID: UInt32, groupID: UInt32, operatingGroup: String) {
        self.init(userID: userID, groupID: groupID)
        var primaryGroup: UInt32?
        if let user = Self.user(userID) {
            userName = user.name
            primaryGroup = user.group
        }
        guard let group = Self.group(named: operatingGroup) else { return }
        isInOperatingGroup = group.id == groupID || group.id == primaryGroup || userName.map(group.members.contains) == true
    }

    /// The layout of `struct ucred`, which the Glibc module hides (unix(7)).
    private struct PeerCredentials: Sendable {
        var processID: Int32
        var userID: UInt32
        var groupID: UInt32
    }

    private static func user(_ id: UInt32) -> (name: String, group: UInt32)? {
        withLookupBuffer { buffer in
            var entry = passwd()
            var result: UnsafeMutablePointer<passwd>?
            guard let memory = buffer.baseAddress, getpwuid_r(id, &entry, memory, buffer.count, &result) == 0, result != nil,
                let name = entry.pw_name
            else { return nil }
            return (String(cString: name), entry.pw_gid)
        }
    }

    static func group(named name: String) -> (id: UInt32, members: [String])? {
        withLookupBuffer { buffer in
            var entry = Glibc.group()
            var result: UnsafeMutablePointer<Glibc.group>?
            guard let memory = buffer.baseAddress, getgrnam_r(name, &entry, memory, buffer.count, &result) == 0, result != nil else {
                return nil
            }
            var members: [String] = []
            var position = 0
            while let list = entry.gr_mem, let member = list[position] {
                members.append(String(cString: member))
                position += 1
            }
            return (entry.gr_gid, members)
        }
    }

    /// 64 KiB hold some thousand member names; a larger group is not looked into.
    private static func withLookupBuffer<Found>(_ use: (UnsafeMutableBufferPointer<CChar>) -> Found?) -> Found? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65_536, use)
    }
}

import CLinux
import ControlTestSupport
import Glibc
import Logging
import Readings
import Testing

@testable import Control

@Suite struct SocketTests {
    private func server(_ path: String, _ gateway: FakeGateway = FakeGateway()) -> ControlServer {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return ControlServer(path: path, operations: gateway, logger: logger)
    }

    private func kind(_ path: String) -> Int32 {
        var inode: UInt64 = 0
        return clinux_file_kind(path, &inode)
    }

    @Test func hasModeAndGoesWithItsServer() async throws {
        let folder = TestFolder()
        let mode = try await withServer(FakeGateway(), folder: folder) { folder, _ in
            #expect(self.kind(folder.socket) == Int32(CLINUX_FILE_SOCKET))
            #expect(self.kind(folder.socket + ".new") == -1)
            return try Self.mode(folder.socket)
        }
        #expect(mode == "660")
        #expect(kind(folder.socket) == -1)
    }

    /// As `stat` of the machine says, not as we set it.
    private static func mode(_ path: String) throws -> String {
        guard let stream = popen("stat -c %a '\(path)'", "r") else { return "" }
        defer { pclose(stream) }
        var buffer = [CChar](repeating: 0, count: 16)
        fgets(&buffer, 16, stream)
        return String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test func aLiveSocketIsNotReplaced() async throws {
        try await withServer(FakeGateway()) { folder, _ in
            await #expect(throws: ControlSocketError(path: folder.socket, reason: .inUse, errno: 0)) {
                try await self.server(folder.socket).run()
            }
            let client = try ControlClient(socket: folder.socket)
            let status = try await blocking { try client.get(["status"]) }
            #expect(status["gateway"] == "CRIB1")
        }
    }

    @Test func aStaleSocketIsReplaced() async throws {
        let folder = TestFolder()
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: folder.socket.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        #expect(bound == 0)
        close(descriptor)
        let status = try await withServer(FakeGateway(), folder: folder) { folder, _ in
            let client = try ControlClient(socket: folder.socket)
            return try await blocking { try client.get(["status"]) }
        }
        #expect(status["gateway"] == "CRIB1")
    }

    @Test func whatIsNoSocketStays() async throws {
        let folder = TestFolder()
        let file = folder.write("precious", to: "control.sock")
        await #expect(throws: ControlSocketError(path: file, reason: .notASocket, errno: 0)) { try await server(file).run() }
        #expect(kind(file) == Int32(CLINUX_FILE_OTHER))
    }

    @Test func aMissingFolderAndALongPathAreSaid() async throws {
        let folder = TestFolder()
        let missing = folder.path + "/missing/control.sock"
        await #expect(throws: ControlSocketError(path: missing, reason: .noDirectory, errno: 0)) { try await server(missing).run() }
        let long = "/tmp/" + String(repeating: "x", count: 100)
        await #expect(throws: ControlSocketError(path: long, reason: .tooLong, errno: 0)) { try await server(long).run() }
    }

    @Test func theKernelSaysWhoAsks() async throws {
        let gateway = FakeGateway()
        try await withServer(gateway) { folder, _ in
            let client = try ControlClient(socket: folder.socket)
            _ = try await blocking { try client.send("PUT", ["stations", "bench", "mode"], body: ["mode": "running"]) }
        }
        let caller = try #require(gateway.performed.first?.caller)
        #expect(caller.userID == geteuid())
        #expect(caller.groupID == getegid())
        let name = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) }
        #expect(caller.userName == name)
        #expect(caller.description == (name.map { "uid:\(geteuid()) (\($0))" } ?? "uid:\(geteuid())"))
    }

    @Test(arguments: [
        (Caller(userID: 0, groupID: 0), true), (Caller(userID: 990, groupID: 990), true), (Caller(userID: 1_000, groupID: 1_000), false),
        (Caller(userID: 1_000, groupID: 1_000, userName: "anna", isInOperatingGroup: true), true),
        (Caller(userID: 65_534, groupID: 0, userName: "nobody"), false),
    ])
    func rights(caller: Caller, operates: Bool) {
        let policy = AccessPolicy(operators: [0, 990])
        #expect(policy.grants(.read, to: caller))
        #expect(policy.grants(.operate, to: caller) == operates)
    }

    @Test func groupsAreLookedUp() throws {
        let group = try #require(getgrgid(getegid()).map { String(cString: $0.pointee.gr_name) })
        #expect(Caller(userID: geteuid(), groupID: getegid(), operatingGroup: group).isInOperatingGroup)
        #expect(Caller(userID: geteuid(), groupID: 4_294_000_000, operatingGroup: group).isInOperatingGroup)
        #expect(!Caller(userID: 4_294_000_000, groupID: 4_294_000_000, operatingGroup: group).isInOperatingGroup)
        #expect(!Caller(userID: geteuid(), groupID: getegid(), operatingGroup: "no-such-group").isInOperatingGroup)
    }

    @Test func failuresToConnectAreTold() async throws {
        let folder = TestFolder()
        let client = try ControlClient(socket: folder.socket)
        await #expect(throws: ControlFailure.unreachable(reason: "No such file or directory")) {
            try await blocking { try client.get(["status"]) }
        }
    }
}

import CLinux
import Glibc
import Testing

@testable import Control

@Suite struct PeerDiagnosisTests {
    /// NETLINK_SOCK_DIAG of linux/netlink.h.
    private func openDiagnosis() throws -> Int32 {
        let descriptor = socket(AF_NETLINK, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 4)
        try #require(descriptor >= 0)
        return descriptor
    }

    private func socketPair() throws -> [Int32] {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        return ends
    }

    @Test func theKernelNamesTheOwnerOfTheOtherEnd() throws {
        let descriptor = try openDiagnosis()
        defer { close(descriptor) }
        let ends = try socketPair()
        defer { for end in ends { close(end) } }
        let diagnosis = PeerDiagnosis(descriptor: descriptor)
        for _ in 0..<3 { #expect(diagnosis.user(of: ends[0]) == geteuid()) }
    }

    @Test func nobodyIsNamedWhereThereIsNoOtherEnd() throws {
        let descriptor = try openDiagnosis()
        defer { close(descriptor) }
        let ends = try socketPair()
        defer { close(ends[0]) }
        close(ends[1])
        let diagnosis = PeerDiagnosis(descriptor: descriptor)
        #expect(diagnosis.user(of: ends[0]) == nil)
        #expect(diagnosis.user(of: descriptor) == nil)
        #expect(diagnosis.user(of: -1) == nil)
        // What is no netlink socket answers nothing.
        #expect(PeerDiagnosis(descriptor: ends[0]).user(of: ends[0]) == nil)
    }

    @Test func onlyADescriptorForThisProcessIsTaken() {
        let own = "\(getpid())"
        #expect(PeerDiagnosis(environment: [:]) == nil)
        #expect(PeerDiagnosis(environment: ["LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "peers"]) == nil)
        #expect(PeerDiagnosis(environment: ["LISTEN_PID": own, "LISTEN_FDS": "0", "LISTEN_FDNAMES": "peers"]) == nil)
        #expect(PeerDiagnosis(environment: ["LISTEN_PID": own, "LISTEN_FDS": "1", "LISTEN_FDNAMES": "other:peers"]) == nil)
        #expect(PeerDiagnosis(environment: ["LISTEN_PID": own, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "other:also"]) == nil)
    }
}

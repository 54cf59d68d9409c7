import DeviceSimulators
import Foundation
import Testing

@Suite struct PseudoTerminalTests {
    @Test func carriesEveryByteBothWays() throws {
        let terminal = try PseudoTerminal()
        let node = open(terminal.path, O_RDWR | O_NOCTTY)
        #expect(node >= 0)
        defer { close(node) }
        let all = (0...255).map(UInt8.init)
        #expect(terminal.write(all) == 256)
        var received = [UInt8](repeating: 0, count: 256)
        var count = 0
        while count < 256 {
            let more = received.withUnsafeMutableBytes { read(node, $0.baseAddress?.advanced(by: count), 256 - count) }
            try #require(more > 0)
            count += more
        }
        #expect(received == all)
        #expect(all.withUnsafeBytes { write(node, $0.baseAddress, 256) } == 256)
        #expect(terminal.read(waiting: 1_000) == all)
        #expect(terminal.read(waiting: 0) == [])
    }

    @Test func keepsItsLinkFreshAndTakesItAway() throws {
        let link = FileManager.default.temporaryDirectory.appendingPathComponent("pty-\(UUID())").path
        let first = try PseudoTerminal(link: link)
        #expect(first.path == link)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == first.nodePath)
        let second = try PseudoTerminal(link: link)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == second.nodePath)
        // The link is no longer the first one's to take away.
        first.hangUp()
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == second.nodePath)
        second.hangUp()
        second.hangUp()
        #expect(!FileManager.default.fileExists(atPath: link))
        #expect(second.write([1]) == 0)
        #expect(second.read(waiting: 0) == [])
    }

    @Test func leavesAFileOfTheSameNameAlone() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("pty-\(UUID())").path
        try Data([7]).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: PseudoTerminalError(operation: "link \(path)", errorNumber: EEXIST)) { try PseudoTerminal(link: path) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([7]))
    }

    /// Only what an earlier run left behind is replaced.
    @Test func leavesALinkToSomethingElseAlone() throws {
        let link = FileManager.default.temporaryDirectory.appendingPathComponent("pty-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: link) }
        for target in ["/etc/hostname", "/dev/ttyUSB0", "/nowhere", "/dev/ptsx/1"] {
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
            #expect(throws: PseudoTerminalError(operation: "link \(link)", errorNumber: EEXIST)) { try PseudoTerminal(link: link) }
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == target)
            try FileManager.default.removeItem(atPath: link)
        }
        // A node that is long gone.
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/pts/99999")
        let terminal = try PseudoTerminal(link: link)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == terminal.nodePath)
        terminal.hangUp()
    }

    @Test func dropsWhatNobodyReads() throws {
        let terminal = try PseudoTerminal()
        let taken = terminal.write([UInt8](repeating: 1, count: 1 << 20))
        #expect(taken > 0 && taken < 1 << 20)
    }
}

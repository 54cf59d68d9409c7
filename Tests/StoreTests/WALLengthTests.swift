import Foundation
import GRDB
import Glibc
import Synchronization
import Testing

@testable import Ledger
@testable import Store

/// The WAL has the length that it will need before it needs it.
@Suite struct WALLengthTests {
    private func size(_ directory: Directory) -> Int64 { StoreFiles.size("\(directory.path)/events.db-wal") }

    /// A writer without a thread, so that its rest comes when the test says.
    private func writer(_ directory: Directory, _ tuning: StoreTuning) throws -> EventWriter {
        let file = DatabaseFile(path: "\(directory.path)/events.db", schema: .events, durability: .full)
        let reserve = ReserveFile(path: "\(directory.path)/reserve", size: tuning.reserveBytes)
        let log = try OpenedLog(
            file, tuning: tuning, reserve: reserve, gateway: "CRIB1", random: { 1 }, wasClosedCleanly: false)
        return EventWriter(log, file: file, tuning: tuning, reserve: reserve)
    }

    private func commit(_ decision: Decision, to writer: inout EventWriter) {
        let rendered = RenderedDecision(decision, identity: EventIdentity(gateway: "CRIB1", epoch: 1))
        writer.handle([
            .commit(
                .init(decision: rendered, generation: 1) { outcome in
                    if case .failed(let error) = outcome { Issue.record("\(error)") }
                })
        ])
    }

    private func rest(_ writer: inout EventWriter) {
        var turns = 0
        while writer.patience == 0, turns < 100 {
            writer.rest()
            turns += 1
        }
        #expect(turns < 100)
    }

    /// Piece by piece, up to the length at which a checkpoint is due, and it keeps it when SQLite begins the WAL anew.
    @Test func growsOnceAndStays() throws {
        let directory = try Directory()
        var tuning = StoreTuning()
        tuning.checkpointBytes = 1 << 20
        var writer = try writer(directory, tuning)
        var decider = Decider()
        writer.start()
        commit(decider.putAway(), to: &writer)
        #expect(size(directory) < 100_000)
        rest(&writer)
        #expect(size(directory) == 1 << 20)
        #expect(writer.patience == nil)
        // Statistics count frames, not the zeros behind them.
        #expect(writer.wal.bytes < 100_000 && writer.wal.bytesWritten < 100_000)
        var longest: Int64 = 0
        for number in 1...600 {
            commit(decider.putAway(number), to: &writer)
            longest = max(longest, size(directory))
        }
        #expect(writer.shared.statistics.withLock { $0.checkpoints } >= 1)
        #expect(longest <= 1 << 20 + 100_000)
        #expect(size(directory) >= 1 << 20)
        writer.closeDown()
        #expect(size(directory) == 0)
        #expect(try LogEnd(reading: Self.reader(directory.path)).sequence == 601)
    }

    /// Never longer than SQLite lets it be when it begins anew: else every checkpoint would be paid with a new file.
    @Test func isNoLongerThanTheLimit() throws {
        let directory = try Directory()
        var tuning = StoreTuning()
        tuning.checkpointBytes = 1 << 30
        var writer = try writer(directory, tuning)
        writer.start()
        rest(&writer)
        #expect(size(directory) == DatabaseFile.walLimit)
        writer.closeDown()
    }

    /// A copy of the files at any moment is what a kill leaves.
    @Test func whatIsCommittedIsFoundBeforeWithinAndBehindTheZeros() throws {
        let directory = try Directory()
        var tuning = StoreTuning()
        // Not a number of whole blocks, and less than a piece.
        tuning.checkpointBytes = 203_000
        var writer = try writer(directory, tuning)
        var decider = Decider()
        writer.start()
        for number in 1...400 {
            commit(decider.putAway(number), to: &writer)
            if number == 5 {
                rest(&writer)
                #expect(size(directory) == 203_000)
            }
            guard number < 10 || number % 23 == 0 else { continue }
            let copy = try Directory()
            for name in ["events.db", "events.db-wal"] {
                try StoreFiles.copy("\(directory.path)/\(name)", to: "\(copy.path)/\(name)")
            }
            let store = try copy.open()
            #expect(store.lastSequence == Int64(number))
            #expect(try store.verify().isIntact)
            #expect(store.close())
        }
        writer.closeDown()
    }

    /// A WAL that holds nothing but zeros is an empty one.
    @Test func zerosAloneAreNoLog() throws {
        let directory = try Directory()
        let store = try directory.open()
        #expect(store.close())
        try Data(count: 500_000).write(to: URL(fileURLWithPath: "\(directory.path)/events.db-wal"))
        let again = try directory.open()
        #expect(again.lastSequence == 0)
        #expect(try again.verify().isIntact)
        #expect(again.close())
    }

    /// After an error the WAL is read anew and cut; it grows again.
    @Test func growsAgainAfterAReopening() throws {
        let directory = try Directory()
        var tuning = StoreTuning()
        tuning.checkpointBytes = 1 << 20
        var writer = try writer(directory, tuning)
        var decider = Decider()
        writer.start()
        rest(&writer)
        commit(decider.putAway(), to: &writer)
        try writer.reopen()
        #expect(size(directory) < 100_000)
        #expect(writer.patience == 0)
        rest(&writer)
        #expect(size(directory) == 1 << 20)
        commit(decider.putAway(), to: &writer)
        #expect(writer.lastSequence == 2)
        writer.closeDown()
    }

    /// Space is for events first: without the reserve the WAL stays short, and the writer does not spin.
    @Test func staysShortWithoutTheReserve() throws {
        let directory = try Directory()
        var tuning = StoreTuning()
        tuning.reserveBytes = 1 << 60
        tuning.clock = { 0 }
        var writer = try writer(directory, tuning)
        writer.start()
        #expect(writer.patience == tuning.reserveRetry)
        writer.rest()
        #expect(size(directory) < 100_000)
        writer.closeDown()
    }

    // MARK: The file

    @Test(arguments: [0, 1, 4_095, 4_096, 4_097, 70_000])
    func zerosBeginBehindTheBlockInWhichAFileEnds(length: Int) throws {
        let path = "\(try Directory().path)/file"
        let content = (0..<length).map { UInt8(truncatingIfNeeded: $0 % 251 + 1) }
        try Data(content).write(to: URL(fileURLWithPath: path))
        let block = 4_096
        var turns = 0
        while StoreFiles.lengthen(path, to: 300_000, by: 100_000) == .more, turns < 10 { turns += 1 }
        #expect(turns == 2)
        let found = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(found.count == 300_000)
        #expect(found.prefix(length).elementsEqual(content))
        #expect(found.dropFirst(length).allSatisfy { $0 == 0 })
        // On the disk, not a hole: from the next block on.
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(Int(status.st_blocks) * 512 >= 300_000 / block * block)
        #expect(StoreFiles.lengthen(path, to: 300_000) == .done)
        #expect(StoreFiles.lengthen(path, to: 10) == .done)
        #expect(StoreFiles.size(path) == 300_000)
    }

    @Test func aFileThatIsNotThereIsNotMade() throws {
        let path = "\(try Directory().path)/file"
        #expect(StoreFiles.lengthen(path, to: 300_000) == .refused)
        #expect(!StoreFiles.exists(path))
    }

    /// Of 8 MiB at most a quarter of what is free is taken.
    @Test(.enabled(if: geteuid() == 0, "mounting a tmpfs needs root"))
    func theLastSpaceIsNotTaken() throws {
        let directory = try Directory()
        guard mount("tmpfs", directory.path, "tmpfs", 0, "size=8m") == 0 else {
            withKnownIssue("this system does not let root mount a tmpfs: not shown here") { Issue.record("errno \(errno)") }
            return
        }
        defer { umount2(directory.path, Int32(MNT_DETACH)) }
        let path = "\(directory.path)/file"
        try Data([1]).write(to: URL(fileURLWithPath: path))
        #expect(StoreFiles.lengthen(path, to: 4 << 20) == .refused)
        #expect(StoreFiles.size(path) == 1)
        #expect(StoreFiles.lengthen(path, to: 1 << 20, by: 1 << 20) == .done)
        #expect(StoreFiles.size(path) == 1 << 20)
    }

    private static func reader(_ path: String) throws -> DatabaseQueue {
        try DatabaseFile(path: "\(path)/events.db", schema: .events, durability: .full).openReader()
    }
}

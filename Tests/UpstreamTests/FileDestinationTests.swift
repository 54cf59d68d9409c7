import Foundation
import Ledger
import Readings
import Testing
import Upstream

@Suite struct FileDestinationTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path + "/events.ndjson"
    }

    private func lines() throws -> [String] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    private func texts(_ events: [StoredEvent]) -> [String] { events.map { String(decoding: $0.bytes, as: UTF8.self) } }

    private func append(_ text: String) throws {
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    @Test func appendsOneLineAnEvent() throws {
        let events = (1...5).map { SampleEvents.checkout($0) }
        let destination = FileDestination(path: path)
        #expect(try destination.deliver(SampleEvents.outgoing(Array(events[..<3]))) == Receipt(upTo: 3, delivered: 3))
        #expect(try destination.deliver(SampleEvents.outgoing(Array(events[3...]))) == Receipt(upTo: 5, delivered: 2))
        #expect(try lines() == texts(events))
    }

    /// At every length that a crash may leave: the whole lines stay, the rest is written again, nothing stands twice.
    @Test func goesOnAfterACrashAtAnyByte() throws {
        let events = (1...3).map { SampleEvents.checkout($0) }
        try FileDestination(path: path).deliverAll(events)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for length in 0...whole.count {
            try whole.prefix(length).write(to: URL(fileURLWithPath: path))
            let receipt = try FileDestination(path: path).deliver(SampleEvents.outgoing(events))
            let there = whole.prefix(length).count { $0 == 0x0A }
            #expect(receipt == Receipt(upTo: 3, delivered: 3 - there, duplicates: there))
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == whole, "cut at \(length)")
        }
    }

    @Test func findsTheLastLineOfALongFile() throws {
        let events = (1...400).map { SampleEvents.checkout($0) }
        try FileDestination(path: path).deliverAll(events)
        try append(String(repeating: "{", count: 200_000))
        let receipt = try FileDestination(path: path).deliver(SampleEvents.outgoing([events[399], SampleEvents.checkout(401)]))
        #expect(receipt == Receipt(upTo: 401, delivered: 1, duplicates: 1))
        #expect(try lines() == texts(events + [SampleEvents.checkout(401)]))
    }

    /// After a restore numbers begin anew; what decides is the id.
    @Test func lowerNumbersOfANewEpochAreNew() throws {
        let destination = FileDestination(path: path)
        try destination.deliverAll([SampleEvents.checkout(9)])
        let restored = SampleEvents.event(2, type: "loan.returned", data: [:], subject: [], identity: EventIdentity(prefix: 77))
        #expect(try destination.deliver(SampleEvents.outgoing([restored])) == Receipt(upTo: 2, delivered: 1))
        #expect(try FileDestination(path: path + "x").deliver(SampleEvents.outgoing([restored])).delivered == 1)
        #expect(try lines().count == 2)
    }

    @Test func startsANewFileWhenItWasRenamed() throws {
        let destination = FileDestination(path: path)
        try destination.deliverAll([SampleEvents.checkout(1)])
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        try destination.deliverAll([SampleEvents.checkout(2)])
        #expect(try lines() == texts([SampleEvents.checkout(2)]))
    }

    @Test(arguments: ["root:x:0:0\n", "no line end", "{\"seq\":\"x\"}\n", String(repeating: "x", count: 3 << 20)])
    func leavesForeignFilesAlone(_ content: String) throws {
        try Data(content.utf8).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: DeliveryError.self) { try FileDestination(path: path).deliverAll([SampleEvents.checkout(1)]) }
        guard case .refused = error else { return #expect(Bool(false), "\(String(describing: error))") as Void }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == content)
    }

    @Test(arguments: ["/dev/null", "/dev/full", "/dev"]) func onlyRegularFiles(_ path: String) throws {
        #expect(throws: DeliveryError.self) { try FileDestination(path: path).deliverAll([SampleEvents.checkout(1)]) }
    }

    @Test func aMissingFolderIsTriedAgain() throws {
        let path = folder.path + "/later/events.ndjson"
        let destination = FileDestination(path: path)
        let error = #expect(throws: DeliveryError.self) { try destination.deliverAll([SampleEvents.checkout(1)]) }
        guard case .retryable(let reason, _) = error else { return #expect(Bool(false), "\(String(describing: error))") as Void }
        #expect(reason.contains("errno 2"))
        try FileManager.default.createDirectory(atPath: folder.path + "/later", withIntermediateDirectories: false)
        try destination.deliverAll([SampleEvents.checkout(1)])
        #expect(FileManager.default.fileExists(atPath: path))
    }

    /// A sparse file that ends shortly before the file system's largest size stops a write in the middle of a batch, as a full disk
    /// does, and needs no root.
    @Test func aWriteThatFailsHalfWayLeavesNoTrace() throws {
        let events = (1...20).map { SampleEvents.checkout($0) }
        let descriptor = open(path, O_RDWR | O_CREAT, 0o600)
        defer { close(descriptor) }
        var possible: Int = 0
        var impossible = Int.max
        while impossible - possible > 1 {
            let middle = possible + (impossible - possible) / 2
            if ftruncate(descriptor, middle) == 0 { possible = middle } else { impossible = middle }
        }
        let tail = Array("\n".utf8) + events[0].bytes + Array("\n".utf8)
        let length = possible - events[1].bytes.count * 3 / 2
        #expect(ftruncate(descriptor, 0) == 0)
        #expect(pwrite(descriptor, tail, tail.count, length - tail.count) == tail.count)

        let destination = FileDestination(path: path)
        for _ in 0..<2 {
            let error = #expect(throws: DeliveryError.self) { try destination.deliverAll(Array(events[1...])) }
            guard case .retryable(let reason, _) = error else { return #expect(Bool(false), "\(String(describing: error))") as Void }
            #expect(reason.contains("errno \(EFBIG)"))
            #expect(lseek(descriptor, 0, SEEK_END) == length)
        }
        // What fits is taken, and nothing stands twice.
        #expect(try destination.deliver(SampleEvents.outgoing([events[0], events[1]])) == Receipt(upTo: 2, delivered: 1, duplicates: 1))
        #expect(lseek(descriptor, 0, SEEK_END) == length + events[1].bytes.count + 1)
    }

    @Test func twoWritersDoNotMix() throws {
        let first = FileDestination(path: path)
        try first.deliverAll([SampleEvents.checkout(1)])
        #expect(throws: DeliveryError.self) { try FileDestination(path: path).deliverAll([SampleEvents.checkout(2)]) }
        #expect(try lines().count == 1)
        withExtendedLifetime(first) {}
    }
}

extension Destination {
    func deliverAll(_ events: [StoredEvent]) throws {
        _ = try deliver(SampleEvents.outgoing(events))
    }
}

import Foundation
import Ledger
import Readings
import SiteConfiguration
import TestSupport
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

    /// What a process that was killed before its fsync has left is in the kernel only. It is no receipt before it is on the disk.
    @Test func whatIsFoundIsBroughtToTheDisk() throws {
        let events = (1...3).map { SampleEvents.checkout($0) }
        try Data().write(to: URL(fileURLWithPath: path))
        try append(texts(events).map { $0 + "\n" }.joined())
        guard UnwrittenFile.holdsUnwritten(path) == true else { return }
        let receipt = try FileDestination(path: path).deliver(SampleEvents.outgoing(events))
        #expect(receipt == Receipt(upTo: 3, delivered: 0, duplicates: 3))
        #expect(UnwrittenFile.holdsUnwritten(path) == false)
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

    /// A store was restored or recovered: its log goes on under a new epoch. After a crash the cursor lies before that.
    @Test(arguments: [1, 400]) func eventsOfAnEarlierEpochAreKnownToo(count: Int64) throws {
        let restored = EventIdentity(prefix: 77)
        let events = (1...50).map { SampleEvents.checkout($0) }
        let later = (51...(50 + count)).map { number in
            // Speaks of an event of the epoch before.
            SampleEvents.event(
                number, type: "loan.returned", data: ["id": .string(SampleEvents.id(999))], subject: [], identity: restored)
        }
        try FileDestination(path: path).deliverAll(events + later)
        let next = SampleEvents.event(51 + count, type: "loan.returned", data: [:], subject: [], identity: restored)
        let receipt = try FileDestination(path: path).deliver(SampleEvents.outgoing(Array(events.suffix(20)) + later + [next]))
        #expect(receipt == Receipt(upTo: 51 + count, delivered: 1, duplicates: 20 + Int(count)))
        #expect(try lines() == texts(events + later + [next]))
    }

    /// Restored to an earlier state: numbers that the file has under the old epoch come again and are other events.
    @Test func numbersThatComeAgainUnderANewEpochAreOtherEvents() throws {
        let events = (1...50).map { SampleEvents.checkout($0) }
        try FileDestination(path: path).deliverAll(events)
        let restored = (41...60).map { SampleEvents.event($0, type: "loan.returned", data: [:], subject: [], identity: .init(prefix: 77)) }
        let receipt = try FileDestination(path: path).deliver(SampleEvents.outgoing(Array(events[30..<40]) + restored))
        #expect(receipt == Receipt(upTo: 60, delivered: 20, duplicates: 10))
        #expect(try lines() == texts(events + restored))
    }

    /// By logrotate, say: a crash just after it must not write again what lies in the other file.
    @Test(arguments: [true, false]) func aFileThatSomebodyRenamedIsRemembered(hasCrashed: Bool) throws {
        let events = (1...20).map { SampleEvents.checkout($0) }
        let first = FileDestination(path: path)
        try first.deliverAll(events)
        try FileManager.default.moveItem(atPath: path, toPath: path + (hasCrashed ? ".1" : "-20261122"))
        let destination = hasCrashed ? FileDestination(path: path) : first
        let receipt = try destination.deliver(SampleEvents.outgoing(Array(events[10...]) + [SampleEvents.checkout(21)]))
        #expect(receipt == Receipt(upTo: 21, delivered: 1, duplicates: 10))
        #expect(try lines() == texts([SampleEvents.checkout(21)]))
    }

    @Test(arguments: [1, 2, 3]) func aRotationThatWasStoppedHalfWayLosesNoFile(gap: Int) throws {
        let rotation = Site.Destination.Rotation(bytes: 1 << 20, keep: 3)
        let line = SampleEvents.checkout(1).bytes.count + 1
        let full = (1...Int64((1 << 20) / line)).map { SampleEvents.checkout($0) }
        try FileDestination(path: path, rotation: rotation).deliverAll(full)
        for number in 1...3 where number != gap { try Data("\(number)\n".utf8).write(to: URL(fileURLWithPath: "\(path).\(number)")) }
        try FileDestination(path: path, rotation: rotation).deliverAll([SampleEvents.checkout(Int64(full.count) + 1)])
        // Those before the gap moved into it, those behind it stayed.
        let contents = try (2...3).map { try String(contentsOfFile: "\(path).\($0)", encoding: .utf8) }
        #expect(contents == (2...3).map { "\($0 <= gap ? $0 - 1 : $0)\n" })
        #expect(try String(contentsOfFile: "\(path).1", encoding: .utf8).split(separator: "\n").count == full.count)
        #expect(try lines().count == 1)
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

    /// Every event stands once in the files, newest first, however often the destination is made anew and forgets its cursor.
    @Test func rotationForgetsNothing() throws {
        let events = (1...8_000).map { SampleEvents.checkout($0) }
        let rotation = Site.Destination.Rotation(bytes: 1 << 20, keep: 3)
        for start in stride(from: 0, to: 8_000, by: 1_000) {
            let destination = FileDestination(path: path, rotation: rotation)
            // What came before is offered again: the cursor was lost.
            let known = max(0, start - 200)
            for batch in [events[known..<(start + 500)], events[(start + 300)..<(start + 1_000)]] {
                #expect(try destination.deliver(SampleEvents.outgoing(Array(batch))).upTo == batch.last?.sequence)
            }
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(files == ["events.ndjson", "events.ndjson.1", "events.ndjson.2", "events.ndjson.3"])
        let sizes = try files.map { try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\($0)")).count }
        #expect(sizes.allSatisfy { $0 <= 1 << 20 })
        let kept = try files.reversed().flatMap {
            try String(contentsOfFile: "\(folder.path)/\($0)", encoding: .utf8).split(separator: "\n").map(String.init)
        }
        #expect(kept == texts(Array(events.suffix(kept.count))))
    }

    /// The newest file was just set aside when the power went: it is remembered.
    @Test func anEmptyFileAfterRotationKnowsWhatWasSetAside() throws {
        let rotation = Site.Destination.Rotation(bytes: 1 << 20, keep: 3)
        let events = (1...20).map { SampleEvents.checkout($0) }
        #expect(try FileDestination(path: path, rotation: rotation).deliver(SampleEvents.outgoing(events)).delivered == 20)
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        let receipt = try FileDestination(path: path, rotation: rotation).deliver(SampleEvents.outgoing(events))
        #expect(receipt == Receipt(upTo: 20, duplicates: 20))
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

import Decoding
import DeviceSimulators
import Glibc
import Identifiers
import Readings
import Testing

private let tool = EPC(hex: "3476451FD400000000000001")!

@Suite("Simulated devices by name")
struct SimulatedDeviceTests {
    @Test(
        "Lines are understood as they are written",
        arguments: [
            ("tag 3476451FD400000000000001 2", SimulatorCommand.action(.tag(tool, antenna: 2))),
            ("tag 3476451FD400000000000001", .action(.tag(tool, antenna: nil))),
            ("remove 3476451FD400000000000001", .action(.remove(tool))),
            ("scan ]C101\\x1D and more", .action(.scan(Array("]C101\u{1D} and more".utf8)))),
            ("badge 01000734E0", .action(.badge("01000734E0"))),
            ("input 1 on", .action(.input(line: 1, isActive: true))), ("stall", .stall(true)), ("go", .stall(false)), ("garbage", .garbage),
            ("restart", .restart),
        ])
    func commands(line: String, command: SimulatorCommand) {
        #expect(SimulatorCommand(line) == command)
    }

    @Test(
        "Anything else is refused", arguments: ["", "tag", "tag xyz", "tag 00 0", "input 1", "input 300 on", "stall now", "scan", "frob"])
    func refused(line: String) {
        #expect(SimulatorCommand(line) == nil)
    }

    @Test("Each kind survives any bytes and has a name of its own", arguments: SimulatedDeviceKind.all.map(\.name))
    func anyBytes(name: String) throws {
        let kinds = SimulatedDeviceKind.all.filter { $0.name == name }
        #expect(kinds.count == 1)
        var device = try #require(kinds.first).make(.init(tags: [tool]))
        var random: UInt64 = 7
        var now = Instant.zero
        for _ in 0..<2_000 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            now = now + .milliseconds(3)
            _ = device.receive([UInt8(truncatingIfNeeded: random >> 33), 0xA0, UInt8(truncatingIfNeeded: random >> 41)], at: now)
            if let deadline = device.nextDeadline, deadline <= now { _ = device.advance(to: now) }
            _ = device.takeNotes()
        }
    }

    @Test("A field gives reads at its rate, the same for the same seed")
    func field() {
        func reads(seed: UInt64) -> [TagRead] {
            var field = TagField([SimulatedTag(epc: tool)], readsPerSecond: 100, seed: seed)
            return stride(from: Int64(0), through: 1_000, by: 10).flatMap { field.reads(port: 1, at: Instant(nanoseconds: $0 * 1_000_000)) }
        }
        #expect(reads(seed: 1).count == 100)
        #expect(reads(seed: 1) == reads(seed: 1) && reads(seed: 1) != reads(seed: 2))
    }

    /// The last answer to the same command comes from the reader; the tags are those that lines put there.
    @Test("On a socket: connects, answers, stalls, goes on, restarts")
    func socketDevice() throws {
        var events: [SimulatedDeviceEvent] = []
        let runner = try SimulatedDeviceRunner(SimulatedReader(.a0, tags: TagField()), at: .listen(host: "127.0.0.1", port: 0))
        let client = try #require(Client(runner.address))
        client.send([0xA0, 0x03, 0x01, 0x72, 0xEA])
        #expect(client.receive(7) { events += runner.turn() } == [0xA0, 0x05, 0x01, 0x72, 0x01, 0x09, 0xDE])
        #expect(events == [.connected, .asked("firmware?", count: 1)])
        events += runner.obey("tag 3476451FD400000000000001 1")
        events += runner.obey("stall")
        client.send([0xA0, 0x03, 0x01, 0x72, 0xEA])
        for _ in 0..<3 { events += runner.turn() }
        events += runner.obey("go")
        client.send([0xA0, 0x03, 0x01, 0x79, 0xE3])
        #expect(client.receive(8) { events += runner.turn() } == [0xA0, 0x06, 0x01, 0x79, 0x02, 0x00, 0x06, 0xD8])
        #expect(runner.obey("scan X").last == .cannot("scan X"))
        events += runner.obey("restart")
        #expect(client.receive(1) { events += runner.turn() } == [])
    }
}

/// The gateway's side of a socket, without waiting anywhere but in the runner.
private final class Client {
    private let descriptor: Int32

    init?(_ address: String) {
        let parts = address.split(separator: ":")
        guard parts.count == 2 else { return nil }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(String(parts[0]), String(parts[1]), &hints, &found) == 0, let first = found else { return nil }
        defer { freeaddrinfo(found) }
        descriptor = socket(first.pointee.ai_family, first.pointee.ai_socktype, 0)
        guard connect(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
            close(descriptor)
            return nil
        }
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, 0) }

    /// Until so many bytes are there, the other side hung up, or 100 turns brought nothing.
    func receive(_ count: Int, _ turn: () -> Void) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<100 where bytes.count < count {
            turn()
            var buffer = [UInt8](repeating: 0, count: 256)
            let got = recv(descriptor, &buffer, count - bytes.count, Int32(MSG_DONTWAIT))
            if got == 0 { break }
            if got > 0 { bytes += buffer[..<got] }
        }
        return bytes
    }
}

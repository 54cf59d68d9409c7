import Decoding
import Profiles
import Readings
import Testing

@Suite("Profiles of badge readers")
struct BadgeProfileTests {
    private static func text(_ decoder: String, rest: String = "") -> String {
        """
        id = "acme/badge"
        name = "Badge"
        support = 1

        [transport]
        kind = "serial"
        baud = 9600

        [decoder]
        \(decoder)
        \(rest)
        """
    }

    private static func problems(_ decoder: String, rest: String = "") throws -> [String] {
        let layer = try Layer()
        try layer.write("acme/badge/profile.toml", text(decoder, rest: rest))
        return ProfileLibrary(directories: [layer.path]).problems.map { "\($0.key): \($0.reason)" }
    }

    @Test(arguments: ["generic/osdp-reader", "generic/osdp-reader-115200"])
    func theUnitIsTheAddress(id: String) throws {
        let profile = try #require(ShippedProfiles.library[id])
        var session = try profile.program(unit: 5).makeSession()
        var output = SessionOutput()
        session.opened(at: .zero, into: &output)
        #expect(output.transmissions == [OSDPPacket(address: 5, sequence: 0, code: 0x61, data: [0]).encoded])
        #expect(session.nextDeadline == Instant(nanoseconds: 200_000_000))
    }

    @Test func aPN532IsWokenAndAsked() throws {
        let profile = try #require(ShippedProfiles.library["nxp/pn532-hsu"])
        var session = try profile.program().makeSession()
        var output = SessionOutput()
        var now = Instant.zero
        session.opened(at: now, into: &output)
        let acknowledgement: [UInt8] = [0, 0, 0xFF, 0, 0xFF, 0]
        var sent: [UInt8] = []
        for answer in ["00 00 FF 06 FA D5 03 32 01 06 07 E8 00", "00 00 FF 02 FE D5 15 16 00", "00 00 FF 02 FE D5 33 F8 00"] {
            // The code of the command, behind D4.
            let command = try #require(output.transmissions.last)
            sent.append(try #require(command.lastIndex(of: 0xD4).map { command[$0 + 1] }))
            output.removeAll()
            now = now + .milliseconds(10)
            (acknowledgement + (Hex.bytes(answer) ?? [])).withUnsafeBytes { session.receive($0, at: now, into: &output) }
        }
        #expect(sent == [0x02, 0x14, 0x32])
        #expect(session.isInitialised)
        #expect(output.transmissions == [[0x00, 0x00, 0xFF, 0x04, 0xFC, 0xD4, 0x4A, 0x01, 0x00, 0xE1, 0x00]])
        #expect(profile.plan.steps.filter(\.identifies).map(\.name) == ["firmware"])
    }

    @Test func aProtocolWithItsOwnSessionHasNoPlan() throws {
        #expect(try Self.problems("protocol = \"osdp\"").isEmpty)
        #expect(
            try Self.problems("protocol = \"osdp\"", rest: "[session]\nliveness_ms = 5000")
                == ["session: osdp finds out by itself what to send; it can have feedback only"])
        #expect(
            try Self.problems("protocol = \"osdp\"", rest: "[feedback]\naccepted = [{ send = \"6A 00 02 01\" }]")
                == ["feedback.accepted[1].send: a buzzer command (6A) has 5 bytes"])
        #expect(
            try Self.problems("protocol = \"osdp\"\nreply_timeout_ms = 1000\noffline_ms = 900")
                == ["decoder.offline_ms: must be longer than reply_timeout_ms"])
    }

    @Test func mistakesAreNamed() throws {
        #expect(
            try Self.problems("protocol = \"pn532\"", rest: "[[session.step]]\nname = \"a\"\nsend = \"00 00 FF 02 FE D4 02 2B 00\"")
                == ["session.step[1].send: the check must be 2A"])
        #expect(try Self.problems("protocol = \"osdp\"\ncheck = \"sum\"") == ["decoder.check: must be one of \"crc\", \"checksum\""])
        #expect(
            try Self.problems("protocol = \"scanner_line\"", rest: "[decoder.badge]\nreads = \"wiegand_hexadecimal\"\nwiegand_bits = 65")
                == ["decoder.badge.wiegand_bits: must be between 1 and 64"])
    }
}

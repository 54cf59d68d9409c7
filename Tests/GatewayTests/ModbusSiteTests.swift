import Devices
import Foundation
import Profiles
import Readings
import SiteConfiguration
import Testing

@testable import Gateway

@Suite("Modbus units of a site")
struct ModbusSiteTests {
    private static let profiles = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "DeviceProfiles").path(percentEncoded: false)
    private static let head = "[gateway]\ncode = \"CRIB1\"\nsite = \"Works\"\nprofiles = [\"\(profiles)\"]\n"

    private static func device(_ name: String, _ keys: String) -> String { "[[device]]\nname = \"\(name)\"\n\(keys)\n" }

    /// What stands wrong in the file, or what the profiles have against it.
    private static func problems(_ devices: String) -> [String] {
        switch SiteFile.parse(head + devices, file: "site.toml") {
        case .success(let site): SiteCheck.problems(of: site).map { "\($0.key): \($0.reason)" }
        case .failure(let error): error.problems.map { "\($0.file):\($0.line ?? 0) \($0.key): \($0.reason)" }
        }
    }

    private static let relay = "profile = \"waveshare/relay-8\""

    @Test func unitsOnOneLineAndBehindOneAddress() throws {
        let text =
            Self.device("lights", "\(Self.relay)\nport = \"/dev/ttyS1\"\nunit = 3")
            + Self.device("more", "\(Self.relay)\nport = \"/dev/ttyS1\"\nunit = 4")
            + Self.device("door", "profile = \"moxa/iologik-e1214\"\naddress = \"10.0.0.7\"")
            + Self.device("behind", "\(Self.relay)\naddress = \"10.0.0.7:1502\"\nunit = 9")
        #expect(Self.problems(text) == [])
        let site = try SiteFile.parse(Self.head + text, file: "site.toml").get()
        let binding = DeviceBinding(site: site, library: ProfileLibrary(directories: site.gateway.profileDirectories))
        let units = binding.supervised.compactMap { device -> ModbusUnit? in
            guard case .port(let path, let match) = device.source, case .modbus(let unit) = match.transport else { return nil }
            #expect(path == unit.path)
            return unit
        }
        #expect(units.map(\.path) == ["/dev/ttyS1#3", "/dev/ttyS1#4", "tcp://10.0.0.7:502#1", "tcp://10.0.0.7:1502#9"])
        #expect(units[0].bus == .serial(path: "/dev/ttyS1", SerialLine(baud: 9_600)))
        #expect(units[0].bus == units[1].bus)
        #expect(units[2].polls == [[2, 0, 0, 0, 6]])
    }

    @Test func whatCannotBe() {
        #expect(
            Self.problems(Self.device("lights", "\(Self.relay)\nport = \"/dev/ttyS1\""))
                == ["device lights: unit: is missing: a serial line can have many units"])
        #expect(
            Self.problems(Self.device("lights", Self.relay)) == ["device lights: port: a Modbus device is found by port or address alone"])
        #expect(
            Self.problems(Self.device("door", "profile = \"moxa/iologik-e1214\"\nport = \"/dev/ttyS1\"\nunit = 1"))
                == ["device door: port: moxa/iologik-e1214 is on the network: it needs address"])
        #expect(
            Self.problems(Self.device("lights", "\(Self.relay)\nport = \"/dev/ttyS1\"\nunit = 248"))
                .contains("device lights: unit: must be between 1 and 247 on a serial line"))
        // In the file itself, with the line of the second device.
        let first = Self.device("a", "\(Self.relay)\nport = \"/dev/ttyS1\"\nunit = 3")
        #expect(
            Self.problems(first + Self.device("b", "\(Self.relay)\nport = \"/dev/ttyS1\"\nunit = 3"))
                == ["site.toml:14 device[2].unit: unit 3 on /dev/ttyS1 stands twice, first in site.toml:5"])
        #expect(
            Self.problems(first + Self.device("b", "\(Self.relay)\nport = \"/dev/ttyS1\"\nunit = 4\nbaud = 19200"))
                == ["site.toml:15 device[2].baud: /dev/ttyS1 has another speed in site.toml:5: all devices of a bus talk alike"])
        // Two profiles with different speeds on one line, and the same unit by default behind one address.
        #expect(
            Self.problems(first + Self.device("b", "profile = \"technotrade/vrd-485\"\nport = \"/dev/ttyS1\"\nunit = 4"))
                == ["device b: baud: /dev/ttyS1 has other line settings for a: all units of a bus talk alike"])
        let io = "profile = \"moxa/iologik-e1214\"\naddress = \"10.0.0.7\""
        #expect(
            Self.problems(Self.device("a", io) + Self.device("b", io)) == ["device b: unit: a is unit 1 on tcp://10.0.0.7:502 already"])
    }
}

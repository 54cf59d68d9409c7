import Foundation
import SiteConfiguration
import Testing

@testable import Gateway

@Suite("What the systemd unit lets the daemon reach")
struct ServiceNetworkTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func needs(_ text: String, names: [String: [String]] = [:], servers: [String] = []) throws -> [ServiceNetwork.Need] {
        let site = try SiteFile.parse(SiteFileTests.head + text, file: "site.toml").get()
        return ServiceNetwork.needs(of: site, resolve: { names[$0] ?? [] }, nameServers: servers)
    }

    private func epcis(_ url: String) -> String {
        "[[destination]]\nname = \"epcis\"\nkind = \"epcis\"\nurl = \"\(url)\"\n"
    }

    @Test("The ranges are those of the unit")
    func unit() throws {
        let unit = try String(contentsOf: Self.root.appending(path: "systemd/stockgated.service"), encoding: .utf8)
        let lines = unit.split(separator: "\n").filter { $0.hasPrefix("IPAddressAllow=") }
        #expect(lines == ["IPAddressAllow=\(ServiceNetwork.allowed.joined(separator: " "))"])
        #expect(unit.contains("\nIPAddressDeny=any\n"))
    }

    @Test(
        "Addresses at the edges of the ranges",
        arguments: [
            ("127.0.0.1", true), ("127.255.0.9", true), ("::1", true), ("::2", false), ("10.255.255.255", true), ("11.0.0.0", false),
            ("172.16.0.1", true), ("172.31.255.255", true), ("172.32.0.0", false), ("172.15.255.255", false), ("192.168.0.1", true),
            ("192.169.0.1", false), ("fd12:3456::1", true), ("fc00::1", false), ("fe80::1", false), ("169.254.0.1", false),
            ("100.64.0.1", false), ("2001:db8::1", false), ("no address", false),
        ])
    func edges(address: String, isAllowed: Bool) {
        #expect(ServiceNetwork.isAllowed(address) == isAllowed)
    }

    @Test(
        "The host of a URL",
        arguments: [
            ("https://epcis.example.com/v2", "epcis.example.com"), ("http://10.0.0.1:8080", "10.0.0.1"),
            ("https://[2001:db8::1]:8443/v2", "2001:db8::1"), ("https://user:word@example.com?x", "example.com"),
        ])
    func hosts(url: String, host: String) {
        #expect(ServiceNetwork.host(ofURL: url) == host)
    }

    @Test("What is within reach needs nothing")
    func within() throws {
        #expect(try needs("") == [])
        #expect(try needs(epcis("https://10.1.2.3/v2"), servers: ["9.9.9.9"]) == [])
        #expect(try needs(epcis("http://localhost:8080"), names: ["localhost": ["127.0.0.1", "::1"]], servers: ["9.9.9.9"]) == [])
        #expect(try needs(epcis("https://epcis.plant"), names: ["epcis.plant": ["192.168.4.4"]], servers: ["192.168.4.1"]) == [])
        #expect(try needs("[[device]]\nname = \"belt\"\nprofile = \"sick/cola\"\nlisten = \"203.0.113.1:2112\"\n") == [])
    }

    @Test("A destination by name, its name server, a reader by address and a name without address")
    func outside() throws {
        let device = "[[device]]\nname = \"gate\"\nprofile = \"generic/llrp-reader\"\naddress = \"203.0.113.9\"\n"
        let found = try needs(
            epcis("https://epcis.example.com/v2") + device, names: ["epcis.example.com": ["10.0.0.1", "2001:db8::7", "203.0.113.7"]],
            servers: ["192.168.1.1", "9.9.9.9"])
        #expect(
            ServiceNetwork.dropIn(found) == [
                "[Service]", "# destination epcis: epcis.example.com", "IPAddressAllow=2001:db8::7 203.0.113.7",
                "# device gate: 203.0.113.9",
                "IPAddressAllow=203.0.113.9", "# name server: 9.9.9.9", "IPAddressAllow=9.9.9.9",
            ])
        #expect(
            ServiceNetwork.dropIn(try needs(epcis("https://nowhere.example/"))) == [
                "[Service]", "# destination epcis: nowhere.example has no address now",
            ])
    }
}

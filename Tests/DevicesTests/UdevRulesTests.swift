import Foundation
import Testing

/// The grammar of udev(7), as far as the rules use it: `udevadm verify` comes with systemd 254 only.
@Suite struct UdevRulesTests {
    private struct Term: Hashable {
        var key: String
        var attribute: String?
        var operation: String
        var value: String
    }

    private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("udev/70-stockgate.rules")

    /// Rules without comments, each with its terms.
    private func rules() throws -> [(line: String, terms: [Term])] {
        let text = try String(contentsOf: Self.file, encoding: .utf8)
        return try text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }.map { line in
            let term = /([A-Z]+)(?:\{([^}]*)\})?(==|!=|\+=|-=|:=|=)"([^"]*)"/
            let terms = line.matches(of: term).map { match in
                Term(key: String(match.1), attribute: match.2.map(String.init), operation: String(match.3), value: String(match.4))
            }
            let written = terms.map { "\($0.key)\($0.attribute.map { "{\($0)}" } ?? "")\($0.operation)\"\($0.value)\"" }
            try #require(written.joined(separator: ", ") == line, "not understood: \(line)")
            return (line, terms)
        }
    }

    @Test func everyTermIsAllowed() throws {
        let compared: Set = ["ACTION", "DRIVER", "KERNEL", "SUBSYSTEM", "SUBSYSTEMS", "ATTRS", "ENV", "TEST"]
        let assigned: [String: Set<String>] = [
            "GOTO": ["="], "LABEL": ["="], "GROUP": ["="], "MODE": ["="], "ENV": ["="], "ATTR": ["="], "SYMLINK": ["+="],
            "TAG": ["-="], "IMPORT": ["=", "=="],
        ]
        for (line, terms) in try rules() {
            #expect(line.utf8.count < 1_024)
            for term in terms {
                let isAllowed =
                    ["==", "!="].contains(term.operation) && compared.contains(term.key)
                    || assigned[term.key]?.contains(term.operation) == true
                #expect(isAllowed, "\(term) in \(line)")
                #expect((term.attribute != nil) == ["ATTR", "ATTRS", "ENV", "IMPORT"].contains(term.key), "\(line)")
            }
        }
    }

    @Test func everyJumpGoesForwardToALabel() throws {
        let rules = try rules()
        for (index, rule) in rules.enumerated() {
            for term in rule.terms where term.key == "GOTO" {
                let isThere = rules[index...].contains { $0.terms.contains { $0.key == "LABEL" && $0.value == term.value } }
                #expect(isThere, "\(rule.line)")
            }
        }
    }

    /// FTDI, CH340, CP210x, PL2303 and the keyboard controllers are in devices of every kind.
    @Test func noRuleTakesADeviceByTheIdOfItsChip() throws {
        let makers: Set = ["0403", "1a86", "10c4", "067b", "04b4", "1243", "1d57", "16c0", "0483", "2341"]
        let naming: Set = ["ID_MODEL", "ID_PATH", "ID_SERIAL", "ID_SERIAL_SHORT"]
        for (line, terms) in try rules() where terms.contains(Term(key: "ENV", attribute: "STOCKGATE", operation: "=", value: "1")) {
            let vendors = terms.filter { $0.attribute == "idVendor" }.flatMap { $0.value.split(separator: "|").map(String.init) }
            // Such a maker's whole range, or a converter by its id alone, may be anything.
            guard !makers.isDisjoint(with: vendors) else { continue }
            let products = terms.filter { $0.attribute == "idProduct" }.flatMap { $0.value.split(separator: "|").map(String.init) }
            let isNamed = terms.contains { $0.key == "ENV" && naming.contains($0.attribute ?? "") }
            #expect(isNamed || !products.isEmpty && Self.converters.isDisjoint(with: products), "\(line)")
        }
    }

    /// Linux kernel, drivers/usb/serial: ftdi_sio, ch341, cp210x, pl2303.
    private static let converters: Set<String> = [
        "6001", "6010", "6011", "6014", "6015", "7522", "7523", "5523", "ea60", "ea70", "ea71", "2303",
    ]

    /// They are kept from ModemManager and get a name, and that is all: they stay in the group in which other programs look for them.
    @Test func convertersKeepTheirGroup() throws {
        let marks = try rules().filter { $0.terms.contains(Term(key: "ENV", attribute: "STOCKGATE_CONVERTER", operation: "=", value: "1")) }
        let marked = marks.flatMap {
            $0.terms.filter { $0.attribute == "idProduct" }.flatMap { $0.value.split(separator: "|").map(String.init) }
        }
        #expect(Self.converters.isSubset(of: marked))
        let effects = try rules().filter {
            $0.terms.contains(Term(key: "ENV", attribute: "STOCKGATE_CONVERTER", operation: "==", value: "1"))
        }
        let assigned = Set(effects.flatMap { $0.terms.filter { !["==", "!="].contains($0.operation) } }.map { $0.attribute ?? $0.key })
        #expect(assigned == ["SYMLINK", "ID_MM_DEVICE_IGNORE", "ID_MM_PORT_IGNORE", "PRODUCT"])
    }

    @Test func theServiceMayOpenThemAllTheSame() throws {
        let unit = Self.file.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("systemd/stockgated.service")
        let groups = try String(contentsOf: unit, encoding: .utf8).split(separator: "\n").first { $0.hasPrefix("SupplementaryGroups=") }
        #expect(groups?.dropFirst("SupplementaryGroups=".count).split(separator: " ").contains("dialout") == true)
    }

    @Test func everyNodeTheGatewayOpensGetsItsGroup() throws {
        let rules = try rules()
        for subsystem in ["tty", "input", "hidraw"] {
            let grants = rules.contains { rule in
                rule.terms.contains(Term(key: "SUBSYSTEM", operation: "==", value: subsystem))
                    && rule.terms.contains(Term(key: "GROUP", operation: "=", value: "stockgate"))
                    && rule.terms.contains(Term(key: "MODE", operation: "=", value: "0660"))
            }
            #expect(grants, "\(subsystem)")
        }
        // Otherwise a badge number would be typed into whatever has the focus until the gateway takes the device.
        #expect(rules.contains { $0.terms.contains(Term(key: "ENV", attribute: "LIBINPUT_IGNORE_DEVICE", operation: "=", value: "1")) })
    }
}

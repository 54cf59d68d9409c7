import Decoding
import FoundationEssentials
import Readings

extension ProfileLibrary {
    /// The list of devices that people read, `docs/devices.md`, as the profiles say.
    public var markdown: String {
        var lines: [String] = [
            "# Devices", "",
            "Written by `make docs` from the profiles in `DeviceProfiles`; a test fails when it is out of date. "
                + "`stockgate probe PORT` says which of",
            "them is on a serial port, [adding-a-device.md](adding-a-device.md) what to do when yours is missing.", "",
            "| support | what the profile's facts rest on |", "|---|---|",
        ]
        lines += DeviceProfile.SupportLevel.allCases.map { "| \($0.rawValue) | \($0.meaning) |" }
        lines += [
            "",
            "*Signals* are what the profile can show to a person; *sources* are documents and publications, named in the profile. A device that is",
            "found by its USB id needs no line in the site file that says which profile it has.", "",
            "Digital inputs are decoded and recorded, and `stockgate watch` shows them. No station uses them yet: a light barrier or a door contact",
            "decides nothing.",
        ]
        for family in DeviceProfile.Family.allCases {
            let members = profiles.filter { $0.family == family }
            guard !members.isEmpty else { continue }
            lines += [
                "", "## \(family.title)", "", "| profile | models | connection | protocol | support | signals |",
                "|---|---|---|---|---|---|",
            ]
            for profile in members {
                let cells = [
                    "[`\(profile.id)`](../DeviceProfiles/\(profile.id)/profile.toml)<br>\(profile.name)",
                    profile.models.joined(separator: "<br>"), profile.connection, "`\(profile.decoder.protocolName)`",
                    "\(profile.support.rawValue): \(profile.proof)", profile.signals,
                ]
                lines.append("| \(cells.map(Self.cell).joined(separator: " | ")) |")
            }
            let odd = members.filter { !$0.quirks.isEmpty || $0.withoutGateway != nil }
            guard !odd.isEmpty else { continue }
            lines += ["", "What to know:"]
            // Profiles of one family often share all of it.
            var told: [(profiles: [String], notes: [String])] = []
            for profile in odd {
                let notes = (profile.withoutGateway.map { [$0] } ?? []) + profile.quirks
                if let place = told.firstIndex(where: { $0.notes == notes }) {
                    told[place].profiles.append(profile.id)
                } else {
                    told.append(([profile.id], notes))
                }
            }
            lines.append("")
            for (profiles, notes) in told {
                lines.append("- " + profiles.map { "`\($0)`" }.joined(separator: ", "))
                lines += notes.map { "  - \(Self.cell($0))" }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Text from a profile inside a table.
    private static func cell(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("\n", with: " ").replacing("\r", with: " ")
    }
}

extension DeviceProfile {
    /// Groups of the list of devices.
    enum Family: CaseIterable {
        case uhf, badges, scanners, signals

        var title: String {
            switch self {
            case .uhf: "UHF readers"
            case .badges: "Badge readers"
            case .scanners: "Barcode scanners"
            case .signals: "Lights, locks and inputs"
            }
        }
    }

    var family: Family {
        switch decoder {
        case .a0, .uhfReader18, .m100, .mercury, .llrp: .uhf
        case .em4100, .pn532, .osdp: .badges
        case .modbus: .signals
        case .scannerLine(let configuration): configuration.text.isBadge ? .badges : .scanners
        case .keyboardWedge(let configuration): configuration.text.isBadge ? .badges : .scanners
        case .hidPointOfSale, .ssi, .gm65: .scanners
        }
    }

    /// `serial, 115200 8N1`
    var connection: String {
        let found = rules.isEmpty ? "" : "; found by its USB id"
        switch transport {
        case .serial(let line): return "serial, \(line.text)\(found)"
        case .evdev: return "USB keyboard\(found)"
        case .hidraw: return "USB HID\(found)"
        case .tcp(let network, let line):
            let secured = network.tlsPort.map { ", TLS \($0)" } ?? ""
            return "TCP \(network.port)\(secured)" + (line.map { "; or serial, \($0.text)" } ?? "")
        }
    }

    /// What the support level rests on here.
    var proof: String {
        let folder = file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        func counted(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
        return "\(counted(names.count { $0.hasSuffix(".capture") }, "capture")), \(counted(sources.count, "source"))"
    }

    var signals: String {
        let shown = Feedback.allCases.filter { plan.feedback[$0]?.isEmpty == false }
        return shown.isEmpty ? "–" : shown.map { $0.rawValue.replacing("_", with: " ") }.joined(separator: ", ")
    }

    /// What happens when the gateway lets the device go or is gone.
    var withoutGateway: String? {
        switch failsafe {
        case .hostWatchdog:
            return "failsafe = host_watchdog: the device sets its outputs to their safe state when the gateway falls silent."
        case nil: break
        case .stays: return "failsafe = none: outputs stay as they are until the gateway is there again."
        }
        if !plan.stop.isEmpty { return "Is told to stop when the gateway lets it go." }
        if plan.inventory?.mode == .stream { return "Goes on reading when the gateway is gone." }
        return nil
    }
}

extension DeviceProfile.SupportLevel {
    var meaning: String {
        switch self {
        case .documented: "documents"
        case .published: "frames of real devices that others published"
        case .captured: "a capture of a real device"
        case .tried: "tried on a device, feedback and unplugging included"
        case .inUse: "in daily use somewhere"
        }
    }
}

extension DeviceProfile.SerialLine {
    var text: String {
        let letter = parity == .none ? "N" : parity == .even ? "E" : "O"
        return "\(baud) \(dataBits)\(letter)\(stopBits)"
    }
}

extension TextRule {
    fileprivate var isBadge: Bool { if case .badge = output { true } else { false } }
}

extension ProfileLibrary {
    /// One profile in a few words.
    public struct Summary: Hashable, Sendable {
        public var id: String
        public var name: String
        public var models: [String]
        /// How it is connected, for people.
        public var connection: String
        public var `protocol`: String
        public var support: Int
    }

    public var summaries: [Summary] {
        profiles.map {
            Summary(
                id: $0.id, name: $0.name, models: $0.models, connection: $0.connection, protocol: $0.decoder.protocolName,
                support: $0.support.rawValue)
        }
    }

    /// For programs: `{"profiles":[{"id","name","models","connection","protocol","support"}]}`.
    public var json: JSON {
        [
            "profiles": .array(
                summaries.map {
                    [
                        "id": .string($0.id), "name": .string($0.name), "models": .array($0.models.map(JSON.string)),
                        "connection": .string($0.connection), "protocol": .string($0.protocol), "support": .integer(Int64($0.support)),
                    ]
                })
        ]
    }
}

import Decoding
import FoundationEssentials
import Profiles
import Readings
import Testing

@Suite("Rules for shipped profiles")
struct HouseRuleTests {
    @Test func allProfilesAreGood() {
        #expect(ShippedProfiles.library.problems.map(\.description) == [])
        #expect(ShippedProfiles.library.profiles.count >= 8)
    }

    @Test(arguments: ShippedProfiles.library.profiles.map(\.id))
    func houseRules(id: String) throws {
        let profile = try #require(ShippedProfiles.library[id])
        #expect(!profile.models.isEmpty)
        #expect(!profile.sources.isEmpty)
        // A support level is earned by captures, from `captured` on by recordings of real devices.
        let captures = try ShippedProfiles.captures.filter { $0.hasPrefix(id + "/") }.map { try ProvenCapture($0) }
        #expect(!captures.isEmpty, "no capture proves \(id)")
        #expect(captures.allSatisfy { !$0.header.note.isEmpty && WallTime(rfc3339: $0.header.recorded) != nil })
        if profile.support >= .captured { #expect(captures.contains { !$0.header.note.hasPrefix("Not a recording") }) }
        // A device that can show anything must be able to show the four answers that a person needs.
        let kinds = Set(profile.plan.feedback.keys)
        #expect(kinds.isEmpty || kinds.isSuperset(of: [.accepted, .exception, .refused, .notRecorded]))
        for (kind, transmissions) in profile.plan.feedback {
            let length = transmissions.reduce(0) { $0 + $1.pause.milliseconds }
            #expect(length <= 3_000, "\(kind) takes \(length) ms")
        }
        // Everything in the folder is known: a capture without readings proves nothing.
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(ShippedProfiles.directory)/\(id)")
        for file in files {
            #expect(file == "profile.toml" || file.hasSuffix(".capture") || file.hasSuffix(".expected"), "\(file)")
            if file.hasSuffix(".expected") { #expect(files.contains(file.replacingSuffix(".expected", by: ".capture"))) }
        }
    }

    @Test func noDeviceMatchesTwoProfiles() {
        for profile in ShippedProfiles.library.profiles {
            for rule in profile.rules {
                var properties = rule.properties
                properties["SUBSYSTEM"] = profile.transport.subsystem
                #expect(ShippedProfiles.library.match(properties: properties).outcome == .matched(profile: profile.id))
            }
        }
    }

    @Test func pulsesAreLeftOff() {
        // Every output that a reader's feedback turns on, it turns off again.
        for profile in ShippedProfiles.library.profiles {
            guard case .a0 = profile.decoder else { continue }
            for (kind, transmissions) in profile.plan.feedback {
                var lit: Set<UInt8> = []
                for bytes in transmissions.map(\.bytes) where bytes.count == 7 && bytes[3] == 0x61 {
                    if bytes[5] == 1 { lit.insert(bytes[4]) } else { lit.remove(bytes[4]) }
                }
                #expect(lit.isEmpty, "\(profile.id), \(kind)")
            }
        }
    }

    /// Session (0 to 3) and target (0 A, 1 B) of a round; nil: the command names none, and the reader's own is session 0 or 1.
    private static func singulation(_ command: [UInt8], _ decoder: DecoderConfiguration) -> (session: UInt8, target: UInt8)? {
        switch decoder {
        case .a0 where command.count > 6 && command[3] == 0x8B: (command[4], command[5])
        // Session FF lets the reader choose.
        case .uhfReader18 where command.count == 14 && command[2] == 0x01: (command[4], command[9])
        default: nil
        }
    }

    /// In session 2 and 3 a tag that has answered rests as long as the field stands: asked for one target only, it looks taken.
    @Test func noIntentAsksForOneTargetOnlyWhereTagsRest() throws {
        var checked = 0
        for profile in ShippedProfiles.library.profiles where !profile.decoder.hasOwnSession {
            for intent in RadioIntent.allCases {
                let region = profile.radio.requiresRegion ? profile.radio.regions.keys.first : nil
                let plan = try profile.program(radio: RadioSettings(region: region, intent: intent)).plan
                var targets: [UInt8: Set<UInt8>] = [:]
                for command in plan.inventory?.commands ?? [] {
                    guard let (session, target) = Self.singulation(command, profile.decoder) else { continue }
                    checked += 1
                    targets[session, default: []].insert(target)
                }
                for session: UInt8 in [2, 3] { #expect(targets[session].map { $0 == [0, 1] } ?? true, "\(profile.id), \(intent)") }
            }
        }
        #expect(checked > 0)
    }

    @Test func theUSLayoutIsTheKernelsTable() throws {
        let layout = try #require(ShippedProfiles.library.layouts["us"])
        // linux/input-event-codes.h and the US keyboard: row by row, plain and with Shift.
        let rows: [(UInt16, String, String)] = [
            (2, "1234567890-=", "!@#$%^&*()_+"), (16, "qwertyuiop[]", "QWERTYUIOP{}"), (30, "asdfghjkl;'`", "ASDFGHJKL:\"~"),
            (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"), (57, " ", " "),
        ]
        var count = 0
        for (first, plain, shifted) in rows {
            for (offset, pair) in zip(plain.utf8, shifted.utf8).enumerated() {
                let levels = layout.keys[first + UInt16(offset)]?.levels
                #expect(levels == [.text([pair.0]), .text([pair.1])], "key \(Int(first) + offset)")
                count += 1
            }
        }
        for (code, character) in zip([71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 55, 98], "789-456+1230.*/".utf8) {
            #expect(layout.keys[UInt16(code)]?.levels == [.text([character])], "key \(code)")
            count += 1
        }
        #expect(layout.keys.count == count)
    }
}

extension String {
    fileprivate func replacingSuffix(_ suffix: String, by other: String) -> String { String(dropLast(suffix.count)) + other }
}

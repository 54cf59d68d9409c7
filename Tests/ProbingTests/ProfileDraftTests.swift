import Decoding
import FoundationEssentials
import Identifiers
import Profiles
import Readings
import Testing

@testable import Probing

@Suite("New profiles from captures")
struct ProfileDraftTests {
    private static let captures: [String] = Shipped.library.profiles.flatMap { profile in
        let folder = "\(Shipped.directory)/\(profile.id)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".capture") }.map { "\(profile.id)/\($0)" }
    }.sorted()

    private func read(_ path: String) throws -> (header: Capture.Header, lines: [Capture.Line]) {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(Shipped.directory)/\(path)"))
        let all = try data.split(separator: 0x0A).map { try JSON(parsing: Array($0)) }
        return (try Capture.Header(json: all[0]), try all.dropFirst().map(Capture.Line.init(json:)))
    }

    /// The first of the ranking is the protocol of the profile that the capture proves.
    @Test("The protocol of every shipped capture is found again", arguments: captures)
    func ranking(path: String) throws {
        let capture = try read(path)
        for (device, id) in capture.header.devices {
            let profile = try #require(Shipped.library[id])
            let ranking = CaptureRanking(capture.lines.filter { $0.device == device }, library: Shipped.library)
            let best = try #require(ranking.entries.first)
            let points = try #require(ranking.entries.first { $0.configuration == profile.decoder }).score.points
            #expect(best.configuration.name == profile.decoder.name || best.score.points == points, "\(best.configuration.protocolName)")
        }
    }

    @Test("A draft of every capture is a good profile, and what is there is never touched", arguments: captures)
    func draft(path: String) throws {
        let capture = try read(path)
        let device = try #require(capture.header.devices.keys.sorted().first)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("draft-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let draft = try ProfileDraft(
            id: "acme/a-100", captureName: "My Capture (1)", header: capture.header, lines: capture.lines, device: device,
            library: Shipped.library)
        let written = try draft.write(to: folder)
        #expect(written.problems.map(\.description) == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: written.folder).sorted() == draft.files.map(\.name).sorted())
        let again = ProfileLibrary(directories: [Shipped.directory, folder])
        #expect(again["acme/a-100"] != nil && again.problems.isEmpty)
        // The expected readings are marked until a person has looked at them.
        let expected = try #require(draft.files.last?.text)
        #expect(expected.hasPrefix("{\"verify\":"))
        let error = #expect(throws: ProfileDraftError.self) { _ = try draft.write(to: folder) }
        #expect(error?.kind == .exists)
    }

    @Test("Ids, devices and empty captures are checked")
    func refusals() throws {
        let header = Capture.Header(recorded: "2026-11-21T08:15:30Z", note: "")
        func kind(_ id: String, _ lines: [Capture.Line], device: String? = nil) -> ProfileDraftError.Kind? {
            #expect(throws: ProfileDraftError.self) {
                _ = try ProfileDraft(id: id, captureName: "x", header: header, lines: lines, device: device, library: Shipped.library)
            }?.kind
        }
        let one = Capture.Line(time: .zero, device: "a", content: .received([1]))
        let two = Capture.Line(time: .zero, device: "b", content: .received([1]))
        #expect(kind("../etc/x", [one]) == .badID)
        #expect(kind("acme/x", [one, two]) == .severalDevices(["a", "b"]))
        #expect(kind("acme/x", []) == .nothing)
        #expect(kind("acme/x", [one], device: "c") == .nothing)
    }
}

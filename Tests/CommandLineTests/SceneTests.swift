import Foundation
import Readings
import Testing

/// `sim --scenario` and `score`, which need no daemon.
@Suite struct SceneTests {
    private let program = Program(socket: "/nowhere")

    private func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("stockgate-scene-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder.path)
    }

    @Test func theSameSeedGivesTheSameBytes() async throws {
        try await inFolder { folder in
            var files: [[Data]] = []
            for name in ["a", "b"] {
                let run = try await program.run([
                    "sim", "--scenario", "restart", "--seed", "7", "--capture", "\(folder)/\(name).capture", "--truth",
                    "\(folder)/\(name).truth", "--master", "\(folder)/\(name).json", "--json",
                ])
                #expect(run.status == 0, "\(run.errors)")
                let answer = try JSON(parsing: run.output.trimmingCharacters(in: .newlines))
                #expect((answer["reads"]?.integer ?? 0) > 0 && (answer["crossings"]?.integer ?? 0) > 0)
                files.append(try ["capture", "truth", "json"].map { try Data(contentsOf: URL(filePath: "\(folder)/\(name).\($0)")) })
            }
            #expect(files[0] == files[1])
            let lines = String(decoding: files[0][0], as: UTF8.self).split(separator: "\n")
            _ = try Capture.Header(json: JSON(parsing: String(lines[0])))
            for line in lines.dropFirst() { _ = try Capture.Line(json: JSON(parsing: String(line))) }
        }
    }

    @Test func sightingsThatAreTheTruthScoreFully() async throws {
        try await inFolder { folder in
            let truth = "\(folder)/t"
            #expect(try await program.run(["sim", "--scenario", "pass", "--seed", "3", "--truth", truth]).status == 0)
            var sightings = ""
            for line in try String(contentsOfFile: truth, encoding: .utf8).split(separator: "\n") {
                let fact = try JSON(parsing: String(line))
                guard fact["kind"] == "crossing" else { continue }
                let json: JSON = [
                    "station": "gate", "epc": fact["epc"] ?? .null, "visit": 1, "certainty": "final",
                    "sighting": .string("passed_\(fact["direction"]?.string ?? "")"), "first": fact["t"] ?? .null,
                    "last": fact["t"] ?? .null,
                ]
                sightings += json.canonicalText + "\n"
            }
            try sightings.write(toFile: "\(folder)/s", atomically: true, encoding: .utf8)
            let run = try await program.run(["score", "--events", "\(folder)/s", "--truth", truth, "--json"])
            #expect(run.status == 0, "\(run.errors)")
            let score = try JSON(parsing: run.output.trimmingCharacters(in: .newlines))
            #expect(score["f1"]?.double == 1 && score["ghosts"]?.double == 0)
            let shown = try await program.run(["score", "--events", "\(folder)/s", "--truth", truth])
            #expect(shown.output.contains("100 %"))
        }
    }

    @Test func whatCannotBeMeantIsSaid() async throws {
        let unknown = try await program.run(["sim", "--scenario", "dance", "--truth", "/dev/null"])
        #expect(unknown.status == 2 && unknown.errors.contains("uturn"))
        #expect(try await program.run(["sim", "--scenario", "pass"]).status == 2)
        #expect(try await program.run(["score", "--events", "/dev/null"]).status == 2)
        let empty = try await program.run(["score", "--events", "/dev/null", "--truth", "/dev/null"])
        #expect(empty.status == 5)
        let list = try await program.run(["sim", "--list"])
        #expect(list.status == 0 && list.output.contains("stray") && list.output.contains("cabinet"))
    }

    @Test(arguments: [("smurf-field", "presence"), ("smurf-field-fido", "presence"), ("barcode", "scan")])
    func scenesWithoutGate(scenario: String, kind: String) async throws {
        let list = try await program.run(["sim", "--list"])
        #expect(list.output.split(separator: "\n").contains { $0 == scenario })
        let truth = try await program.run(["sim", "--scenario", scenario, "--seed", "7", "--truth", "-"])
        #expect(truth.status == 0 && truth.output.contains("\"kind\":\"\(kind)\""), "\(truth.errors)")
        let capture = ["sim", "--scenario", scenario, "--seed", "7", "--capture", "-"]
        let run = try await program.run(capture)
        #expect(run.status == 0 && run.output.hasPrefix("{\"capture\""))
        #expect(try await program.run(capture).output == run.output)
        let said = try await program.run(["sim", "--scenario", scenario, "--truth", "/dev/null"])
        #expect(said.status == 0 && said.output.contains("\(scenario), seed 1"))
    }
}

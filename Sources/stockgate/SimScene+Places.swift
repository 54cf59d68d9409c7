import OperatorText
import Readings
import Simulation

/// Scenes of `sim --scenario` that are at no gate.
enum OtherScene: String, CaseIterable {
    case cabinet
    case pallet = "smurf-field"
    case fido = "smurf-field-fido"
    case barcode
}

extension SimScene {
    func play(_ scene: OtherScene) throws {
        switch scene {
        case .cabinet: try playCabinet()
        case .pallet: try playField(.pallet)
        case .fido: try playField(.fido)
        case .barcode: try playScans()
        }
    }

    private func playCabinet() throws {
        let run = CabinetRun(seed: seed)
        let door = run.door.map {
            Capture.Line(time: $0.time, device: "door", content: .input(InputChange(line: 0, isActive: $0.isOpen)))
        }
        let lines = (run.reads.map { $0.captureLine(reader: "reader") } + door).enumerated()
        try write(
            lines.sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element), of: run.truth,
            note: "\(run.settings.tools) tools")
        try finish(run.truth, reads: run.reads.count, .sceneCabinet)
    }

    private func playField(_ behaviour: FieldRun.Behaviour) throws {
        var settings = FieldRun.Settings()
        settings.behaviour = behaviour
        let run = FieldRun(settings: settings, seed: seed)
        try write(run.reads.map { $0.captureLine(reader: "reader") }, of: run.truth, note: "\(settings.tags) tags")
        try finish(run.truth, reads: run.reads.count, .sceneField)
    }

    private func playScans() throws {
        let run = ScanRun(seed: seed)
        try write(run.lines, of: run.truth, note: "two scanners")
        try finish(run.truth, reads: run.lines.count, .sceneScans)
    }

    /// The capture, where one was asked for.
    private func write(_ lines: [Capture.Line], of truth: Truth, note: String) throws {
        guard let path = capture else { return }
        let file = try SceneFile(path, output.language)
        try file.write(truth.captureHeader(note: note).json)
        for line in lines { try file.write(line.json) }
        try file.close()
    }
}

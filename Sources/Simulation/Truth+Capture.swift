import Readings

extension Truth {
    /// The first line of a capture of this scene.
    public func captureHeader(note: String) -> Capture.Header {
        Capture.Header(recorded: began, note: "Simulated, not a recording: scenario \(scenario), seed \(seed), \(note)", devices: [:])
    }
}

extension TimedRead {
    /// As a line of a capture.
    public func captureLine(reader: String) -> Capture.Line { Capture.Line(time: time, device: reader, content: .tag(read)) }
}

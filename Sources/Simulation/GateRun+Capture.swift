import Readings

extension GateRun {
    /// The capture's first line.
    public func captureHeader(reader: String) -> Capture.Header {
        Capture.Header(
            recorded: Truth.recorded, note: "Simulated: scenario \(truth.scenario), seed \(truth.seed), gate \(layout.name)",
            devices: [:])
    }
}

extension TimedRead {
    /// As a line of a capture; it arrives when it happens.
    public func captureLine(reader: String) -> Capture.Line { Capture.Line(time: time, device: reader, content: .tag(read)) }
}

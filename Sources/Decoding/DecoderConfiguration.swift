/// A protocol with its parameters, as a device profile names it.
public enum DecoderConfiguration: Hashable, Sendable {
    case a0(A0Protocol.Configuration)
    case em4100(EM4100Protocol.Configuration)
    case scannerLine(ScannerLine.Configuration)
    case keyboardWedge(KeyboardWedge.Configuration)

    /// A decoder in its first state: one for each time a device is opened.
    public func makeDecoder() -> any Decoder {
        switch self {
        case .a0(let configuration): A0Protocol(configuration)
        case .em4100(let configuration): EM4100Protocol(configuration)
        case .scannerLine(let configuration): ScannerLine(configuration)
        case .keyboardWedge(let configuration): KeyboardWedge(configuration)
        }
    }

    /// The name of the protocol in a profile.
    public var protocolName: String {
        switch self {
        case .a0: "a0"
        case .em4100: "em4100"
        case .scannerLine: "scanner_line"
        case .keyboardWedge: "keyboard_wedge"
        }
    }

    /// Whether the device answers commands with frames of their own, so that steps can expect something.
    public var hasAnswers: Bool {
        if case .a0 = self { true } else { false }
    }

    /// Whether frames carry a length or a check, so that foreign bytes give no reading.
    public var isChecked: Bool {
        switch self {
        case .a0, .em4100: true
        case .scannerLine, .keyboardWedge: false
        }
    }

    /// Whether it takes key events, not bytes.
    public var takesKeys: Bool {
        if case .keyboardWedge = self { true } else { false }
    }
}

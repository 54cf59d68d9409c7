import CLinux

/// Takes the byte stream of an event device apart. It survives any bytes, however they are cut.
struct InputEventParser {
    /// What the stream of an event device tells a reader of keys.
    enum Record: Hashable, Sendable {
        /// `EV_KEY`: the key's code, and 1 for press, 0 for release, 2 for repeat.
        case key(code: UInt16, value: Int32)
        /// The kernel's buffer overflowed (`SYN_DROPPED`): keys are missing, and what is held down is unknown.
        case overrun
    }

    /// Event types and codes of linux/input-event-codes.h.
    private enum Number {
        static let synchronisation: UInt16 = 0
        static let key: UInt16 = 1
        static let report: UInt16 = 0
        static let dropped: UInt16 = 3
    }

    private static let recordSize = clinux_input_event_size()
    private var partial: [UInt8] = []
    private var isDiscarding = false

    init() {
        partial.reserveCapacity(Self.recordSize)
    }

    /// Records of other types than keys are skipped. After an overrun everything up to the next report belongs to a state of the
    /// device that nobody has seen whole, and is skipped as the kernel's documentation (event-codes, SYN_DROPPED) demands.
    mutating func parse(_ bytes: UnsafeRawBufferPointer, _ body: (Record) -> Void) {
        var rest = UnsafeRawBufferPointer(rebasing: bytes[...])
        if !partial.isEmpty {
            let taken = min(Self.recordSize - partial.count, rest.count)
            partial.append(contentsOf: rest.prefix(taken))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(taken))
            guard partial.count == Self.recordSize else { return }
            let event = partial.withUnsafeBytes { clinux_parse_input_event($0.baseAddress) }
            partial.removeAll(keepingCapacity: true)
            accept(event, body)
        }
        while rest.count >= Self.recordSize {
            accept(clinux_parse_input_event(rest.baseAddress), body)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(Self.recordSize))
        }
        partial.append(contentsOf: rest)
    }

    private mutating func accept(_ event: clinux_input_event, _ body: (Record) -> Void) {
        switch (event.type, event.code) {
        case (Number.synchronisation, Number.dropped):
            isDiscarding = true
        case (Number.synchronisation, Number.report) where isDiscarding:
            isDiscarding = false
            body(.overrun)
        case (Number.key, let code) where !isDiscarding:
            body(.key(code: code, value: event.value))
        default:
            break
        }
    }
}

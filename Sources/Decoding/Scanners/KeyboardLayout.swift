/// What the keys of a keyboard mean: a table of data, `DeviceProfiles/keyboard-layouts/<name>.toml`.
public struct KeyboardLayout: Hashable, Sendable {
    /// One key: the text of each level, plain, with Shift, with AltGr, with Shift and AltGr.
    public struct Key: Hashable, Sendable {
        /// At most four levels; nil where the key gives nothing.
        public let levels: [[UInt8]?]
        /// Caps Lock works on keys whose second level is the capital of the first.
        public let isLetter: Bool

        /// - Parameter levels: the text of each level, empty where the key gives nothing; more than four are passed over.
        public init(levels: [String]) {
            self.levels = levels.prefix(4).map { $0.isEmpty ? nil : Array($0.utf8) }
            isLetter = levels.count >= 2 && levels[0] != levels[1] && levels[0].uppercased() == levels[1]
        }
    }

    public var name: String
    /// By evdev key code (`linux/input-event-codes.h`).
    public var keys: [UInt16: Key]

    public init(name: String, keys: [UInt16: Key]) {
        self.name = name
        self.keys = keys
    }
}

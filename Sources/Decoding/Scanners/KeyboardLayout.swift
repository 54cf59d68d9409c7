/// What the keys of a keyboard mean: a table of data, `DeviceProfiles/keyboard-layouts/<name>.toml`.
public struct KeyboardLayout: Hashable, Sendable {
    /// What a key gives on one level.
    public enum Level: Hashable, Sendable {
        case text([UInt8])
        /// A dead key, by name: it waits for the character that it goes with.
        case dead(String)
    }

    /// One key: what each level gives, plain, with Shift, with AltGr, with Shift and AltGr.
    public struct Key: Hashable, Sendable {
        /// At most four levels; nil where the key gives nothing.
        public let levels: [Level?]
        /// Caps Lock works on keys whose second level is the capital of the first.
        public let isLetter: Bool

        /// - Parameter levels: the text of each level, `dead NAME` for a dead key, empty where the key gives nothing; more than four
        ///   are passed over.
        public init(levels: [String]) {
            self.levels = levels.prefix(4).map { text in
                if text.isEmpty { return nil }
                return text.hasPrefix("dead ") ? .dead(String(text.dropFirst(5))) : .text(Array(text.utf8))
            }
            isLetter =
                levels.count >= 2 && levels[0] != levels[1] && levels[0].count == 1 && levels[0].uppercased() == levels[1]
        }
    }

    /// An accent that is typed before its letter.
    public struct DeadKey: Hashable, Sendable {
        /// What stands alone when a space follows, and before a character that it does not go with.
        public var alone: [UInt8]
        /// The accented letter by the plain one.
        public var combinations: [[UInt8]: [UInt8]]

        public init(alone: String, combinations: [String: String] = [:]) {
            self.alone = Array(alone.utf8)
            self.combinations = Dictionary(
                combinations.map { (Array($0.key.utf8), Array($0.value.utf8)) }, uniquingKeysWith: { first, _ in first })
        }
    }

    public var name: String
    /// By evdev key code (`linux/input-event-codes.h`).
    public var keys: [UInt16: Key]
    /// By name.
    public var deadKeys: [String: DeadKey]

    public init(name: String, keys: [UInt16: Key], deadKeys: [String: DeadKey] = [:]) {
        self.name = name
        self.keys = keys
        self.deadKeys = deadKeys
    }
}

/// The key of one kind of thing: text from master data, at most `maximumLength` characters, printable, without white space at its ends.
public struct Key<Entity>: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    /// The longest key accepted.
    public static var maximumLength: Int { 128 }

    /// nil for an empty or too long text, or one with control characters.
    public init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= Self.maximumLength, Self.isPlain(text) || Self.isAcceptable(text) else { return nil }
        self.text = text
    }

    /// Visible ASCII throughout, as nearly all keys are: no need to look anything up. A start reads a hundred thousand of them.
    private static func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }

    private static func isAcceptable(_ text: String) -> Bool {
        text.first?.isWhitespace == false && text.last?.isWhitespace == false
            && text.unicodeScalars.allSatisfy { !($0.properties.generalCategory == .control || $0.properties.generalCategory == .format) }
    }

    /// By the bytes of the text, as the store and every other system compare it: two spellings of é are two keys.
    public static func == (left: Key, right: Key) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

    public func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
        hasher.combine(0xFF as UInt8)
    }

    public static func < (left: Key, right: Key) -> Bool { left.text.utf8.lexicographicallyPrecedes(right.text.utf8) }

    public var description: String { text }
}

/// A random key that stands for a person; names and badge numbers stand in the master data only.
public typealias PersonKey = Key<Person>
public typealias ItemKey = Key<Item>
public typealias ProductKey = Key<Product>
public typealias LocationKey = Key<Location>
public typealias PermitKey = Key<Permit>

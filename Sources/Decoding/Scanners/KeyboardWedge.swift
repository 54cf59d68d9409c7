import Readings

/// A scanner or badge reader that types like a keyboard, read as key events of its evdev node.
public struct KeyboardWedge: Decoder {
    public enum Terminator: String, Hashable, Sendable, CaseIterable {
        case enter
        case keypadEnter = "keypad_enter"
        case tab
    }

    public struct Configuration: Hashable, Sendable {
        public var layout: KeyboardLayout
        /// The keys that end a scan; none: silence ends it.
        public var terminators: Set<Terminator>
        /// The longest gap between two keys of one scan. After a longer one the scan is dropped, because what follows may be its
        /// second half; nil: any gap shorter than `endOfScanTimeout`.
        public var interKeyTimeout: Instant.Span?
        /// Silence that ends a scan: with terminators it is dropped as incomplete, without them it is whole.
        public var endOfScanTimeout: Instant.Span
        /// Keys that the scanner presses for the GS1 separator, for example F8 (66).
        public var separatorKeys: Set<UInt16>
        /// Some scanners turn Caps Lock on and off without meaning it.
        public var ignoresCapsLock: Bool
        /// Some scanners go by the Caps Lock lamp and exchange capitals and small letters while it is lit, though nobody asked.
        public var invertsCase: Bool
        public var text: TextRule

        public init(
            layout: KeyboardLayout, terminators: Set<Terminator> = Set(Terminator.allCases), interKeyTimeout: Instant.Span? = nil,
            endOfScanTimeout: Instant.Span = .milliseconds(200), separatorKeys: Set<UInt16> = [], ignoresCapsLock: Bool = false,
            invertsCase: Bool = false, text: TextRule = TextRule()
        ) {
            self.layout = layout
            self.terminators = terminators
            self.interKeyTimeout = interKeyTimeout
            self.endOfScanTimeout = endOfScanTimeout
            self.separatorKeys = separatorKeys
            self.ignoresCapsLock = ignoresCapsLock
            self.invertsCase = invertsCase
            self.text = text
        }
    }

    /// Key codes of `linux/input-event-codes.h` that mean the same on every layout.
    private enum Code {
        static let six: UInt16 = 7
        static let tab: UInt16 = 15
        static let enter: UInt16 = 28
        static let leftControl: UInt16 = 29
        static let leftShift: UInt16 = 42
        static let rightShift: UInt16 = 54
        static let leftAlt: UInt16 = 56
        static let capsLock: UInt16 = 58
        static let numLock: UInt16 = 69
        static let scrollLock: UInt16 = 70
        static let keypadEnter: UInt16 = 96
        static let rightControl: UInt16 = 97
        static let rightAlt: UInt16 = 100
        static let leftMeta: UInt16 = 125
        static let rightMeta: UInt16 = 126
        /// The keys that with Ctrl give ESC, GS and FS on every national layout: those of [ ] \ on the US one, and the second key of \.
        static let controls: [UInt16: UInt8] = [26: 0x1B, 27: 0x1D, 43: 0x1C, 86: 0x1C]
        /// The keypad's digits by key code, from 71 on; 255 where the key is no digit.
        static let keypad: [UInt8] = [7, 8, 9, 255, 4, 5, 6, 255, 1, 2, 3, 0]
    }

    private let configuration: Configuration
    private var line: LineBuffer
    private var held: Set<UInt16> = []
    private var capsLock = false
    /// The digits typed on the keypad while Alt is down: a character by its number.
    private var altNumber: (value: Int, digits: Int, startsWithZero: Bool)?
    /// An accent that waits for its letter.
    private var deadKey: KeyboardLayout.DeadKey?
    private var lastKey = Instant.zero

    public init(_ configuration: Configuration) {
        self.configuration = configuration
        line = LineBuffer(limit: configuration.text.longestLine)
    }

    /// A keyboard sends no bytes.
    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        if !bytes.isEmpty { batch.rejects.count(.unexpectedInput, times: UInt64(bytes.count)) }
    }

    public mutating func decode(key code: UInt16, value: Int32, at now: Instant, into batch: inout DecodedBatch) {
        // 2 is the kernel's autorepeat: a scanner never holds a key, a slow release must not double a character.
        guard value == 0 || value == 1 else { return }
        if isModifier(code) { return modifier(code, isDown: value == 1, at: now) }
        guard value == 1 else { return }
        if let limit = configuration.interKeyTimeout, !isIdle, now - lastKey > limit { line.spoil(.incomplete) }
        lastKey = now
        press(code, into: &batch)
    }

    private var isIdle: Bool { line.isEmpty && deadKey == nil }

    public var nextDeadline: Instant? { isIdle ? nil : lastKey + configuration.endOfScanTimeout }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        guard let deadline = nextDeadline, now >= deadline else { return }
        endAccent()
        if !configuration.terminators.isEmpty { line.spoil(.incomplete) }
        line.end(by: configuration.text, into: &batch)
    }

    /// The rest of a scan with a hole in it would be a shorter barcode: it is dropped up to its end.
    public mutating func inputLost(at now: Instant, into batch: inout DecodedBatch) {
        held = []
        altNumber = nil
        deadKey = nil
        line.spoil(.incomplete)
        lastKey = now
    }

    public mutating func reset() {
        line.clear()
        held = []
        capsLock = false
        altNumber = nil
        deadKey = nil
    }

    /// Whether Caps lock is on.
    public func snapshot(at now: Instant) -> JSON? { capsLock ? ["caps_lock": true] : nil }

    public mutating func restore(_ snapshot: JSON, at now: Instant) { capsLock = snapshot.isSet("caps_lock") }

    private func isModifier(_ code: UInt16) -> Bool {
        switch code {
        case Code.leftControl, Code.rightControl, Code.leftShift, Code.rightShift, Code.leftAlt, Code.rightAlt, Code.capsLock,
            Code.numLock, Code.scrollLock, Code.leftMeta, Code.rightMeta:
            true
        default: false
        }
    }

    private mutating func modifier(_ code: UInt16, isDown: Bool, at now: Instant) {
        if code == Code.capsLock {
            if isDown { capsLock.toggle() }
        } else if isDown {
            held.insert(code)
        } else {
            held.remove(code)
        }
        if altNumber != nil, !isAltDown {
            lastKey = now
            takeAltNumber()
        }
    }

    private var isShiftDown: Bool { held.contains(Code.leftShift) || held.contains(Code.rightShift) }
    private var isControlDown: Bool { held.contains(Code.leftControl) || held.contains(Code.rightControl) }
    private var isAltDown: Bool { held.contains(Code.leftAlt) || held.contains(Code.rightAlt) }

    /// AltGr is the right Alt key, or Ctrl and Alt together, as Windows has it.
    private var isAltGrDown: Bool { held.contains(Code.rightAlt) || held.contains(Code.leftAlt) && isControlDown }

    private mutating func press(_ code: UInt16, into batch: inout DecodedBatch) {
        if let terminator = terminator(code) {
            endAccent()
            if configuration.terminators.contains(terminator) { return line.end(by: configuration.text, into: &batch) }
            // A Tab or Enter that does not end the scan is a control character in it, allowed or not.
            return line.append(terminator == .tab ? 0x09 : 0x0D)
        }
        if configuration.separatorKeys.contains(code) {
            endAccent()
            return line.append(0x1D)
        }
        if isAltDown, let digit = keypadDigit(code) { return typeAltDigit(digit) }
        let isAltGr = isAltGrDown
        if held.contains(Code.leftAlt) && !isAltGr || held.contains(Code.leftMeta) || held.contains(Code.rightMeta) {
            return line.spoil(.unknownKey)
        }
        if isControlDown, !isAltGr { return control(code, into: &batch) }
        switch level(of: code, isAltGr: isAltGr) {
        case .text(let text): type(text)
        case .dead(let name): typeAccent(name)
        case nil: line.spoil(.unknownKey)
        }
    }

    private func level(of code: UInt16, isAltGr: Bool) -> KeyboardLayout.Level? {
        guard let key = configuration.layout.keys[code] else { return nil }
        let isLocked = capsLock && !configuration.ignoresCapsLock
        let isCapital = isShiftDown != (key.isLetter && isLocked != configuration.invertsCase)
        let level = (isCapital ? 1 : 0) + (isAltGr ? 2 : 0)
        return level < key.levels.count ? key.levels[level] : nil
    }

    // MARK: Accents

    private mutating func type(_ text: [UInt8]) {
        guard let accent = deadKey else {
            for byte in text { line.append(byte) }
            return
        }
        deadKey = nil
        // What the accent does not go with stands behind it, as Windows, for which scanners are made, has it.
        let whole = text == [0x20] ? accent.alone : accent.combinations[text] ?? accent.alone + text
        for byte in whole { line.append(byte) }
    }

    private mutating func typeAccent(_ name: String) {
        guard let accent = configuration.layout.deadKeys[name] else { return line.spoil(.unknownKey) }
        if deadKey == nil { deadKey = accent } else { type(accent.alone) }
    }

    /// Nothing follows that an accent could go with.
    private mutating func endAccent() {
        if deadKey != nil { type([]) }
    }

    // MARK: Control characters

    /// Ctrl and a key of columns 4 to 7 of ASCII give the control character of the same place: Ctrl+] is GS. Where the layout has no
    /// such character on a plain key, the place of the key counts.
    private mutating func control(_ code: UInt16, into batch: inout DecodedBatch) {
        endAccent()
        var control = Code.controls[code]
        if control == nil, case .text(let text) = level(of: code, isAltGr: false), text.count == 1, let character = text.first,
            (0x40...0x7F).contains(character)
        {
            control = character & 0x1F
        }
        if control == nil, code == Code.six, isShiftDown { control = 0x1E }
        guard let control else { return line.spoil(.unknownKey) }
        let ends =
            (control == 0x0D || control == 0x0A) && configuration.terminators.contains(.enter)
            || control == 0x09 && configuration.terminators.contains(.tab)
        if ends { line.end(by: configuration.text, into: &batch) } else { line.append(control) }
    }

    private func terminator(_ code: UInt16) -> Terminator? {
        switch code {
        case Code.enter: .enter
        case Code.keypadEnter: .keypadEnter
        case Code.tab: .tab
        default: nil
        }
    }

    private func keypadDigit(_ code: UInt16) -> UInt8? {
        guard code >= 71, Int(code) - 71 < Code.keypad.count else { return nil }
        let digit = Code.keypad[Int(code) - 71]
        return digit <= 9 ? digit : nil
    }

    private mutating func typeAltDigit(_ digit: UInt8) {
        var number = altNumber ?? (value: 0, digits: 0, startsWithZero: digit == 0)
        number.value = min(number.value * 10 + Int(digit), 1_000_000)
        number.digits = min(number.digits + 1, 100)
        altNumber = number
    }

    /// Alt+029 is the byte 0x1D. Above 127 a number without a leading zero is of a PC code page that nobody named, and 128...159
    /// differ between Windows and ISO 8859-1: such a scan is dropped rather than guessed.
    private mutating func takeAltNumber() {
        guard let number = altNumber else { return }
        altNumber = nil
        endAccent()
        switch number.value {
        case 1...127 where number.digits <= 4: line.append(UInt8(number.value))
        case 160...255 where number.digits <= 4 && number.startsWithZero:
            // As UTF-8, like the characters of the layout tables.
            line.append(0xC0 | UInt8(number.value >> 6))
            line.append(0x80 | UInt8(number.value & 0x3F))
        default: line.spoil(.unknownKey)
        }
    }
}

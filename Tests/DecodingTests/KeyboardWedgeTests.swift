import Decoding
import Readings
import Testing

@Suite("Keyboard wedges")
struct KeyboardWedgeTests {
    /// The keys that these tests press; the whole table is tested with the profiles.
    static let layout = KeyboardLayout(
        name: "test",
        keys: [
            2: .init(levels: ["1", "!"]), 3: .init(levels: ["2", "@", "²"]), 12: .init(levels: ["-", "_"]),
            18: .init(levels: ["e", "E", "€"]),
            27: .init(levels: ["]", "}"]), 30: .init(levels: ["a", "A"]), 40: .init(levels: ["ä", "Ä"]), 48: .init(levels: ["b", "B"]),
            50: .init(levels: ["m", "M"]), 71: .init(levels: ["7"]), 73: .init(levels: ["9"]), 80: .init(levels: ["2"]),
            82: .init(levels: ["0"]),
        ])

    private static func wedge(_ change: (inout KeyboardWedge.Configuration) -> Void = { _ in }) -> Decoded {
        var configuration = KeyboardWedge.Configuration(layout: layout)
        change(&configuration)
        return Decoded(.keyboardWedge(configuration))
    }

    @Test func theRecordedKeyboard() {
        // A down and up, left Shift down and up, as umockdev recorded them from a USB keyboard.
        var wedge = Self.wedge()
        wedge.tap(30, 42, 28)
        #expect(wedge.texts == ["a"])
    }

    @Test func shiftAndControl() {
        var wedge = Self.wedge()
        wedge.key(42, 1); wedge.tap(30); wedge.key(42, 0)
        wedge.tap(12, 2)
        wedge.key(29, 1); wedge.tap(27); wedge.key(29, 0)
        wedge.tap(48, 28)
        #expect(wedge.texts == ["A-1\u{1D}b"])
    }

    @Test func altAndKeypad() {
        var wedge = Self.wedge()
        wedge.tap(69)
        wedge.key(56, 1); wedge.tap(82, 80, 73); wedge.key(56, 0)
        wedge.tap(30, 28)
        #expect(wedge.texts == ["\u{1D}a"])
        // Alt+0220 is Ü in the Windows code page; without the zero nobody knows the code page, and the scan is dropped.
        wedge.key(56, 1); wedge.tap(82, 80, 80, 82); wedge.key(56, 0)
        wedge.tap(28)
        #expect(wedge.texts.last == "Ü")
        wedge.key(56, 1); wedge.tap(80, 80, 82); wedge.key(56, 0)
        wedge.tap(30, 28)
        #expect(wedge.texts.count == 2)
        #expect(wedge.rejects == ["unknownKey": 1])
        // A flood of digits is a number out of range, not an overflow.
        wedge.key(56, 1)
        for _ in 0..<1_000 { wedge.tap(73) }
        wedge.key(56, 0)
        wedge.tap(28)
        #expect(wedge.rejects == ["unknownKey": 2])
    }

    @Test func altGraphic() {
        var wedge = Self.wedge()
        wedge.key(100, 1); wedge.tap(18); wedge.key(100, 0)
        wedge.tap(28)
        #expect(wedge.texts == ["€"])
        wedge.key(100, 1); wedge.tap(30); wedge.key(100, 0)
        wedge.tap(28)
        #expect(wedge.rejects == ["unknownKey": 1])
    }

    @Test func capsLock() {
        var wedge = Self.wedge()
        wedge.tap(58, 30, 40, 2)
        wedge.key(54, 1); wedge.tap(30); wedge.key(54, 0)
        wedge.tap(58, 30, 28)
        #expect(wedge.texts == ["AÄ1aa"])
        var ignoring = Self.wedge { $0.ignoresCapsLock = true }
        ignoring.tap(58, 30, 28)
        #expect(ignoring.texts == ["a"])
    }

    @Test func terminators() {
        var wedge = Self.wedge()
        wedge.tap(30, 28, 48, 96, 2, 15)
        wedge.tap(30)
        wedge.key(29, 1); wedge.tap(50); wedge.key(29, 0)
        #expect(wedge.texts == ["a", "b", "1", "a"])
        var enter = Self.wedge { $0.terminators = [.enter] }
        enter.tap(30, 15, 48, 28)
        #expect(enter.rejects == ["controlCharacter": 1])
    }

    @Test func autorepeatIsIgnored() {
        var wedge = Self.wedge()
        wedge.key(30, 1); wedge.key(30, 2); wedge.key(30, 2); wedge.key(30, 0); wedge.key(30, 7)
        wedge.tap(28)
        #expect(wedge.texts == ["a"])
    }

    @Test func silence() {
        var wedge = Self.wedge()
        wedge.tap(30)
        wedge.wait(.milliseconds(200))
        #expect(wedge.rejects == ["incomplete": 1])
        var endless = Self.wedge { $0.terminators = [] }
        endless.tap(30, 48)
        endless.wait(.milliseconds(200))
        #expect(endless.texts == ["ab"])
        #expect(endless.decoder.nextDeadline == nil)
    }

    @Test func aScanWithAHoleIsDropped() {
        var wedge = Self.wedge { $0.interKeyTimeout = .milliseconds(50) }
        wedge.tap(30)
        wedge.wait(.milliseconds(50))
        wedge.tap(48)
        wedge.wait(.milliseconds(51))
        wedge.tap(2, 28)
        #expect(wedge.texts.isEmpty)
        #expect(wedge.rejects == ["incomplete": 1])
        wedge.tap(2, 28)
        #expect(wedge.texts == ["1"])
    }

    @Test func anUnknownKeyDropsTheScanNotTheCharacter() {
        var wedge = Self.wedge()
        wedge.tap(30, 66, 48, 28, 2, 28)
        #expect(wedge.texts == ["1"])
        #expect(wedge.rejects == ["unknownKey": 1])
        var separated = Self.wedge { $0.separatorKeys = [66] }
        separated.tap(30, 66, 48, 28)
        #expect(separated.texts == ["a\u{1D}b"])
    }

    @Test func theLengthIsBounded() {
        var wedge = Self.wedge()
        for _ in 0..<10_000 { wedge.tap(30) }
        wedge.tap(28, 48, 28)
        #expect(wedge.texts == ["b"])
        #expect(wedge.rejects == ["tooLong": 1])
    }

    @Test func modifiersAreForgottenOnReset() {
        var wedge = Self.wedge()
        wedge.tap(58)
        wedge.key(42, 1)
        wedge.decoder.reset()
        wedge.tap(30, 28)
        #expect(wedge.texts == ["a"])
    }

    // MARK: Accents and other layouts

    /// The German layout's keys for accents, AltGr and the places of control characters.
    static let german = KeyboardLayout(
        name: "german",
        keys: [
            13: .init(levels: ["dead acute", "dead grave"]), 18: .init(levels: ["e", "E", "€"]), 27: .init(levels: ["+", "*", "~"]),
            30: .init(levels: ["a", "A"]), 41: .init(levels: ["dead circumflex", "°"]), 57: .init(levels: [" ", " "]),
            7: .init(levels: ["6", "&"]), 50: .init(levels: ["m", "M", "µ"]),
        ],
        deadKeys: [
            "acute": .init(alone: "´", combinations: ["e": "é"]), "grave": .init(alone: "`", combinations: ["e": "è"]),
            "circumflex": .init(alone: "^", combinations: ["e": "ê"]),
        ])

    @Test func accents() {
        var wedge = Self.wedge { $0.layout = Self.german }
        wedge.tap(13, 18, 41, 57, 41, 30, 28)
        #expect(wedge.texts == ["é^^a"])
        wedge.key(42, 1); wedge.tap(13); wedge.key(42, 0)
        wedge.tap(18, 41, 41, 41, 28)
        #expect(wedge.texts.last == "è^^^")
        // An accent alone is a scan that goes on, and ends with the silence.
        wedge.tap(41)
        wedge.wait(.milliseconds(200))
        #expect(wedge.rejects == ["incomplete": 1])
        #expect(wedge.decoder.nextDeadline == nil)
        // A name that the layout does not have drops the scan.
        var broken = Self.wedge { $0.layout = KeyboardLayout(name: "x", keys: [30: .init(levels: ["dead tilde"])]) }
        broken.tap(30, 28)
        #expect(broken.rejects == ["unknownKey": 1])
    }

    @Test func controlCharactersOfOtherLayoutsStandWhereTheUSOnesDo() {
        var wedge = Self.wedge {
            $0.layout = Self.german
            $0.text.allowedControls = [0x1D, 0x1E]
        }
        wedge.tap(30)
        wedge.key(29, 1); wedge.tap(27)
        wedge.key(42, 1); wedge.tap(7); wedge.key(42, 0)
        wedge.key(29, 0)
        wedge.tap(30, 28)
        #expect(wedge.texts == ["a\u{1D}\u{1E}a"])
    }

    @Test func controlAndAltAreAltGr() {
        var wedge = Self.wedge { $0.layout = Self.german }
        for (first, second): (UInt16, UInt16) in [(29, 56), (29, 100)] {
            wedge.key(first, 1); wedge.key(second, 1); wedge.tap(18); wedge.key(second, 0); wedge.key(first, 0)
        }
        wedge.tap(28)
        #expect(wedge.texts == ["€€"])
    }

    @Test func fourDigitsAndNumLock() {
        var wedge = Self.wedge()
        wedge.tap(30)
        wedge.key(69, 1); wedge.key(69, 0)
        wedge.key(56, 1); wedge.tap(82, 82, 80, 73); wedge.key(56, 0)
        wedge.tap(48, 28)
        #expect(wedge.texts == ["a\u{1D}b"])
    }

    @Test func invertedCase() {
        var wedge = Self.wedge { $0.invertsCase = true }
        wedge.tap(30, 2, 40)
        wedge.key(42, 1); wedge.tap(48, 2); wedge.key(42, 0)
        wedge.tap(28)
        #expect(wedge.texts == ["A1Äb!"])
    }
}

import Identifiers
import Readings

/// What a line of text from a scanner or a typing badge reader means: `[prefix] [AIM id] [vendor code id] data [suffix]`.
public struct TextRule: Hashable, Sendable {
    /// Whether the scanner sends AIM symbology identifiers, such as `]C1`.
    public enum AIM: String, Hashable, Sendable, CaseIterable {
        /// None is looked for: `]` is data.
        case never
        /// One is taken off where it stands.
        case optional
        /// A scan without one is malformed.
        case required
    }

    public enum Output: Hashable, Sendable {
        case scan
        /// A badge number that is typed or sent as text.
        case badge(Badge)
    }

    public struct Badge: Hashable, Sendable {
        /// How the reader writes the number.
        public enum Notation: String, Hashable, Sendable, CaseIterable {
            case hexadecimal
            case decimal
            case facilityAndNumber = "facility_and_number"
            /// The bits from Wiegand's two wires as characters 0 and 1.
            case wiegandBits = "wiegand_bits"
            /// Those bits as a hexadecimal number.
            case wiegandHexadecimal = "wiegand_hexadecimal"
        }

        public var notation: Notation
        /// How many bytes the number has, 1...8. For `wiegandHexadecimal` see `bitCount`; `wiegandBits` are counted.
        public var byteCount: Int
        /// How many bits a card has that is written as `wiegandHexadecimal`, 1...64.
        public var bitCount: Int
        /// How the credential is written.
        public var form: BadgeForm

        public init(
            notation: Notation = .decimal, byteCount: Int = 4, bitCount: Int = 26, form: BadgeForm = BadgeForm(notation: .decimal)
        ) {
            self.notation = notation
            self.byteCount = byteCount
            self.bitCount = bitCount
            self.form = form
        }

        fileprivate func outcome(of text: [UInt8]) -> Outcome {
            func plain(_ notation: BadgeForm.Notation) -> Outcome {
                guard let number = BadgeForm.number(text, notation: notation, byteCount: byteCount) else { return .reject(.malformed) }
                return .reading(.badge(BadgeRead(credential: form.text(of: number))))
            }
            switch notation {
            case .hexadecimal: return plain(.hexadecimal)
            case .decimal: return plain(.decimal)
            case .facilityAndNumber: return plain(.facilityAndNumber)
            case .wiegandBits: return outcome(of: WiegandBits(digits: text))
            case .wiegandHexadecimal:
                guard let bytes = BadgeForm.number(text, notation: .hexadecimal, byteCount: 8) else { return .reject(.malformed) }
                return outcome(of: WiegandBits(rightJustified: bytes, count: bitCount))
            }
        }

        private func outcome(of bits: WiegandBits?) -> Outcome {
            guard let bits else { return .reject(.malformed) }
            switch bits.credential(form, checksParity: true) {
            case .credential(let text): return .reading(.badge(BadgeRead(credential: text)))
            case .wrongParity: return .reject(.checksum)
            }
        }
    }

    /// Must stand before everything and is taken off.
    public var prefix: [UInt8]
    /// Must stand after the data and is taken off.
    public var suffix: [UInt8]
    public var aim: AIM
    /// Characters of a vendor's code id after the AIM id, 0...2.
    public var codeIDLength: Int
    /// What a vendor's code id means, where the scanner sends no AIM id: only ids that leave no doubt.
    public var codeIDs: [[UInt8]: AIMIdentifier]
    /// What the scanner sends for the GS1 separator instead of 0x1D; empty: itself.
    public var separatorSubstitute: [UInt8]
    /// The characters below 0x20 that may stand in a scan. 0x1D is the GS1 separator; 0x1E and 0x04 stand in ISO/IEC 15434 messages.
    public var allowedControls: Set<UInt8>
    public var output: Output

    public init(
        prefix: [UInt8] = [], suffix: [UInt8] = [], aim: AIM = .optional, codeIDLength: Int = 0,
        codeIDs: [[UInt8]: AIMIdentifier] = [:], separatorSubstitute: [UInt8] = [], allowedControls: Set<UInt8> = [0x1D],
        output: Output = .scan
    ) {
        self.prefix = prefix
        self.suffix = suffix
        self.aim = aim
        self.codeIDLength = codeIDLength
        self.codeIDs = codeIDs
        self.separatorSubstitute = separatorSubstitute
        self.allowedControls = allowedControls
        self.output = output
    }

    /// The most characters that one line may have before any is taken off.
    public var longestLine: Int {
        Scan.maximumLength * max(1, separatorSubstitute.count) + prefix.count + suffix.count + 3 + codeIDLength
    }

    enum Outcome {
        case reading(Reading)
        case reject(RejectReason)
    }

    func outcome(of line: [UInt8]) -> Outcome {
        var data = line[...]
        guard data.starts(with: prefix) else { return .reject(.malformed) }
        data = data.dropFirst(prefix.count)
        guard data.count >= suffix.count, data.suffix(suffix.count).elementsEqual(suffix) else { return .reject(.malformed) }
        data = data.dropLast(suffix.count)
        var symbology: AIMIdentifier?
        if aim != .never {
            symbology = AIMIdentifier(prefixOf: data)
            if symbology != nil { data = data.dropFirst(3) } else if aim == .required { return .reject(.malformed) }
            // ]Z is "no bar code": the answer to a menu command, never goods.
            if symbology?.code == 0x5A { return .reject(.unknownFrame) }
        }
        guard data.count > codeIDLength else { return .reject(.malformed) }
        if symbology == nil, codeIDLength > 0 { symbology = codeIDs[Array(data.prefix(codeIDLength))] }
        data = data.dropFirst(codeIDLength)
        let text = separatorSubstitute.isEmpty ? Array(data) : separated(data)
        if text.contains(where: { ($0 < 0x20 || $0 == 0x7F) && !allowedControls.contains($0) }) { return .reject(.controlCharacter) }
        guard text.count <= Scan.maximumLength else { return .reject(.tooLong) }
        switch output {
        case .scan: return .reading(.scan(Scan(data: text, symbology: symbology)))
        case .badge(let badge): return badge.outcome(of: text)
        }
    }

    private func separated(_ data: ArraySlice<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(data.count)
        var rest = data
        while let byte = rest.first {
            if rest.starts(with: separatorSubstitute) {
                text.append(0x1D)
                rest = rest.dropFirst(separatorSubstitute.count)
            } else {
                text.append(byte)
                rest = rest.dropFirst()
            }
        }
        return text
    }
}

/// The characters of one line as they come, bounded.
struct LineBuffer: Sendable {
    private(set) var bytes: [UInt8] = []
    /// Why the line cannot be used, from the first thing that was wrong; its end is still awaited.
    private(set) var fault: RejectReason?
    let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    var isEmpty: Bool { bytes.isEmpty && fault == nil }

    mutating func append(_ byte: UInt8) {
        guard fault == nil else { return }
        if bytes.count < limit { bytes.append(byte) } else { spoil(.tooLong) }
    }

    /// The rest of this line will be passed over.
    mutating func spoil(_ reason: RejectReason) {
        if fault == nil { fault = reason }
        bytes.removeAll(keepingCapacity: false)
    }

    /// Ends the line and gives what came of it. An empty line is nothing: CR LF ends a line once, not twice.
    mutating func end(by rule: TextRule, into batch: inout DecodedBatch) {
        defer { clear() }
        if let fault { return batch.rejects.count(fault) }
        guard !bytes.isEmpty else { return }
        switch rule.outcome(of: bytes) {
        case .reading(let reading): batch.readings.append(reading)
        case .reject(let reason): batch.rejects.count(reason)
        }
    }

    mutating func clear() {
        bytes.removeAll(keepingCapacity: bytes.capacity <= 1_024)
        fault = nil
    }
}

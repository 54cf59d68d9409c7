/// What a HID device says of its reports: which application they are for, and how long they are.
///
/// Reads the items of the Device Class Definition for HID 1.11, section 6.2.2. Total: any bytes give a value; what cannot be right
/// ends the reading, and what was found before it stands.
public struct HIDReportDescriptor: Hashable, Sendable {
    /// A top-level collection.
    public struct ApplicationCollection: Hashable, Sendable {
        public var usagePage: UInt16
        public var usage: UInt16
        /// In the order in which they first appear.
        public var reports: [Report] = []
    }

    /// The lengths of the reports of one id, in bits and without the id itself.
    public struct Report: Hashable, Sendable {
        /// 0: the device does not number its reports.
        public var id: UInt8
        public var inputBits = 0
        public var outputBits = 0
        public var featureBits = 0

        /// The bytes of an input report as a hidraw node gives it, the id among them; 0: there is none.
        public var inputBytes: Int { Self.bytes(inputBits, id) }
        /// The bytes of an output report as a hidraw node takes it, the id among them; 0: there is none.
        public var outputBytes: Int { Self.bytes(outputBits, id) }

        private static func bytes(_ bits: Int, _ id: UInt8) -> Int { bits == 0 ? 0 : (bits + 7) / 8 + (id == 0 ? 0 : 1) }
    }

    /// The longest descriptor that Linux takes, in bytes (`HID_MAX_DESCRIPTOR_SIZE`).
    public static let maximumLength = 4_096
    private static let maximumCollections = 64
    private static let maximumReports = 256
    private static let maximumStack = 16
    private static let maximumReportBits = 65_536

    public private(set) var applications: [ApplicationCollection] = []

    /// Usage page and usage of the first application as a property shows them: four hexadecimal digits each, lower case, `008c:0002`.
    public var usageText: String? {
        applications.first.map { "\(Self.digits($0.usagePage)):\(Self.digits($0.usage))" }
    }

    public init(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes.prefix(Self.maximumLength))
        var state = State()
        var index = 0
        while index < bytes.count {
            let prefix = bytes[index]
            if prefix == 0xFE {
                // A long item: its length and tag follow; none has a meaning yet.
                guard index + 2 < bytes.count else { return }
                index += 3 + Int(bytes[index + 1])
                continue
            }
            let length = [0, 1, 2, 4][Int(prefix & 3)]
            guard index + length < bytes.count else { return }
            var value: UInt32 = 0
            for offset in (0..<length).reversed() { value = value << 8 | UInt32(bytes[index + 1 + offset]) }
            index += 1 + length
            guard take(tag: prefix & 0xFC, value, length, &state) else { return }
        }
    }

    private struct State {
        struct Global {
            var usagePage: UInt16 = 0
            var reportSize = 0
            var reportCount = 0
            var reportID: UInt8 = 0
        }

        var global = Global()
        var stack: [Global] = []
        /// The usages since the last main item, with their pages; the first one names a collection.
        var usage: (page: UInt16?, usage: UInt16)?
        var depth = 0
        /// Whether the top-level collection that is open is an application.
        var isInApplication = false
    }

    private mutating func take(tag: UInt8, _ value: UInt32, _ length: Int, _ state: inout State) -> Bool {
        switch tag {
        case 0x04: state.global.usagePage = UInt16(truncatingIfNeeded: value)
        case 0x74: state.global.reportSize = Int(min(value, 0xFFFF))
        case 0x94: state.global.reportCount = Int(min(value, 0xFFFF))
        case 0x84: state.global.reportID = UInt8(truncatingIfNeeded: value)
        case 0xA4:
            guard state.stack.count < Self.maximumStack else { return false }
            state.stack.append(state.global)
        case 0xB4:
            guard let global = state.stack.popLast() else { return false }
            state.global = global
        case 0x08:
            // Four bytes hold the page, too.
            let page = length == 4 ? UInt16(truncatingIfNeeded: value >> 16) : nil
            if state.usage == nil { state.usage = (page, UInt16(truncatingIfNeeded: value)) }
        case 0xA0: return openCollection(value, &state)
        case 0xC0:
            guard state.depth > 0 else { return false }
            state.depth -= 1
            if state.depth == 0 { state.isInApplication = false }
            state.usage = nil
        case 0x80, 0x90, 0xB0:
            state.usage = nil
            return addField(tag, state)
        default: break
        }
        return true
    }

    private mutating func openCollection(_ kind: UInt32, _ state: inout State) -> Bool {
        guard state.depth < Self.maximumStack else { return false }
        // 1 is an application; what is not top-level groups fields only.
        if state.depth == 0, kind == 1 {
            guard applications.count < Self.maximumCollections else { return false }
            applications.append(
                ApplicationCollection(usagePage: state.usage?.page ?? state.global.usagePage, usage: state.usage?.usage ?? 0))
            state.isInApplication = true
        }
        state.depth += 1
        state.usage = nil
        return true
    }

    private mutating func addField(_ tag: UInt8, _ state: State) -> Bool {
        guard state.isInApplication, let last = applications.indices.last else { return true }
        let id = state.global.reportID
        let place: Int
        if let known = applications[last].reports.firstIndex(where: { $0.id == id }) {
            place = known
        } else {
            guard applications[last].reports.count < Self.maximumReports else { return false }
            applications[last].reports.append(Report(id: id))
            place = applications[last].reports.count - 1
        }
        let bits = state.global.reportSize * state.global.reportCount
        let member: WritableKeyPath<Report, Int> =
            switch tag {
            case 0x80: \.inputBits
            case 0x90: \.outputBits
            default: \.featureBits
            }
        applications[last].reports[place][keyPath: member] += bits
        return applications[last].reports[place][keyPath: member] <= Self.maximumReportBits
    }

    private static func digits(_ number: UInt16) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }
}

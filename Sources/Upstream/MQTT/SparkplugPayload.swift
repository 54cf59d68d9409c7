/// A payload of Sparkplug B 3.0, section 6.4, in the wire format of protocol buffers.
struct SparkplugPayload: Hashable, Sendable {
    /// Milliseconds since 1970; nil: none, as in an NDEATH.
    var timestamp: Int64?
    var metrics: [Metric]
    /// The `seq` of the payload, 0...255.
    var order: UInt64?

    init(timestamp: Int64? = nil, metrics: [Metric], order: UInt64? = nil) {
        self.timestamp = timestamp
        self.metrics = metrics
        self.order = order
    }

    /// Section 6.4.16.
    enum DataType: UInt64, Hashable, Sendable {
        case int64 = 4
        case boolean = 11
        case string = 12
    }

    enum Value: Hashable, Sendable {
        /// Int64, two's complement.
        case long(UInt64)
        case boolean(Bool)
        /// UTF-8.
        case string([UInt8])
        case null(DataType)

        var type: DataType {
            switch self {
            case .long: .int64
            case .boolean: .boolean
            case .string: .string
            case .null(let type): type
            }
        }
    }

    struct Metric: Hashable, Sendable {
        var name: String
        var value: Value
        var timestamp: Int64?
        var isHistorical: Bool

        init(_ name: String, _ value: Value, timestamp: Int64? = nil, isHistorical: Bool = false) {
            self.name = name
            self.value = value
            self.timestamp = timestamp
            self.isHistorical = isHistorical
        }

        fileprivate var bytes: [UInt8] {
            var message = ProtocolBuffer()
            message.append(1, Array(name.utf8))
            if let timestamp { message.append(3, UInt64(bitPattern: timestamp)) }
            message.append(4, value.type.rawValue)
            if isHistorical { message.append(5, 1) }
            switch value {
            case .null: message.append(7, 1)
            case .long(let number): message.append(11, number)
            case .boolean(let isTrue): message.append(14, isTrue ? 1 : 0)
            case .string(let text): message.append(15, text)
            }
            return message.bytes
        }
    }

    var bytes: [UInt8] {
        var message = ProtocolBuffer()
        if let timestamp { message.append(1, UInt64(bitPattern: timestamp)) }
        for metric in metrics { message.append(2, metric.bytes) }
        if let order { message.append(3, order) }
        return message.bytes
    }

    /// Whether a payload from outside sets a boolean metric to true. What cannot be read does not.
    static func isTrue(_ name: String, in payload: [UInt8]) -> Bool {
        let wanted = Array(name.utf8)
        for case (2, .bytes(let metric)) in ProtocolBuffer.fields(of: payload[...]) {
            let fields = ProtocolBuffer.fields(of: metric)
            let isNamed = fields.contains { field in
                if case (1, .bytes(let text)) = field { text.elementsEqual(wanted) } else { false }
            }
            let isSet = fields.contains { field in
                if case (14, .number(let number)) = field { number != 0 } else { false }
            }
            if isNamed, isSet { return true }
        }
        return false
    }
}

/// The wire format of protocol buffers (protobuf.dev, "Encoding"), as far as Sparkplug needs it.
struct ProtocolBuffer {
    private(set) var bytes: [UInt8] = []

    enum Field {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    mutating func append(_ field: UInt64, _ number: UInt64) {
        appendVarint(field << 3)
        appendVarint(number)
    }

    mutating func append(_ field: UInt64, _ content: [UInt8]) {
        appendVarint(field << 3 | 2)
        appendVarint(UInt64(content.count))
        bytes += content
    }

    private mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// The fields of a message up to the first that cannot be read; groups and what follows them are left out.
    static func fields(of message: ArraySlice<UInt8>) -> [(UInt64, Field)] {
        var result: [(UInt64, Field)] = []
        var rest = message
        while !rest.isEmpty, result.count < 1_000 {
            guard let key = varint(&rest) else { return result }
            switch key & 7 {
            case 0:
                guard let number = varint(&rest) else { return result }
                result.append((key >> 3, .number(number)))
            case 1, 5:
                let size = key & 7 == 1 ? 8 : 4
                guard rest.count >= size else { return result }
                rest = rest.dropFirst(size)
            case 2:
                guard let size = varint(&rest), size <= UInt64(rest.count) else { return result }
                result.append((key >> 3, .bytes(rest.prefix(Int(size)))))
                rest = rest.dropFirst(Int(size))
            default: return result
            }
        }
        return result
    }

    private static func varint(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for position in 0..<10 as Range<UInt64> {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << (7 * position)
            if byte < 0x80 { return value }
        }
        return nil
    }
}

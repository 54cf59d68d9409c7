/// The data of one scan, classified by what it names.
public struct ScannedCode: Hashable, Sendable {
    /// How the data of a scanner is read.
    public struct Options: Hashable, Sendable {
        /// How element strings are read.
        public var message: GS1Message.Options
        /// Whether data without a symbology identifier that contains GS is read as element strings.
        public var assumesElementStrings: Bool
        /// Whether 8, 12, 13 or 14 digits with a right check digit and without a symbology identifier are a GTIN. One in
        /// ten numbers of that length passes by chance.
        public var assumesTradeItemNumbers: Bool
        /// The bytes that the scanner is set to send in place of GS; empty when it sends GS.
        public var separatorSubstitute: [UInt8]

        public init(
            message: GS1Message.Options, assumesElementStrings: Bool = true, assumesTradeItemNumbers: Bool = false,
            separatorSubstitute: [UInt8] = []
        ) {
            self.message = message
            self.assumesElementStrings = assumesElementStrings
            self.assumesTradeItemNumbers = assumesTradeItemNumbers
            self.separatorSubstitute = separatorSubstitute
        }
    }

    /// What the data names.
    public enum Content: Hashable, Sendable {
        /// GS1 element strings.
        case gs1(GS1Message)
        /// The fourteen digits of a GTIN.
        case gtin(String)
        /// A GS1 Digital Link.
        case digitalLink(GS1Message)
        /// Anything else, as it was read. May hold any character.
        case text(String)
    }

    /// The symbology identifier, if the scanner sent one.
    public let aim: AIMIdentifier?
    /// The data after the symbology identifier, as received.
    public let data: [UInt8]
    public let content: Content
    /// Why data that promised to be element strings, a Digital Link or a trade item number is text; nil for plain text.
    public let error: GS1Error?

    /// Classifies scan data; a symbology identifier at its start is taken off.
    public init(scan: some Collection<UInt8>, options: Options) {
        if let aim = AIMIdentifier(prefixOf: scan) {
            self.init(aim: aim, data: scan.dropFirst(3), options: options)
        } else {
            self.init(aim: nil, data: scan, options: options)
        }
    }

    /// Classifies scan data whose symbology identifier is known or absent.
    public init(aim: AIMIdentifier?, data: some Collection<UInt8>, options: Options) {
        let bytes = Array(data)
        self.aim = aim
        self.data = bytes
        do throws(GS1Error) {
            content = try Self.classify(aim: aim, bytes, options: options)
            error = nil
        } catch {
            content = .text(String(decoding: bytes, as: UTF8.self))
            self.error = error
        }
    }

    private static func classify(aim: AIMIdentifier?, _ data: [UInt8], options: Options) throws(GS1Error) -> Content {
        guard data.count <= GS1Message.maximumLength else { throw GS1Error(.dataTooLong, offset: GS1Message.maximumLength) }
        let separated = substituted(data, options.separatorSubstitute)
        switch aim?.content {
        case .elementStrings: return .gs1(try GS1Message(elementStrings: separated, options: options.message))
        case .tradeItemNumber: return .gtin(try tradeItemNumber(data[...], isShort: aim?.modifier == 0x34))
        case .tradeItemNumberWithAddOn: return .gtin(try tradeItemNumber(data.prefix(13), isShort: false))
        case .tradeItemNumberOrText:
            if data.count == 14, let gtin = GTIN.padded14(data) { return .gtin(gtin) }
        case .text: break
        case nil:
            if options.assumesElementStrings, separated.contains(GS1Message.separator) {
                var messageOptions = options.message
                // FNC1 in first position cannot be told from a separator here.
                messageOptions.toleratesLeadingSeparator = true
                return .gs1(try GS1Message(elementStrings: separated, options: messageOptions))
            }
            if options.assumesTradeItemNumbers, let gtin = GTIN.padded14(data) { return .gtin(gtin) }
        }
        return try linkOrText(data, options: options)
    }

    /// 13 digits, 12 of a UPC-A whose scanner drops the leading zero, or the 8 of an EAN-8.
    private static func tradeItemNumber(_ digits: ArraySlice<UInt8>, isShort: Bool) throws(GS1Error) -> String {
        let isLengthRight = isShort ? digits.count == 8 : digits.count == 12 || digits.count == 13
        guard isLengthRight, let gtin = GTIN.padded14(digits) else { throw GS1Error(.notATradeItemNumber, offset: 0) }
        return gtin
    }

    /// An address without a key is an address like any other: text.
    private static func linkOrText(_ data: [UInt8], options: Options) throws(GS1Error) -> Content {
        let text = Content.text(String(decoding: data, as: UTF8.self))
        guard DigitalLink.afterScheme(data[...]) != nil else { return text }
        do throws(GS1Error) {
            return .digitalLink(try GS1Message(digitalLink: data, options: options.message))
        } catch {
            switch error.reason {
            case .noDomainOrPath, .noKey, .illegalAddressCharacter: return text
            default: throw error
            }
        }
    }

    private static func substituted(_ data: [UInt8], _ substitute: [UInt8]) -> [UInt8] {
        guard let first = substitute.first else { return data }
        var result: [UInt8] = []
        var index = 0
        while index < data.count {
            if data[index] == first, data[index...].starts(with: substitute) {
                result.append(GS1Message.separator)
                index += substitute.count
            } else {
                result.append(data[index])
                index += 1
            }
        }
        return result
    }

    /// The element strings of GS1 data and Digital Links; for a GTIN its one element.
    public var message: GS1Message? {
        switch content {
        case .gs1(let message), .digitalLink(let message): message
        case .gtin(let digits): GS1Message(unchecked: [GS1Element(.gtin, digits)])
        case .text: nil
        }
    }

    /// The canonical Digital Link of the object, as ``EPCIdentity/canonicalURI`` gives for its tag; nil for text and for element
    /// strings without a key.
    public var canonicalURI: String? { message?.identityURI }
}

/// One element string: an application identifier and its value.
public struct GS1Element: Hashable, Sendable {
    public let ai: ApplicationIdentifier
    /// The value without separator; characters of the AI's own set only.
    public let value: String

    public init(_ ai: ApplicationIdentifier, _ value: String) {
        self.ai = ai
        self.value = value
    }
}

/// A GS1 application identifier of two to four digits.
public struct ApplicationIdentifier: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The number of digits, 2…4.
    public let digitCount: UInt8
    /// The digits as a number, 0…9999.
    public let number: UInt16

    /// The identifier written with two to four ASCII digits; nil for anything else.
    public init?(_ text: String) {
        self.init(digits: Array(text.utf8))
    }

    init?(digits: some Collection<UInt8>) {
        guard (2...4).contains(digits.count), digits.allSatisfy(\.isASCIIDigit) else { return nil }
        digitCount = UInt8(digits.count)
        number = digits.reduce(0) { $0 * 10 + UInt16($1 - 0x30) }
    }

    init(digitCount: UInt8, number: UInt16) {
        self.digitCount = digitCount
        self.number = number
    }

    public var description: String {
        let text = String(number)
        return String(repeating: "0", count: max(0, Int(digitCount) - text.utf8.count)) + text
    }

    public static func < (left: ApplicationIdentifier, right: ApplicationIdentifier) -> Bool {
        left.description < right.description
    }
}

extension ApplicationIdentifier {
    private static func two(_ number: UInt16) -> Self { Self(digitCount: 2, number: number) }
    private static func three(_ number: UInt16) -> Self { Self(digitCount: 3, number: number) }
    private static func four(_ number: UInt16) -> Self { Self(digitCount: 4, number: number) }

    public static let sscc = two(0)
    public static let gtin = two(1)
    /// GTIN of the trade items contained in a logistic unit.
    public static let content = two(2)
    /// Made-to-order GTIN.
    public static let madeToOrderGTIN = two(3)
    public static let lot = two(10)
    public static let productionDate = two(11)
    public static let dueDate = two(12)
    public static let packagingDate = two(13)
    public static let bestBefore = two(15)
    public static let sellBy = two(16)
    public static let expiry = two(17)
    public static let serial = two(21)
    public static let consumerProductVariant = two(22)
    public static let variableCount = two(30)
    public static let count = two(37)
    /// Third-party controlled, serialised extension of a GTIN.
    public static let thirdPartySerial = three(235)
    public static let gdti = three(253)
    public static let glnExtension = three(254)
    public static let gcn = three(255)
    public static let orderNumber = three(400)
    public static let ginc = three(401)
    public static let gsin = three(402)
    public static let route = three(403)
    public static let shipTo = three(410)
    public static let locationGLN = three(414)
    public static let payTo = three(415)
    public static let productionLocation = three(416)
    public static let partyGLN = three(417)
    public static let expiryTime = four(7003)
    public static let firstFreezeDate = four(7006)
    public static let harvestDate = four(7007)
    public static let grai = four(8003)
    public static let giai = four(8004)
    public static let itip = four(8006)
    public static let cpid = four(8010)
    public static let cpidSerial = four(8011)
    public static let gmn = four(8013)
    public static let gsrnProvider = four(8017)
    public static let gsrnRecipient = four(8018)
    public static let serviceRelationInstance = four(8019)
    public static let paymentReference = four(8020)
}

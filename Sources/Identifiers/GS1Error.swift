/// Why data is not a valid set of GS1 element strings or a Digital Link.
public struct GS1Error: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        /// There is no data.
        case empty
        /// The data is longer than ``GS1Message/maximumLength`` bytes.
        case dataTooLong
        /// A separator stands before the first identifier.
        case leadingSeparator
        /// No assigned identifier begins here.
        case unknownIdentifier
        /// The value is shorter or longer than the identifier demands.
        case wrongLength
        /// A character or figure of the value is not permitted.
        case content(GS1Fault)
        /// The identifier occurs twice, with different values or in a Digital Link.
        case duplicate
        /// None of the identifiers that must accompany this one is present.
        case missingCompanion(String)
        /// An identifier is present that must not stand beside this one.
        case excluded(by: ApplicationIdentifier)
        /// Brackets and identifiers do not alternate.
        case malformedBrackets
        /// The data is not an `http` or `https` address.
        case notAnAddress
        /// A character that no address may contain.
        case illegalAddressCharacter
        /// The address has no domain or no path.
        case noDomainOrPath
        /// No primary key stands in the path.
        case noKey
        /// A percent sequence stands for the character 0.
        case nullCharacter
        /// A value in the address is empty.
        case emptyValue
        /// The identifier may not stand in the query.
        case notAnAttribute
        /// The identifier stands in the query and belongs in the path.
        case belongsInPath
        /// The qualifiers do not follow their key in this order.
        case qualifierOrder
        /// The symbol promises a trade item number and the digits are none.
        case notATradeItemNumber
    }

    public let reason: Reason
    /// The identifier that the reason is about; nil when none was recognised.
    public let ai: ApplicationIdentifier?
    /// Bytes of the input before the faulty part.
    public let offset: Int

    init(_ reason: Reason, ai: ApplicationIdentifier? = nil, offset: Int) {
        self.reason = reason
        self.ai = ai
        self.offset = offset
    }

    public var description: String {
        let subject = ai.map { "(\($0)) " } ?? ""
        return "\(subject)\(reason) at byte \(offset)"
    }
}

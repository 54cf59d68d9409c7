/// The number of a loan, for example `CRIB1-7QK3-00042-T`: minted offline, never used twice, hard to mistype.
///
/// The gateway's code tells gateways apart; the short epoch, drawn anew whenever a store is created or restored, tells apart what one
/// gateway mints before and after it lost its counter; the counter tells apart the rest. The last character is the check character of
/// ISO/IEC 7064 MOD 37,36 over the letters and digits before it: it finds every single wrong character and every swap of two neighbours.
public struct LoanNumber: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let gateway: String
    /// Four characters of Crockford's base 32.
    public let shortEpoch: String
    /// 1 or more.
    public let counter: Int64

    /// - Parameters:
    ///   - gateway: two to eight of A–Z and 0–9.
    ///   - epoch: the store's epoch; its highest 20 bits are used.
    public init(gateway: String, epoch: UInt64, counter: Int64) {
        self.gateway = gateway
        self.shortEpoch = Self.shortEpoch(of: epoch)
        self.counter = counter
    }

    /// Reads what a person typed: letters of either case, `-` and spaces optional between the check character and what it checks.
    /// nil when the form or the check character is wrong.
    public init?(_ text: String) {
        let parts = text.uppercased().split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, (2...8).contains(parts[0].utf8.count), parts[1].utf8.count == 4, (5...18).contains(parts[2].utf8.count),
            parts[3].utf8.count == 1, let counter = Int64(parts[2]), counter > 0, parts[2].allSatisfy(\.isNumber),
            let expected = Self.checkCharacter(of: parts[0] + parts[1] + parts[2]), parts[3].utf8.first == expected
        else { return nil }
        gateway = String(parts[0])
        shortEpoch = String(parts[1])
        self.counter = counter
    }

    public var description: String {
        let digits = String(counter)
        let body = "\(gateway)-\(shortEpoch)-\(String(repeating: "0", count: max(0, 5 - digits.utf8.count)))\(digits)"
        let check = Self.checkCharacter(of: body.filter { $0 != "-" }).map { String(UnicodeScalar($0)) } ?? ""
        return "\(body)-\(check)"
    }

    /// By gateway and epoch, then in the order of minting.
    public static func < (left: LoanNumber, right: LoanNumber) -> Bool {
        (left.gateway, left.shortEpoch, left.counter) < (right.gateway, right.shortEpoch, right.counter)
    }

    private static let crockford = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

    static func shortEpoch(of epoch: UInt64) -> String {
        String(decoding: [59, 54, 49, 44].map { crockford[Int(epoch >> UInt64($0) & 31)] }, as: UTF8.self)
    }

    /// ISO/IEC 7064 MOD 37,36: a hybrid system with one check character of the same alphabet; nil for other characters.
    static func checkCharacter(of text: some StringProtocol) -> UInt8? {
        var remainder = 36
        for character in text.utf8 {
            let value: Int
            switch character {
            case 0x30...0x39: value = Int(character) - 0x30
            case 0x41...0x5A: value = Int(character) - 0x37
            default: return nil
            }
            let sum = (remainder + value) % 36
            remainder = (sum == 0 ? 36 : sum) * 2 % 37
        }
        return alphabet[(37 - remainder) % 36]
    }
}

/// The modulo 10 check digit of GTIN, SSCC, GLN, GSRN, GRAI, GDTI and GCN keys.
///
/// GS1 General Specifications section 7.9: weights 3 and 1 alternate from the right of the data.
public enum CheckDigit {
    /// The check digit 0…9 of digits given as ASCII; nil when there is none or another character among them.
    public static func compute(_ digits: some BidirectionalCollection<UInt8>) -> UInt8? {
        guard !digits.isEmpty else { return nil }
        var sum: UInt64 = 0
        var weight: UInt64 = 3
        for unit in digits.reversed() {
            guard (0x30...0x39).contains(unit) else { return nil }
            sum &+= UInt64(unit &- 0x30) &* weight
            weight = 4 &- weight
        }
        return UInt8(truncatingIfNeeded: (10 &- sum % 10) % 10)
    }

    /// The check digit of a key written without it.
    public static func compute(_ digits: String) -> UInt8? {
        compute(Array(digits.utf8))
    }

    /// Whether the last of these ASCII digits is the check digit of the others.
    public static func isValid(_ digits: some BidirectionalCollection<UInt8>) -> Bool {
        guard let last = digits.last, let expected = compute(digits.dropLast()) else { return false }
        return last == expected &+ 0x30
    }

    /// Whether the last digit of a key is the check digit of the others.
    public static func isValid(_ key: String) -> Bool {
        isValid(Array(key.utf8))
    }
}

/// The check character pair of the Global Model Number and the MUDI (AI 8013 and 8014).
///
/// GS1 General Specifications section 7.9.5: from the right, the value of each character times the primes 2, 3, 5 …, the
/// sum modulo 1021, written as two characters of 32.
public enum CheckCharacterPair {
    private static let alphabet = Array("23456789ABCDEFGHJKLMNPQRSTUVWXYZ".utf8)
    private static let primes: [UInt32] = [
        2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127,
        131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193, 197, 199, 211, 223, 227, 229, 233, 239, 241, 251, 257, 263,
        269, 271, 277, 281, 283, 293, 307, 311, 313, 317, 331, 337, 347, 349, 353, 359, 367, 373, 379, 383, 389, 397, 401, 409, 419,
        421, 431, 433, 439, 443, 449, 457, 461, 463, 467, 479, 487, 491, 499, 503, 509, 521, 523,
    ]

    /// The longest data the pair is computed for, in characters.
    public static let maximumLength = primes.count

    /// The two ASCII characters for data without the pair; nil for a character outside CSET 82 or data longer than
    /// ``maximumLength``.
    public static func compute(_ data: some BidirectionalCollection<UInt8>) -> (UInt8, UInt8)? {
        var sum: UInt32 = 0
        var position = 0
        for unit in data.reversed() {
            guard position < primes.count, let value = CharacterSet82.value(of: unit) else { return nil }
            sum &+= UInt32(value) &* primes[position]
            position &+= 1
        }
        let remainder = Int(sum % 1021)
        return (alphabet[remainder >> 5], alphabet[remainder & 31])
    }

    /// Whether data ends with the pair of what stands before it.
    public static func isValid(_ data: some BidirectionalCollection<UInt8>) -> Bool {
        let bytes = Array(data)
        guard bytes.count >= 2, let pair = compute(bytes.dropLast(2)) else { return false }
        return bytes[bytes.count - 2] == pair.0 && bytes[bytes.count - 1] == pair.1
    }
}

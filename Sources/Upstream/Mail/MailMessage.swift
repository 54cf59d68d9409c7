import CCrypto
import Readings
import SiteConfiguration

/// One mail as it goes over the line: RFC 5322 with MIME, all of it ASCII but addresses that are not.
///
/// What strangers wrote, names above all, cannot add a header: control characters become blanks, and whatever is not plain is encoded.
struct MailMessage: Hashable, Sendable {
    var from: MailAddress
    var fromName: String
    var to: MailAddress
    /// nil: nobody knows.
    var toName: String?
    var subject: String
    /// Lines ended by `\n`.
    var body: String
    var language: Site.Language
    var date: WallTime
    /// What stands before the `@` of `Message-ID`: the same whenever this mail is sent, so that a repetition is recognisable.
    var identifier: String

    var bytes: [UInt8] {
        let lines = [
            "Date: \(MailHeader.date(date))",
            "From: \(MailHeader.mailbox(fromName, from))",
            "To: \(MailHeader.mailbox(toName, to))",
            "Subject: \(MailHeader.text(subject, after: 9))",
            "Message-ID: <\(identifier)@\(from.domain)>",
            // RFC 3834: nobody is to answer by machine.
            "Auto-Submitted: auto-generated",
            "X-Auto-Response-Suppress: All",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Language: \(language.rawValue)",
            "Content-Transfer-Encoding: base64",
        ]
        let text = MailHeader.plain(body, keepsLines: true).split(separator: "\n", omittingEmptySubsequences: false)
            .joined(separator: "\r\n")
        let encoded = MailHeader.base64(Array(text.utf8))
        let folded = stride(from: 0, to: encoded.count, by: MailHeader.bodyLine).map {
            encoded[$0..<min(encoded.count, $0 + MailHeader.bodyLine)] + [0x0D, 0x0A]
        }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + folded.joined()
    }
}

/// What stands in headers.
enum MailHeader {
    /// RFC 2045 section 6.8.
    static let bodyLine = 76
    /// RFC 2047 section 2: a line with encoded words has at most 76 characters.
    private static let line = 76
    /// Bytes in one encoded word: 48 characters of base64 and 12 around them fit behind every header's name.
    private static let wordBytes = 36

    /// Without control characters, and those that change the direction of what follows.
    static func plain(_ text: String, keepsLines: Bool = false) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if keepsLines, scalar == "\n" {
                result.append(scalar)
                continue
            }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: result.append(" ")
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// Unstructured text (RFC 5322 section 3.2.5), encoded where it is not plain or does not fit into its line.
    static func text(_ text: String, after taken: Int) -> String {
        let text = plain(text)
        let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && text.firstRange(of: "=?") == nil
        guard !isPlain || taken + text.utf8.count > line || text.hasPrefix(" ") || text.hasSuffix(" ") else { return text }
        return words(text).joined(separator: "\r\n ")
    }

    /// A name and an address (RFC 5322 section 3.4).
    static func mailbox(_ name: String?, _ address: MailAddress) -> String {
        let name = plain(name ?? "")
        guard !name.allSatisfy({ $0 == " " }) else { return "<\(address)>" }
        // Letters, digits and single blanks alone mean themselves in a phrase.
        let isPhrase =
            name.utf8.count <= 60 && !name.hasPrefix(" ") && !name.hasSuffix(" ") && name.firstRange(of: "  ") == nil
            && name.unicodeScalars.allSatisfy { $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == " ") }
        return (isPhrase ? name : words(name).joined(separator: "\r\n ")) + "\r\n <\(address)>"
    }

    /// Encoded words (RFC 2047), none of which cuts a character.
    private static func words(_ text: String) -> [String] {
        var words: [[UInt8]] = [[]]
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if (words.last?.count ?? 0) + bytes.count > wordBytes { words.append([]) }
            words[words.count - 1] += bytes
        }
        return words.map { "=?UTF-8?B?\(String(decoding: base64($0), as: UTF8.self))?=" }
    }

    /// RFC 5322 section 3.3.
    static func date(_ time: WallTime) -> String {
        let date = time.localDate
        let local = time.milliseconds + Int64(time.offsetMinutes) * 60_000
        let seconds = (local - date.daysSince1970 * 86_400_000) / 1_000
        // 1970-01-01 was a Thursday.
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(((date.daysSince1970 % 7) + 7) % 7)]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func padded(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let zone = WallTime.offsetText(minutes: time.offsetMinutes).filter { $0 != ":" }
        return "\(weekday), \(padded(Int64(date.day))) \(months[date.month - 1]) \(date.year) \(padded(seconds / 3_600)):"
            + "\(padded(seconds / 60 % 60)):\(padded(seconds % 60)) \(zone)"
    }

    static func base64(_ bytes: [UInt8]) -> [UInt8] {
        // Four characters for three bytes, and a zero at the end.
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        return Array(text.prefix(Int(count)))
    }
}

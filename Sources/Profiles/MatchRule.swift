/// udev properties that must all agree.
public struct MatchRule: Hashable, Sendable {
    public var properties: [String: String]

    public init(properties: [String: String]) {
        self.properties = properties
    }

    /// In the order in which they are compared: from what tells most devices apart to the details.
    public var ordered: [(property: String, pattern: String)] {
        let first = ["SUBSYSTEM", "ID_VENDOR_ID", "ID_MODEL_ID"]
        let rest = properties.keys.filter { !first.contains($0) }.sorted()
        return (first + rest).compactMap { key in properties[key].map { (key, $0) } }
    }

    /// Whether a text matches a pattern in which `*` stands for any characters and `?` for one. Case counts.
    public static func matches(_ text: String, pattern: String) -> Bool {
        let (text, pattern) = (Array(text.utf8), Array(pattern.utf8))
        var (position, place) = (0, 0)
        // Where the last star stood, and how much of the text it has swallowed: no recursion, at most text · pattern steps.
        var star: Int?
        var swallowed = 0
        while position < text.count {
            if place < pattern.count, pattern[place] == 0x2A {
                star = place
                swallowed = position
                place += 1
            } else if place < pattern.count, pattern[place] == 0x3F || pattern[place] == text[position] {
                position += 1
                place += 1
            } else if let last = star {
                place = last + 1
                swallowed += 1
                position = swallowed
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == 0x2A }
    }

    /// Why a profile may not be found by this rule; nil when it may.
    ///
    /// A USB-serial chip says what converter is in the cable, not what hangs on it: a rule must name the device.
    var weakness: String? {
        // A pattern that the converter's own texts satisfy names the converter.
        let isNamed = properties.contains { key, pattern in
            Self.namingProperties.contains(key) && pattern.contains { $0 != "*" && $0 != "?" }
                && !Self.chipTexts.contains { Self.matches($0, pattern: pattern) }
        }
        if isNamed { return nil }
        guard let vendor = properties["ID_VENDOR_ID"], let product = properties["ID_MODEL_ID"] else {
            return "names no device: ID_VENDOR_ID and ID_MODEL_ID are needed, or a property that names it, such as ID_SERIAL"
        }
        let id = "\(vendor):\(product)"
        if let chip = Self.chips.first(where: { $0.ids.contains { Self.matches($0, pattern: id) } }) {
            return "\(id) is a USB-serial converter (\(chip.name)), which may have anything on it; bind the device in the site file"
        }
        return nil
    }

    /// Properties that tell one product from another even behind the same chip, or what the device is for.
    private static let namingProperties: Set<String> = ["ID_SERIAL", "ID_SERIAL_SHORT", "ID_MODEL", "ID_PATH", hidUsage]

    /// What a HID node says of itself: usage page and usage of its first application, such as `008c:0002` for a bar code scanner.
    static let hidUsage = "STOCKGATE_HID_USAGE"

    /// What converters say of themselves as they leave the factory, as udev writes it: ID_MODEL, ID_SERIAL, and the serial number that
    /// every CP2102 has.
    private static let chipTexts: [String] = {
        let models = [
            ("1a86", ["USB_Serial", "USB2.0-Serial", "USB2.0-Ser_", "USB_Single_Serial"]),
            ("FTDI", ["FT232R_USB_UART", "FT231X_USB_UART", "FT230X_Basic_UART", "USB_Serial_Converter", "Dual_RS232", "Quad_RS232-HS"]),
            (
                "Silicon_Labs",
                ["CP2102_USB_to_UART_Bridge_Controller", "CP2102N_USB_to_UART_Bridge_Controller", "CP2104_USB_to_UART_Bridge_Controller"]
            ),
            ("Prolific_Technology_Inc.", ["USB-Serial_Controller", "USB-Serial_Controller_C", "USB-Serial_Controller_D"]),
        ]
        return ["0001"] + models.flatMap { vendor, names in names.flatMap { [$0, "\(vendor)_\($0)", "\(vendor)_\($0)_0001"] } }
    }()

    /// Converters that stand in cables, boards and readers of any make (Linux kernel, drivers/usb/serial).
    static let chips: [(name: String, ids: [String])] = [
        ("FTDI", ["0403:6001", "0403:6010", "0403:6011", "0403:6014", "0403:6015"]),
        ("WCH CH340/CH341", ["1a86:7522", "1a86:7523", "1a86:5523", "1a86:55d4"]),
        ("Silicon Labs CP210x", ["10c4:ea60", "10c4:ea61", "10c4:ea63", "10c4:ea70", "10c4:ea71"]),
        ("Prolific PL2303", ["067b:2303", "067b:2304", "067b:23a3", "067b:23b3", "067b:23c3", "067b:23d3", "067b:23e3", "067b:23f3"]),
    ]
}

import Identifiers

/// A device of the site, by its place in the site configuration.
@frozen
public struct DeviceIndex: Hashable, Comparable, Sendable {
    public var rawValue: UInt16

    @inlinable
    public init(_ rawValue: UInt16) {
        self.rawValue = rawValue
    }

    @inlinable
    public static func < (left: DeviceIndex, right: DeviceIndex) -> Bool { left.rawValue < right.rawValue }
}

/// One report of one tag by one antenna.
///
/// A fixed-size value without references: the hot path copies it and allocates nothing.
@frozen
public struct TagRead: Hashable, Sendable {
    public var epc: EPC
    /// The reader's antenna port, counted from 1; 0 when the reader does not tell.
    public var antenna: UInt8
    /// Received signal strength in hundredths of a dBm; `noRSSI` when the reader does not tell.
    public var rssi: Int16
    /// Carrier frequency in kHz; 0 when the reader does not tell.
    public var frequency: UInt32
    /// Phase of the backscattered carrier in units of 2π/65536; nil when the reader does not tell.
    public var phase: UInt16?
    /// The reader's own time in microseconds, in the reader's own epoch; nil when it has no clock.
    public var readerTime: UInt64?

    public static let noRSSI = Int16.min

    @inlinable
    public init(
        epc: EPC, antenna: UInt8 = 0, rssi: Int16 = TagRead.noRSSI, frequency: UInt32 = 0, phase: UInt16? = nil,
        readerTime: UInt64? = nil
    ) {
        self.epc = epc
        self.antenna = antenna
        self.rssi = rssi
        self.frequency = frequency
        self.phase = phase
        self.readerTime = readerTime
    }
}

/// One barcode, as the scanner sent it: data from a stranger, never trusted and never printed unescaped.
public struct Scan: Hashable, Sendable {
    /// The data without prefix, suffix and AIM id; GS1 separators are 0x1D. At most `Scan.maximumLength` bytes.
    public var data: [UInt8]
    /// The AIM symbology identifier, when the scanner sends one.
    public var symbology: AIMIdentifier?

    /// The longest barcode accepted, in bytes. A QR code holds at most 7,089 digits or 2,953 bytes (ISO/IEC 18004).
    public static let maximumLength = 7_089

    public init(data: [UInt8], symbology: AIMIdentifier? = nil) {
        self.data = data
        self.symbology = symbology
    }
}

/// One badge held before a badge reader.
public struct BadgeRead: Hashable, Sendable {
    /// The credential as the reader profile normalises it: upper-case hex or decimal digits, at most 32 characters.
    public var credential: String

    public init(credential: String) {
        self.credential = credential
    }
}

/// A digital input that changed: a door contact, a beam, a push button.
public struct InputChange: Hashable, Sendable {
    /// The input's line on its device, counted from 0.
    public var line: UInt8
    public var isActive: Bool

    public init(line: UInt8, isActive: Bool) {
        self.line = line
        self.isActive = isActive
    }
}

/// Whether a device is able to see anything at all. Absence counts only while its reader is `.reading`.
public enum DeviceState: Hashable, Sendable {
    /// Opened, initialised and shown to be working.
    case reading
    /// Opened, but not, or no longer, shown to be reading; the reason is for people.
    case silent(reason: String)
    /// Not there: unplugged, refused to open, or closed.
    case absent(reason: String)

    public var isReading: Bool { self == .reading }
}

/// What one device reported once.
public enum Reading: Hashable, Sendable {
    case tag(TagRead)
    /// A tag read that the reader kept while nobody listened; `readerTime` is its time. It says nothing about now.
    case late(TagRead)
    case scan(Scan)
    case badge(BadgeRead)
    case input(InputChange)
    case state(DeviceState)
}

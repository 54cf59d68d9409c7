import Readings

/// A device node that udev, or the kernel alone, told of.
public struct DeviceNode: Hashable, Sendable {
    /// `/dev/ttyUSB0`
    public var path: String
    /// `tty`, `input` or `hidraw`.
    public var subsystem: String
    /// The place in sysfs: tells two devices apart that had the same node one after the other.
    public var systemPath: String
    /// udev properties. What a node itself lacks is taken from the USB device, USB interface or HID device above it: `ID_VENDOR_ID`
    /// and `ID_MODEL_ID` (four hexadecimal digits, lower case), `ID_SERIAL_SHORT`, `ID_USB_INTERFACE_NUM`, `ID_PATH`. A hidraw
    /// node also has `STOCKGATE_HID_USAGE`, usage page and usage of its first application collection, for example `008c:0002` for a
    /// bar code scanner. The values come from the device: escape them before they reach a terminal or a log.
    public var properties: [String: String]

    /// When the kernel told of it; nil for a node that was there before anybody looked.
    public var appearedAt: Instant?

    public init(
        path: String, subsystem: String, systemPath: String = "", properties: [String: String] = [:], appearedAt: Instant? = nil
    ) {
        self.path = path
        self.subsystem = subsystem
        self.systemPath = systemPath
        self.properties = properties
        self.appearedAt = appearedAt
    }

    /// Other names of the node, for example below /dev/serial/by-id.
    public var links: [Substring] { properties["DEVLINKS"]?.split(separator: " ") ?? [] }

    /// Whether this is the node that a person means by this path.
    public func answers(to name: String) -> Bool { path == name || links.contains { $0 == name } }

    /// What makes this device this device: model, serial number where it has one, interface, and the port it is plugged in.
    var identity: [String?] {
        ["ID_VENDOR_ID", "ID_MODEL_ID", "ID_SERIAL_SHORT", "ID_USB_INTERFACE_NUM", "ID_PATH"].map { properties[$0] }
    }
}

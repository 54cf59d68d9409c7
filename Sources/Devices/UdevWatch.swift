import CLinux
import CUdev
import Glibc
import Readings

/// The udev side of `DeviceMonitor`: used by its thread only.
final class UdevWatch {
    private let subsystems: [String]
    private let wake: Int32
    private let callback: @Sendable (DeviceMonitor.Event) -> Void
    /// What was told to be there, by place in sysfs.
    private var known: [String: DeviceNode] = [:]

    init(subsystems: [String], wake: Int32, callback: @escaping @Sendable (DeviceMonitor.Event) -> Void) {
        self.subsystems = subsystems
        self.wake = wake
        self.callback = callback
    }

    /// Returns when `wake` was written.
    func run() {
        guard let udev = udev_new() else { return waitForWake(saying: "libudev does not start: \(DeviceError.text(of: errno))") }
        defer { udev_unref(udev) }
        if access("/run/udev/control", F_OK) != 0 {
            callback(.unavailable(reason: "no udev daemon runs here (/run/udev/control is missing): name the port of each device"))
        }
        // Listening comes before looking, so that nothing falls in between.
        let monitor = listen(udev)
        defer { if let monitor { udev_monitor_unref(monitor) } }
        enumerate(udev)
        callback(.enumerated)
        guard let monitor else { return waitForWake(saying: "udev's events cannot be received: \(DeviceError.text(of: errno))") }
        while wait(for: udev_monitor_get_fd(monitor)) {
            // Not blocking: poll() also wakes for messages that the library's filter then throws away.
            errno = 0
            if let device = udev_monitor_receive_device(monitor) {
                handle(device)
                udev_device_unref(device)
            } else if errno == ENOBUFS {
                // Events were lost: whatever is there now is the truth.
                enumerate(udev)
            }
        }
    }

    private func listen(_ udev: OpaquePointer) -> OpaquePointer? {
        guard let monitor = udev_monitor_new_from_netlink(udev, "udev") else { return nil }
        for subsystem in subsystems { udev_monitor_filter_add_match_subsystem_devtype(monitor, subsystem, nil) }
        guard udev_monitor_enable_receiving(monitor) >= 0 else {
            udev_monitor_unref(monitor)
            return nil
        }
        return monitor
    }

    /// - Returns: false when it is time to stop.
    private func wait(for descriptor: Int32) -> Bool {
        var requests = [pollfd(fd: wake, events: Int16(POLLIN), revents: 0), pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        // A poll() that fails was interrupted; the next one is as good.
        poll(&requests, nfds_t(requests.count), -1)
        return requests[0].revents == 0
    }

    private func waitForWake(saying reason: String) {
        callback(.unavailable(reason: reason))
        while wait(for: -1) {}
    }

    // MARK: - What is there

    private func enumerate(_ udev: OpaquePointer) {
        guard let enumeration = udev_enumerate_new(udev) else { return }
        defer { udev_enumerate_unref(enumeration) }
        for subsystem in subsystems { udev_enumerate_add_match_subsystem(enumeration, subsystem) }
        guard udev_enumerate_scan_devices(enumeration) >= 0 else {
            return callback(.unavailable(reason: "the devices of this machine cannot be listed"))
        }
        var found: Set<String> = []
        var entry = udev_enumerate_get_list_entry(enumeration)
        while let current = entry {
            entry = udev_list_entry_get_next(current)
            guard let path = udev_list_entry_get_name(current), let device = udev_device_new_from_syspath(udev, path) else { continue }
            found.insert(String(cString: path))
            // What was told before keeps its time: this is another look, after news was lost.
            if var node = Self.node(device) {
                node.appearedAt = known[node.systemPath]?.appearedAt
                appear(node)
            }
            udev_device_unref(device)
        }
        for (path, node) in known where !found.contains(path) { disappear(node) }
    }

    private func handle(_ device: OpaquePointer) {
        guard let path = udev_device_get_syspath(device).map({ String(cString: $0) }) else { return }
        switch udev_device_get_action(device).map({ String(cString: $0) }) {
        case "remove":
            if let node = known[path] { disappear(node) }
        case "add", nil:
            guard var node = Self.node(device) else { return }
            node.appearedAt = Self.appearance(node, now: BootClock.now())
            appear(node)
        default:
            // Most changes concern nobody here.
            guard var node = Self.node(device) else { return }
            node.appearedAt = known[path]?.appearedAt
            if known[path] != node { appear(node) }
        }
    }

    private func appear(_ node: DeviceNode) {
        known[node.systemPath] = node
        callback(.appeared(node))
    }

    /// When the udev daemon first saw the node, if that is a time shortly before now; else now. In microseconds of CLOCK_MONOTONIC.
    private static func appearance(_ node: DeviceNode, now: Instant) -> Instant {
        guard let microseconds = node.properties["USEC_INITIALIZED"].flatMap({ Int64($0) }) else { return now }
        let age = BootClock.monotonicMicroseconds() &- microseconds
        guard (0...60_000_000).contains(age) else { return now }
        return now + Instant.Span(nanoseconds: age * -1_000)
    }

    private func disappear(_ node: DeviceNode) {
        known[node.systemPath] = nil
        callback(.disappeared(node))
    }

    // MARK: - Properties

    /// nil for devices without a node, like the parents of event devices.
    private static func node(_ device: OpaquePointer) -> DeviceNode? {
        guard let path = udev_device_get_devnode(device), let place = udev_device_get_syspath(device),
            let subsystem = udev_device_get_subsystem(device)
        else { return nil }
        return DeviceNode(
            path: String(cString: path), subsystem: String(cString: subsystem), systemPath: String(cString: place),
            properties: properties(device))
    }

    private static func properties(_ device: OpaquePointer) -> [String: String] {
        var properties: [String: String] = [:]
        var entry = udev_device_get_properties_list_entry(device)
        while let current = entry {
            entry = udev_list_entry_get_next(current)
            guard let name = udev_list_entry_get_name(current), let value = udev_list_entry_get_value(current) else { continue }
            properties[String(cString: name)] = String(cString: value)
        }
        // These belong to the event, not to the device: a duplicate would look like a change.
        for name in ["ACTION", "SEQNUM"] { properties[name] = nil }
        addMissing(device, &properties)
        return properties
    }

    /// hidraw nodes often lack what identifies them, and without a udev daemon every node does.
    private static func addMissing(_ device: OpaquePointer, _ properties: inout [String: String]) {
        func add(_ name: String, _ value: String?) {
            if properties[name] == nil, let value, !value.isEmpty { properties[name] = value }
        }
        if let usb = udev_device_get_parent_with_subsystem_devtype(device, "usb", "usb_device") {
            add("ID_BUS", "usb")
            add("ID_VENDOR_ID", attribute(usb, "idVendor"))
            add("ID_MODEL_ID", attribute(usb, "idProduct"))
            add("ID_REVISION", attribute(usb, "bcdDevice"))
            add("ID_SERIAL_SHORT", attribute(usb, "serial"))
            add("ID_PATH", property(usb, "ID_PATH"))
            if let interface = udev_device_get_parent_with_subsystem_devtype(device, "usb", "usb_interface") {
                add("ID_USB_INTERFACE_NUM", attribute(interface, "bInterfaceNumber"))
            }
        } else if let hid = udev_device_get_parent_with_subsystem_devtype(device, "hid", nil) {
            // "bus:vendor:product" as 4, 8 and 8 hexadecimal digits (linux/drivers/hid/hid-core.c); bus 5 is Bluetooth.
            let parts = property(hid, "HID_ID")?.lowercased().split(separator: ":") ?? []
            if parts.count == 3 {
                add("ID_BUS", parts[0] == "0005" ? "bluetooth" : nil)
                add("ID_VENDOR_ID", String(parts[1].suffix(4)))
                add("ID_MODEL_ID", String(parts[2].suffix(4)))
            }
            add("ID_SERIAL_SHORT", property(hid, "HID_UNIQ"))
        }
        if udev_device_get_subsystem(device).map({ String(cString: $0) }) == "hidraw",
            let hid = udev_device_get_parent_with_subsystem_devtype(device, "hid", nil)
        {
            add("STOCKGATE_HID_USAGE", usage(hid))
        }
    }

    /// libudev's attributes are texts; a report descriptor holds zeros.
    private static func usage(_ hid: OpaquePointer) -> String? {
        guard let place = udev_device_get_syspath(hid).map({ String(cString: $0) }) else { return nil }
        let descriptor = open(place + "/report_descriptor", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: HIDUsage.maximumDescriptor)
        let count = read(descriptor, &bytes, bytes.count)
        return count > 0 ? HIDUsage.first(in: bytes[..<count]) : nil
    }

    private static func property(_ device: OpaquePointer, _ name: String) -> String? {
        udev_device_get_property_value(device, name).map { String(cString: $0) }
    }

    private static func attribute(_ device: OpaquePointer, _ name: String) -> String? {
        guard let value = udev_device_get_sysattr_value(device, name) else { return nil }
        return String(String(cString: value).drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}

import CLinux
import Glibc

/// Opens HID devices (hidraw) and sends reports to them. Blocking: a report goes to the device while the caller waits.
enum HIDDevice {
    /// Opens the device for this program alone and sets its feature reports, report id first.
    ///
    /// A device that refuses a feature report is used as it is: models of one family differ in what they know.
    /// - Throws: `DeviceError`; then nothing is left open.
    static func open(_ path: String, featureReports: [[UInt8]]) throws(DeviceError) -> OpenedDescriptors {
        var isWritable = true
        var descriptor: Int32
        do throws(DeviceError) { descriptor = try openNode(path, flags: O_RDWR) } catch {
            // Reading is worth more than nothing.
            guard [EACCES, EPERM, EROFS].contains(error.errorNumber) else { throw error }
            isWritable = false
            do throws(DeviceError) { descriptor = try openNode(path, flags: O_RDONLY) } catch _ { throw error }
        }
        guard clinux_check_hid(descriptor) == 0 else {
            let number = errno
            close(descriptor)
            let detail = number == ENOTTY || number == EINVAL ? "this is no HID device" : ""
            throw DeviceError(.configure, path: path, errorNumber: number, detail: detail)
        }
        // Any number of programs may read a hidraw node; two gateways would both report every scan.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(descriptor)
            throw DeviceError(.lock, path: path, errorNumber: number)
        }
        var notes: [String] = isWritable ? [] : ["may only be read: the gateway's user may not write to this node; see the udev rules"]
        for report in featureReports where isWritable && clinux_set_hid_feature(descriptor, report, report.count) != 0 {
            let id = report.first.map { hexadecimal(UInt16($0), digits: 2) } ?? ""
            notes.append("does not take feature report \(id): \(DeviceError.text(of: errno))")
        }
        var descriptors = try OpenedDescriptors(duplicating: descriptor, writable: false, name: name(of: descriptor), path: path)
        descriptors.takesReports = isWritable
        descriptors.notes = notes
        return descriptors
    }

    /// Sends one output report, report id first. Waits for the device, as long as the kernel does (5 s for a USB device).
    static func send(_ report: [UInt8], to descriptor: Int32, _ path: String) throws(DeviceError) {
        while true {
            let count = write(descriptor, report, report.count)
            if count >= 0 { return }
            guard errno == EINTR else { throw DeviceError(.write, path: path, errorNumber: errno) }
        }
    }

    private static func name(of descriptor: Int32) -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        guard clinux_hid_name(descriptor, &buffer, buffer.count) == 0 else { return nil }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return name.isEmpty ? nil : name
    }
}

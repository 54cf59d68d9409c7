import CLinux
import Glibc

/// Opens input devices (evdev). Blocking in principle, quick in practice.
enum EventDevice {
    /// Opens the device and takes it for this program alone. Without that, every badge number would also be typed into the
    /// console's login prompt and into whatever window has the focus, so a device that cannot be taken is refused.
    /// - Throws: `DeviceError`; then nothing is left open.
    static func open(_ path: String) throws(DeviceError) -> OpenedDescriptors {
        let descriptor = try openNode(path, flags: O_RDONLY)
        guard clinux_grab_input(descriptor) == 0 else {
            let number = errno
            close(descriptor)
            let detail = number == ENOTTY || number == EINVAL ? "this is no input device" : ""
            throw DeviceError(.grab, path: path, errorNumber: number, detail: detail)
        }
        let takenAt = BootClock.now()
        var descriptors = try OpenedDescriptors(duplicating: descriptor, writable: false, name: name(of: descriptor), path: path)
        descriptors.takenAt = takenAt
        return descriptors
    }

    private static func name(of descriptor: Int32) -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        guard clinux_input_name(descriptor, &buffer, buffer.count) == 0 else { return nil }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return name.isEmpty ? nil : name
    }
}

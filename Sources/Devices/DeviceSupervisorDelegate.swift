import Readings

/// Who is told what the site's devices do; always on the supervisor's event loop.
///
/// Between `opened` and `closed` of a device come its bytes and keys; outside of that, nothing.
public protocol DeviceSupervisorDelegate: AnyObject {
    /// The device can be used: the session begins.
    func supervisor(_ supervisor: DeviceSupervisor, opened device: DeviceIndex, as match: DeviceMatch, path: String, at now: Instant)
    /// The device can no longer be used: the session ends, a half frame is worth nothing.
    func supervisor(_ supervisor: DeviceSupervisor, closed device: DeviceIndex, reason: String, at now: Instant)
    /// Bytes as they came; the buffer is valid during the call only.
    func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, received bytes: UnsafeRawBufferPointer, at now: Instant)
    /// One key event: 1 for press, 0 for release, 2 for repeat.
    func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, key code: UInt16, value: Int32, at now: Instant)
    /// Keys were lost: a scan that is under way must not be believed.
    func supervisor(_ supervisor: DeviceSupervisor, overran device: DeviceIndex, at now: Instant)
    /// Bytes were not sent, because the device does not take what it was sent before.
    func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, droppedWrite count: Int)
    /// The status changed, for logs and for whoever watches.
    func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, is status: DeviceStatus)
}

import Readings

/// Who is told what happens on a link; always on its event loop.
public protocol DeviceConnectionDelegate: AnyObject {
    /// The device is open and set up; it can be written from now on.
    func connectionOpened(_ connection: any DeviceLink, at now: Instant)
    /// The device could not be opened. Nothing is left open and nothing more will be said.
    func connection(_ connection: any DeviceLink, failedToOpen error: DeviceError, at now: Instant)
    /// Bytes as they came; the buffer is valid during the call only.
    func connection(_ connection: any DeviceLink, received bytes: UnsafeRawBufferPointer, at now: Instant)
    /// One key event: 1 for press, 0 for release, 2 for repeat.
    func connection(_ connection: any DeviceLink, key code: UInt16, value: Int32, at now: Instant)
    /// Keys were lost. What is being typed is incomplete, and no key is known to be held down.
    func connectionOverran(_ connection: any DeviceLink, at now: Instant)
    /// Bytes were not sent, because the device does not take what it was sent before.
    func connection(_ connection: any DeviceLink, droppedWrite count: Int)
    /// No more bytes will come and none can be sent.
    func connectionClosed(_ connection: any DeviceLink, end: ConnectionEnd, at now: Instant)
    /// The node is free again; only now may it be opened anew.
    func connectionReleased(_ connection: any DeviceLink, at now: Instant)
}

/// How an open connection ended.
public enum ConnectionEnd: Hashable, Sendable, CustomStringConvertible {
    /// The device was unplugged, or the other end of a pseudo-terminal was closed.
    case gone
    /// `DeviceLink.close(reason:)` was called.
    case requested(reason: String)
    case failed(DeviceError)

    public var description: String {
        switch self {
        case .gone: "the device is gone"
        case .requested(let reason): reason
        case .failed(let error): error.description
        }
    }
}

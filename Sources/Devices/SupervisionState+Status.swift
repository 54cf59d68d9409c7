import Readings

extension SupervisionState {
    /// How every device is doing, in the order of the configuration.
    public var statuses: [DeviceStatus] { slots.indices.map(status(at:)) }

    /// nil when there is no such device.
    public func status(of device: DeviceIndex) -> DeviceStatus? {
        slots.indices.contains(Int(device.rawValue)) ? status(at: Int(device.rawValue)) : nil
    }

    /// The device that an attempt is for; nil when the attempt is over or the device no longer configured.
    public func device(of attempt: UInt64) -> DeviceIndex? { attempts[attempt]?.device.map(number) }

    private func status(at index: Int) -> DeviceStatus {
        let slot = slots[index]
        var status = DeviceStatus(
            name: slot.device.name, state: isStopping ? .stopped : .waiting, since: slot.since, path: slot.lastPath,
            profile: slot.lastMatch?.profile, transport: slot.lastMatch?.transport, grabDelay: slot.grabDelay,
            rivals: rivals(of: slot.device), node: slot.lastPath.flatMap { nodes[$0] }, opens: slot.opens, failures: slot.failures,
            retryAt: nil, lastError: slot.lastError)
        switch slot.phase {
        case .waiting: status.portHolder = holder(ofPortOf: index)
        case .backingOff(let until):
            status.state = .backingOff
            status.retryAt = until
        case .busy(let id):
            status.state =
                switch attempts[id]?.stage {
                case .opening: .opening
                case .open: .open
                case .closing, nil: .closing
                }
            status.node = attempts[id]?.node
        }
        return status
    }
}

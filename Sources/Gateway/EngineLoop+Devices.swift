import Devices
import Engine
import Logging
import Profiles
import Readings
import SiteConfiguration

/// What the site's devices do, as inputs of the engine.
extension EngineLoop: DeviceSupervisorDelegate {
    func supervisor(_ supervisor: DeviceSupervisor, opened device: DeviceIndex, as match: DeviceMatch, path: String, at now: Instant) {
        guard let profile = library[match.profile] else { return }
        logger.info("device opened", metadata: ["device": "\(name(device))", "path": "\(path)", "profile": "\(profile.id)"])
        record(.device(.opened(profile: profile.id)), device: device, at: now)
        let program = profile.program(for: site.devices[Int(device.rawValue)])
        input { $0.opened(device, program: program, at: now, into: &$1) }
    }

    func supervisor(_ supervisor: DeviceSupervisor, closed device: DeviceIndex, reason: String, at now: Instant) {
        logger.info("device closed", metadata: ["device": "\(name(device))", "reason": "\(reason)"])
        record(.device(.closed(reason: reason)), device: device, at: now)
        input { $0.closed(device, reason: reason, at: now, into: &$1) }
    }

    func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, received bytes: UnsafeRawBufferPointer, at now: Instant) {
        record(.received(Array(bytes)), device: device, at: now)
        input { $0.received(bytes, from: device, at: now, into: &$1) }
    }

    func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, key code: UInt16, value: Int32, at now: Instant) {
        record(.key(code: code, value: value), device: device, at: now)
        input { $0.key(code, value: value, from: device, at: now, into: &$1) }
    }

    func supervisor(_ supervisor: DeviceSupervisor, overran device: DeviceIndex, at now: Instant) {
        record(.inputLost, device: device, at: now)
        input { $0.inputLost(from: device, at: now, into: &$1) }
    }

    func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, droppedWrite count: Int) {
        logger.warning("device does not take what it is sent", metadata: ["device": "\(name(device))", "bytes": "\(count)"])
    }

    func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, is status: DeviceStatus) {
        if status.state == .backingOff, status.failures == 1, let error = status.lastError {
            logger.warning("device cannot be used", metadata: ["device": "\(status.name)", "error": "\(error)"])
        }
    }
}

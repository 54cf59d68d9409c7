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
        do throws(RadioProblem) {
            let program = try profile.program(for: site.devices[Int(device.rawValue)], layouts: library.layouts)
            let status = supervisor.statuses[Int(device.rawValue)]
            var metadata: Logger.Metadata = ["device": "\(name(device))", "path": "\(path)", "profile": "\(profile.id)"]
            // For so long its keys went to the console too.
            if let delay = status.grabDelay { metadata["taken_ms"] = "\(delay.nanoseconds / 1_000_000)" }
            logger.info("device opened", metadata: metadata)
            for note in status.remarks { logger.notice("device remark", metadata: ["device": "\(name(device))", "note": "\(note)"]) }
            record(.device(.opened(profile: profile.id)), device: device, at: now)
            input { $0.opened(device, program: program, at: now, into: &$1) }
        } catch {
            // Without a session nothing is sent, so nothing is transmitted either.
            logger.error("device not used", metadata: ["device": "\(name(device))", "profile": "\(profile.id)", "problem": "\(error)"])
        }
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

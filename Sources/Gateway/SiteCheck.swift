import Decoding
import Devices
import Profiles
import Readings
import SiteConfiguration
import Upstream

/// What only the profiles can tell of a site: that every profile and keyboard layout named in it is there, that its device can be reached
/// and its reader be set as it says.
public enum SiteCheck {
    /// Profiles that are nowhere, and those that cannot be used because something is wrong in their files.
    public static func problems(of site: Site) -> [TOMLProblem] {
        let library = ProfileLibrary(directories: site.gateway.profileDirectories)
        return missing(in: site, library) + site.devices.compactMap { broken($0, library) }
            + site.devices.compactMap { unreachable($0, library) } + impossible(in: site, library) + shared(in: site, library)
            + ModbusSiteCheck.problems(of: site, library) + unopenable(in: site, library) + templates(in: site)
    }

    /// The same site, if nothing is wrong with its profiles either.
    public static func checked(_ site: Site) -> Result<Site, SiteProblems> {
        let found = problems(of: site)
        return found.isEmpty ? .success(site) : .failure(SiteProblems(problems: found))
    }

    /// Profiles and layouts that are nowhere: names in the site file that dangle.
    static func missing(in site: Site, _ library: ProfileLibrary) -> [TOMLProblem] {
        site.devices.compactMap { layoutProblem($0, library) }
            + site.devices.compactMap { device -> TOMLProblem? in
                guard let id = device.profile, library[id] == nil, broken(device, library) == nil else { return nil }
                let near = library.profiles.map(\.id).filter { $0.contains(id.split(separator: "/").last ?? "") }.prefix(3)
                let reason =
                    "there is no profile \"\(id)\" in \(site.gateway.profileDirectories.joined(separator: " or "))"
                    + (near.isEmpty ? "" : "; is it \(near.joined(separator: ", "))?")
                return problem(device, "profile", reason)
            }
    }

    /// Settings of the radio that the model named in the site file cannot have. A model that is only found by its udev properties is
    /// checked when it is opened.
    static func impossible(in site: Site, _ library: ProfileLibrary) -> [TOMLProblem] {
        site.devices.flatMap { device -> [TOMLProblem] in
            guard let profile = device.profile.flatMap({ library[$0] }) else { return [] }
            return profile.problems(of: device.radio).map { problem(device, "radio.\($0.key)", "\($0.reason) (\(profile.id))") }
        }
    }

    /// A bad profile disables only itself, so a gateway starts all the same; the device waits, and says this.
    static func broken(_ device: Site.Device, _ library: ProfileLibrary) -> TOMLProblem? {
        guard let id = device.profile, library[id] == nil,
            let problem = library.problems.first(where: { $0.file.hasSuffix("/\(id)/profile.toml") })
        else { return nil }
        return self.problem(device, "profile", "the profile \"\(id)\" cannot be used: \(problem)")
    }

    /// A device that is not of the kind that the site file takes it for, such as a keyboard with an address.
    static func unreachable(_ device: Site.Device, _ library: ProfileLibrary) -> TOMLProblem? {
        guard let profile = device.profile.flatMap({ library[$0] }),
            case .failure(let contradiction) = DeviceBinding.transport(of: device, profile)
        else { return nil }
        return problem(device, contradiction.key, contradiction.reason)
    }

    /// Devices in the place of another one: only one of them would ever be connected.
    private static func shared(in site: Site, _ library: ProfileLibrary) -> [TOMLProblem] {
        var owners: [(device: String, place: DevicePlace)] = []
        return site.devices.compactMap { device -> TOMLProblem? in
            guard let profile = device.profile.flatMap({ library[$0] }),
                case .success(let transport) = DeviceBinding.transport(of: device, profile),
                let place = DevicePlace(transport, port: device.port)
            else { return nil }
            guard let owner = owners.first(where: { $0.place.excludes(place) }) else {
                owners.append((device.name, place))
                return nil
            }
            return problem(device, place.key, "the device \"\(owner.device)\" is at \(owner.place.words) already")
        }
    }

    /// Locks that the model named in the site file has no pulse for.
    private static func unopenable(in site: Site, _ library: ProfileLibrary) -> [TOMLProblem] {
        site.stations.compactMap { station -> TOMLProblem? in
            guard case .cabinet(let cabinet) = station.kind, let lock = cabinet.lock,
                let device = site.devices.first(where: { $0.name == lock.device }), let profile = device.profile.flatMap({ library[$0] }),
                profile.plan.feedback[lock.pulse] == nil
            else { return nil }
            return problem(
                device, "profile", "\(profile.id) has no \(lock.pulse.rawValue), with which the lock of \(station.name) is opened")
        }
    }

    /// Templates of mails that cannot be used. A gateway starts with them all the same; the destination waits, and says this.
    private static func templates(in site: Site) -> [TOMLProblem] {
        site.destinations.flatMap { destination -> [TOMLProblem] in
            guard case .mail(let mail) = destination.kind else { return [] }
            return MailTemplates(folder: mail.templates).problems.map {
                TOMLProblem(file: "destination \(destination.name)", line: nil, key: "templates", reason: $0)
            }
        }
    }

    static func problem(_ device: Site.Device, _ key: String, _ reason: String) -> TOMLProblem {
        let origin = device.origin
        guard !origin.file.isEmpty else { return TOMLProblem(file: "device \(device.name)", line: nil, key: key, reason: reason) }
        return TOMLProblem(file: origin.file, line: origin.line, key: "device \(device.name): \(key)", reason: reason)
    }

    /// A layout that is nowhere, or that stands beside a profile without keys.
    static func layoutProblem(_ device: Site.Device, _ library: ProfileLibrary) -> TOMLProblem? {
        guard let layout = device.layout else { return nil }
        var reason: String?
        if library.layouts[layout] == nil {
            reason = "there is no keyboard layout \"\(layout)\"; known: \(library.layouts.keys.sorted().joined(separator: ", "))"
        } else if let profile = device.profile.flatMap({ library[$0] }), !profile.decoder.takesKeys {
            reason = "\(profile.id) is no keyboard: only scanners and badge readers that type have a layout"
        }
        return reason.map { problem(device, "layout", $0) }
    }
}

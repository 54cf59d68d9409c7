import Profiles
import Readings
import SiteConfiguration

/// What only the profiles can tell of a site: that every profile named in it is there.
public enum SiteCheck {
    /// Profiles that are nowhere, and those that cannot be used because something is wrong in their files.
    public static func problems(of site: Site) -> [TOMLProblem] {
        let library = ProfileLibrary(directories: site.gateway.profileDirectories)
        return missing(in: site, library) + site.devices.compactMap { broken($0, library) }
    }

    /// The same site, if nothing is wrong with its profiles either.
    public static func checked(_ site: Site) -> Result<Site, SiteProblems> {
        let found = problems(of: site)
        return found.isEmpty ? .success(site) : .failure(SiteProblems(problems: found))
    }

    /// Profiles that are nowhere: a name in the site file that dangles.
    static func missing(in site: Site, _ library: ProfileLibrary) -> [TOMLProblem] {
        site.devices.compactMap { device -> TOMLProblem? in
            guard let id = device.profile, library[id] == nil, broken(device, library) == nil else { return nil }
            let near = library.profiles.map(\.id).filter { $0.contains(id.split(separator: "/").last ?? "") }.prefix(3)
            let reason =
                "there is no profile \"\(id)\" in \(site.gateway.profileDirectories.joined(separator: " or "))"
                + (near.isEmpty ? "" : "; is it \(near.joined(separator: ", "))?")
            return TOMLProblem(file: "device \(device.name)", line: nil, key: "profile", reason: reason)
        }
    }

    /// A bad profile disables only itself, so a gateway starts all the same; the device waits, and says this.
    static func broken(_ device: Site.Device, _ library: ProfileLibrary) -> TOMLProblem? {
        guard let id = device.profile, library[id] == nil,
            let problem = library.problems.first(where: { $0.file.hasSuffix("/\(id)/profile.toml") })
        else { return nil }
        return TOMLProblem(
            file: "device \(device.name)", line: nil, key: "profile", reason: "the profile \"\(id)\" cannot be used: \(problem)")
    }
}

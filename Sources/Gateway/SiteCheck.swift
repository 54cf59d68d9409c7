import Profiles
import Readings
import SiteConfiguration

/// What only the profiles can tell of a site: that every profile named in it is there, and fits its place.
public enum SiteCheck {
    public static func problems(of site: Site) -> [TOMLProblem] {
        let library = ProfileLibrary(directories: site.gateway.profileDirectories)
        return site.devices.compactMap { device -> TOMLProblem? in
            guard let id = device.profile, library[id] == nil else { return nil }
            let broken = library.problems.first { $0.file.hasSuffix("/\(id)/profile.toml") }
            let near = library.profiles.map(\.id).filter { $0.contains(id.split(separator: "/").last ?? "") }.prefix(3)
            let reason =
                broken.map { "the profile \"\(id)\" cannot be used: \($0)" }
                ?? "there is no profile \"\(id)\" in \(site.gateway.profileDirectories.joined(separator: " or "))"
                + (near.isEmpty ? "" : "; is it \(near.joined(separator: ", "))?")
            return TOMLProblem(file: "device \(device.name)", line: nil, key: "profile", reason: reason)
        }
    }
}

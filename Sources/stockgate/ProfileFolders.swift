import ArgumentParser
import OperatorText
import Profiles
import SiteConfiguration

/// Where profiles are looked for by verbs that need no site file.
struct ProfileFolders: ParsableArguments {
    @Option(name: .customLong("profile-dir"), help: ArgumentHelp(.helpProfileFolders, value: "folder"))
    var folders: [String] = []

    var directories: [String] { folders.isEmpty ? Site.Gateway(code: "", site: "").profileDirectories : folders }

    var library: ProfileLibrary { ProfileLibrary(directories: directories) }
}

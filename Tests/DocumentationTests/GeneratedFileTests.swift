import Foundation
import Profiles
import Testing

/// What is made from the profiles is up to date; `make docs` makes it anew.
@Suite("Files made from the profiles")
struct GeneratedFileTests {
    private static let library = ProfileLibrary(directories: [Document.root.appending(path: "DeviceProfiles").path(percentEncoded: false)])

    private func firstDifference(_ left: String, _ right: String) -> String? {
        let (left, right) = (
            left.split(separator: "\n", omittingEmptySubsequences: false), right.split(separator: "\n", omittingEmptySubsequences: false)
        )
        for position in 0..<max(left.count, right.count) {
            let (one, two) = (position < left.count ? left[position] : "(end)", position < right.count ? right[position] : "(end)")
            if one != two { return "line \(position + 1): \(one) instead of \(two)" }
        }
        return nil
    }

    @Test("The list of devices says what the profiles say; else run: make docs")
    func devices() throws {
        #expect(firstDifference(try Document.contents("docs/devices.md"), Self.library.markdown) == nil)
    }

    @Test("The udev rules know the devices of the profiles; else run: make docs")
    func rules() throws {
        #expect(firstDifference(try Document.contents("udev/70-stockgate.rules"), Self.library.udevRules) == nil)
    }

    @Test("Every device that a profile finds by its USB id is recognised by a rule")
    func everyDevice() {
        let lines = Self.library.udevRules.split(separator: "\n").filter { $0.contains("ENV{STOCKGATE}=\"1\"") && !$0.hasPrefix("#") }
        for profile in Self.library.profiles {
            for rule in profile.rules {
                guard let vendor = rule.properties["ID_VENDOR_ID"], let product = rule.properties["ID_MODEL_ID"] else { continue }
                let isKnown = lines.contains { line in
                    let vendors = line.firstMatch(of: /ATTRS\{idVendor\}=="([^"]*)"/)?.1.split(separator: "|").map(String.init) ?? []
                    let products = line.firstMatch(of: /ATTRS\{idProduct\}=="([^"]*)"/)?.1.split(separator: "|").map(String.init)
                    return vendors.contains(vendor) && (products?.contains(product) ?? true)
                }
                #expect(isKnown, "\(profile.id): \(vendor):\(product)")
            }
        }
    }
}

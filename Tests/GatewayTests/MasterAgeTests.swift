import Readings
import SiteConfiguration
import Testing

@testable import Gateway

/// How old the master data of several sources are together.
@Suite("The age of the master data")
struct MasterAgeTests {
    private static let erp = Site.Source(name: "erp", kind: .pull(.init(url: "https://erp.example.com")))
    private static let badges = Site.Source(name: "badges", kind: .pull(.init(url: "https://badges.example.com")))
    private static let folder = Site.Source(name: "hand", kind: .folder(path: "/master"))

    private static func time(_ hour: Int64) -> WallTime {
        WallTime(milliseconds: 1_795_250_327_224 + hour * 3_600_000, offsetMinutes: 480, quality: .synchronised)
    }

    @Test("They are as old as the source that was silent longest")
    func oldest() {
        let age = MasterAge(seen: ["erp": Self.time(1), "badges": Self.time(5), "hand": Self.time(9)])
        #expect(age.all(of: [Self.erp, Self.badges, Self.folder]) == Self.time(1))
        #expect(age.all(of: [Self.badges, Self.folder]) == Self.time(5))
    }

    @Test("A source that has never answered is missing, whatever the others say")
    func missing() {
        let age = MasterAge(seen: ["erp": Self.time(1), MasterAge.byHand: Self.time(9)])
        #expect(age.all(of: [Self.erp, Self.badges]) == nil)
    }

    @Test("Where nobody can be asked, what came last counts")
    func byHand() {
        #expect(MasterAge().all(of: []) == nil)
        let age = MasterAge(seen: ["hand": Self.time(3), MasterAge.byHand: Self.time(2)])
        #expect(age.all(of: [Self.folder]) == Self.time(3))
        #expect(age.all(of: []) == Self.time(3))
    }
}

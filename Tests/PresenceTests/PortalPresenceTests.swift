import Identifiers
import Readings
import TestSupport
import Testing

@testable import Presence

private func epc(_ number: Int) -> EPC { EPC([0xE2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, UInt8(number)])! }

private struct Dock {
    var presence: PortalPresence
    var now = Instant.zero
    var reports: [PortalReport] = []
    var random = SeededGenerator(seed: 4)
    /// Tags that stand beside the portal and are read all the time.
    var staged: [Int] = []
    /// Tags on the cart that is in the portal.
    var cart: [Int] = []
    var tellsSignal = true

    init(_ settings: PortalPresence.Settings = .init()) {
        presence = PortalPresence(settings: settings, isReading: true)
    }

    mutating func run(seconds: Int64) {
        let end = now + .seconds(seconds)
        while now < end {
            for tag in staged { observe(tag, phase: tag * 4_000 + Int.random(in: -600...600, using: &random), rssi: -6_600) }
            for tag in cart {
                observe(tag, phase: Int.random(in: 0...65_535, using: &random), rssi: Int16.random(in: -62 ... -50, using: &random) * 100)
            }
            now = now + .milliseconds(200)
            reports += presence.advance(to: now)
        }
    }

    private mutating func observe(_ tag: Int, phase: Int, rssi: Int16) {
        var read = TagRead(epc: epc(tag), antenna: 1, rssi: rssi, frequency: 866_300, phase: UInt16(truncatingIfNeeded: phase))
        if !tellsSignal { (read.rssi, read.phase) = (TagRead.noRSSI, nil) }
        presence.observe(read, at: now)
    }
}

@Suite("Portal presence")
struct PortalPresenceTests {
    @Test("A cart opens a transaction by its first tag, which ends when no new tag came for 2 s; the pallets beside it are apart")
    func cart() {
        var dock = Dock()
        dock.staged = [1, 2, 3]
        dock.run(seconds: 60)
        dock.reports = []
        dock.cart = [10, 11, 12]
        let opened = dock.now
        dock.run(seconds: 3)
        dock.cart = []
        dock.run(seconds: 10)
        #expect(dock.reports.count == 1)
        #expect(dock.reports[0].opened == opened)
        #expect(dock.reports[0].openedBy == .tag)
        #expect(dock.reports[0].endedBy == .stable)
        #expect(dock.reports[0].moved.map(\.epc) == [epc(10), epc(11), epc(12)])
        #expect(dock.reports[0].staged.map(\.epc) == [epc(1), epc(2), epc(3)])
        #expect(dock.reports[0].uncertain.isEmpty)
    }

    @Test("A pallet that is put down beside the portal opens one transaction and is staged from then on")
    func staging() {
        var dock = Dock()
        dock.staged = [1]
        dock.run(seconds: 300)
        #expect(dock.reports.count == 1)
        #expect(dock.reports[0].moved.isEmpty)
        #expect(dock.reports[0].staged.map(\.epc) == [epc(1)])
    }

    @Test("The beam holds a transaction open, to 30 s at most; then another one goes on")
    func trigger() {
        var settings = PortalPresence.Settings()
        settings.opensOnTag = false
        var dock = Dock(settings)
        dock.cart = [9]
        dock.run(seconds: 2)
        #expect(!dock.presence.isOpen)
        dock.presence.trigger(isActive: true, at: dock.now)
        dock.cart = []
        dock.run(seconds: 10)
        #expect(dock.presence.isOpen)
        dock.presence.trigger(isActive: false, at: dock.now)
        dock.run(seconds: 3)
        // Read ahead of the beam, and so of this transaction.
        #expect(dock.reports.map { $0.moved.map(\.epc) } == [[epc(9)]])
        #expect(dock.reports[0].openedBy == .trigger)
        dock.presence.trigger(isActive: true, at: dock.now)
        dock.run(seconds: 31)
        #expect(dock.reports.last?.endedBy == .limit)
        #expect(dock.reports.last?.number == 2)
    }

    @Test("What is expected is a prior and no proof: a staged tag stays staged, a tag never read is missing")
    func expected() {
        var dock = Dock()
        dock.staged = [1]
        dock.run(seconds: 60)
        dock.reports = []
        dock.presence.expect([epc(1), epc(10), epc(20)])
        dock.cart = [10, 30]
        dock.run(seconds: 3)
        dock.cart = []
        dock.run(seconds: 5)
        #expect(dock.reports[0].moved.map(\.epc).contains(epc(10)))
        #expect(dock.reports[0].staged.map(\.epc) == [epc(1)])
        #expect(dock.reports[0].missing == [epc(20)])
        // Seen to move and new, though nobody expected it.
        #expect(dock.reports[0].moved.first { $0.epc == epc(30) }?.isExpected == false)
    }

    @Test("Without signal and phase new tags have moved, unless another delivery was expected: then it is not certain")
    func bare() {
        var dock = Dock()
        dock.tellsSignal = false
        dock.cart = [10]
        dock.run(seconds: 3)
        dock.cart = []
        dock.run(seconds: 5)
        #expect(dock.reports[0].moved.map(\.epc) == [epc(10)])
        dock.presence.expect([epc(40)])
        dock.cart = [11]
        dock.run(seconds: 3)
        dock.cart = []
        dock.run(seconds: 5)
        #expect(dock.reports[1].uncertain.map(\.epc) == [epc(11)])
    }

    @Test("A reader that stops does not make the set stable; the transaction says that it was not seen whole")
    func outage() {
        var dock = Dock()
        dock.cart = [10]
        dock.run(seconds: 1)
        dock.presence.readerChanged(isReading: false, at: dock.now)
        dock.cart = []
        dock.run(seconds: 8)
        #expect(dock.presence.isOpen)
        dock.presence.readerChanged(isReading: true, at: dock.now)
        dock.cart = [10, 11]
        dock.run(seconds: 2)
        dock.cart = []
        dock.run(seconds: 5)
        #expect(dock.reports.count == 1)
        #expect(dock.reports[0].isDegraded)
        #expect(dock.reports[0].moved.map(\.epc) == [epc(10), epc(11)])
    }

    @Test("After a restart the pallets that stood there still do")
    func restored() {
        var dock = Dock()
        dock.staged = [1, 2]
        dock.run(seconds: 60)
        let rows = dock.presence.takeChanges()
        #expect(rows.count == 3)
        #expect(dock.presence.takeChanges().isEmpty)
        dock.presence = PortalPresence(isReading: true, restoring: rows, at: dock.now)
        dock.reports = []
        dock.run(seconds: 60)
        #expect(dock.reports.isEmpty)
        dock.cart = [5]
        dock.run(seconds: 5)
        #expect(dock.presence.isOpen || dock.reports.last?.number == 2)
        dock.staged = []
        dock.cart = []
        dock.run(seconds: 700)
        #expect(dock.presence.knownTags == 0)
        #expect(dock.presence.takeChanges().filter { $0.value == nil }.count == 2)
    }
}

import Foundation
import Ledger
import Readings
import SiteConfiguration
import Synchronization
import Testing

@testable import Upstream

/// A reminder waits like every other event, and is said only if it is still so.
@Suite struct ReminderBoardTests {
    /// Takes everything; notes number and the number before.
    private final class Taker: Destination {
        let seen = Mutex<[[Int64]]>([])
        let answers = Mutex<[Result<Receipt, DeliveryError>]>([])
        let needsPredecessors = true
        let tellsPeople: Bool

        init(tellsPeople: Bool = true) { self.tellsPeople = tellsPeople }

        func deliver(_ batch: [OutgoingEvent]) throws(DeliveryError) -> Receipt {
            seen.withLock { $0 += batch.map { [$0.sequence, $0.after] } }
            let answer = answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            return try answer?.get() ?? Receipt(upTo: batch.last?.sequence ?? 0, delivered: batch.count)
        }

        func look() -> [[Int64]] {
            seen.withLock { seen in
                defer { seen = [] }
                return seen
            }
        }
    }

    private func worker(_ log: MemoryLog, _ taker: Taker, _ board: ReminderBoard) -> DeliveryWorker {
        DeliveryWorker(
            name: "hub", filter: EventFilter(types: []), batch: 100, log: log, destination: taker, reminders: board,
            backOff: BackOff(base: 1, maximum: 1))
    }

    private func run(_ worker: inout DeliveryWorker) {
        while case .again = worker.step(random: { 0.5 }, publish: { _ in }).next {}
    }

    private func isTrue(_ scene: ReminderScene, _ event: StoredEvent) throws -> Bool {
        let reminder = try #require(try SampleEvents.outgoing([event]).first?.reminder)
        return scene.board.isStillTrue(loan: reminder.loan, items: reminder.items, due: reminder.due, step: reminder.step)
    }

    @Test func returnedRenewedTransferredLostAndSuperseded() throws {
        let soon = ReminderScene.reminder(5, loan: 1, ["TOOL-1", "TOOL-2"], borrower: "p-1", step: .dueSoon)
        let late = ReminderScene.reminder(6, loan: 1, ["TOOL-1", "TOOL-2"], borrower: "p-1", step: .overdueFirst)
        let later = ReminderScene.reminder(7, loan: 1, ["TOOL-1", "TOOL-2"], borrower: "p-1", step: .overdueThird)
        var scene = try ReminderScene([("TOOL-1", 1, "p-1"), ("TOOL-2", 1, "p-1")])
        #expect(try isTrue(scene, soon) && isTrue(scene, late))
        // Said once, it is still so; when it is overdue, it is no longer due soon; that it is overdue stays so.
        _ = try scene.commit(soon)
        #expect(try isTrue(scene, soon))
        _ = try scene.commit(late)
        #expect(try !isTrue(scene, soon) && isTrue(scene, late))
        _ = try scene.commit(later)
        #expect(try isTrue(scene, late) && isTrue(scene, later))
        // A part of it is back, then the rest.
        _ = try scene.commit(ReminderScene.giveBack(8, loan: 1, "TOOL-1", borrower: "p-1"))
        #expect(try isTrue(scene, late))
        _ = try scene.commit(ReminderScene.giveBack(9, loan: 1, "TOOL-2", borrower: "p-1"))
        #expect(try !isTrue(scene, late) && !isTrue(scene, later))
        // Taken out again: another loan. Renewed: another time.
        let again = try ReminderScene([("TOOL-1", 2, "p-1"), ("TOOL-2", 2, "p-1")])
        #expect(try !isTrue(again, late))
        #expect(
            try !isTrue(again, ReminderScene.reminder(9, loan: 2, ["TOOL-1"], borrower: "p-1", due: "2026-12-05T18:00:00.000+08:00")))
        // The same moment in another zone is the same time.
        #expect(try isTrue(again, ReminderScene.reminder(9, loan: 2, ["TOOL-1"], borrower: "p-1", due: "2026-11-28T10:00:00.000Z")))
    }

    @Test func whatIsNoLongerTrueIsPassedOverAndTheChainHolds() throws {
        var scene = try ReminderScene([("TOOL-1", 1, "p-1"), ("TOOL-2", 2, "p-2")])
        let taker = Taker()
        var events = [SampleEvents.checkout(1), SampleEvents.checkout(2)]
        events.append(try scene.commit(ReminderScene.reminder(3, loan: 1, ["TOOL-1"], borrower: "p-1")))
        events.append(try scene.commit(ReminderScene.reminder(4, loan: 2, ["TOOL-2"], borrower: "p-2")))
        events.append(try scene.commit(ReminderScene.giveBack(5, loan: 1, "TOOL-1", borrower: "p-1")))
        let log = MemoryLog(events)
        var worker = worker(log, taker, scene.board)
        run(&worker)
        #expect(taker.look() == [[1, 0], [2, 1], [4, 2], [5, 4]])
        #expect(log.snapshot.cursor == 5)
        #expect(worker.status.counters.outdated == 1 && worker.status.counters.delivered == 4)
        #expect(worker.status.counters.passedOver == 0)
        // A record gets everything.
        let record = Taker(tellsPeople: false)
        var other = self.worker(MemoryLog(events), record, scene.board)
        run(&other)
        #expect(record.look() == [[1, 0], [2, 1], [3, 2], [4, 3], [5, 4]])
        // After a start nobody knows which reminders went out: the event before is one that did for certain.
        log.append([try scene.commit(ReminderScene.reminder(6, loan: 2, ["TOOL-2"], borrower: "p-2", step: .overdueSecond))])
        run(&worker)
        #expect(taker.look() == [[6, 5]])
        log.append([try scene.commit(SampleEvents.modeChange(7)), try scene.commit(SampleEvents.checkout(8))])
        worker = self.worker(log, taker, scene.board)
        run(&worker)
        #expect(taker.look() == [[8, 5]])
    }

    /// Judged once, a reminder does not come back behind events that went out meanwhile.
    @Test func whatWasPassedOverStaysSo() throws {
        var scene = try ReminderScene([("TOOL-1", 1, "p-1")])
        let reminder = try scene.commit(ReminderScene.reminder(2, loan: 1, ["TOOL-1"], borrower: "p-1"))
        let before = scene.state
        let back = try scene.commit(ReminderScene.giveBack(3, loan: 1, "TOOL-1", borrower: "p-1"))
        let (taker, log) = (Taker(), MemoryLog([SampleEvents.checkout(1), reminder, back]))
        var worker = worker(log, taker, scene.board)
        taker.answers.withLock { $0 = [.failure(.retryable("down"))] }
        run(&worker)
        #expect(taker.look() == [[1, 0], [3, 1]] && log.snapshot.cursor == 0)
        // The return is withdrawn before anything was settled.
        scene.board.replace(with: before)
        scene.board.take([], upTo: 3)
        run(&worker)
        #expect(taker.look() == [[1, 0], [3, 1]] && log.snapshot.cursor == 3)
        #expect(worker.status.counters.outdated == 1)
    }

    /// The log is ahead of the board for a moment: a reminder of a loan that the board has not heard of is not taken for untrue.
    @Test func theBoardIsWaitedFor() throws {
        let board = ReminderBoard()
        let scene = try ReminderScene([("TOOL-1", 1, "p-1")])
        board.replace(with: LedgerState())
        let taker = Taker()
        let log = MemoryLog([SampleEvents.checkout(1), ReminderScene.reminder(2, loan: 1, ["TOOL-1"], borrower: "p-1")])
        var worker = worker(log, taker, board)
        let step = worker.step(random: { 0.5 }, publish: { _ in })
        guard case .pause = step.next else { return #expect(Bool(false)) }
        #expect(taker.look() == [] && log.snapshot.cursor == 0)
        board.take(scene.state.rows, upTo: 2)
        run(&worker)
        #expect(taker.look() == [[1, 0], [2, 1]])
    }

    /// Mail server and webhook receiver are away for a day of reminders, returns and restarts: then what is still true is said, once.
    @Test func bothServersAreDownForADay() throws {
        let (mailPort, hookPort) = (try MailServer().freed(), try WebhookReceiver().freed())
        var scene = try ReminderScene((1...6).map { ("TOOL-\($0)", Int64($0), "p-1") })
        var events: [StoredEvent] = []
        func add(_ event: StoredEvent) throws { events.append(try scene.commit(event)) }
        for number in Int64(1)...6 {
            try add(ReminderScene.reminder(number, loan: number, ["TOOL-\(number)"], borrower: "p-1", step: .dueToday))
        }
        let log = (mail: MemoryLog(events), hook: MemoryLog(events))
        func loops() throws -> [DeliveryLoop] {
            let server = Site.Destination.Mail(
                host: "127.0.0.1", port: mailPort, encryption: .none, from: try #require(MailAddress("stockgate@example.com")))
            let (mailStop, hookStop) = (StopSignal(), StopSignal())
            let mail = try MailDestination(server, gateway: ReminderScene.gateway, reminders: scene.board, stopSignal: mailStop)
            let hook = try WebhookDestination(
                .init(url: "http://127.0.0.1:\(hookPort)/hook", timeoutSeconds: 10), uriPrefix: "https://gateway.example.com",
                gatewayCode: "CRIB1", batch: 3, stopSignal: hookStop)
            let backOff = BackOff(base: 5, maximum: 20)
            return [
                DeliveryLoop(
                    name: "mail", types: Site.Destination.Mail.types, batch: 3, log: log.mail, destination: mail, reminders: scene.board,
                    stopSignal: mailStop, backOff: backOff),
                DeliveryLoop(
                    name: "hook", types: ["loan.*"], batch: 3, log: log.hook, destination: hook, reminders: scene.board,
                    stopSignal: hookStop, backOff: backOff),
            ]
        }
        func wait(for loops: [DeliveryLoop], _ isMet: (DeliveryStatus) -> Bool) -> Bool {
            let end = Date(timeIntervalSinceNow: 20)
            while Date() < end {
                if loops.allSatisfy({ isMet($0.status()) }) { return true }
                Thread.sleep(forTimeInterval: 0.01)
            }
            return false
        }
        func append(_ new: StoredEvent...) throws {
            for event in new { try add(event) }
            log.mail.append(new)
            log.hook.append(new)
        }
        let first = try loops()
        for loop in first { try loop.start() }
        #expect(wait(for: first) { $0.counters.failures >= 3 && $0.state == .backingOff })
        // 1 comes back; 2 and 3 are overdue the next morning, 3 comes back after that; the gateway is started anew in between.
        try append(ReminderScene.giveBack(7, loan: 1, "TOOL-1", borrower: "p-1"))
        for loop in first { #expect(loop.stop()) }
        try append(
            ReminderScene.reminder(8, loan: 2, ["TOOL-2"], borrower: "p-1", step: .overdueFirst),
            ReminderScene.reminder(9, loan: 3, ["TOOL-3"], borrower: "p-1", step: .overdueFirst))
        let second = try loops()
        for loop in second { try loop.start() }
        #expect(wait(for: second) { $0.counters.failures >= 3 })
        try append(ReminderScene.giveBack(10, loan: 3, "TOOL-3", borrower: "p-1"))

        let mailServer = try MailServer(port: mailPort)
        let receiver = try WebhookReceiver(port: hookPort)
        #expect(log.mail.wait { $0.cursor == 10 } && log.hook.wait { $0.cursor == 10 })
        #expect(wait(for: second) { $0.state == .idle })
        // Still true: 4, 5 and 6 are due today, 2 is overdue.
        let identifiers = try mailServer.mails().compactMap { $0["headers"]?["message-id"]?.string }
        #expect(identifiers == ([4, 5, 6, 8] as [Int64]).map { "<\(SampleEvents.id($0)).borrower@example.com>" })
        #expect(try receiver.events() == [4, 5, 6, 7, 8, 10].map(SampleEvents.id))
        #expect(try receiver.count("duplicates") == 0)
        #expect(second.map { $0.status().counters.outdated } == [4, 4])
        #expect(second[0].status().counters.delivered == 4 && second[1].status().counters.delivered == 6)
        for loop in second { #expect(loop.stop()) }
        // Nothing comes again after another start.
        let third = try loops()
        for loop in third { try loop.start() }
        #expect(wait(for: third) { $0.state == .idle })
        #expect(try mailServer.count("mails") == 4)
        for loop in third { #expect(loop.stop()) }
    }
}

extension MailServer {
    /// Ends it; its port stands empty.
    fileprivate func freed() -> UInt16 {
        stop()
        return port
    }
}

extension WebhookReceiver {
    fileprivate func freed() throws -> UInt16 {
        let port = try #require(UInt16(url.dropFirst("http://127.0.0.1:".count).prefix { $0 != "/" }))
        stop()
        return port
    }
}

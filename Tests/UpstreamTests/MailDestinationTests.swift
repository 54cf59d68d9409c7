import Foundation
import HTTPClient
import Ledger
import Readings
import SiteConfiguration
import Testing

@testable import Upstream

/// What people get to read, and what becomes of mails that a server does not take.
@Suite struct MailDestinationTests {
    private func destination(
        _ configuration: Site.Destination.Mail, _ scene: ReminderScene, stopSignal: StopSignal = StopSignal(),
        clock: @escaping @Sendable () -> Int64 = MailDestination.monotonic
    ) throws -> MailDestination {
        try MailDestination(
            configuration, gateway: ReminderScene.gateway, reminders: scene.board, stopSignal: stopSignal, clock: clock)
    }

    private func outgoing(_ events: StoredEvent...) throws -> [OutgoingEvent] { try SampleEvents.outgoing(events) }

    // MARK: What is written

    @Test func englishMail() throws {
        let server = try MailServer()
        let scene = try ReminderScene([("TOOL-1", 1, "p-1"), ("TOOL-2", 1, "p-1"), ("TOOL-3", 2, "p-1")])
        let event = ReminderScene.reminder(7, loan: 1, ["TOOL-1", "TOOL-2"], borrower: "p-1")
        #expect(try destination(server.configuration(), scene).deliver(outgoing(event)) == Receipt(upTo: 7, delivered: 1))
        let mail = try #require(try server.mails().first)
        #expect(mail["sender"] == "stockgate@example.com" && mail["recipients"] == ["ann.li@example.com"])
        #expect(mail["from"] == ["name": "Plant 2", "address": "stockgate@example.com"])
        #expect(mail["to"] == [["name": "Ann Li", "address": "ann.li@example.com"]])
        #expect(mail["subject"] == "Overdue: Drill 1 and 1 more")
        #expect(
            mail["body"]?.string == """
                Hello Ann Li,

                these should have been back by 2026-11-28 18:00; please bring them back now:

                  - Drill 1 (TOOL-1)
                  - 电钻 (TOOL-2)

                Loan \(ReminderScene.loan(1)), first reminder, Plant 2.

                -- \nSent by the Stockgate gateway CRIB1. Nobody reads answers.

                """)
        #expect(mail["headers"]?["message-id"]?.string == "<\(SampleEvents.id(7)).borrower@example.com>")
        #expect(mail["headers"]?["auto-submitted"] == "auto-generated")
        #expect(mail["headers"]?["content-language"] == "en")
        #expect(mail["type"] == "text/plain" && mail["charset"] == "utf-8")
        #expect(mail["defects"] == [] && mail["bare"] == 0 && mail["ascii"] == true)
        #expect(mail["longest_line"]?.integer ?? 99 <= 78)
        let date = try #require(mail["date"]?.string.flatMap { WallTime(rfc3339: $0) })
        #expect(abs(Double(date.milliseconds) / 1_000 - Date().timeIntervalSince1970) < 60)
        #expect(
            mail["names"] == [
                "date", "from", "to", "subject", "message-id", "auto-submitted", "x-auto-response-suppress", "mime-version",
                "content-type", "content-language", "content-transfer-encoding",
            ])
    }

    @Test func chineseMailAndEveryRecipientInTheirOwnLanguage() throws {
        let server = try MailServer()
        let scene = try ReminderScene([("TOOL-2", 1, "p-4"), ("TOOL-1", 2, "p-1")])
        let destination = try destination(server.configuration(language: .chinese), scene)
        let events = [
            ReminderScene.reminder(7, loan: 1, ["TOOL-2"], borrower: "p-4", step: .dueSoon),
            ReminderScene.reminder(
                8, loan: 2, ["TOOL-1"], borrower: "p-1", step: .overdueSecond, to: [.borrower, .supervisor, .storekeeper]),
        ]
        #expect(try destination.deliverInParts(SampleEvents.outgoing(events)) == Receipt(upTo: 8, delivered: 2))
        let mails = try server.mails()
        #expect(
            mails.map { $0["subject"]?.string } == [
                "请于 2026-11-28 18:00 前归还：电钻", "已逾期：Drill 1", "Ann Li 借用的 Drill 1 已逾期", "Ann Li 借用的 Drill 1 已逾期",
            ])
        #expect(mails.map { $0["to"]?.array?.first?["name"]?.string } == ["李雷", "Ann Li", "Bo", ""])
        #expect(try server.recipients() == ["lei@example.com", "ann.li@example.com", "bo@example.com", "crib@example.com"])
        #expect(
            mails[0]["body"]?.string == """
                李雷，您好：

                您借用的以下物品请于 2026-11-28 18:00 前归还：

                  - 电钻 (TOOL-2)

                借用单 \(ReminderScene.loan(1))，Plant 2。

                -- \n本邮件由 Stockgate 网关 CRIB1 自动发出，请勿回复。

                """)
        #expect(mails[3]["body"]?.string?.hasPrefix("库管员您好：\n\nAnn Li 借用的以下物品应于 2026-11-28 18:00 前归还，至今未还：\n\n") == true)
        #expect(Set(mails.compactMap { $0["headers"]?["message-id"]?.string }).count == 4)
        for mail in mails { #expect(mail["defects"] == [] && mail["ascii"] == true && mail["bare"] == 0) }
    }

    @Test func onlyWhatIsStillOutIsNamed() throws {
        let server = try MailServer()
        var scene = try ReminderScene([("TOOL-1", 1, "p-1"), ("TOOL-2", 1, "p-1")])
        let event = ReminderScene.reminder(7, loan: 1, ["TOOL-1", "TOOL-2"], borrower: "p-1", step: .dueToday)
        _ = try scene.commit(event)
        _ = try scene.commit(ReminderScene.giveBack(8, loan: 1, "TOOL-1", borrower: "p-1"))
        let destination = try destination(server.configuration(), scene)
        #expect(try destination.deliver(outgoing(event)).delivered == 1)
        let mail = try #require(try server.mails().first)
        #expect(mail["subject"] == "Due today: 电钻")
        #expect(mail["body"]?.string?.contains("TOOL-1") == false)
        _ = try scene.commit(ReminderScene.giveBack(9, loan: 1, "TOOL-2", borrower: "p-1"))
        var expected = Receipt(upTo: 7)
        expected.outdated = 1
        #expect(try destination.deliver(outgoing(event)) == expected)
        #expect(try server.count("mails") == 1)
    }

    @Test func whoCannotBeReachedIsToldByTheStorekeeper() throws {
        let server = try MailServer()
        let scene = try ReminderScene([("TOOL-1", 1, "p-3"), ("TOOL-2", 2, "p-4"), ("TOOL-3", 3, "p-9")])
        let destination = try destination(server.configuration(), scene)
        let to: [ReminderRecipient] = [.borrower, .supervisor]
        var expected = Receipt(upTo: 7, delivered: 1)
        expected.withoutAddress = 1
        #expect(try destination.deliver(outgoing(ReminderScene.reminder(7, loan: 1, ["TOOL-1"], borrower: "p-3"))) == expected)
        expected.upTo = 8
        #expect(try destination.deliver(outgoing(ReminderScene.reminder(8, loan: 2, ["TOOL-2"], borrower: "p-4", to: to))) == expected)
        expected.upTo = 9
        // Of somebody who is in no master data the key is all that is known.
        #expect(try destination.deliver(outgoing(ReminderScene.reminder(9, loan: 3, ["TOOL-3"], borrower: "p-9", to: to))) == expected)
        let mails = try server.mails()
        #expect(try server.recipients() == ["crib@example.com", "lei@example.com", "crib@example.com", "crib@example.com"])
        let (none, superior) = (
            "No mail address of the borrower is known: please tell them.",
            "No mail address of the borrower's supervisor is known: please tell them."
        )
        #expect(mails[0]["body"]?.string?.contains("Cy has not brought back") == true)
        #expect(mails[0]["body"]?.string?.contains(none) == true)
        #expect(mails[2]["body"]?.string?.contains(superior) == true && mails[2]["body"]?.string?.contains(none) == false)
        #expect(mails[3]["subject"] == "p-9: Drill 3, overdue since 2026-11-28 18:00")
        #expect(mails[3]["body"]?.string?.contains(none) == true && mails[3]["body"]?.string?.contains(superior) == true)
        // Nobody at all: no mail, no error, no loop.
        let alone = try self.destination(server.configuration(storekeepers: []), scene)
        var nobody = Receipt(upTo: 7, passedOver: 1)
        nobody.withoutAddress = 1
        #expect(try alone.deliver(outgoing(ReminderScene.reminder(7, loan: 1, ["TOOL-1"], borrower: "p-3"))) == nobody)
        #expect(try server.count("mails") == 4)
    }

    @Test func oneMailForOneAddress() throws {
        let server = try MailServer()
        let scene = try ReminderScene([("TOOL-1", 1, "p-1")])
        let destination = try destination(server.configuration(storekeepers: ["BO@example.com", "crib@example.com"]), scene)
        let event = ReminderScene.reminder(7, loan: 1, ["TOOL-1"], borrower: "p-1", to: [.storekeeper, .supervisor, .borrower])
        #expect(try destination.deliver(outgoing(event)).delivered == 1)
        #expect(try server.recipients() == ["ann.li@example.com", "bo@example.com", "crib@example.com"])
    }

    /// Names are what somebody wrote: they stay names.
    @Test(arguments: [
        "Li\r\nBcc: all@example.com", "\"Li\", <x@example.com>", "Li <x@example.com>, Bo", "=?UTF-8?B?TGk=?=", "a\\\"b", "  Li  ",
        "李雷\u{0}\u{1B}[2J", "Zoë (storekeeper); group:", String(repeating: "长", count: 85), String(repeating: "long ", count: 51),
        "👩‍🔧 Ann", ",", "\u{202E}evil",
    ])
    func hostileNames(name: String) throws {
        let server = try MailServer()
        let connection = try MailConnectionForTests(server)
        let message = MailMessage(
            from: try #require(MailAddress("stockgate@example.com")), fromName: name, to: try #require(MailAddress("li@example.com")),
            toName: name, subject: name, body: "\(name)\n.\n..\nFrom \(name)\n", language: .english,
            date: try #require(WallTime(rfc3339: "2026-11-29T07:05:09+08:00")), identifier: "e-1")
        try connection.send(message)
        let mail = try #require(try server.mails().first)
        // Control and direction characters become blanks; blanks at the ends of a header mean nothing.
        let shown = MailHeader.plain(name)
        #expect(mail["subject"]?.string == shown)
        #expect(mail["to"]?.array?.count == 1)
        #expect(mail["to"]?.array?.first?["address"] == "li@example.com" && mail["from"]?["address"] == "stockgate@example.com")
        #expect(mail["to"]?.array?.first?["name"]?.string == shown)
        #expect(mail["from"]?["name"]?.string == shown)
        #expect(mail["body"]?.string == MailHeader.plain("\(name)\n.\n..\nFrom \(name)\n", keepsLines: true))
        #expect(mail["names"]?.array?.count == 11 && mail["defects"] == [] && mail["ascii"] == true && mail["bare"] == 0)
        #expect(mail["date"] == "2026-11-29T07:05:09+08:00")
        #expect(mail["longest_line"]?.integer ?? 99 <= 76)
        #expect(shown.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control && $0.properties.generalCategory != .format })
    }

    @Test func templatesOfTheSite() throws {
        let server = try MailServer()
        let folder = try TemporaryFolder()
        let scene = try ReminderScene([("TOOL-1", 1, "p-1"), ("TOOL-2", 1, "p-1")])
        let destination = try destination(server.configuration(templates: folder.path), scene)
        func write(_ name: String, _ text: String) throws {
            try text.write(toFile: folder.path + "/" + name, atomically: true, encoding: .utf8)
        }
        func event(_ sequence: Int64, _ step: ReminderStep) throws -> [OutgoingEvent] {
            try outgoing(ReminderScene.reminder(sequence, loan: 1, ["TOOL-1", "TOOL-2"], borrower: "p-1", step: step))
        }
        try write("overdue-borrower.en.txt", "Subject: {count} of {loan}\r\n\r\n{borrower}: {items}\r\n{{step}} {not closed")
        try write("overdue_3-borrower.en.txt", "Subject: last word\n\nNow.")
        #expect(MailTemplates(folder: folder.path).problems.isEmpty == false)
        let broken = #expect(throws: DeliveryError.self) { try destination.deliver(event(1, .overdueFirst)) }
        let names = "{recipient}, {borrower}, {items}, {summary}, {count}, {loan}, {due}, {step}, {site}, {gateway}"
        #expect(broken?.description == "\(folder.path)/overdue-borrower.en.txt: {{step} is none of \(names)")
        // Mended without a restart.
        try write("overdue-borrower.en.txt", "Subject: {count} of {loan}\r\n\r\n{borrower}:\r\n{items}\r\n{step} {not closed")
        #expect(MailTemplates(folder: folder.path).problems == [])
        for (sequence, step) in [(1, ReminderStep.overdueFirst), (2, .overdueThird), (3, .dueSoon)] {
            #expect(try destination.deliver(event(Int64(sequence), step)).delivered == 1)
        }
        let mails = try server.mails()
        let subjects = ["2 of \(ReminderScene.loan(1))", "last word", "Due 2026-11-28 18:00: Drill 1 and 1 more"]
        #expect(mails.map { $0["subject"]?.string } == subjects)
        #expect(
            mails[0]["body"]?.string?.hasPrefix(
                "Ann Li:\n  - Drill 1 (TOOL-1)\n  - 电钻 (TOOL-2)\nfirst reminder {not closed\n\n-- \n") == true)
        for (name, text, part) in [
            ("overdue.en.txt", "Subject: x\n\ny", "no mail has this name"), ("overdue-borrower.zh.txt", "x", "must be \"Subject: …\""),
            ("overdue-storekeeper.zh.txt", "Subject: x\ny", "an empty line and the text must follow"),
            ("due_soon-borrower.zh.txt", "Subject: x\n\n" + String(repeating: "x", count: 70_000), "is larger than 64 KiB"),
        ] {
            try write(name, text)
            let problems = MailTemplates(folder: folder.path).problems
            #expect(problems.count == 1 && problems.first?.contains(part) == true, "\(problems)")
            try FileManager.default.removeItem(atPath: folder.path + "/" + name)
        }
        #expect(MailTemplates(folder: "/nowhere").problems == ["/nowhere: cannot be read"])
    }

    // MARK: Addresses

    @Test func addressesBeyondASCIINeedSMTPUTF8() throws {
        let rows =
            [MasterRow(set: .people, id: "1", body: ["key": "p-1", "name": "李雷", "email": "李雷@example.com"])] + ReminderScene.items
        let scene = try ReminderScene([("TOOL-1", 1, "p-1")], rows: rows)
        let event = ReminderScene.reminder(7, loan: 1, ["TOOL-1"], borrower: "p-1")
        let able = try MailServer()
        #expect(try destination(able.configuration(), scene).deliver(outgoing(event)) == Receipt(upTo: 7, delivered: 1))
        #expect(try able.recipients() == ["李雷@example.com"])
        #expect(try able.mails().first?["options"]?.array?.contains("SMTPUTF8") == true)
        let unable = try MailServer([:], ["--no-utf8"])
        let receipt = try destination(unable.configuration(), scene).deliver(outgoing(event))
        #expect(
            receipt.rejections == [
                .init(sequence: 7, reason: "to the borrower: the address has letters beyond ASCII, and the server offers no SMTPUTF8")
            ])
        #expect(try unable.count("mails") == 0)
    }

    // MARK: What a server refuses

    @Test(
        arguments: [
            (
                ["recipient": "550 5.1.1 <ann.li@example.com>: ann.li is unknown here", "only": "ann.li@example.com"],
                "to the borrower: the server refused it: 550 5.1.1 (address) (address) is unknown here"
            ),
            (["content": "554 5.7.1 spam", "only": "ann.li@example.com"], "to the borrower: the server refused it: 554 5.7.1 spam"),
        ] as [(JSON, String)])
    func oneAddressIsRefusedForGood(behaviour: JSON, reason: String) throws {
        let server = try MailServer(behaviour)
        let scene = try ReminderScene([("TOOL-1", 1, "p-1"), ("TOOL-2", 2, "p-2")])
        let destination = try destination(server.configuration(), scene)
        let event = ReminderScene.reminder(7, loan: 1, ["TOOL-1"], borrower: "p-1", to: [.borrower, .supervisor])
        let receipt = try destination.deliver(outgoing(event))
        #expect(receipt.upTo == 7 && receipt.delivered == 0)
        #expect(receipt.rejections == [.init(sequence: 7, reason: reason)])
        // The others are told, and the queue goes on.
        #expect(try destination.deliver(outgoing(ReminderScene.reminder(8, loan: 2, ["TOOL-2"], borrower: "p-2"))).delivered == 1)
        #expect(try server.recipients() == ["bo@example.com", "bo@example.com"])
    }

    @Test func aServerThatRefusesEverybodyIsWrong() throws {
        let server = try MailServer(["recipient": "550 no"])
        let scene = try ReminderScene([("TOOL-1", 1, "p-1")])
        let destination = try destination(server.configuration(), scene)
        func event(_ sequence: Int64) throws -> [OutgoingEvent] {
            try outgoing(ReminderScene.reminder(sequence, loan: 1, ["TOOL-1"], borrower: "p-1"))
        }
        for sequence in 1...20 { #expect(try destination.deliver(event(Int64(sequence))).rejections.count == 1) }
        let error = #expect(throws: DeliveryError.self) { try destination.deliver(event(21)) }
        guard case .refused(let reason)? = error else { return #expect(Bool(false)) }
        #expect(reason.hasPrefix("the server refused the last 20 mails"))
        try server.control(["recipient": .null])
        #expect(try destination.deliver(event(21)).delivered == 1)
    }

    @Test(arguments: ["recipient", "data", "content"])
    func aDelayIsWaitedOutForADay(stage: String) throws {
        let server = try MailServer([stage: "452 4.2.2 mailbox full", "only": stage == "data" ? .null : "bo@example.com"])
        let scene = try ReminderScene([("TOOL-1", 1, "p-1")])
        let time = Guarded<Int64>(0)
        let destination = try destination(server.configuration(), scene, clock: { time.read { $0 } })
        let event = try outgoing(ReminderScene.reminder(7, loan: 1, ["TOOL-1"], borrower: "p-1", to: [.borrower, .supervisor]))
        for hours in [Int64(0), 1, 23] {
            time.update { $0 = hours * 3_600_000 }
            let error = #expect(throws: DeliveryError.self) { try destination.deliver(event) }
            guard case .retryable(let reason, _)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
            #expect(reason.contains("the server put it off: 452 4.2.2 mailbox full"))
        }
        // Who was told is not told again meanwhile.
        #expect(try server.count("mails") == (stage == "data" ? 0 : 1))
        time.update { $0 = 24 * 3_600_000 }
        guard stage != "data" else { return }
        let receipt = try destination.deliver(event)
        let reason = "given up after a day, to the supervisor: the server put it off: 452 4.2.2 mailbox full"
        #expect(receipt.rejections.map(\.reason) == [reason])
        #expect(try server.recipients() == ["ann.li@example.com"])

        // The next reminder waits no day more for the same address; and once that takes a mail it has all patience again.
        func next(_ sequence: Int64) throws -> [OutgoingEvent] {
            try outgoing(ReminderScene.reminder(sequence, loan: 1, ["TOOL-1"], borrower: "p-1", to: [.borrower, .supervisor]))
        }
        #expect(try destination.deliver(next(8)).rejections.map(\.reason) == [reason])
        try server.control([stage: .null])
        #expect(try destination.deliver(next(9)) == Receipt(upTo: 9, delivered: 1))
        try server.control([stage: "452 4.2.2 mailbox full"])
        let error = #expect(throws: DeliveryError.self) { try destination.deliver(next(10)) }
        guard case .retryable? = error else { return #expect(Bool(false), "\(String(describing: error))") }
    }

    /// One full mailbox keeps nobody else waiting who is to be told of the same.
    @Test func theOthersAreToldMeanwhile() throws {
        let server = try MailServer(["recipient": "452 4.2.2 mailbox full", "only": "ann.li@example.com"])
        let scene = try ReminderScene([("TOOL-1", 1, "p-1")])
        let destination = try destination(server.configuration(), scene)
        let to: [ReminderRecipient] = [.borrower, .supervisor, .storekeeper]
        let event = try outgoing(ReminderScene.reminder(7, loan: 1, ["TOOL-1"], borrower: "p-1", to: to))
        for _ in 0..<2 {
            #expect(throws: DeliveryError.retryable("to the borrower: the server put it off: 452 4.2.2 mailbox full")) {
                try destination.deliver(event)
            }
            #expect(try server.recipients() == ["bo@example.com", "crib@example.com"])
        }
        try server.control(["recipient": .null])
        #expect(try destination.deliver(event) == Receipt(upTo: 7, delivered: 1))
        #expect(try server.recipients() == ["bo@example.com", "crib@example.com", "ann.li@example.com"])
    }

    @Test func aDelayPasses() throws {
        let server = try MailServer(["recipient": "451 4.7.1 come back", "times": 1])
        let scene = try ReminderScene([("TOOL-1", 1, "p-1")])
        let destination = try destination(server.configuration(), scene)
        let event = try outgoing(ReminderScene.reminder(7, loan: 1, ["TOOL-1"], borrower: "p-1"))
        #expect(throws: DeliveryError.self) { try destination.deliver(event) }
        #expect(try destination.deliver(event) == Receipt(upTo: 7, delivered: 1))
    }

    @Test(arguments: [("550 5.7.1 not you", true), ("451 4.3.0 later", false), ("421 4.3.2 closing", false)])
    func theSenderIsRefused(answer: String, isRefused: Bool) throws {
        let server = try MailServer(["sender": .string(answer)])
        let scene = try ReminderScene([("TOOL-1", 1, "p-1")])
        let error = #expect(throws: DeliveryError.self) {
            try destination(server.configuration(), scene).deliver(
                outgoing(ReminderScene.reminder(7, loan: 1, ["TOOL-1"], borrower: "p-1")))
        }
        if case .refused? = error { #expect(isRefused) } else { #expect(!isRefused) }
        #expect(error?.description.contains("the server refused the sender's address: \(answer)") == true, "\(String(describing: error))")
    }

    // MARK: Time and silence

    @Test func slowAndSilentServers() throws {
        let scene = try ReminderScene([("TOOL-1", 1, "p-1")])
        let event = try outgoing(ReminderScene.reminder(7, loan: 1, ["TOOL-1"], borrower: "p-1"))
        let slow = try MailServer(["delay_ms": 3_000])
        let error = #expect(throws: DeliveryError.self) {
            try destination(slow.configuration(timeoutSeconds: 1), scene).deliver(event)
        }
        guard case .retryable(let reason, _)? = error else { return #expect(Bool(false)) }
        #expect(reason.contains("no answer in time to the mail"), "\(reason)")
        // Says nothing at all.
        let silent = try ScriptedServer { _ in [] }
        var configuration = try slow.configuration(timeoutSeconds: 1)
        configuration.port = UInt16(silent.port)
        let mute = #expect(throws: DeliveryError.self) { try destination(configuration, scene).deliver(event) }
        #expect(mute?.description.contains("no answer in time to the connection") == true, "\(String(describing: mute))")
        // A stop ends it at once.
        configuration.timeoutSeconds = 60
        let stopSignal = StopSignal()
        let hanging = try destination(configuration, scene, stopSignal: stopSignal)
        let begun = Date()
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 0.2)
            stopSignal.request()
        }
        #expect(throws: DeliveryError.stopped) { try hanging.deliver(event) }
        #expect(Date().timeIntervalSince(begun) < 10)
    }

    /// A server that takes mails and whose answer never comes gets them for a day, not for ever.
    @Test func anAnswerThatNeverComes() throws {
        let server = try MailServer(["lose_answers": 3])
        let scene = try ReminderScene([("TOOL-1", 1, "p-1")])
        let time = Guarded<Int64>(0)
        let destination = try destination(server.configuration(), scene, clock: { time.read { $0 } })
        let event = try outgoing(ReminderScene.reminder(7, loan: 1, ["TOOL-1"], borrower: "p-1"))
        for hours in [Int64(0), 23] {
            time.update { $0 = hours * 3_600_000 }
            let error = #expect(throws: DeliveryError.self) { try destination.deliver(event) }
            guard case .retryable? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        }
        time.update { $0 = 24 * 3_600_000 }
        let receipt = try destination.deliver(event)
        #expect(receipt.upTo == 7 && receipt.rejections.first?.reason.hasPrefix("given up after a day, to the borrower: ") == true)
        #expect(try server.count("mails") == 3)
    }

    /// Between the server's 250 and the cursor lies a moment in which the answer can be lost: the mail goes out twice, and says so.
    @Test func aRepetitionHasTheSameMessageID() throws {
        let server = try MailServer(["lose_answers": 1])
        let scene = try ReminderScene([("TOOL-1", 1, "p-1")])
        let event = try outgoing(ReminderScene.reminder(7, loan: 1, ["TOOL-1"], borrower: "p-1"))
        let first = try destination(server.configuration(), scene)
        let error = #expect(throws: DeliveryError.self) { try first.deliver(event) }
        guard case .retryable? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        // Killed: whoever comes next knows nothing of the first.
        #expect(try destination(server.configuration(), scene).deliver(event).delivered == 1)
        let mails = try server.mails()
        #expect(mails.count == 2 && mails[0]["headers"]?["message-id"] == mails[1]["headers"]?["message-id"])
    }

    @Test func manyMailsGoOverOneConnectionAndSurviveItsEnd() throws {
        let server = try MailServer()
        let scene = try ReminderScene([("TOOL-1", 1, "p-1")])
        let destination = try destination(server.configuration(), scene)
        let events = (1...30).map { ReminderScene.reminder(Int64($0), loan: 1, ["TOOL-1"], borrower: "p-1") }
        #expect(try destination.deliverInParts(SampleEvents.outgoing(events)) == Receipt(upTo: 30, delivered: 30))
        #expect(try server.count("connections") == 1 && server.count("mails") == 30)
        try server.control(["cut_every": 7])
        scene.board.take([], upTo: 30)
        let log = MemoryLog(events)
        let loop = DeliveryLoop(
            name: "mail", types: Site.Destination.Mail.types, batch: 500, log: log, destination: destination, reminders: scene.board,
            stopSignal: StopSignal(), backOff: BackOff(base: 1, maximum: 5))
        try loop.start()
        #expect(log.wait { $0.cursor == 30 }, "\(loop.status())")
        #expect(try server.count("mails") >= 60)
        let identifiers = try server.mails().compactMap { $0["headers"]?["message-id"]?.string }
        #expect(Set(identifiers).count == 30)
        loop.stop(milliseconds: 10_000)
    }
}

/// Sends one message as it stands.
private struct MailConnectionForTests {
    private let connection: MailConnection
    private let port: UInt16

    init(_ server: MailServer) throws {
        connection = try MailConnection()
        port = server.port
    }

    func send(_ message: MailMessage) throws {
        try connection.send(
            MailTransfer(
                url: "smtp://127.0.0.1:\(port)", requiresTLS: false, from: message.from.description, to: message.to.description,
                content: message.bytes))
    }
}

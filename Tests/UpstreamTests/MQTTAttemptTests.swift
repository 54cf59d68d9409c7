import Ledger
import Readings
import SiteConfiguration
import Testing

@testable import Upstream

@Suite struct MQTTAttemptTests {
    private static let timeout: Int64 = 5_000

    /// Drives an attempt by hand.
    private struct Driver {
        var attempt: MQTTAttempt
        var book = MQTTReceiptBook(gatewayCode: "CRIB1")
        let origin: String
        var now: Int64 = 0
        /// What was published: number and the number before.
        var published: [[Int64]] = []

        init(
            _ numbers: [Int64], after: Int64 = 0, kind: Site.Destination.MQTT.ReceiptKind = .application, window: Int = 100,
            pace: MQTTPace? = nil, book: MQTTReceiptBook? = nil
        ) throws {
            var events = try SampleEvents.following(numbers.map { SampleEvents.checkout($0) })
            events[0].after = after
            origin = events[0].origin
            attempt = MQTTAttempt(
                events, receiptKind: kind, pace: pace ?? MQTTPace(window: window), timeout: MQTTAttemptTests.timeout, place: "hub:1883",
                at: 0)
            if let book { self.book = book }
            self.book.watch(origin: origin, above: numbers[0] - 1)
        }

        /// - Returns: until when it waits; nil: it has ended.
        mutating func run() -> Int64? {
            while true {
                switch attempt.next(at: now) {
                case .publish(let event):
                    published.append([event.sequence, event.after])
                    attempt.published(event.sequence)
                case .wait(let end): return end
                case .end: return nil
                }
            }
        }

        mutating func answer(_ answers: [Int64: MQTTAnswer]) { attempt.take(answers, nil, at: now) }

        mutating func receipt(_ upTo: Int64, rejected: [Int64] = [], answers: [Int64: MQTTAnswer] = [:]) {
            say(upTo, rejected: rejected)
            attempt.take(answers, book.look(), at: now)
        }

        mutating func say(_ upTo: Int64, rejected: [Int64] = []) {
            let list = rejected.map { #"{"seq":\#($0),"code":"E1","reason":"no"}"# }.joined(separator: ",")
            let text = #"{"gateway":"CRIB1","epoch":"\#(origin)","upto":\#(upTo),"rejected":[\#(list)]}"#
            if let receipt = MQTTReceipt(Array(text.utf8)) { book.take(receipt) }
        }
    }

    @Test func theWindowCountsWhatHasNoReceipt() throws {
        var driver = try Driver(Array(1...50), window: 10)
        #expect(driver.run() == 5_000)
        driver.answer(Dictionary(uniqueKeysWithValues: (1...10).map { ($0, .taken) }))
        _ = driver.run()
        #expect(driver.published.count == 10)
        driver.receipt(4)
        _ = driver.run()
        #expect(driver.published.count == 14)
    }

    @Test func aReceiverThatRepeatsItselfIsSentTheRestAgain() throws {
        var driver = try Driver([3, 5, 6, 9], after: 2)
        _ = driver.run()
        #expect(driver.published == [[3, 2], [5, 3], [6, 5], [9, 6]])
        driver.receipt(3)
        // 5 was lost, and 6 and 9 dropped.
        driver.now = 10
        driver.receipt(3)
        #expect(driver.run() == 100)
        driver.now = 100
        _ = driver.run()
        #expect(driver.published.dropFirst(4) == [[5, 3], [6, 5], [9, 6]])
        // Once more only after the double time.
        driver.receipt(3)
        #expect(driver.run() == 300)
        driver.now = 300
        _ = driver.run()
        #expect(driver.published.count == 10)
        driver.receipt(9)
        #expect(driver.run() == nil)
        #expect(try driver.attempt.result() == Receipt(upTo: 9, delivered: 4))
        #expect(driver.attempt.pace.window < 100)
    }

    /// Two receipts that come between two looks must not look like one.
    @Test func aRepetitionIsSeenBehindProgress() throws {
        var driver = try Driver([1, 2, 3])
        _ = driver.run()
        driver.say(1)
        driver.receipt(1)
        driver.now = 100
        _ = driver.run()
        #expect(driver.published.dropFirst(3) == [[2, 1], [3, 2]])
    }

    @Test func whatNobodyHeardIsNotSettled() throws {
        var driver = try Driver([1, 2, 3])
        _ = driver.run()
        driver.receipt(3, answers: [1: .taken, 2: .nobodyListens, 3: .taken])
        #expect(driver.run() == nil)
        #expect(try driver.attempt.result() == Receipt(upTo: 1, delivered: 1))
    }

    @Test func whatTheBrokerRefusesIsNobodysPredecessor() throws {
        var driver = try Driver([1, 2, 3])
        _ = driver.run()
        driver.answer([1: .taken, 2: .rejected("payload"), 3: .taken])
        driver.receipt(1)
        driver.receipt(1)
        driver.now = 100
        _ = driver.run()
        #expect(driver.published.last == [3, 1])
        driver.receipt(3)
        #expect(
            try driver.attempt.result() == Receipt(upTo: 3, delivered: 2, rejections: [.init(sequence: 2, reason: "the broker: payload")]))
    }

    @Test func aReceiptSettlesWhatWasPublishedAtMost() throws {
        var driver = try Driver(Array(1...20), window: 5)
        _ = driver.run()
        driver.receipt(.max)
        _ = driver.run()
        #expect(driver.published.count == 10)
    }

    @Test func aReceiverThatIsBehindIsNamed() throws {
        var driver = try Driver([46, 47], after: 45)
        _ = driver.run()
        driver.receipt(41)
        #expect(driver.run() == 5_000)
        driver.now = 5_000
        #expect(driver.run() == nil)
        let error = #expect(throws: DeliveryError.self) { try driver.attempt.result() }
        guard case .behind(upTo: 41, let words) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(words.contains("up to 41, up to 45 they were settled"))
    }

    /// A receipt that comes between two deliveries is not the last word on what it rejected.
    @Test func rejectionsStayUntilTheyAreSettled() throws {
        var driver = try Driver([1, 2, 3])
        _ = driver.run()
        driver.now = 5_000
        #expect(driver.run() == nil)
        #expect(throws: DeliveryError.retryable("hub:1883: no PUBACK within 5 s")) { try driver.attempt.result() }
        driver.say(3, rejected: [2])
        var next = try Driver([1, 2, 3], book: driver.book)
        _ = next.run()
        next.receipt(3)
        #expect(try next.attempt.result().rejections == [.init(sequence: 2, reason: "E1: no")])
        // Of another epoch, or settled: gone.
        next.book.watch(origin: next.origin, above: 3)
        next.say(3)
        #expect(next.book.look()?.rejected == [:])
    }

    @Test func refusalsInARowAreCountedAcrossDeliveries() throws {
        var pace = MQTTPace(window: 100)
        for delivery in 0..<4 as Range<Int64> {
            let numbers = Array(delivery * 5 + 1...delivery * 5 + 5)
            var driver = try Driver(numbers, after: delivery * 5, pace: pace)
            _ = driver.run()
            driver.receipt(numbers[4], rejected: numbers)
            #expect(try driver.attempt.result().rejections.count == 5)
            pace = driver.attempt.pace
        }
        var driver = try Driver([21, 22], after: 20, pace: pace)
        _ = driver.run()
        driver.receipt(22, rejected: [21, 22])
        #expect(throws: DeliveryError.refused("hub:1883: the last 20 events were refused, now: E1: no")) { try driver.attempt.result() }
    }

    @Test func receiptsTakeBoundedSpace() throws {
        var book = MQTTReceiptBook(gatewayCode: "CRIB1")
        book.watch(origin: "e", above: 10)
        for start in stride(from: 0, to: 5_000, by: 500) {
            let list = (start..<start + 500).map { #"{"seq":\#($0)}"# }.joined(separator: ",")
            let text = #"{"gateway":"CRIB1","epoch":"e","upto":\#(start),"rejected":[\#(list)]}"#
            book.take(try #require(MQTTReceipt(Array(text.utf8))))
        }
        let looked = book.look()
        let news = try #require(looked)
        #expect(news.highest == 4_500 && news.rejected.keys.sorted() == Array(11...1_010))
        let many = (0...1_000).map { #"{"seq":\#($0)}"# }.joined(separator: ",")
        #expect(MQTTReceipt(Array(#"{"gateway":"CRIB1","epoch":"e","upto":1,"rejected":[\#(many)]}"#.utf8)) == nil)
        let padding = String(repeating: " ", count: MQTTReceipt.maximumSize)
        #expect(MQTTReceipt(Array((#"{"gateway":"CRIB1","epoch":"e","upto":1}"# + padding).utf8)) == nil)
    }
}

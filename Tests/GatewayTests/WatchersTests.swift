import Ledger
import Readings
import Testing

@testable import Gateway

@Suite("Watchers")
struct WatchersTests {
    @Test("A watcher that does not keep up is told how many lines it lost")
    func dropped() async {
        let watchers = Watchers()
        let stream = watchers.watch {}
        for number in 0..<(Watchers.bufferedLines + 5) { watchers.tell(["n": .integer(Int64(number))]) }
        var iterator = stream.makeAsyncIterator()
        #expect(await iterator.next() == ["n": 5])
        #expect(await iterator.next() == ["n": 6])
        watchers.tell("after")
        watchers.finish()
        var rest: [JSON] = []
        while let line = await iterator.next() { rest.append(line) }
        #expect(rest.suffix(2) == ["after", ["kind": "dropped", "count": 5]])
    }

    @Test("Who follows events gets all of them, or an end where it fell behind")
    func follow() async {
        let watchers = Watchers()
        let stream = watchers.follow()
        watchers.tell(events: (1...3).map { StoredEvent(sequence: $0, bytes: []) })
        watchers.finish()
        var numbers: [Int64] = []
        for await event in stream { numbers.append(event.sequence) }
        #expect(numbers == [1, 2, 3])
        var late: [StoredEvent] = []
        for await event in watchers.follow() { late.append(event) }
        #expect(late.isEmpty)
    }

    @Test("Callers take turns in the order in which they came")
    func turns() async {
        let turns = Turns()
        await turns.enter()
        let order = Order()
        async let first: Void = {
            await turns.enter(); await order.add(1); await turns.leave()
        }()
        while await turns.waitingCount < 1 { await Task.yield() }
        async let second: Void = {
            await turns.enter(); await order.add(2); await turns.leave()
        }()
        while await turns.waitingCount < 2 { await Task.yield() }
        await turns.leave()
        _ = await (first, second)
        #expect(await order.numbers == [1, 2])
    }

    private actor Order {
        var numbers: [Int] = []
        func add(_ number: Int) { numbers.append(number) }
    }
}

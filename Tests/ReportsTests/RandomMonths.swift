import Foundation
import Ledger
import Readings
import TestSupport

/// Three months of a crib at random, in the JSON form of the log: provisional words, final ones, withdrawals, renewals, loans that change hands,
/// lost and found things, inspections, refusals.
struct RandomMonths {
    private struct Standing {
        var number: Int64
        var type: String
        var data: JSON
        var time: Int64
        var station: String
        var isProvisional: Bool
        /// What the item was before.
        var before: Place
    }

    private enum Place {
        case inside
        case out(loan: String, person: String, due: Int64)
        case lost
    }

    private(set) var events: [JSON] = []
    private var generator: SeededGenerator
    private var places: [String: Place] = [:]
    /// The newest fact of each item, while it may still be withdrawn.
    private var newest: [String: Standing] = [:]
    private var loans = 0
    private var now: Int64

    static let items = (1...40).map { "TOOL-\($0)" }
    static let people = (1...12).map { "p-\($0)" }
    static let stations = ["crib", "gate", "工具间"]
    static let start = WallTime(rfc3339: "2026-09-28T00:00:00+08:00")!.milliseconds

    static func itemClass(_ item: String) -> String? {
        let number = Int(item.dropFirst(5)) ?? 0
        return [nil, "drills", "gauges", "ladders"][number % 4]
    }

    init(seed: UInt64, steps: Int) {
        generator = SeededGenerator(seed: seed)
        now = Self.start
        let pace = 95 * 86_400_000 / Int64(steps)
        for _ in 0..<steps {
            now += Int64.random(in: 0...2 * pace, using: &generator)
            step()
        }
    }

    private mutating func pick(_ names: [String]) -> String { names.randomElement(using: &generator) ?? "" }

    private mutating func step() {
        let item = pick(Self.items)
        if let fact = newest[item], fact.isProvisional || Int.random(in: 0..<8, using: &generator) == 0, Bool.random(using: &generator) {
            return settle(item, fact)
        }
        newest[item] = nil
        let place = places[item] ?? .inside
        switch (place, Int.random(in: 0..<10, using: &generator)) {
        case (.inside, 0..<7): take(item, place)
        case (.inside, 7):
            say("loan.inspected", ["item": .string(item), "result": .string(pick(["fine", "damaged", "incomplete"]))], item)
        case (.inside, _):
            let kind = pick(["over_quota", "not_permitted", "state_conflict"])
            say(
                "exception.raised",
                ["kind": .string(kind), "items": [.string(item)], "candidates": [.string(pick(Self.people))], "direction": "out"], item)
        case (.out(let loan, let person, let due), 0):
            let later = due + Int64.random(in: 1...5, using: &generator) * 86_400_000
            places[item] = .out(loan: loan, person: person, due: later)
            say("loan.renewed", ["loan": .string(loan), "item": .string(item), "due": time(later)], item)
        case (.out(let loan, let person, _), 1):
            loans += 1
            let (next, due) = (pick(Self.people), now + Int64.random(in: 0...9, using: &generator) * 86_400_000)
            places[item] = .out(loan: "L\(loans)", person: next, due: due)
            say(
                "loan.transferred",
                [
                    "loan": .string("L\(loans)"), "item": .string(item), "from_loan": .string(loan), "from": .string(person),
                    "person": .string(next), "due": time(due),
                ], item)
        case (.out(let loan, _, _), 2):
            places[item] = .lost
            say("loan.lost", ["loan": .string(loan), "item": .string(item)], item)
        case (.lost, 0..<3):
            places[item] = .inside
            say("tool.found", ["item": .string(item)], item)
        case (.out(let loan, _, _), _):
            places[item] = .inside
            crossing("loan.returned", ["loan": .string(loan), "item": .string(item), "borrower": "x"], item, before: place)
        case (.lost, _): break
        }
    }

    private mutating func take(_ item: String, _ before: Place) {
        // Sometimes with what was taken before, by the same person at the same station.
        loans += 1
        let (person, due) = (pick(Self.people), now + Int64.random(in: 0...9, using: &generator) * 86_400_000)
        places[item] = .out(loan: "L\(loans)", person: person, due: due)
        let station = pick(Self.stations)
        crossing(
            "loan.checked_out", ["loan": .string("L\(loans)"), "item": .string(item), "person": .string(person), "due": time(due)], item,
            before: before, station: station)
        guard Int.random(in: 0..<4, using: &generator) == 0,
            let other = Self.items.first(where: { if case .inside = places[$0] ?? .inside { true } else { false } })
        else { return }
        places[other] = .out(loan: "L\(loans)", person: person, due: due)
        newest[other] = nil
        crossing(
            "loan.checked_out", ["loan": .string("L\(loans)"), "item": .string(other), "person": .string(person), "due": time(due)], other,
            before: .inside, station: station)
    }

    /// Confirms or withdraws.
    private mutating func settle(_ item: String, _ fact: Standing) {
        let station = fact.station
        if fact.isProvisional, Int.random(in: 0..<3, using: &generator) > 0 {
            var final = fact
            // Another antenna saw it a little later.
            final.time += Int64.random(in: 0...2_000, using: &generator)
            final.number = add(fact.type, fact.data, final.time, station, certainty: "final", corrects: fact.number)
            final.isProvisional = false
            newest[item] = final
            return
        }
        newest[item] = nil
        places[item] = fact.before
        var data: [String: JSON] = ["type": .string(fact.type), "data": fact.data, "time": time(fact.time)]
        if fact.type == "loan.returned" { data["reopened"] = ["loan": fact.data["loan"] ?? .null] }
        add("crossing.retracted", .object(data), fact.time, station, certainty: "final", corrects: fact.number)
    }

    private mutating func crossing(_ type: String, _ data: JSON, _ item: String, before: Place, station: String? = nil) {
        let isProvisional = Bool.random(using: &generator)
        let station = station ?? pick(Self.stations)
        let number = add(type, data, now, station, certainty: isProvisional ? "provisional" : "final", corrects: nil)
        newest[item] = Standing(
            number: number, type: type, data: data, time: now, station: station, isProvisional: isProvisional, before: before)
    }

    private mutating func say(_ type: String, _ data: JSON, _ item: String) {
        let station = pick(Self.stations)
        add(type, data, now, station, certainty: "final", corrects: nil)
    }

    @discardableResult
    private mutating func add(_ type: String, _ data: JSON, _ time: Int64, _ station: String, certainty: String, corrects: Int64?) -> Int64
    {
        let number = Int64(events.count + 1)
        events.append(
            .compact([
                "schema": 1, "seq": .integer(number), "type": .string(type), "time": self.time(time), "station": .string(station),
                "clock": "synchronised", "certainty": .string(certainty), "corrects": corrects.map(JSON.integer), "subject": [],
                "actor": "gateway", "data": data,
            ]))
        return number
    }

    private func time(_ milliseconds: Int64) -> JSON {
        .string(WallTime(milliseconds: milliseconds, offsetMinutes: 480, quality: .synchronised).rfc3339)
    }

    var stored: [StoredEvent] { events.map { StoredEvent(sequence: $0["seq"]?.integer ?? 0, bytes: $0.canonicalBytes) } }
}

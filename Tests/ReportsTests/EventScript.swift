import Foundation
import Ledger
import Readings

/// Events as a storekeeper would write them down (`Examples/november.txt`), and the JSON form that the log has of them.
struct EventScript {
    /// In the order of the log.
    var events: [StoredEvent] = []
    var tools: [ItemKey: String?] = [:]
    /// Lines of what must come out, word by word.
    var expectations: [[String]] = []

    static let zone = "+08:00"

    struct Problem: Error { var line: String }

    init(file: String) throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Examples/\(file)")
        try self.init(text: String(contentsOf: path, encoding: .utf8))
    }

    init(text: String) throws {
        var bodies: [Int64: JSON] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ").map(String.init)
            guard let first = words.first else { continue }
            if first == "tool", words.count == 3, let item = ItemKey(words[1]) {
                tools[item] = .some(words[2] == "-" ? nil : words[2])
            } else if let number = Int64(first), words.count >= 4, let event = Self.event(number, Array(words.dropFirst()), bodies) {
                bodies[number] = event
                events.append(StoredEvent(sequence: number, bytes: event.canonicalBytes))
            } else if Int64(first) == nil, first != "tool" {
                expectations.append(words)
            } else {
                throw Problem(line: String(line))
            }
        }
    }

    static func time(_ text: String) -> String { "\(text):00.000\(zone)" }

    private static func event(_ number: Int64, _ words: [String], _ earlier: [Int64: JSON]) -> JSON? {
        func after(_ word: String, _ distance: Int = 1) -> String? {
            guard let place = words.firstIndex(of: word), place + distance < words.count else { return nil }
            return words[place + distance]
        }
        func text(_ place: Int) -> JSON? { place < words.count ? .string(words[place]) : nil }
        let due = after("due").map { JSON.string(time($0)) }
        var corrects = after("corrects").flatMap { Int64($0) }
        let type: String
        let data: JSON
        switch words[2] {
        case "take":
            type = "loan.checked_out"
            data = .compact(["loan": text(3), "item": text(4), "person": text(5), "due": due])
        case "back":
            type = "loan.returned"
            data = .compact(["loan": text(3), "item": text(4), "borrower": "nobody"])
        case "renew":
            type = "loan.renewed"
            data = .compact(["loan": text(3), "item": text(4), "borrower": "nobody", "due": due, "count": 1])
        case "hand":
            type = "loan.transferred"
            data = .compact([
                "loan": text(3), "item": text(4), "person": text(5), "from_loan": after("from").map(JSON.string),
                "from": after("from", 2).map(JSON.string), "due": due,
            ])
        case "lost":
            type = "loan.lost"
            data = .compact(["loan": text(3), "item": text(4), "borrower": "nobody"])
        case "found":
            type = "tool.found"
            data = .compact(["item": text(3)])
        case "inspect":
            type = "loan.inspected"
            data = .compact(["loan": text(3), "item": text(4), "result": text(5)])
        case "refuse":
            type = "exception.raised"
            data = .compact([
                "kind": text(3), "items": text(4).map { .array([$0]) }, "candidates": text(5).map { .array([$0]) }, "direction": "out",
                "owner": "storekeeper", "deadline": "2026-11-30T00:00:00.000+08:00",
            ])
        case "withdraws":
            guard let other = Int64(words[3]), let event = earlier[other], let type = event["type"] else { return nil }
            corrects = other
            let isReturn = type == "loan.returned"
            return make(
                number, "crossing.retracted", words,
                .compact(["type": type, "time": event["time"], "data": event["data"], "reopened": isReturn ? [:] : nil]), corrects, nil)
        default: return nil
        }
        return make(number, type, words, data, corrects, after("in"))
    }

    private static func make(_ number: Int64, _ type: String, _ words: [String], _ data: JSON, _ corrects: Int64?, _ episode: String?)
        -> JSON
    {
        .compact([
            "schema": 1, "seq": .integer(number), "type": .string(type), "time": .string(time(words[0])), "station": .string(words[1]),
            "clock": "synchronised", "certainty": words.contains("provisional") ? "provisional" : "final",
            "corrects": corrects.map(JSON.integer), "episode": episode.map(JSON.string), "subject": [], "actor": "gateway", "data": data,
        ])
    }
}

import Identifiers
import Readings
import Stations
import TestSupport
import Testing

@testable import Engine
@testable import Ledger

/// People, power cuts and a reader that fails, in any order: what is taken is told once, and nobody is let in who may not.
@Suite("Cabinet: any order of things")
struct CabinetPropertyTests {
    @Test(
        "Each difference is told once, no tool is in two places, and the log tells the whole state",
        arguments: 1...24 as ClosedRange<UInt64>)
    func differences(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var bench = try CabinetBench(people: seed % 4 == 0 ? 2 : 1, hasLock: seed % 5 != 0)
        for round in 1...6 {
            let before = bench.inside
            let first = bench.events.count
            try visit(&bench, &random)
            settle(&bench)
            let told = Array(bench.events[first...])
            let context = "seed \(seed), round \(round): \(bench.takeWords().joined(separator: ", "))"
            for (word, row) in CabinetBench.tags {
                let epc = EPC(hex: row.id)!
                let wasTaken = before.contains(epc) && !bench.inside.contains(epc)
                guard let item = ItemKey(word), bench.master.items[item] != nil else {
                    let counted = told.count { if case .consumed = $0.body { true } else { false } }
                    if wasTaken { #expect(counted >= 1, "\(word) \(context)") }
                    continue
                }
                #expect(told.count { $0.isLast && $0.tellsTaking(of: item) } == (wasTaken ? 1 : 0), "\(word) \(context)")
                #expect(bench.engine.cabinets[0].presence(of: epc) ?? false == bench.inside.contains(epc), "\(word) \(context)")
                if bench.inside.contains(epc) { #expect(bench.engine.ledger.state.loans[item] == nil, "\(word) \(context)") }
            }
            #expect(bench.engine.ledger.state.provisional.isEmpty, "\(context)")
        }
        // Replayed from the log alone it is the same state.
        var replayed = LedgerState()
        for event in bench.events { _ = replayed.apply(event) }
        #expect(replayed.rows == bench.engine.ledger.state.rows.filter { !$0.key.hasPrefix("learned/") }, "seed \(seed)")
    }

    @Test("The lock opens only right after a badge that may open it", arguments: 1...24 as ClosedRange<UInt64>)
    func unlocking(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let people = seed % 3 == 0 ? 2 : 1
        var bench = try CabinetBench(people: people)
        var last = ""
        for _ in 0..<60 {
            _ = bench.takeWords()
            let step = Self.noise.randomElement(using: &random) ?? "wait 1"
            try bench.perform(step)
            guard bench.takeWords().contains("(unlock_2)") else {
                if step.hasPrefix("badge li") || step == "badge han" { last = step }
                continue
            }
            #expect(step.hasPrefix("badge li") || step == "badge han", "seed \(seed): \(step)")
            #expect(bench.isReading && !bench.isDoorOpen, "seed \(seed): \(step)")
            if people == 2 { #expect(!last.isEmpty, "seed \(seed): nobody before \(step)") }
            last = step
        }
        // It still opens.
        for step in ["reader reads", "close", "wait 200", "badge li", "badge han"] { try bench.perform(step) }
        #expect(bench.takeWords().contains("(unlock_2)"), "seed \(seed)")
    }

    private static let noise = [
        "badge li", "badge li-2", "badge han", "badge wu", "badge nobody", "open", "close", "wait 1", "wait 4", "wait 12", "restart",
        "reader fails", "reader reads", "badge li", "badge han",
    ]

    /// Something is taken and put back in one opening; before, in between and after it anything may happen.
    private func visit(_ bench: inout CabinetBench, _ random: inout SeededGenerator) throws {
        func noise(_ bench: inout CabinetBench, _ random: inout SeededGenerator) throws {
            let noise = Self.noise + ["let in", "let in han", "lock fails", "lock reads"]
            for _ in 0..<Int.random(in: 0...4, using: &random) { try bench.perform(noise.randomElement(using: &random) ?? "wait 1") }
        }
        try noise(&bench, &random)
        if Bool.random(using: &random) { try bench.perform("badge li") }
        if Bool.random(using: &random) { try bench.perform("badge han") }
        if Bool.random(using: &random) { if !bench.isDoorOpen { try bench.perform("open") } } else { try bench.perform("unseen open") }
        for (_, row) in CabinetBench.tags where Int.random(in: 0..<3, using: &random) == 0 {
            let epc = EPC(hex: row.id)!
            if bench.inside.remove(epc) == nil { bench.inside.insert(epc) }
        }
        if Bool.random(using: &random) { try bench.perform("restart") }
        try bench.perform(Bool.random(using: &random) ? "close" : "unseen close")
        if Bool.random(using: &random) { try bench.perform("restart") }
        try noise(&bench, &random)
    }

    /// The door is shut, the reader reads, and everything has been said.
    private func settle(_ bench: inout CabinetBench) {
        if !bench.isReading { bench.reader(isReading: true) }
        // What happened behind an unseen contact is looked for by opening and closing once more.
        bench.restart()
        bench.door(isOpen: true)
        bench.door(isOpen: false)
        bench.run(seconds: 180)
    }
}

extension Event {
    /// The last word: final, and not withdrawn.
    fileprivate var isLast: Bool { certainty == .final && !body.isRetraction }

    fileprivate func tellsTaking(of item: ItemKey) -> Bool {
        switch body {
        case .checkedOut(let checkout): checkout.item == item
        case .exceptionRaised(let raised): raised.direction == .out && raised.items.contains(item)
        default: false
        }
    }
}

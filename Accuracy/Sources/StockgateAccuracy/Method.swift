import Identifiers
import Readings
import Simulation

/// A way to tell from reads who went where. All methods get the same: the reads in order, when the reader was silent, and what the
/// records say of each tool.
protocol GateMethod: Sendable {
    var name: String { get }
    /// The method's last word about everything in one run.
    func decide(_ run: GateRun) -> [ScoredDecision]
}

/// What the records say, kept up to date by what a method decides.
struct Records {
    private var sides: [EPC: GateSide]
    private let tools: Set<EPC>

    init(_ truth: Truth) {
        sides = truth.recorded
        tools = Set(truth.tools.map(\.epc))
    }

    subscript(epc: EPC) -> GateSide? { sides[epc] }

    func isTool(_ epc: EPC) -> Bool { tools.contains(epc) }

    mutating func move(_ epc: EPC, _ direction: Direction) { sides[epc] = direction.side }

    mutating func put(_ epc: EPC, _ side: GateSide?) { sides[epc] = side }

    /// The check that every method gets: a tool cannot leave the side where it is not. Takes the move when it can be.
    mutating func accepts(_ epc: EPC, _ direction: Direction) -> Bool {
        if sides[epc] == direction.side { return false }
        move(epc, direction)
        return true
    }
}

/// A method of the literature or of a product, with or without the check against the records.
struct CheckedBaseline: GateMethod {
    let name: String
    var checksRecords = true
    let body: @Sendable (GateRun, _ isTool: (EPC) -> Bool) -> [ScoredDecision]

    func decide(_ run: GateRun) -> [ScoredDecision] {
        var records = Records(run.truth)
        let decisions = body(run, records.isTool)
        guard checksRecords else { return decisions }
        return decisions.sorted { ($0.provisional ?? $0.time, $0.epc) < ($1.provisional ?? $1.time, $1.epc) }.filter { decision in
            guard case .passed(let direction) = decision.verdict else { return true }
            return records.accepts(decision.epc, direction)
        }
    }
}

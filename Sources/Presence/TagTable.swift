import Identifiers

/// A hash table from EPC to a fixed-size value, for the hot path: one probe of an index and one entry, no allocation while it does
/// not grow.
///
/// Entries lie densely in the order of their insertion, so that going through them does not depend on the hash. Bounded: a hostile
/// stream of made-up EPCs fills it to `capacity` and no further.
struct TagTable<Value: Sendable>: Sendable {
    struct Entry: Sendable {
        let epc: EPC
        var value: Value
    }

    private(set) var entries: [Entry] = []
    /// Positions in `entries`, −1 where empty; open addressing, a power of two long, at most half full.
    private var index: [Int32]
    let capacity: Int

    /// - Parameter capacity: the most entries it will hold, at most 2³⁰.
    init(capacity: Int) {
        self.capacity = min(capacity, 1 << 30)
        index = Array(repeating: -1, count: 64)
    }

    /// Updates the value of `epc`, or inserts what `initial` makes; false when the table is full.
    @inline(__always)
    mutating func update(_ epc: EPC, initial: () -> Value, _ body: (inout Value) -> Void) -> Bool {
        let mask = index.count - 1
        var slot = Int(truncatingIfNeeded: epc.fastHash) & mask
        while true {
            let position = Int(index[slot])
            guard position >= 0 else { return insert(epc, initial()) }
            if entries[position].epc == epc {
                body(&entries[position].value)
                return true
            }
            slot = (slot + 1) & mask
        }
    }

    private mutating func insert(_ epc: EPC, _ value: Value) -> Bool {
        guard entries.count < capacity else { return false }
        entries.append(Entry(epc: epc, value: value))
        if entries.count * 2 > index.count {
            rebuildIndex(size: index.count * 2)
        } else {
            place(entries.count - 1)
        }
        return true
    }

    /// Takes out every entry that `isOver`, in the order of insertion.
    mutating func remove(where isOver: (Value) -> Bool) -> [Entry] {
        let removed = entries.filter { isOver($0.value) }
        guard !removed.isEmpty else { return [] }
        entries.removeAll { isOver($0.value) }
        rebuildIndex()
        return removed
    }

    /// Takes out the entries at these places, ascending.
    mutating func remove(at places: [Int]) {
        guard !places.isEmpty else { return }
        var next = 0
        var kept: [Entry] = []
        kept.reserveCapacity(entries.count)
        for place in entries.indices {
            if next < places.count, places[next] == place { next += 1 } else { kept.append(entries[place]) }
        }
        entries = kept
        rebuildIndex()
    }

    func value(of epc: EPC) -> Value? {
        let mask = index.count - 1
        var slot = Int(truncatingIfNeeded: epc.fastHash) & mask
        while true {
            let position = Int(index[slot])
            guard position >= 0 else { return nil }
            if entries[position].epc == epc { return entries[position].value }
            slot = (slot + 1) & mask
        }
    }

    mutating func updateValue(at place: Int, _ body: (inout Value) -> Void) { body(&entries[place].value) }

    mutating func updateAll(_ body: (inout Value) -> Void) {
        for position in entries.indices { body(&entries[position].value) }
    }

    mutating func updateEach(_ body: (EPC, inout Value) -> Void) {
        for position in entries.indices { body(entries[position].epc, &entries[position].value) }
    }

    private mutating func rebuildIndex() {
        var size = 64
        while size < entries.count * 2 { size *= 2 }
        rebuildIndex(size: size)
    }

    private mutating func rebuildIndex(size: Int) {
        index = Array(repeating: -1, count: size)
        for position in entries.indices { place(position) }
    }

    private mutating func place(_ position: Int) {
        let mask = index.count - 1
        var slot = Int(truncatingIfNeeded: entries[position].epc.fastHash) & mask
        while index[slot] >= 0 { slot = (slot + 1) & mask }
        index[slot] = Int32(truncatingIfNeeded: position)
    }
}

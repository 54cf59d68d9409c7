import Identifiers
import Readings

extension Ledger {
    /// A tag was read at two stations at once; nil when somebody must look at it already.
    public func plan(clone epc: EPC, station: String, other: String, at time: WallTime) -> Plan? {
        guard !state.exceptions.values.contains(where: { $0.raised.kind == .clonedTag && $0.raised.epcs.contains(epc) }) else { return nil }
        var draft = Draft(ledger: self, station: station, at: time)
        var items: [ItemKey] = []
        if case .item(let item)? = bearer(of: epc) { items = [item] }
        draft.raise(.clonedTag, items: items, epcs: [epc], evidence: ["other": .string(other)])
        return draft.plan(feedback: nil)
    }

    /// A reader had kept reads while nobody listened. Whoever carried these tags has long gone: what was seen is recorded as it is, tag by
    /// tag, and nothing follows from it: no loan, no exception, no signal. Badges are left out: a log that is never changed is no place for
    /// where people were.
    func plan(_ observed: Proposal.ObservedLate, station: String, at time: WallTime) -> Plan {
        var draft = Draft(ledger: self, station: station, at: time)
        for tag in observed.tags {
            let bearer = bearer(of: tag.epc)
            if case .person = bearer { continue }
            draft.add(
                .observedLate(
                    .init(
                        epc: tag.epc, bearer: bearer, device: observed.device, antennas: tag.antennas,
                        reads: Int64(clamping: tag.reads), first: tag.first, last: tag.last)), evidence: .null)
        }
        return draft.plan(feedback: nil)
    }
}

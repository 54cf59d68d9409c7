import Presence
import Readings

/// Where a cabinet is in the course of an opening.
public enum CabinetStage: String, Hashable, Sendable, CaseIterable {
    case closed
    case awaitsSecondPerson = "awaits_second_person"
    case unlocked
    case open
    /// It was closed, and the scan has not told what is different.
    case scanning
    /// What is different was told, and is looked at once more.
    case confirming
}

extension CabinetStation {
    /// What is kept of the episode under way, so that it is gone on with after a loss of power; people by their keys.
    var episodeJSON: JSON? {
        guard episode != nil || carried != nil || needsBaseline else { return nil }
        return .compact([
            "party": episode?.party.json, "reason": episode?.reason.map { .string($0.rawValue) },
            "silent": episode?.isSilent == true ? true : nil, "interrupted": episode?.isInterrupted == true ? true : nil,
            "open": opening.map { .string($0.reason.rawValue) }, "left_open": opening?.wasLeftOpenTold == true ? true : nil,
            "carried": carried?.json, "baseline": needsBaseline ? true : nil,
        ])
    }

    /// What was saved last: the first that `presence` says decides whether an episode goes on.
    mutating func restoreEpisode(_ row: JSON?, isInterrupted: Bool) {
        savedEpisode = row
        carried = row?["carried"].map(Proposal.CabinetParty.init(json:))
        if row?["baseline"]?.bool == true { needsBaseline = true }
        guard presence.hasEpisode else { return }
        var episode = Episode(
            party: row?["party"].map(Proposal.CabinetParty.init(json:)) ?? .init(hasStranger: true),
            reason: row?["reason"]?.string.flatMap(Proposal.OpeningReason.init))
        episode.isSilent = row?["silent"]?.bool == true
        episode.isInterrupted = isInterrupted || row?["interrupted"]?.bool == true
        self.episode = episode
        // Since when is not known any more.
        opening = row?["open"]?.string.flatMap(Proposal.OpeningReason.init).map {
            Opening(reason: $0, wasLeftOpenTold: row?["left_open"]?.bool == true)
        }
    }

    /// What a recording begins with besides what was learned.
    /// - Parameter start: the recording's.
    public func startRows(at start: Instant) -> [LearnedState] {
        var rows = isDoorOpen.map { [LearnedState(name: Self.doorRow, value: .bool($0))] } ?? []
        let recent = refusals.filter { $0.until > start }
        if !recent.isEmpty {
            let entries = recent.map { JSON.array([.string($0.credential), .integer(($0.until - start).nanoseconds)]) }
            rows.append(LearnedState(name: Self.refusalsRow, value: .array(entries)))
        }
        return rows
    }

    mutating func restoreRefusals(_ row: JSON?, startingAt start: Instant) {
        for entry in (row?.array ?? []).prefix(Self.maximumRefusals) {
            guard let pair = entry.array, pair.count == 2, let credential = pair[0].string, let rest = pair[1].integer,
                (0...(Self.refusalInterval.nanoseconds + Instant.step.nanoseconds)).contains(rest)
            else { continue }
            refusals.append(Refusal(credential: credential, until: start + Instant.Span(nanoseconds: rest)))
        }
    }

    /// The rows of `presence`; what was learned of antennas counts for the readers that it was learned with only.
    static func contents(_ learned: [LearnedState], keepsRates: Bool) -> [LearnedState] {
        learned.compactMap { row in
            guard ![readersRow, episodeRow, doorRow, refusalsRow].contains(row.name) else { return nil }
            guard !keepsRates, var members = row.value?.object, members["rates"] != nil else { return row }
            (members["rates"], members["looks"]) = (nil, nil)
            return LearnedState(name: row.name, value: .object(members))
        }
    }
}

extension Proposal.CabinetParty {
    /// People that one opening names; of more it is only known that somebody else was there.
    static let maximumPeople = 16

    mutating func add(_ person: String) {
        guard !people.contains(person) else { return }
        if people.count < Self.maximumPeople { people.append(person) } else { hasStranger = true }
    }

    mutating func merge(_ other: Self) {
        for person in other.people { add(person) }
        // A second witness is one more who may have reached in.
        if let other = other.witness, other != witness { if witness == nil { witness = other } else { add(other) } }
        hasStranger = hasStranger || other.hasStranger
        if admission == nil { admission = other.admission }
    }

    var json: JSON {
        .compact([
            "people": .array(people.map(JSON.string)), "witness": witness.map(JSON.string), "stranger": hasStranger ? true : nil,
            "client": admission.map { .string($0.client) }, "note": admission.map { .string($0.note) },
        ])
    }

    init(json: JSON) {
        self.init(
            people: (json["people"]?.array ?? []).prefix(Self.maximumPeople).compactMap(\.string), witness: json["witness"]?.string,
            hasStranger: json["stranger"]?.bool == true,
            admission: json["client"]?.string.map { .init(client: $0, note: json["note"]?.string ?? "") })
    }
}

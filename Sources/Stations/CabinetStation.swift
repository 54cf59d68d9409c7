import Identifiers
import Presence
import Readings
import SiteConfiguration

/// A cabinet with a door: badge, unlocking, opening, closing, scan, and one difference, in the name of who was let in.
///
/// What is different is told from the scan after closing (`CabinetPresence`); who did it, from the badges. Nobody's name is guessed: where
/// a second person may have been there both are named, and where anybody may have, that is said.
public struct CabinetStation: Sendable {
    public let name: String
    let settings: Site.Cabinet
    var presence: CabinetPresence
    /// The place of each reader in the site file, by device.
    private let readers: [DeviceIndex: Int]
    /// The ports that look into the cabinet, by device; a device that is missing: all of them.
    private let ports: [DeviceIndex: Set<UInt8>]
    private let doorDevice: DeviceIndex?
    private var readingReaders: Set<DeviceIndex> = []
    /// The device of the contact is, and was all the time, shown to be reading; else nobody knows what happened to the door.
    private var isDoorWatched = false
    private var hasLostDoor = false
    /// When the contact was last found again.
    private var regained: Instant?
    private var isPaused = false
    /// What the contact said last; nil: nothing yet.
    public private(set) var isDoorOpen: Bool?
    var offer: Offer?
    var opening: Opening?
    private var lastClosing: Closing?
    /// To whom the difference belongs that is still to be told for good.
    var episode: Episode?
    /// Who was there while the reader saw nothing: what they did is found after the next closing.
    var carried: Proposal.CabinetParty?
    /// What is inside is only to be found out: at commissioning, and after a pause.
    var needsBaseline: Bool
    var savedEpisode: JSON?
    private var readersToSave: LearnedState?

    /// A door that is open again so soon was not shut: its contact bounced, or it was pushed shut too lightly.
    static let bounce = Instant.Span.seconds(1)
    /// An opening that is told so soon after the contact could be read again happened before.
    static let settling = Instant.Span.seconds(2)

    /// Who was let in, or waits for the second person.
    struct Offer: Hashable, Sendable {
        var party: Proposal.CabinetParty
        var until: Instant
        var isUnlocked: Bool
    }

    struct Opening: Hashable, Sendable {
        var reason: Proposal.OpeningReason
        /// nil: the gateway was not there all the time.
        var since: Instant?
        /// When the door is left open; nil: that was told.
        var alarm: Instant?
    }

    private struct Closing: Hashable, Sendable {
        var reason: Proposal.OpeningReason
        var at: Instant
    }

    /// Begins with an opening, or with a look of the gateway's own, and ends with the last word about the difference.
    struct Episode: Hashable, Sendable {
        var party = Proposal.CabinetParty()
        var reason: Proposal.OpeningReason?
        var isSilent = false
        var isInterrupted = false
        /// What was proposed provisionally.
        var told: Proposal.Cabinet?
        /// Tags of it that only the last word writes down.
        var untold: Set<EPC> = []
    }

    /// - Parameters:
    ///   - index: the place of a device in the site file, by name; devices that are missing there are passed over.
    ///   - learned: what this station handed over before, sorted by name.
    public init(name: String, settings: Site.Cabinet, index: (String) -> DeviceIndex?, learned: [LearnedState] = []) {
        self.name = name
        self.settings = settings
        var readers: [DeviceIndex: Int] = [:]
        var ports: [DeviceIndex: Set<UInt8>] = [:]
        for (place, reader) in settings.readers.prefix(Site.Cabinet.maximumReaders).enumerated() {
            guard let device = index(reader) else { continue }
            readers[device] = place
            let own = settings.antennas.filter { $0.device == reader }.map(\.port)
            if !own.contains(nil) { ports[device] = Set(own.compactMap(\.self)) }
        }
        self.readers = readers
        self.ports = ports
        doorDevice = index(settings.door.device)
        var rules = CabinetPresence.Settings()
        rules.answerWithin = settings.scan
        rules.confirmAfter = settings.confirm
        rules.referenceTags = settings.referenceTags
        let readersNow = LearnedState(name: Self.readersRow, value: .array(settings.readers.map(JSON.string)))
        let readersBefore = learned.first { $0.name == Self.readersRow }
        if readersBefore != readersNow { readersToSave = readersNow }
        presence = CabinetPresence(
            settings: rules, isReading: false, restoring: Self.contents(learned, keepsRates: readersBefore == readersNow))
        needsBaseline = !learned.contains { $0.name == CabinetPresence.headKey }
        isDoorOpen = learned.first { $0.name == Self.doorRow }?.value?.bool
        restoreEpisode(learned.first { $0.name == Self.episodeRow }?.value, isInterrupted: isDoorOpen == nil)
    }

    static let readersRow = "readers"
    static let episodeRow = "episode"
    /// Of a recording only: the door as it was when that began, so that a replay goes on from there.
    static let doorRow = "door"

    /// What a recording begins with besides what was learned.
    public var startRows: [LearnedState] { isDoorOpen.map { [LearnedState(name: Self.doorRow, value: .bool($0))] } ?? [] }

    /// Tags that are believed to be inside.
    public var insideTags: Int { presence.insideTags }

    /// Whether a tag is believed to be inside; nil: it was never there.
    public func presence(of epc: EPC) -> Bool? { presence.isInside(epc) }

    /// Reads of tags for which there was no room.
    public var overflow: UInt64 { presence.overflow }

    /// Whether an opening would be seen, and what is different after it.
    public var isReady: Bool { !readers.isEmpty && readingReaders.count == readers.count && isDoorWatched && !isPaused }

    /// What is to be told of it to whoever asks.
    public var stage: CabinetStage {
        if opening != nil { return .open }
        if let offer { return offer.isUnlocked ? .unlocked : .awaitsSecondPerson }
        return episode == nil ? .closed : episode?.told == nil ? .scanning : .confirming
    }

    // MARK: Inputs

    public mutating func observe(_ readings: ArraySlice<Reading>, from device: DeviceIndex, at now: Instant) {
        guard !isPaused, presence.hasEpisode, let reader = readers[device] else { return }
        let ports = ports[device]
        for reading in readings {
            guard case .tag(var read) = reading, ports?.contains(read.antenna) ?? true else { continue }
            // Antennas are told apart by one number: 64 of each reader.
            read.antenna = UInt8(reader * 64) + min(read.antenna, 63)
            presence.observe(read, at: now)
        }
    }

    public mutating func deviceChanged(_ device: DeviceIndex, isReading: Bool, at now: Instant) -> StationOutput {
        var output = StationOutput()
        if readers[device] != nil {
            if isReading { readingReaders.insert(device) } else { readingReaders.remove(device) }
            presence.readerChanged(isReading: readingReaders.count == readers.count, at: now)
        }
        if device == doorDevice, isReading != isDoorWatched {
            isDoorWatched = isReading
            if !isReading { hasLostDoor = true }
            if isReading, hasLostDoor {
                regained = now
                // What was done behind an unseen door is found now, and is nobody's.
                if isDoorOpen == false, !isPaused { check(at: now) }
            }
        }
        handOver(into: &output)
        return output
    }

    /// A badge was held.
    /// - Parameter mayOpen: what the ledger says of its bearer.
    public mutating func badge(_ mayOpen: MayOpen, at now: Instant) -> StationOutput {
        var output = StationOutput()
        guard !isPaused else { return output }
        switch mayOpen {
        case .unknown:
            if opening != nil { episode?.party.hasStranger = true }
            output.feedback = .refused
        case .refused(let person):
            // Who may not open it, and stands before the open door, may be the one who reaches in.
            if opening != nil { episode?.party.add(person) }
            output.feedback = .refused
        case .allowed(let person):
            if opening != nil {
                join(person)
                output.feedback = .next
            } else if isReady {
                offer(to: person, at: now, into: &output)
            } else {
                // What cannot see must not invite anybody.
                output.feedback = .refused
            }
        }
        handOver(into: &output)
        return output
    }

    /// A level of the door's contact.
    public mutating func input(_ change: InputChange, from device: DeviceIndex, at now: Instant) -> StationOutput {
        var output = StationOutput()
        guard device == doorDevice, change.line == settings.door.input else { return output }
        let isOpen = settings.door.isOpen(change)
        let before = isDoorOpen
        isDoorOpen = isOpen
        guard !isPaused, before != isOpen else { return output }
        switch (before, isOpen) {
        case (nil, _): found(isOpen: isOpen, at: now, into: &output)
        case (_, true): opened(at: now, into: &output)
        case (_, false): closed(at: now, into: &output)
        }
        handOver(into: &output)
        return output
    }

    // MARK: Time

    public var nextDeadline: Instant? {
        guard !isPaused else { return nil }
        var earliest = presence.nextDeadline
        if let until = offer?.until { earliest = earliest.map { min($0, until) } ?? until }
        if let alarm = opening?.alarm { earliest = earliest.map { min($0, alarm) } ?? alarm }
        return earliest
    }

    /// Lets time come to `now`.
    /// - Parameter known: what the ledger knows of a tag.
    public mutating func advance(to now: Instant, known: (EPC) -> Known) -> StationOutput {
        var output = StationOutput()
        guard !isPaused else { return output }
        if let offer, offer.until <= now { self.offer = nil }
        if let alarm = opening?.alarm, alarm <= now, let reason = opening?.reason {
            opening?.alarm = nil
            propose(.cabinetDoor(.init(.leftOpen(after: settings.doorOpen), reason: reason, party: party)), into: &output)
        }
        take(presence.advance(to: now), into: &output)
        if let told = episode?.told, output.proposals.contains(where: { $0.content == .cabinet(told) }) { keep(told, known: known) }
        handOver(into: &output)
        return output
    }

    /// The station goes on in another way than before: it gives up what is under way, and finds out anew what is inside.
    public mutating func reset(isPaused: Bool, at now: Instant) -> StationOutput {
        var output = StationOutput()
        self.isPaused = isPaused
        presence.abandon()
        (offer, opening, episode, carried, lastClosing) = (nil, nil, nil, nil, nil)
        needsBaseline = true
        if !isPaused, let isDoorOpen { found(isOpen: isDoorOpen, at: now, into: &output) }
        handOver(into: &output)
        return output
    }

    /// Takes back an unlocking that the lock did not hear.
    public mutating func withdrawOffer() { offer = nil }

    // MARK: Badges

    private mutating func offer(to person: String, at now: Instant, into output: inout StationOutput) {
        // Who was let in and has not opened yet may be the one who does.
        var party = offer?.party ?? Proposal.CabinetParty()
        if settings.people == 2, party.people.count == 1, party.witness == nil, party.people[0] != person {
            party.witness = person
        } else if party.witness != person {
            party.add(person)
        }
        let isUnlocked = settings.people == 1 || party.witness != nil
        offer = Offer(party: party, until: now + settings.unlock, isUnlocked: isUnlocked)
        output.feedback = .next
        output.unlocks = isUnlocked && settings.lock != nil
    }

    /// A badge is held while the door is open.
    private mutating func join(_ person: String) {
        guard var episode, let reason = opening?.reason, episode.party.witness != person else { return }
        let isFirst = reason == .noBadge && episode.party.people.isEmpty
        if reason == .noBadge, settings.people == 2, episode.party.people.count == 1, episode.party.witness == nil,
            episode.party.people[0] != person
        {
            episode.party.witness = person
        } else {
            episode.party.add(person)
        }
        // A door without a lock is opened first and asked about later.
        if isFirst { episode.reason = .badge }
        self.episode = episode
    }

    // MARK: The door

    /// The first that is heard of the door.
    private mutating func found(isOpen: Bool, at now: Instant, into output: inout StationOutput) {
        guard presence.hasEpisode else { return isOpen ? open(.unwatched, at: now, into: &output) : check(at: now) }
        let wasOpen = opening != nil
        episode?.isInterrupted = true
        if isOpen, wasOpen {
            opening?.alarm = now + settings.doorOpen
        } else if isOpen {
            open(.unwatched, at: now, into: &output)
        } else {
            let reason = opening?.reason ?? .unwatched
            take(presence.door(isOpen: false, at: now), into: &output)
            if wasOpen { propose(.cabinetDoor(.init(.closed(after: nil), reason: reason, party: party)), into: &output) }
            opening = nil
        }
    }

    private mutating func opened(at now: Instant, into output: inout StationOutput) {
        if let offer, offer.isUnlocked {
            open(.badge, by: offer.party, at: now, into: &output)
        } else if let closing = lastClosing, now - closing.at <= Self.bounce {
            open(closing.reason, by: party, at: now, into: &output)
        } else if !isDoorWatched || regained.map({ now - $0 <= Self.settling }) ?? false {
            open(.unwatched, at: now, into: &output)
        } else {
            open(settings.lock == nil ? .noBadge : .forced, at: now, into: &output)
        }
    }

    private mutating func open(
        _ reason: Proposal.OpeningReason, by known: Proposal.CabinetParty? = nil, at now: Instant, into output: inout StationOutput
    ) {
        let before = presence.hasEpisode ? presence.currentEpisode : nil
        var party = known ?? Proposal.CabinetParty(hasStranger: reason == .forced || reason == .unwatched)
        // The last word about the opening before comes first.
        take(presence.door(isOpen: true, at: now), into: &output)
        if before == presence.currentEpisode, var episode {
            // It is open again before the scan could say anything: one difference for both openings.
            episode.party.merge(party)
            episode.reason = reason
            self.episode = episode
        } else {
            if var earlier = carried {
                earlier.merge(party)
                party = earlier
            }
            carried = nil
            episode = Episode(party: party, reason: reason, isSilent: needsBaseline)
        }
        offer = nil
        opening = Opening(reason: reason, since: now, alarm: now + settings.doorOpen)
        propose(.cabinetDoor(.init(.opened, reason: reason, party: self.party)), into: &output)
    }

    private mutating func closed(at now: Instant, into output: inout StationOutput) {
        guard let opening else { return }
        let reason = episode?.reason ?? opening.reason
        propose(.cabinetDoor(.init(.closed(after: opening.since.map { now - $0 }), reason: reason, party: party)), into: &output)
        self.opening = nil
        lastClosing = Closing(reason: reason, at: now)
        take(presence.door(isOpen: false, at: now), into: &output)
    }

    /// Looks for a difference without an opening: it is nobody's.
    private mutating func check(at now: Instant) {
        guard !presence.hasEpisode else {
            episode?.party.hasStranger = true
            return
        }
        episode = Episode(party: .init(hasStranger: true), isSilent: needsBaseline)
        _ = presence.check(at: now)
    }

    private var party: Proposal.CabinetParty { episode?.party ?? Proposal.CabinetParty() }

    // MARK: The difference

    private mutating func take(_ outputs: [CabinetOutput], into output: inout StationOutput) {
        for case .report(let report) in outputs {
            guard let episode else { continue }
            if report.certainty == .final {
                self.episode = nil
                if !report.isBlind { needsBaseline = false }
            }
            guard !episode.isSilent else { continue }
            if report.isBlind {
                tellBlind(report, of: episode, into: &output)
                continue
            }
            let difference = Proposal.Cabinet(
                certainty: report.certainty, decision: report.episode, taken: report.taken.map { sighting($0, .out, report) },
                added: report.returned.map { sighting($0, .in, report) }, party: episode.party, isInterrupted: episode.isInterrupted)
            if report.certainty == .provisional { self.episode?.told = difference }
            output.sightings += difference.taken + difference.added
            propose(.cabinet(difference), at: report.closed, into: &output)
        }
    }

    /// What the ledger writes down of a provisional difference is not told again after a loss of power; what waits for the last word is
    /// found again.
    private mutating func keep(_ told: Proposal.Cabinet, known: (EPC) -> Known) {
        for (sightings, isInside) in [(told.taken, false), (told.added, true)] {
            for sighting in sightings {
                switch known(sighting.epc) {
                case .product: episode?.untold.insert(sighting.epc)
                case .item(isOut: false) where isInside: episode?.untold.insert(sighting.epc)
                case .item, .person, .location, .control, .nothing: presence.tell(sighting.epc, isInside: isInside)
                }
            }
        }
    }

    /// No antenna showed that it works: what is inside is not known, and nothing is gone.
    private mutating func tellBlind(_ report: CabinetReport, of episode: Episode, into output: inout StationOutput) {
        if report.certainty == .provisional {
            if !episode.party.people.isEmpty { output.feedback = .notRecorded }
        } else if var told = episode.told {
            told.certainty = .final
            told.taken.removeAll { episode.untold.contains($0.epc) }
            told.added.removeAll { episode.untold.contains($0.epc) }
            propose(.cabinet(told), at: report.closed, into: &output)
        } else {
            carried = episode.party
        }
    }

    private func sighting(_ entry: CabinetReport.Entry, _ direction: Direction, _ report: CabinetReport) -> Sighting {
        var sighting = Sighting(
            epc: entry.epc, visit: report.episode, certainty: report.certainty, kind: .passed(direction), first: report.closed,
            last: report.closed, inside: .init(reads: UInt32(clamping: entry.seen)), outside: .init(), firstSide: direction.origin,
            lastSide: direction == .out ? .outside : .inside)
        sighting.looks = .init(
            inside: Int32((entry.inside * 1_000).rounded()), seen: entry.seen, of: entry.looks, wasOpenBefore: entry.wasOpenBefore)
        return sighting
    }

    private func propose(_ content: Proposal.Content, at time: Instant? = nil, into output: inout StationOutput) {
        output.proposals.append(Proposal(station: name, content: content, at: time))
    }

    private mutating func handOver(into output: inout StationOutput) {
        output.learned += presence.takeChanges()
        if let readersToSave { output.learned.append(readersToSave) }
        readersToSave = nil
        let row = episodeJSON
        if row != savedEpisode { output.learned.append(LearnedState(name: Self.episodeRow, value: row)) }
        savedEpisode = row
    }
}

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
    var isDoorWatched = false
    private var hasLostDoor = false
    /// When the contact was last found again.
    var regained: Instant?
    var isPaused = false
    /// What the contact said last; nil: nothing yet.
    public private(set) var isDoorOpen: Bool?
    var offer: Offer?
    /// What stood before the last unlocking.
    var earlierOffer: Offer?
    /// Badges that were refused lately, the newest last.
    var refusals: [Refusal] = []
    var opening: Opening?
    var lastClosing: Closing?
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
        var reason = Proposal.OpeningReason.badge
        var party: Proposal.CabinetParty
        var until: Instant
        var isUnlocked: Bool
    }

    struct Opening: Hashable, Sendable {
        var reason: Proposal.OpeningReason
        /// nil: the gateway was not there all the time.
        var since: Instant?
        /// When the door is left open; nil: not known, or told.
        var alarm: Instant?
        var wasLeftOpenTold = false
    }

    struct Closing: Hashable, Sendable {
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
    public init(
        name: String, settings: Site.Cabinet, index: (String) -> DeviceIndex?, learned: [LearnedState] = [],
        startingAt start: Instant = .zero
    ) {
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
        restoreRefusals(learned.first { $0.name == Self.refusalsRow }?.value, startingAt: start)
        restoreEpisode(learned.first { $0.name == Self.episodeRow }?.value, isInterrupted: isDoorOpen == nil)
    }

    static let readersRow = "readers"
    static let episodeRow = "episode"
    /// Of a recording only: the door as it was when that began, so that a replay goes on from there.
    static let doorRow = "door"

    /// Of a recording only: the badges that were refused lately, and how long each is not told again.
    static let refusalsRow = "refusals"

    /// Tags that are believed to be inside.
    public var insideTags: Int { presence.insideTags }

    /// Whether a tag is believed to be inside; nil: it was never there.
    public func presence(of epc: EPC) -> Bool? { presence.isInside(epc) }

    /// Reads of tags for which there was no room.
    public var overflow: UInt64 { presence.overflow }

    /// Whether an opening would be seen, and what is different after it.
    public var isReady: Bool { areReadersReading && isDoorWatched && !isPaused }

    var areReadersReading: Bool { !readers.isEmpty && readingReaders.count == readers.count }

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
                // It may have been shut and opened in between.
                if opening != nil {
                    opening?.since = nil
                    episode?.isInterrupted = true
                }
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
            opening?.wasLeftOpenTold = true
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

    // MARK: Outputs

    func propose(_ content: Proposal.Content, at time: Instant? = nil, into output: inout StationOutput) {
        output.proposals.append(Proposal(station: name, content: content, at: time))
    }

    mutating func handOver(into output: inout StationOutput) {
        output.learned += presence.takeChanges()
        if let readersToSave { output.learned.append(readersToSave) }
        readersToSave = nil
        let row = episodeJSON
        if row != savedEpisode {
            output.learned.append(LearnedState(name: Self.episodeRow, value: row))
            output.isUrgent = true
        }
        savedEpisode = row
    }
}

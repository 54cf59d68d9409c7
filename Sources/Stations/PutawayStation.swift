import Readings
import SiteConfiguration

/// A bench or shelf where goods are scanned and then the location they are put on, in either order.
public struct PutawayStation: Sendable {
    public let name: String
    private let settings: Site.Putaway
    private var lastDelivery: [DeviceIndex: Delivery] = [:]
    private var pending: Pending?
    private var worker: Worker?
    /// Scans passed over because the scanner read the same code on.
    public private(set) var duplicates: UInt64 = 0

    /// Who held a badge here works here until another does, or nothing was scanned for this long.
    static let workerTimeout = Instant.Span.seconds(15 * 60)

    private struct Delivery {
        var scan: Scan
        var at: Instant
    }

    private struct Pending {
        var scan: Scan
        var role: Role
        var at: Instant
    }

    /// What a scan is one half of.
    private enum Role: Hashable {
        case thing
        case location
        case control(ControlCode)
    }

    private struct Worker {
        var credential: String
        var lastSeen: Instant
    }

    public init(name: String, settings: Site.Putaway) {
        self.name = name
        self.settings = settings
    }

    /// Takes one scan.
    /// - Parameter known: what the ledger knows of its code.
    public mutating func scan(_ scan: Scan, from device: DeviceIndex, at now: Instant, known: Known) -> StationOutput {
        var output = StationOutput()
        if let last = lastDelivery[device], last.scan == scan, now - last.at <= settings.duplicateWindow {
            // A scanner that keeps reading the same label holds the window open.
            lastDelivery[device] = Delivery(scan: scan, at: now)
            duplicates &+= 1
            return output
        }
        lastDelivery[device] = Delivery(scan: scan, at: now)
        worker?.lastSeen = now
        switch known {
        case .item, .product: pair(scan, .thing, at: now, into: &output)
        case .location: pair(scan, .location, at: now, into: &output)
        case .control(let code): pair(scan, .control(code), at: now, into: &output)
        case .person:
            worker = Worker(credential: String(decoding: scan.data, as: UTF8.self), lastSeen: now)
            output.feedback = .next
        case .nothing: output.proposals = [Proposal(station: name, content: .unknownCode(scan))]
        }
        return output
    }

    public mutating func badge(_ read: BadgeRead, at now: Instant) -> StationOutput {
        worker = Worker(credential: read.credential, lastSeen: now)
        var output = StationOutput()
        output.feedback = .next
        return output
    }

    public var nextDeadline: Instant? {
        [pending.map { $0.at + settings.pairTimeout }, worker.map { $0.lastSeen + Self.workerTimeout }].compactMap { $0 }.min()
    }

    /// Lets time come to `now`: gives up a half pair, with the signal for it.
    public mutating func advance(to now: Instant) -> StationOutput {
        var output = StationOutput()
        if let pending, now >= pending.at + settings.pairTimeout {
            self.pending = nil
            output.feedback = .refused
        }
        if let worker, now >= worker.lastSeen + Self.workerTimeout { self.worker = nil }
        return output
    }

    public mutating func reset() {
        pending = nil
        worker = nil
        lastDelivery = [:]
    }

    private mutating func pair(_ scan: Scan, _ role: Role, at now: Instant, into output: inout StationOutput) {
        guard let first = pending else {
            pending = Pending(scan: scan, role: role, at: now)
            output.feedback = .next
            return
        }
        guard (first.role == .thing) != (role == .thing) else {
            // A second location corrects the first; a second item would leave the first without a place, and that must be heard.
            pending = Pending(scan: scan, role: role, at: now)
            output.feedback = role == .thing ? .refused : .next
            return
        }
        pending = nil
        let (thing, other) = role == .thing ? (scan, first) : (first.scan, Pending(scan: scan, role: role, at: now))
        let content: Proposal.Content =
            if case .control(let code) = other.role {
                .control(.init(item: thing, code: code, credential: worker?.credential))
            } else {
                .putAway(.init(item: thing, location: other.scan, credential: worker?.credential, elapsed: now - first.at))
            }
        output.proposals = [Proposal(station: name, content: content)]
    }
}

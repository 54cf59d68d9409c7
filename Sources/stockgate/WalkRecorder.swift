import Identifiers
import Presence
import Readings

/// One walk with a test tag, gathered from what `stockgate watch` tells.
struct WalkRecorder {
    let station: String
    /// Positions of the gate's antennas, by device and port.
    let places: [String: Int]
    let task: WalkTest.Task
    /// The tag; nil: the first one that was not there before.
    private(set) var tag: String?
    /// Tags that were read before the walk began.
    let bystanders: Set<String>
    private(set) var reads: [WalkTest.Read] = []
    private(set) var decision = WalkTest.Decision.none
    /// Presence has said its last word on it.
    private(set) var isOver = false

    /// More reads than a walk of minutes brings.
    static let maximumReads = 100_000

    init(station: String, places: [String: Int], task: WalkTest.Task, tag: String?, bystanders: Set<String>) {
        self.station = station
        self.places = places
        self.task = task
        self.tag = tag
        self.bystanders = bystanders
    }

    static func place(_ device: String, _ port: Int64) -> String { "\(device):\(port)" }

    /// - Returns: the read that it was, when it was one of the test tag.
    mutating func take(_ happening: JSON) -> WalkTest.Read? {
        switch happening["kind"]?.string {
        case "reading": takeRead(happening)
        case "sighting": takeSighting(happening)
        default: nil
        }
    }

    private mutating func takeRead(_ happening: JSON) -> WalkTest.Read? {
        guard let tagRead = happening["tag"].flatMap({ try? TagRead(json: $0) }), let device = happening["device"]?.string,
            let place = places[Self.place(device, Int64(tagRead.antenna))],
            let time = happening["time"]?.string.flatMap(WallTime.init(rfc3339:))
        else { return nil }
        let epc = tagRead.epc.hex
        if tag == nil, !bystanders.contains(epc) { tag = epc }
        guard epc == tag, reads.count < Self.maximumReads else { return nil }
        let read = WalkTest.Read(at: Instant.zero + .milliseconds(time.milliseconds), antenna: place, rssi: tagRead.rssi)
        reads.append(read)
        return read
    }

    private mutating func takeSighting(_ happening: JSON) -> WalkTest.Read? {
        guard happening["station"]?.string == station, happening["epc"]?.string == tag, tag != nil, !reads.isEmpty else { return nil }
        switch happening["sighting"]?.string {
        case "appeared": return nil
        case "passed_out": decision = .passed(.out)
        case "passed_in": decision = .passed(.in)
        case "uncertain", "unknown": decision = .uncertain
        default: decision = .none
        }
        isOver = happening["certainty"]?.string != Certainty.provisional.rawValue
        return nil
    }

    var walk: WalkTest.Walk { WalkTest.Walk(task: task, reads: reads, decision: decision) }
}

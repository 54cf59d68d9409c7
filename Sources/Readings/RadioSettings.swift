/// What the site file says about the radio of an RFID reader. What stands here is the operator's duty: nothing is transmitted on a guess.
public struct RadioSettings: Hashable, Sendable {
    /// The radio region in which the reader stands; a reader that is set to another one must not begin to read. nil: not checked.
    public var region: RadioRegion?
    /// Transmit power in hundredths of a dBm at the reader's port, before cable and antenna; nil: as the reader is set.
    public var power: Int?
    /// What the reads are for; it chooses session, target, mode and antenna dwell.
    public var intent: RadioIntent
    /// The antenna ports to use, counted from 1; empty: as the profile says.
    public var antennas: [UInt8]

    public init(region: RadioRegion? = nil, power: Int? = nil, intent: RadioIntent = .gate, antennas: [UInt8] = []) {
        self.region = region
        self.power = power
        self.intent = intent
        self.antennas = antennas
    }
}

/// The rules under which a reader transmits: the communication standards of LLRP 1.1, section 10.2.4.1 (the raw value is their number).
public enum RadioRegion: UInt16, Hashable, Sendable, CaseIterable {
    case unspecified = 0
    /// FCC part 15: United States, Canada and others, 902–928 MHz.
    case fcc = 1
    /// ETSI EN 302 208: Europe, 865.6–867.6 MHz, upper band 915–921 MHz.
    case etsi = 2
    case etsi300220 = 3
    case australia1W = 4
    case australia4W = 5
    case japan = 6
    case hongKong = 7
    case taiwan = 8
    case koreaMIC52 = 9
    case china = 10
    case unused11 = 11
    case korea = 12
    case brazil = 13
    case unused14 = 14
    case thailand = 15
    case singapore = 16
    case australiaACMA = 17
    case india = 18
    case uruguay = 19
    case vietnam = 20
    case israel = 21
    case philippines = 22
    case canada = 23
    case indonesia = 24
    case newZealand = 25
}

/// What the reads of an RFID reader are for.
public enum RadioIntent: String, Hashable, Sendable, CaseIterable {
    /// People walk through: many reads of few tags, all antennas many times a second.
    case gate
    /// A closed box: every tag at least once, then quiet.
    case cabinet
    /// Pallets and carts pass: many tags at once, each seldom.
    case portal
    /// A person walks along shelves.
    case count
}

extension RadioRegion {
    /// The name in the site file; empty for numbers that stand for no region.
    public var name: String {
        switch self {
        case .unspecified, .unused11, .unused14: ""
        default: Self.names[self, default: "\(self)"]
        }
    }

    private static let names: [RadioRegion: String] = [
        .etsi300220: "etsi_300_220", .australia1W: "australia_1w", .australia4W: "australia_4w", .hongKong: "hong_kong",
        .koreaMIC52: "korea_mic_5_2", .australiaACMA: "australia", .newZealand: "new_zealand",
    ]
}

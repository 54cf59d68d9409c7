import Identifiers
import Readings

extension Site {
    /// A closed box with a door: who opens it answers for what is different after it was closed.
    public struct Cabinet: Hashable, Sendable {
        /// What looks into it, in the order of the site file; at most `maximumReaders` readers.
        public var antennas: [Antenna]
        public var badgeReaders: [String]
        public var door: Door
        /// nil: the door has no lock of ours, and whoever opens it holds a badge before or after.
        public var lock: Lock?
        /// So many different people must hold their badges before it opens, 1 or 2. The first of two is the borrower.
        public var people: Int
        /// How long after a badge the door may be opened in its name.
        public var unlock: Instant.Span
        /// A door that is open for longer is left open.
        public var doorOpen: Instant.Span
        /// The longest that the answer may take after the door was closed.
        public var scan: Instant.Span
        /// From closing to the second scan, which gives the last word.
        public var confirm: Instant.Span
        /// Tags fixed inside: they show that its antennas work.
        public var referenceTags: Set<EPC>

        public static let maximumReaders = 4

        public init(
            antennas: [Antenna], badgeReaders: [String] = [], door: Door, lock: Lock? = nil, people: Int = 1,
            unlock: Instant.Span = .seconds(10), doorOpen: Instant.Span = .seconds(60), scan: Instant.Span = .milliseconds(5_500),
            confirm: Instant.Span = .seconds(50), referenceTags: Set<EPC> = []
        ) {
            self.antennas = antennas
            self.badgeReaders = badgeReaders
            self.door = door
            self.lock = lock
            self.people = people
            self.unlock = unlock
            self.doorOpen = doorOpen
            self.scan = scan
            self.confirm = confirm
            self.referenceTags = referenceTags
        }

        /// The names of its readers, each once, in the order of the site file.
        public var readers: [String] {
            var names: [String] = []
            for antenna in antennas where !names.contains(antenna.device) { names.append(antenna.device) }
            return names
        }

        public struct Antenna: Hashable, Sendable {
            public var device: String
            /// The reader's antenna port, counted from 1; nil: all of them.
            public var port: UInt8?

            public init(device: String, port: UInt8? = nil) {
                self.device = device
                self.port = port
            }
        }

        /// The contact that tells whether the door is open.
        public struct Door: Hashable, Sendable {
            public var device: String
            /// The input's line on its device, counted from 0.
            public var input: UInt8
            public var open: Level

            public init(device: String, input: UInt8 = 0, open: Level = .inactive) {
                self.device = device
                self.input = input
                self.open = open
            }

            /// Which level of the input means that the door is open. A contact that is closed while the door is shut shows a cut wire as an
            /// open door.
            public enum Level: String, Hashable, Sendable, CaseIterable {
                case active
                case inactive
            }

            public func isOpen(_ change: InputChange) -> Bool { change.isActive == (open == .active) }
        }

        /// What opens: the profile of its device has the pulse, which ends by itself.
        public struct Lock: Hashable, Sendable {
            public var device: String
            /// Which of the device's pulses, 1 to 4.
            public var pulse: Feedback

            public init(device: String, pulse: Feedback = .unlock) {
                self.device = device
                self.pulse = pulse
            }
        }
    }
}

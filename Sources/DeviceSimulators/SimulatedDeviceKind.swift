import Identifiers
import Readings

/// A kind of device that can be simulated. A new one is one element of `all`.
public struct SimulatedDeviceKind: Sendable {
    /// How it is reached when nothing else is asked for.
    public enum Reach: Hashable, Sendable {
        case pseudoTerminal
        /// The port that its protocol has.
        case tcp(port: UInt16)
    }

    /// What a simulated device is given.
    public struct Setting: Sendable {
        public var tags: [EPC]
        /// Over all tags and antennas.
        public var readsPerSecond: Int
        /// Makes the random numbers.
        public var seed: UInt64
        /// It is reached over a socket: Modbus has other frames there.
        public var isOnNetwork: Bool
        /// What a reader of a kind that `playsScenes` reads.
        public var scene: SceneReads?

        public init(
            tags: [EPC] = [], readsPerSecond: Int = 50, seed: UInt64 = 1, isOnNetwork: Bool = false, scene: SceneReads? = nil
        ) {
            self.tags = tags
            self.readsPerSecond = readsPerSecond
            self.seed = seed
            self.isOnNetwork = isOnNetwork
            self.scene = scene
        }

        var field: TagField { TagField(tags.map { SimulatedTag(epc: $0) }, readsPerSecond: readsPerSecond, seed: seed) }
    }

    /// On the command line.
    public var name: String
    /// What it is, for people.
    public var summary: String
    /// The shipped profile that reads it.
    public var profile: String
    public var reach: Reach
    /// What it notices.
    public var actions: [SimulatedAction.Kind]
    public var make: @Sendable (Setting) -> any SimulatedDevice
    /// It has the antennas of a gate and tells which of them read what.
    public var playsScenes = false

    init(
        _ name: String, _ summary: String, profile: String, reach: Reach = .pseudoTerminal, _ actions: [SimulatedAction.Kind],
        make: @escaping @Sendable (Setting) -> any SimulatedDevice
    ) {
        self.name = name
        self.summary = summary
        self.profile = profile
        self.reach = reach
        self.actions = actions
        self.make = make
    }

    public static let all = readers + scanners + badgeReaders + inputsAndOutputs

    private static let readers: [SimulatedDeviceKind] =
        ReaderKind.allCases.map { kind in
            var device = SimulatedDeviceKind(kind.rawValue, "UHF reader, \(kind.summary)", profile: kind.profile, [.tag, .remove]) {
                if let scene = $0.scene { SimulatedReader(kind, tags: scene) } else { SimulatedReader(kind, tags: $0.field) }
            }
            device.playsScenes = kind == .a0 || kind == .a0With8Antennas
            return device
        }
        + [
            llrp("llrp", "LLRP reader of no particular maker", "generic/llrp-reader", .generic),
            llrp("impinj", "LLRP reader, Impinj Speedway", "impinj/speedway", .impinj),
            llrp("zebra", "LLRP reader, Zebra FX series", "zebra/fx7500-fx9600", .zebra),
        ]

    private static func llrp(
        _ name: String, _ summary: String, _ profile: String, _ personality: LLRPReaderSimulator.Personality
    ) -> SimulatedDeviceKind {
        SimulatedDeviceKind(name, summary, profile: profile, reach: .tcp(port: 5_084), [.tag, .remove, .input]) { setting in
            var configuration = LLRPReaderSimulator.Configuration(personality)
            configuration.readInterval = Instant.Span(nanoseconds: 1_000_000_000 / Int64(max(1, setting.readsPerSecond)))
            var reader = LLRPReaderSimulator(configuration)
            for epc in setting.tags { reader.put(epc, antenna: nil) }
            return reader
        }
    }

    private static let scanners: [SimulatedDeviceKind] = [
        SimulatedDeviceKind("scanner", "barcode scanner on a serial line", profile: "generic/serial-scanner", [.scan]) { _ in
            SerialScannerDevice()
        },
        SimulatedDeviceKind("honeywell", "barcode scanner with Honeywell's serial commands", profile: "honeywell/cdc-scanner", [.scan]) {
            _ in
            SerialScannerDevice()
        },
        SimulatedDeviceKind("ssi", "barcode scanner, Zebra SSI", profile: "zebra/ssi", [.scan]) { _ in SSIScannerDevice() },
        SimulatedDeviceKind("gm65", "barcode module, Grow GM65", profile: "grow/gm65", [.scan]) { _ in GM65Device() },
        SimulatedDeviceKind("keyence", "fixed scanner, Keyence SR", profile: "keyence/sr", reach: .tcp(port: 9_004), [.scan]) { _ in
            KeyenceReaderDevice()
        },
        SimulatedDeviceKind("cognex", "fixed scanner, Cognex DataMan", profile: "cognex/dataman", reach: .tcp(port: 23), [.scan]) { _ in
            DataManDevice()
        },
        SimulatedDeviceKind("sick", "fixed scanner, SICK CoLa-A", profile: "sick/cola", reach: .tcp(port: 2_112), [.scan]) { _ in
            SICKScannerDevice()
        },
    ]

    private static let badgeReaders: [SimulatedDeviceKind] = [
        SimulatedDeviceKind("em4100", "125 kHz badge reader, ASCII", profile: "em4100/serial-ascii", [.badge]) { _ in EM4100Reader() },
        SimulatedDeviceKind("id-12", "125 kHz badge reader, ID-12", profile: "innovations/id-12", [.badge]) { _ in
            EM4100Reader(hasLineEnd: true)
        },
        SimulatedDeviceKind("wiegand", "Wiegand converter, lines in hexadecimal", profile: "generic/wiegand-hexadecimal", [.badge]) { _ in
            WiegandConverter()
        },
        SimulatedDeviceKind("osdp", "OSDP badge reader, address 0", profile: "generic/osdp-reader", [.badge, .input]) { _ in
            OSDPReaderSimulator(inputs: 2)
        },
        SimulatedDeviceKind("pn532", "13.56 MHz badge reader, PN532", profile: "nxp/pn532-hsu", [.badge]) { _ in PN532Simulator() },
    ]

    private static let inputsAndOutputs: [SimulatedDeviceKind] = [
        modbus("modbus-relay", "Modbus relay board, Waveshare", "waveshare/relay-8", []) { $0.flashes = true },
        modbus("modbus-io", "Modbus inputs and relays, Moxa ioLogik E1214", "moxa/iologik-e1214", [.input]),
        modbus("adam-6050", "Modbus inputs and outputs, Advantech ADAM-6050", "advantech/adam-6050", [.input]),
    ]

    /// Unit 1.
    private static func modbus(
        _ name: String, _ summary: String, _ profile: String, _ actions: [SimulatedAction.Kind],
        _ change: @escaping @Sendable (inout ModbusUnitSimulator) -> Void = { _ in }
    ) -> SimulatedDeviceKind {
        SimulatedDeviceKind(name, summary, profile: profile, reach: .tcp(port: 502), actions) { setting in
            var unit = ModbusUnitSimulator()
            change(&unit)
            return ModbusBusSimulator(units: [1: unit], framing: setting.isOnNetwork ? .tcp : .rtu, hasInputs: !actions.isEmpty)
        }
    }
}

import Readings

/// What a reply of an OSDP reader says (documentation and tests of LibOSDP).
enum OSDPReply: Hashable, Sendable {
    case acknowledged
    case refused(code: UInt8)
    case identification(String)
    case capabilities([OSDPCapability])
    case localStatus(isTampered: Bool, hasPowerFault: Bool)
    case inputs([Bool])
    /// One state a reader: 0 normal, 1 not connected, 2 tampered with.
    case readers([UInt8])
    case outputs
    /// Bits of a card, left-justified.
    case card(WiegandBits)
    /// More bits than a credential can have.
    case longCard
    /// A card as characters.
    case text([UInt8])
    case keys
    case busy
    case other

    /// nil: the reply is of a known kind, and its data are not.
    init?(_ packet: OSDPPacket) {
        let data = packet.data
        switch packet.code {
        case 0x40: self = .acknowledged
        case 0x41:
            guard let code = data.first else { return nil }
            self = .refused(code: code)
        case 0x45:
            guard data.count >= 12 else { return nil }
            let serial = data[5...8].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            self = .identification(
                "vendor \(Hex.text(data[0...2])), model \(data[3]), version \(data[4]), serial \(serial), "
                    + "firmware \(data[9]).\(data[10]).\(data[11])")
        case 0x46:
            guard data.count.isMultiple(of: 3) else { return nil }
            self = .capabilities(
                stride(from: 0, to: data.count, by: 3).map {
                    OSDPCapability(function: data[$0], compliance: data[$0 + 1], count: data[$0 + 2])
                })
        case 0x48:
            guard data.count >= 2 else { return nil }
            self = .localStatus(isTampered: data[0] != 0, hasPowerFault: data[1] != 0)
        case 0x49: self = .inputs(data.map { $0 != 0 })
        case 0x4A: self = .outputs
        case 0x4B: self = .readers(data)
        case 0x50:
            // Reader, format (0 raw, 1 parity-data-parity), number of bits, bits.
            guard data.count > 4 else { return nil }
            let count = Int(data[2]) | Int(data[3]) << 8
            guard count > 0, (count + 7) / 8 <= data.count - 4 else { return nil }
            guard count <= WiegandBits.longest else {
                self = .longCard
                return
            }
            guard let bits = WiegandBits(leftJustified: data[4...], count: count) else { return nil }
            self = .card(bits)
        case 0x51:
            // Reader, direction, number of characters, characters.
            guard data.count > 3, Int(data[2]) == data.count - 3 else { return nil }
            self = .text(Array(data[3...]))
        case 0x53: self = .keys
        case 0x79: self = .busy
        default: self = .other
        }
    }

    /// The reasons of a refusal.
    static func refusal(_ code: UInt8) -> String {
        switch code {
        case 1: "the reader received a wrong check"
        case 2: "command length refused"
        case 3: "command unknown to the reader"
        case 4: "sequence number refused"
        case 5: "secure channel refused"
        case 6: "secure channel demanded"
        case 7, 8: "biometric data refused"
        case 9: "command could not be carried out"
        default: "command refused"
        }
    }
}

/// One thing that a reader says it can do (LibOSDP: function codes of PDCAP).
struct OSDPCapability: Hashable, Sendable {
    var function: UInt8
    var compliance: UInt8
    var count: UInt8

    static let inputs: UInt8 = 1

    /// For people.
    var text: String {
        switch function {
        case 1: "inputs \(count)"
        case 2: "outputs \(count)"
        case 3: "card data " + (compliance == 1 ? "bits" : compliance == 2 ? "characters" : "bits or characters")
        case 4: "lights \(count)"
        case 5: "buzzer " + (compliance >= 2 ? "timed" : "on and off")
        case 6: "displays \(count)"
        case 8: "CRC " + (compliance & 1 == 0 ? "no" : "yes")
        case 9: "secure channel " + (compliance & 1 == 0 ? "no" : "yes")
        case 10: "longest packet \(UInt16(count) << 8 | UInt16(compliance))"
        case 13: "readers \(count)"
        default: "function \(function): \(compliance), \(count)"
        }
    }
}

/// What the replies of one reader amount to: badges, inputs that changed, faults that began.
struct OSDPReport: Sendable {
    let configuration: OSDPSession.Configuration
    private var inputs: [Bool] = []
    private var faults: Set<String> = []

    init(_ configuration: OSDPSession.Configuration) {
        self.configuration = configuration
    }

    mutating func reset() {
        inputs = []
        faults = []
    }

    /// Inputs and faults as they were told last.
    var snapshot: JSON? {
        guard !inputs.isEmpty || !faults.isEmpty else { return nil }
        return .compact([
            "inputs": .array(inputs.map(JSON.bool)), "faults": .array(faults.sorted().map(JSON.string)),
        ])
    }

    mutating func restore(_ snapshot: JSON) {
        inputs = (snapshot["inputs"]?.array ?? []).prefix(64).compactMap(\.bool)
        faults = Set((snapshot["faults"]?.array ?? []).prefix(16).compactMap(\.string))
    }

    mutating func take(_ reply: OSDPReply, into batch: inout DecodedBatch) {
        switch reply {
        case .refused(let code): batch.signals.append(.fault(code: code, meaning: OSDPReply.refusal(code), isTransient: true))
        case .card(let bits):
            switch bits.credential(configuration.form, checksParity: configuration.bits == .wiegand) {
            case .credential(let text): batch.readings.append(.badge(BadgeRead(credential: text)))
            case .wrongParity:
                // The line is checked, so this is no disturbance: the card is of another format than the profile says.
                batch.rejects.count(.checksum)
                batch.signals.append(.fault(code: 0x50, meaning: "parity of a card of \(bits.count) bits is wrong", isTransient: true))
            }
        case .text(let characters):
            let isPrintable = characters.allSatisfy { (0x21...0x7E).contains($0) }
            guard isPrintable else { return batch.rejects.count(.malformed) }
            guard characters.count <= 32 else { return batch.rejects.count(.tooLong) }
            batch.readings.append(.badge(BadgeRead(credential: String(decoding: characters, as: UTF8.self))))
        case .longCard: batch.rejects.count(.tooLong)
        case .inputs(let states):
            for (line, isActive) in states.prefix(64).enumerated() where line >= inputs.count || inputs[line] != isActive {
                batch.readings.append(.input(InputChange(line: UInt8(truncatingIfNeeded: line), isActive: isActive)))
            }
            inputs = Array(states.prefix(64))
        case .localStatus(let isTampered, let hasPowerFault):
            note("housing opened", 0x48, isTampered, into: &batch)
            note("power fault", 0x48, hasPowerFault, into: &batch)
        case .readers(let states):
            note("card reader not connected", 0x4B, states.contains(1), into: &batch)
            note("card reader tampered with", 0x4B, states.contains(2), into: &batch)
        case .keys: batch.rejects.count(.unexpectedInput)
        case .other: batch.rejects.count(.unknownFrame)
        case .acknowledged, .identification, .capabilities, .outputs, .busy: break
        }
    }

    /// A fault is told once, when it begins.
    private mutating func note(_ meaning: String, _ code: UInt8, _ isPresent: Bool, into batch: inout DecodedBatch) {
        guard isPresent else {
            faults.remove(meaning)
            return
        }
        if faults.insert(meaning).inserted { batch.signals.append(.fault(code: code, meaning: meaning, isTransient: true)) }
    }
}

import Decoding
import Readings

extension ModbusProtocol.Configuration {
    init(_ reader: TOMLTableReader) {
        let tables = reader.tables("poll", maximumCount: Self.maximumPolls)
        if tables.isEmpty { reader.problem("poll", "needs at least one read: without one nobody sees whether the unit is there") }
        let polls = tables.map(ModbusProtocol.Poll.init)
        let debounce = reader.milliseconds("debounce_ms", in: 0...60_000) ?? .zero
        let inputs = Set(polls.filter(\.isInputs).flatMap(\.lines))
        var lines = Array(repeating: ModbusProtocol.LineSettings(debounce: debounce), count: 256)
        for table in reader.tables("input", maximumCount: 256) {
            guard let line = table.integer("line", in: 0...255, isRequired: true) else { continue }
            if !inputs.contains(Int(line)) { table.problem("line", "no poll reads input \(line)") }
            lines[Int(line)] = ModbusProtocol.LineSettings(
                debounce: table.milliseconds("debounce_ms", in: 0...60_000) ?? debounce, isInverted: table.bool("inverted") ?? false)
            table.finish()
        }
        for (poll, table) in zip(polls, tables) {
            Self.check(poll, table, inputs: inputs, lines: lines)
        }
        for (index, poll) in polls.enumerated() where poll.isInputs {
            for other in polls[..<index] where other.isInputs && other.lines.overlaps(poll.lines) {
                tables[index].problem("first_line", "tells of lines \(poll.lines.lowerBound) and on, which another poll tells of too")
            }
        }
        self.init(
            polls: polls, lines: lines, interval: reader.milliseconds("poll_ms", in: 10...60_000) ?? Self.shortestInterval,
            responseTimeout: reader.milliseconds("response_timeout_ms", in: 10...10_000) ?? .milliseconds(500),
            defaultUnit: reader.integer("default_unit", in: 0...255).map { UInt8($0) })
    }

    private static func check(
        _ poll: ModbusProtocol.Poll, _ table: TOMLTableReader, inputs: Set<Int>, lines: [ModbusProtocol.LineSettings]
    ) {
        switch poll.meaning {
        case .life: break
        case .inputs(let first):
            if Int(first) + poll.count * (poll.function.readsBits ? 1 : 16) > 256 { table.problem("count", "lines end at 255") }
        case .counters(let counters):
            if poll.function.readsBits { table.problem("function", "counters stand in registers") }
            if poll.count % counters.registers != 0 { table.problem("count", "is no whole number of counters") }
            for line in poll.lines {
                if !inputs.contains(line) { table.problem("first_line", "no poll reads input \(line)") }
                if lines[line].debounce > .zero {
                    table.problem("first_line", "input \(line) has a debounce time: its counter would count what is to be passed over")
                }
            }
        case .identifier(let identifier):
            if poll.function.readsBits { table.problem("function", "an identifier stands in registers") }
            let last = max(
                identifier.firstRegister + (identifier.byteCount + 1) / 2, (identifier.flag?.register ?? 0) + 1,
                (identifier.lengthRegister ?? 0) + 1)
            if last > poll.count { table.problem("count", "must be at least \(last): the poll must read all that it needs") }
            if !identifier.acknowledgement.isEmpty, identifier.flag == nil {
                table.problem("acknowledge", "needs flag_register: nothing else says that there is something new")
            }
        }
    }
}

extension ModbusProtocol.Poll {
    fileprivate var isInputs: Bool { if case .inputs = meaning { true } else { false } }

    private enum Kind: String, CaseIterable {
        case inputs, counters, tag, badge, life
    }

    private enum Name: String, CaseIterable {
        case coils
        case discreteInputs = "discrete_inputs"
        case holdingRegisters = "holding_registers"
        case inputRegisters = "input_registers"

        var function: Function {
            switch self {
            case .coils: .coils
            case .discreteInputs: .discreteInputs
            case .holdingRegisters: .holdingRegisters
            case .inputRegisters: .inputRegisters
            }
        }
    }

    init(_ reader: TOMLTableReader) {
        let kind = reader.choice("kind", of: Kind.self, isRequired: true)
        let function = (reader.choice("function", of: Name.self, isRequired: true) ?? .holdingRegisters).function
        let start = UInt16(reader.integer("start", in: 0...65_535, isRequired: true) ?? 0)
        let maximum: Int64 = function.readsBits ? 2_000 : 125
        let count = Int(reader.integer("count", in: 1...maximum, isRequired: true) ?? 1)
        if Int(start) + count > 65_536 { reader.problem("count", "addresses end at 65535") }
        let meaning: Meaning
        switch kind {
        case .inputs: meaning = .inputs(firstLine: UInt8(reader.integer("first_line", in: 0...255) ?? 0))
        case .counters:
            meaning = .counters(
                ModbusProtocol.Counters(
                    firstLine: UInt8(reader.integer("first_line", in: 0...255) ?? 0),
                    registers: Int(reader.integer("registers", in: 1...2) ?? 1), isLowFirst: reader.bool("low_register_first") ?? false))
        case .tag: meaning = .identifier(ModbusProtocol.Identifier(reader, output: .tag))
        case .badge:
            let form = reader.table("badge").map { BadgeForm($0, isWhole: true) } ?? BadgeForm()
            meaning = .identifier(ModbusProtocol.Identifier(reader, output: .badge(form)))
        case .life, nil: meaning = .life
        }
        // Without a kind every other key would be called unknown, and hide the one real problem.
        if kind != nil { reader.finish() }
        self.init(function, start: start, count: count, meaning: meaning)
    }
}

extension ModbusProtocol.Identifier {
    fileprivate init(_ reader: TOMLTableReader, output: Output) {
        let flag = reader.integer("flag_register", in: 0...124)
        let bit = reader.integer("flag_bit", in: 0...15)
        if bit != nil, flag == nil { reader.problem("flag_bit", "needs flag_register") }
        let acknowledgement = reader.bytes("acknowledge") ?? []
        if !acknowledgement.isEmpty, let fault = DecoderConfiguration.modbus(.init()).fault(ofFrame: acknowledgement) {
            reader.problem("acknowledge", fault)
        }
        self.init(
            output: output, flag: flag.map { Flag(register: Int($0), bit: Int(bit ?? 0)) },
            lengthRegister: reader.integer("length_register", in: 0...124).map { Int($0) },
            byteCount: Int(reader.integer("bytes", in: 1...62, isRequired: true) ?? 1),
            firstRegister: Int(reader.integer("first_register", in: 0...124) ?? 0),
            isLowByteFirst: reader.bool("low_byte_first") ?? false, isLastRegisterFirst: reader.bool("last_register_first") ?? false,
            acknowledgement: acknowledgement)
    }
}

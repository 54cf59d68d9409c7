import Decoding
import Readings

/// How a profile steers its device, with places for what the site file says of the radio.
struct SessionTemplate: Hashable, Sendable {
    /// All that no setting changes.
    var base = SessionPlan()
    var steps: [Step] = []
    var inventory: Inventory?

    struct Step: Hashable, Sendable {
        /// All that no setting changes.
        var base: SessionPlan.Step
        var send: CommandTemplate
        var expect: CommandTemplate?
        var check: Check?

        struct Check: Hashable, Sendable {
            var send: CommandTemplate
            var answer: BytePattern
            var wanted: CommandTemplate
        }

        var templates: [CommandTemplate] { [send] + [expect, check?.send, check?.wanted].compactMap(\.self) }
    }

    struct Inventory: Hashable, Sendable {
        /// All that no setting changes.
        var base: SessionPlan.Inventory
        var commands: Commands
        /// Other commands where the reads are for something else.
        var byIntent: [RadioIntent: Commands] = [:]

        struct Commands: Hashable, Sendable {
            var commands: [CommandTemplate]
            /// Sent before each command, which the right answer lets follow.
            var select: Select?
        }

        struct Select: Hashable, Sendable {
            var send: CommandTemplate
            var expect: BytePattern
            var answer: BytePattern
        }

        var all: [Commands] { [commands] + byIntent.values }
    }

    var templates: [CommandTemplate] {
        steps.flatMap(\.templates) + (inventory?.all ?? []).flatMap { $0.commands + [$0.select?.send].compactMap(\.self) }
    }

    /// The plan with the settings in their places. A step for which a setting is missing is left out.
    func plan(_ values: RadioValues, intent: RadioIntent, decoder: DecoderConfiguration) -> SessionPlan {
        var plan = base
        plan.steps = steps.compactMap { $0.step(values, decoder: decoder) }
        plan.inventory = inventory?.inventory(values, intent: intent, decoder: decoder)
        return plan
    }
}

extension SessionTemplate.Step {
    fileprivate func step(_ values: RadioValues, decoder: DecoderConfiguration) -> SessionPlan.Step? {
        var step = base
        guard let send = send.command(values, decoder: decoder) else { return nil }
        step.send = send
        if let expect {
            guard let pattern = expect.pattern(values, decoder: decoder) else { return nil }
            step.expect = pattern
            // A bus answers one request after the other, so whatever begins with its function is the answer. A write is answered with
            // its address, which tells it from a second answer to the write before, one that was sent again.
            if step.answer == nil, case .modbus = decoder, let function = send.first {
                let count = [0x05, 0x06, 0x0F, 0x10].contains(function) ? 3 : 1
                step.answer = BytePattern(bytes: send.prefix(count).map(Optional.some), allowsMore: true)
            }
        }
        if let check {
            guard let question = check.send.command(values, decoder: decoder), let wanted = check.wanted.pattern(values, decoder: decoder)
            else { return nil }
            step.check = SessionPlan.Check(send: question, answer: check.answer, wanted: wanted)
        }
        return step
    }
}

extension SessionTemplate.Inventory {
    fileprivate func inventory(_ values: RadioValues, intent: RadioIntent, decoder: DecoderConfiguration) -> SessionPlan.Inventory {
        let chosen = byIntent[intent] ?? commands
        var inventory = base
        inventory.commands = []
        inventory.antennas = []
        var selects: [[UInt8]] = []
        for command in chosen.commands {
            let isPerAntenna = command.isPerAntenna || chosen.select?.send.isPerAntenna == true
            for antenna in isPerAntenna ? values.antennas.map(Optional.some) : [nil] {
                var values = values
                values.antenna = antenna
                guard let bytes = command.command(values, decoder: decoder) else { continue }
                inventory.commands.append(bytes)
                if let antenna { inventory.antennas.append(antenna) }
                if let select = chosen.select?.send.command(values, decoder: decoder) { selects.append(select) }
            }
        }
        // Where only some commands name an antenna, none is held to.
        if inventory.antennas.count < inventory.commands.count { inventory.antennas = [] }
        inventory.selection = chosen.select.map { SessionPlan.Selection(commands: selects, expect: $0.expect, answer: $0.answer) }
        // A round of fewer antennas has failed when these have.
        if !values.antennas.isEmpty { inventory.faultLimit = min(inventory.faultLimit, values.antennas.count) }
        return inventory
    }
}

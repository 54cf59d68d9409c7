import Readings

extension LLRPSession {
    /// What is asked of the reader, in this order. The words are for people.
    enum Step: String, Hashable, Sendable, CaseIterable {
        case supportedVersion = "ask for the versions"
        case setVersion = "agree on version 1.1"
        case capabilities
        case extensions = "vendor extensions"
        case deleteAccessSpecs = "delete old access specs"
        case deleteROSpecs = "delete old inventories"
        case configuration
        case state = "antennas and inputs"
        case addROSpec = "add inventory"
        case enableROSpec = "enable inventory"
        case startROSpec = "start inventory"

        var answerType: UInt16 {
            switch self {
            case .supportedVersion: 56
            case .setVersion: 57
            case .capabilities: 11
            case .extensions: 1_023
            case .deleteAccessSpecs: 51
            case .deleteROSpecs: 31
            case .configuration: 13
            case .state: 12
            case .addROSpec: 30
            case .enableROSpec: 34
            case .startROSpec: 32
            }
        }

        /// Outputs are known and off.
        var isAfterConfiguration: Bool { [.state, .addROSpec, .enableROSpec, .startROSpec].contains(self) }

        /// What the device can do without is noted and passed over.
        var isOptional: Bool {
            switch self {
            case .supportedVersion, .setVersion, .extensions, .deleteAccessSpecs, .deleteROSpecs, .state, .enableROSpec: true
            case .capabilities, .configuration, .addROSpec, .startROSpec: false
            }
        }
    }

    mutating func begin(_ step: Step, at now: Instant, into output: inout SessionOutput) {
        do throws(LLRPError) {
            phase = .step(Pending(step: step, ids: [try ask(step, into: &output)], deadline: now + Self.answerTimeout))
        } catch { fail(step.rawValue, "\(error)", into: &output) }
    }

    mutating func timedOut(_ pending: Pending, at now: Instant, into output: inout SessionOutput) {
        if pending.ids.count < Self.attempts {
            counters.retries &+= 1
            do throws(LLRPError) {
                var again = pending
                again.ids.append(try ask(pending.step, into: &output))
                again.deadline = now + Self.answerTimeout
                phase = .step(again)
            } catch { fail(pending.step.rawValue, "\(error)", into: &output) }
            return
        }
        guard pending.step.isOptional else { return fail(pending.step.rawValue, "no answer", isReachable: false, into: &output) }
        note("\(pending.step.rawValue): no answer")
        done(pending.step == .supportedVersion ? .setVersion : pending.step, at: now, into: &output)
    }

    /// - Returns: the id of the question.
    private mutating func ask(_ step: Step, into output: inout SessionOutput) throws(LLRPError) -> UInt32 {
        switch step {
        // The two questions about versions are asked in that of the newer one (LLRP 1.1, section 9.1).
        case .supportedVersion: return try send("GET_SUPPORTED_VERSION", version: 2, into: &output)
        case .setVersion: return try send("SET_PROTOCOL_VERSION", ["ProtocolVersion": 2], version: 2, into: &output)
        case .capabilities: return try send("GET_READER_CAPABILITIES", ["RequestedData": "All"], into: &output)
        case .extensions: return try send("IMPINJ_ENABLE_EXTENSIONS", into: &output)
        case .deleteAccessSpecs: return try send("DELETE_ACCESSSPEC", ["AccessSpecID": 0], into: &output)
        case .deleteROSpecs: return try send("DELETE_ROSPEC", ["ROSpecID": 0], into: &output)
        case .configuration: return try send("SET_READER_CONFIG", parameters: try configurationParameters(), into: &output)
        case .state: return try send("GET_READER_CONFIG", ["RequestedData": "All"], into: &output)
        case .addROSpec:
            let id = nextID()
            isEnabled = false
            if let inventory {
                output.transmissions.append(try inventory.message(id: id, version: version, isPlain: isPlain).encoded())
            }
            return id
        case .enableROSpec: return try send("ENABLE_ROSPEC", ["ROSpecID": roSpecID], into: &output)
        case .startROSpec:
            // What the reader held back for this client comes before anything new.
            if capabilities?.canHoldReports == true { try send("ENABLE_EVENTS_AND_REPORTS", into: &output) }
            return try send("START_ROSPEC", ["ROSpecID": roSpecID], into: &output)
        }
    }

    private var roSpecID: LLRPValue { LLRPValue(inventory?.roSpecID ?? 0) }

    /// Keepalives in any case: a reader that does not miss its client keeps its only place for it.
    private func configurationParameters() throws(LLRPError) -> [LLRPParameter] {
        var parameters: [LLRPParameter] = []
        var events: [LLRPParameter] = []
        for type: LLRPValue in ["GPI_Event", "ROSpec_Event", "Report_Buffer_Fill_Warning", "Reader_Exception_Event", "Antenna_Event"] {
            events.append(try LLRPParameter("EventNotificationState", fields: ["EventType": type, "NotificationState": true]))
        }
        parameters.append(try LLRPParameter("ReaderEventNotificationSpec", parameters: events))
        parameters.append(
            try LLRPParameter(
                "KeepaliveSpec",
                fields: ["KeepaliveTriggerType": "Periodic", "PeriodicTriggerValue": LLRPValue(configuration.keepalive.milliseconds)]))
        guard let capabilities, !isConfigurationPlain else { return parameters }
        for port in 0..<min(capabilities.outputCount, 16) { parameters.append(try Self.output(UInt16(port + 1), isOn: false)) }
        for port in 0..<min(capabilities.inputCount, 16) {
            // The state is what the reader tells, and passed over here.
            parameters.append(
                try LLRPParameter(
                    "GPIPortCurrentState", fields: ["GPIPortNum": LLRPValue(port + 1), "Config": true, "State": "Unknown"]))
        }
        if capabilities.canHoldReports {
            parameters.append(try LLRPParameter("EventsAndReports", fields: ["HoldEventsAndReportsUponReconnect": true]))
        }
        guard vendor == .impinj else { return parameters }
        // The reader hangs up on a client that does not answer its keepalives, and sends reports without gathering them.
        parameters.append(
            try LLRPParameter(
                "ImpinjLinkMonitorConfiguration",
                fields: ["LinkMonitorMode": "Enabled", "LinkDownThreshold": LLRPValue(Self.missingKeepalives)]))
        parameters.append(try LLRPParameter("ImpinjReportBufferConfiguration", fields: ["ReportBufferMode": "Low_Latency"]))
        return parameters
    }

    // MARK: Answers

    mutating func answered(_ pending: Pending, _ message: LLRPMessage, at now: Instant, into output: inout SessionOutput) {
        let step = pending.step
        if let fault = Self.fault(in: message) { return refused(step, fault, at: now, into: &output) }
        switch step {
        case .supportedVersion:
            guard message.integer("SupportedVersion").map({ $0 >= 2 }) == true else { return done(.setVersion, at: now, into: &output) }
            if message.integer("CurrentVersion") == 2 {
                version = 2
                return done(.setVersion, at: now, into: &output)
            }
        case .setVersion: version = 2
        case .capabilities:
            guard take(capabilities: message) else { return fail(step.rawValue, "the answer does not describe a reader", into: &output) }
        case .state: take(state: message, into: &output)
        case .enableROSpec: isEnabled = true
        default: break
        }
        done(step, at: now, into: &output)
    }

    /// The reader does not want to.
    mutating func refused(_ step: Step, _ fault: String, at now: Instant, into output: inout SessionOutput) {
        switch step {
        // A reader of version 1.0.1 does not know the question.
        case .supportedVersion, .setVersion: return done(.setVersion, at: now, into: &output)
        // There was nothing to delete.
        case .deleteAccessSpecs, .deleteROSpecs: break
        case .extensions:
            vendor = .none
            note("\(step.rawValue): \(fault)")
        case .configuration where !isConfigurationPlain:
            isConfigurationPlain = true
            note("\(step.rawValue): \(fault)")
            return begin(step, at: now, into: &output)
        case .addROSpec where !isPlain:
            isPlain = true
            note("\(step.rawValue) as wanted: \(fault)")
            return begin(step, at: now, into: &output)
        case .state, .enableROSpec: note("\(step.rawValue): \(fault)")
        // It began by itself when it was enabled.
        case .startROSpec where inventory?.restartsItself == true && isEnabled: break
        default: return fail(step.rawValue, fault, into: &output)
        }
        done(step, at: now, into: &output)
    }

    /// What comes after a step.
    mutating func done(_ step: Step, at now: Instant, into output: inout SessionOutput) {
        switch step {
        case .supportedVersion: begin(.setVersion, at: now, into: &output)
        case .setVersion:
            tell("protocol", version == 2 ? "LLRP 1.1" : "LLRP 1.0.1")
            begin(.capabilities, at: now, into: &output)
        case .capabilities: begin(vendor == .impinj ? .extensions : .deleteAccessSpecs, at: now, into: &output)
        case .extensions: begin(.deleteAccessSpecs, at: now, into: &output)
        case .deleteAccessSpecs: begin(.deleteROSpecs, at: now, into: &output)
        // After an inventory that ended by itself all else is as it was.
        case .deleteROSpecs: begin(inventory == nil ? .configuration : .addROSpec, at: now, into: &output)
        case .configuration: begin(.state, at: now, into: &output)
        case .state: planInventory(at: now, into: &output)
        case .addROSpec: begin(.enableROSpec, at: now, into: &output)
        case .enableROSpec: begin(.startROSpec, at: now, into: &output)
        case .startROSpec:
            phase = .running
            lastLife = now
            lastTag = now
            counters.rounds &+= 1
            history?.begin(at: now)
            reportReading(into: &output)
            askForInputs(into: &output)
        }
    }

    private mutating func planInventory(at now: Instant, into output: inout SessionOutput) {
        guard let capabilities else { return fail(Step.capabilities.rawValue, "none", into: &output) }
        do throws(LLRPInventoryPlan.Refusal) {
            var inventory = try LLRPInventoryPlan(
                capabilities, radio: radio, configuration: configuration, vendor: vendor, connected: connectedAntennas, version: version)
            // Events that the reader held back may speak of an inventory of an earlier connection: none of those has this number,
            // which comes from what the reader said, so that a recording that begins later knows it too.
            inventory.roSpecID = 1 + UInt32((history?.anchor ?? 0) / 1_000 % 1_000_000_000)
            for text in inventory.notes { note(text) }
            tell("power", inventory.power.map { "\(LLRPInventoryPlan.dBm($0.power)), index \($0.index)" } ?? "as the reader is set")
            tell("mode", inventory.mode.map { "\($0)" } ?? "the reader's choice")
            tell("inventory", inventory.summary(intent: radio.intent))
            self.inventory = inventory
        } catch {
            return refuse("not reading: \(error)", at: now, into: &output)
        }
        begin(.addROSpec, at: now, into: &output)
    }

    /// The reader must not transmit. Its inputs and outputs are used all the same.
    private mutating func refuse(_ reason: String, at now: Instant, into output: inout SessionOutput) {
        phase = .refused
        lastLife = now
        history?.begin(at: now)
        note(reason)
        report(.silent(reason: reason), into: &output)
        guard capabilities?.canHoldReports == true else { return }
        do throws(LLRPError) {
            try send("ENABLE_EVENTS_AND_REPORTS", into: &output)
        } catch { fail(Step.startROSpec.rawValue, "\(error)", into: &output) }
    }

    mutating func take(capabilities message: LLRPMessage) -> Bool {
        guard let capabilities = LLRPReaderCapabilities(message) else { return false }
        self.capabilities = capabilities
        decoder.channels = capabilities.channels
        vendor =
            switch (configuration.extensions, capabilities.manufacturer) {
            case (.impinj, _), (.auto, LLRPDefinitions.impinj): .impinj
            case (.zebra, _), (.auto, LLRPDefinitions.zebra): .zebra
            default: .none
            }
        tell("reader", "\(capabilities.manufacturerName), model \(capabilities.model)")
        tell("firmware", capabilities.firmware)
        tell("region", LLRPInventoryPlan.regionName(capabilities.standard) + ", country \(capabilities.country)")
        tell("ports", "\(capabilities.antennaCount) antennas, \(capabilities.inputCount) inputs, \(capabilities.outputCount) outputs")
        if let lowest = capabilities.powers.map(\.power).min(), let highest = capabilities.powers.map(\.power).max() {
            tell("power range", "\(LLRPInventoryPlan.dBm(lowest)) to \(LLRPInventoryPlan.dBm(highest))")
        }
        return true
    }

    /// The state of antennas and inputs.
    private mutating func take(state message: LLRPMessage, into output: inout SessionOutput) {
        let antennas = message.parameters(named: "AntennaProperties").prefix(256)
        connectedAntennas = antennas.filter { $0.isSet("AntennaConnected") }.compactMap { $0.integer("AntennaID") }
            .filter { (1...255).contains($0) }.map { UInt16($0) }
        if !antennas.isEmpty {
            let names = connectedAntennas.map { "\($0)" }.joined(separator: ", ")
            tell("antennas", connectedAntennas.isEmpty ? "the reader finds none" : "connected: \(names)")
            // An antenna that is named in the site file and not there is missed like one that was lost.
            lostAntennas = Set(radio.antennas.map { UInt16($0) }).subtracting(connectedAntennas)
            hasNoAntenna = radio.antennas.isEmpty && connectedAntennas.isEmpty
        }
        takeInputs(message, into: &output)
    }

    mutating func takeInputs(_ message: LLRPMessage, into output: inout SessionOutput) {
        for input in message.parameters(named: "GPIPortCurrentState").prefix(256) {
            guard input.isSet("Config"), let port = input.integer("GPIPortNum"), (1...256).contains(port),
                let state = input.integer("State"),
                state <= 1
            else { continue }
            output.batch.readings.append(.input(InputChange(line: UInt8(port - 1), isActive: state == 1)))
            counters.readings &+= 1
        }
    }

    mutating func note(_ text: String) {
        guard skippedSteps.count < 32, !skippedSteps.contains(text) else { return }
        skippedSteps.append(text)
    }

    mutating func tell(_ name: String, _ text: String) { stepAnswers[name] = Array(text.utf8) }
}

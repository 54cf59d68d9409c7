import Decoding
import Identifiers
import Readings

extension LLRPReaderSimulator {
    mutating func answer(_ message: LLRPMessage, at now: Instant) -> [[UInt8]] {
        receivedTypes.append(message.type)
        if receivedTypes.count > 10_000 { receivedTypes.removeFirst(5_000) }
        if notes.count < 1_000 { notes.append(message.name) }
        for violation in message.violations { complaints.append(violation) }
        if faults.isMute || faults.ignored.contains(message.type) { return [] }
        if let code = faults.errors[message.type] { return [error(code, message.id)] }
        if message.version > configuration.version { return [error(110, message.id)] }
        if let code = faults.refused[message.type] { return reply(message, code) }
        switch message.name {
        case "GET_SUPPORTED_VERSION":
            guard configuration.version > 1 else { return [error(109, message.id)] }
            return reply(message, fields: ["CurrentVersion": LLRPValue(version), "SupportedVersion": LLRPValue(configuration.version)])
        case "SET_PROTOCOL_VERSION":
            let wanted = message.integer("ProtocolVersion") ?? 0
            guard wanted >= 1, wanted <= configuration.version else { return reply(message, 110) }
            defer { version = UInt8(wanted) }
            return reply(message)
        case "GET_READER_CAPABILITIES": return reply(message, parameters: (try? capabilities()) ?? [])
        case "IMPINJ_ENABLE_EXTENSIONS":
            guard configuration.personality == .impinj else { return [error(109, message.id)] }
            areExtensionsEnabled = true
            return reply(message)
        case "SET_READER_CONFIG": return configure(message, at: now)
        case "GET_READER_CONFIG": return reply(message, parameters: (try? state(message.integer("RequestedData") ?? 0)) ?? [])
        case "DELETE_ACCESSSPEC": return reply(message)
        case "ADD_ROSPEC": return add(message)
        case "DELETE_ROSPEC", "ENABLE_ROSPEC", "DISABLE_ROSPEC", "START_ROSPEC", "STOP_ROSPEC": return control(message, at: now)
        case "GET_ROSPECS":
            let specs = inventories.compactMap { inventory in
                try? LLRPParameter(
                    "ROSpec",
                    fields: ["ROSpecID": LLRPValue(inventory.id), "Priority": 0, "CurrentState": LLRPValue(inventory.state)],
                    parameters: inventory.spec.parameters)
            }
            return reply(message, parameters: specs)
        case "ENABLE_EVENTS_AND_REPORTS":
            isHolding = false
            return takeBacklog()
        case "KEEPALIVE_ACK": return []
        case "CLOSE_CONNECTION":
            defer { disconnected(at: now) }
            return reply(message)
        default: return [error(109, message.id)]
        }
    }

    // MARK: Configuration

    private mutating func configure(_ message: LLRPMessage, at now: Instant) -> [[UInt8]] {
        // Nothing is done when anything is wrong.
        for write in message.parameters(named: "GPOWriteData") {
            guard let port = write.integer("GPOPortNumber"), (1...outputs.count).contains(port) else { return reply(message, 301) }
        }
        guard customs(in: message.parameters).allSatisfy({ isKnown($0) }) else { return reply(message, 207) }
        for write in message.parameters(named: "GPOWriteData") {
            outputs[(write.integer("GPOPortNumber") ?? 1) - 1] = write.isSet("GPOData")
        }
        if let spec = message.parameter("KeepaliveSpec") {
            keepalive = spec.integer("KeepaliveTriggerType") == 1 ? .milliseconds(Int64(spec.integer("PeriodicTriggerValue") ?? 0)) : nil
            nextKeepalive = keepalive.map { now + $0 }
        }
        for event in message.parameter("ReaderEventNotificationSpec")?.parameters(named: "EventNotificationState") ?? [] {
            guard let type = event.integer("EventType") else { continue }
            if event.isSet("NotificationState") { enabledEvents.insert(type) } else { enabledEvents.remove(type) }
        }
        if let hold = message.parameter("EventsAndReports") { holdsUponReconnect = hold.isSet("HoldEventsAndReportsUponReconnect") }
        return reply(message)
    }

    private func state(_ requested: Int) throws(LLRPError) -> [LLRPParameter] {
        var parameters: [LLRPParameter] = []
        if requested == 0 || requested == 2 {
            for port in 1...configuration.antennaCount {
                parameters.append(
                    try LLRPParameter(
                        "AntennaProperties",
                        fields: [
                            "AntennaConnected": LLRPValue(connectedAntennas.contains(port)), "AntennaID": LLRPValue(port), "AntennaGain": 0,
                        ]))
            }
        }
        if requested == 0 || requested == 9 {
            for (index, isActive) in inputs.enumerated() {
                parameters.append(
                    try LLRPParameter(
                        "GPIPortCurrentState",
                        fields: ["GPIPortNum": LLRPValue(index + 1), "Config": true, "State": LLRPValue(isActive ? 1 : 0)]))
            }
        }
        return parameters
    }

    private func capabilities() throws(LLRPError) -> [LLRPParameter] {
        let manufacturer: UInt32 =
            switch configuration.personality {
            case .generic: 0
            case .impinj: LLRPDefinitions.impinj
            case .zebra: LLRPDefinitions.zebra
            }
        let isHopping = configuration.standard != RadioRegion.etsi.rawValue
        let hops = try LLRPParameter(
            "FrequencyHopTable", fields: ["HopTableID": 1, "Frequency": LLRPValue((0..<50).map { 902_750 + 500 * $0 })])
        let fixed = try LLRPParameter("FixedFrequencyTable", fields: ["Frequency": [865_700, 866_300, 866_900, 867_500]])
        var band: [LLRPParameter] = []
        for (index, power) in configuration.powers.enumerated() {
            band.append(
                try LLRPParameter(
                    "TransmitPowerLevelTableEntry", fields: ["Index": LLRPValue(index + 1), "TransmitPowerValue": LLRPValue(power)]))
        }
        band.append(
            try LLRPParameter("FrequencyInformation", fields: ["Hopping": LLRPValue(isHopping)], parameters: [isHopping ? hops : fixed]))
        var modes: [LLRPParameter] = []
        // Identifier, Miller (as M of the standard: 0 FM0 to 3 Miller 8), bits a second, spectrum (2 many readers, 3 dense).
        let rows: [(UInt32, UInt8, UInt32, UInt8)] =
            configuration.personality == .impinj
            ? [
                (0, 0, 640_000, 2), (1, 1, 640_000, 2), (2, 2, 274_000, 3), (3, 3, 170_600, 3), (1_000, 2, 40_000, 3),
                (1_002, 2, 40_000, 3),
            ]
            : [(1, 0, 40_000, 2), (2, 1, 120_000, 2), (3, 2, 64_000, 3), (4, 3, 32_000, 3)]
        for row in rows {
            modes.append(
                try LLRPParameter(
                    "C1G2UHFRFModeTableEntry",
                    fields: [
                        "ModeIdentifier": LLRPValue(row.0), "DRValue": 1, "MValue": LLRPValue(row.1),
                        "SpectralMaskIndicator": LLRPValue(row.3),
                        "BDRValue": LLRPValue(row.2), "PIEValue": 1_500, "MinTariValue": 6_250, "MaxTariValue": 25_000, "StepTariValue": 0,
                    ]))
        }
        band.append(try LLRPParameter("C1G2UHFRFModeTable", parameters: modes))
        var protocols: [LLRPParameter] = []
        for port in 1...configuration.antennaCount {
            protocols.append(try LLRPParameter("PerAntennaAirProtocol", fields: ["AntennaID": LLRPValue(port), "ProtocolID": [1]]))
        }
        let general = try LLRPParameter(
            "GeneralDeviceCapabilities",
            fields: [
                "MaxNumberOfAntennaSupported": LLRPValue(configuration.antennaCount),
                "HasUTCClockCapability": LLRPValue(configuration.hasUTCClock),
                "DeviceManufacturerName": LLRPValue(manufacturer), "ModelName": 2_001_002, "ReaderFirmwareVersion": "5.14.0.240",
            ],
            parameters: [
                LLRPParameter("ReceiveSensitivityTableEntry", fields: ["Index": 1, "ReceiveSensitivityValue": 0]),
                LLRPParameter(
                    "GPIOCapabilities",
                    fields: ["NumGPIs": LLRPValue(configuration.inputCount), "NumGPOs": LLRPValue(configuration.outputCount)]),
            ] + protocols)
        return [
            general,
            try LLRPParameter(
                "LLRPCapabilities",
                fields: [
                    "CanReportBufferFillWarning": true, "SupportsEventAndReportHolding": LLRPValue(configuration.canHoldReports),
                    "MaxNumPriorityLevelsSupported": 1, "MaxNumROSpecs": LLRPValue(configuration.maximumROSpecs),
                    "MaxNumSpecsPerROSpec": 32, "MaxNumInventoryParameterSpecsPerAISpec": 1,
                ]),
            try LLRPParameter(
                "RegulatoryCapabilities",
                fields: ["CountryCode": LLRPValue(configuration.country), "CommunicationsStandard": LLRPValue(configuration.standard)],
                parameters: [LLRPParameter("UHFBandCapabilities", parameters: band)]),
            try LLRPParameter("C1G2LLRPCapabilities", fields: ["MaxNumSelectFiltersPerQuery": 2]),
        ]
    }

    // MARK: Inventories

    private mutating func add(_ message: LLRPMessage) -> [[UInt8]] {
        guard let spec = message.parameter("ROSpec"), message.violations.isEmpty,
            let id = spec.integer("ROSpecID").flatMap({ UInt32(exactly: $0) })
        else { return reply(message, 100) }
        guard inventories.count < Int(configuration.maximumROSpecs), !inventories.contains(where: { $0.id == id }), id != 0 else {
            return reply(message, 105)
        }
        guard customs(in: [spec]).allSatisfy({ isKnown($0) }) else { return reply(message, 207) }
        if version < 2, spec.parameter("LoopSpec") != nil { return reply(message, 207) }
        var antennas: [UInt16] = []
        for antennaSpec in spec.parameters(named: "AISpec") {
            let ports = (antennaSpec.integers("AntennaIDs") ?? []).map { UInt16(clamping: $0) }
            guard ports.allSatisfy({ $0 <= configuration.antennaCount }) else { return reply(message, 301) }
            antennas += ports.filter { $0 != 0 }
            for transmitter in transmitters(in: antennaSpec) {
                guard let index = transmitter.integer("TransmitPower"), (1...configuration.powers.count).contains(index),
                    isAllowed(hopTable: transmitter.integer("HopTableID") ?? 0, channel: transmitter.integer("ChannelIndex") ?? 0)
                else { return reply(message, 301) }
                chosenPowers.append(UInt16(index))
            }
        }
        let start = spec.parameter(at: "ROBoundarySpec", "ROSpecStartTrigger")?.integer("ROSpecStartTriggerType")
        inventories.append(Inventory(id: id, spec: spec, antennas: antennas, starts: start == 1))
        return reply(message)
    }

    private func isAllowed(hopTable: Int, channel: Int) -> Bool {
        configuration.standard == RadioRegion.etsi.rawValue ? (1...4).contains(channel) : hopTable == 1
    }

    private mutating func control(_ message: LLRPMessage, at now: Instant) -> [[UInt8]] {
        let id = message.integer("ROSpecID").flatMap { UInt32(exactly: $0) } ?? 0
        let isAll = id == 0 && ["DELETE_ROSPEC", "ENABLE_ROSPEC", "DISABLE_ROSPEC"].contains(message.name)
        let chosen = inventories.indices.filter { isAll || inventories[$0].id == id }
        guard isAll || !chosen.isEmpty else { return reply(message, 101) }
        var events: [[UInt8]] = []
        if message.name == "DELETE_ROSPEC" {
            inventories = inventories.indices.filter { !chosen.contains($0) }.map { inventories[$0] }
            return reply(message)
        }
        for index in chosen {
            let state = inventories[index].state
            switch message.name {
            case "ENABLE_ROSPEC" where state == 0: inventories[index].state = inventories[index].starts ? 2 : 1
            case "DISABLE_ROSPEC": inventories[index].state = 0
            case "START_ROSPEC" where state == 1: inventories[index].state = 2
            case "STOP_ROSPEC" where state == 2: inventories[index].state = 1
            default: return reply(message, 112)
            }
            if inventories[index].state == 2 {
                nextRead = now + configuration.readInterval
                events += inventoryEvent(0, inventories[index].id, at: now)
            } else if state == 2 {
                events += inventoryEvent(1, inventories[index].id, at: now)
            }
        }
        return reply(message) + events
    }

    private func customs(in parameters: [LLRPParameter]) -> [LLRPKind] {
        parameters.flatMap { parameter in
            (parameter.kind.number == 1_023 ? [parameter.kind] : []) + customs(in: parameter.parameters)
        }
    }

    private func transmitters(in parameter: LLRPParameter) -> [LLRPParameter] {
        parameter.parameters.flatMap { $0.name == "RFTransmitter" ? [$0] : transmitters(in: $0) }
    }

    private func isKnown(_ kind: LLRPKind) -> Bool {
        guard case .custom(let vendor, _) = kind else { return true }
        return switch configuration.personality {
        case .generic: false
        case .impinj: vendor == LLRPDefinitions.impinj && areExtensionsEnabled
        case .zebra: vendor == LLRPDefinitions.zebra
        }
    }

    // MARK: Messages

    mutating func message(_ name: String, parameters: [LLRPParameter] = []) -> [UInt8] {
        ownID += 1
        return (try? LLRPMessage(name, id: ownID, parameters: parameters, version: version).encoded()) ?? []
    }

    private func reply(
        _ question: LLRPMessage, _ code: UInt16 = 0, fields: LLRPFields = [:], parameters: [LLRPParameter] = []
    ) -> [[UInt8]] {
        guard let status = try? LLRPParameter("LLRPStatus", fields: ["StatusCode": LLRPValue(code)]),
            let answer = try? LLRPMessage(
                "\(question.name)_RESPONSE", id: question.id, fields: fields, parameters: [status] + (code == 0 ? parameters : []),
                version: question.version
            ).encoded()
        else { return [] }
        return [answer]
    }

    private func error(_ code: UInt16, _ id: UInt32) -> [UInt8] {
        let status = try? LLRPParameter("LLRPStatus", fields: ["StatusCode": LLRPValue(code), "ErrorDescription": "no"])
        return (try? LLRPMessage("ERROR_MESSAGE", id: id, parameters: status.map { [$0] } ?? [], version: version).encoded()) ?? []
    }

    mutating func greeting(status: UInt16, at now: Instant) -> [[UInt8]] {
        eventMessage(at: now) { try LLRPParameter("ConnectionAttemptEvent", fields: ["Status": LLRPValue(status)]) }
    }

    mutating func inventoryEvent(_ type: UInt8, _ id: UInt32, at now: Instant) -> [[UInt8]] {
        event(2, at: now) { try LLRPParameter("ROSpecEvent", fields: ["EventType": LLRPValue(type), "ROSpecID": LLRPValue(id)]) }
    }

    /// An event that the client may have asked for.
    mutating func event(_ type: Int, at now: Instant, _ parameter: () throws -> LLRPParameter) -> [[UInt8]] {
        enabledEvents.contains(type) ? deliver(eventMessage(at: now, parameter)) : []
    }

    private mutating func eventMessage(at now: Instant, _ parameter: () throws -> LLRPParameter) -> [[UInt8]] {
        guard
            let clock = try? LLRPParameter(
                configuration.hasUTCClock ? "UTCTimestamp" : "Uptime", fields: ["Microseconds": LLRPValue(time(at: now))]),
            let event = try? parameter(), let data = try? LLRPParameter("ReaderEventNotificationData", parameters: [clock, event])
        else { return [] }
        return [message("READER_EVENT_NOTIFICATION", parameters: [data])]
    }

    /// RO_ACCESS_REPORT with what the inventory asks for.
    mutating func report(_ reads: [TagRead], for inventory: Inventory, at now: Instant) -> [UInt8] {
        let spec = inventory.spec.parameter("ROReportSpec")
        let wanted = spec?.parameter("TagReportContentSelector")
        let impinj = spec?.parameter("ImpinjTagReportContentSelector")
        let zebra = spec?.parameter("MotoTagReportContentSelector")
        let time = time(at: now)
        let clock = configuration.hasUTCClock ? "UTC" : "Uptime"
        let tags = reads.compactMap { read in
            try? { () throws(LLRPError) in
                var parameters: [LLRPParameter] = []
                if read.epc.byteCount == 12 {
                    parameters.append(try LLRPParameter("EPC_96", fields: ["EPC": LLRPValue(read.epc.bytes)]))
                } else {
                    parameters.append(try LLRPParameter("EPCData", fields: ["EPC": LLRPValue(read.epc.bytes)]))
                }
                if wanted?.isSet("EnableROSpecID") == true {
                    parameters.append(try LLRPParameter("ROSpecID", fields: ["ROSpecID": LLRPValue(inventory.id)]))
                }
                if wanted?.isSet("EnableAntennaID") == true {
                    parameters.append(try LLRPParameter("AntennaID", fields: ["AntennaID": LLRPValue(read.antenna)]))
                }
                if wanted?.isSet("EnablePeakRSSI") == true {
                    parameters.append(
                        try LLRPParameter("PeakRSSI", fields: ["PeakRSSI": LLRPValue(max(-128, min(127, Int(read.rssi) / 100)))]))
                }
                if wanted?.isSet("EnableChannelIndex") == true {
                    parameters.append(try LLRPParameter("ChannelIndex", fields: ["ChannelIndex": LLRPValue(1 + nextTag % 4)]))
                }
                if wanted?.isSet("EnableFirstSeenTimestamp") == true {
                    parameters.append(try LLRPParameter("FirstSeenTimestamp\(clock)", fields: ["Microseconds": LLRPValue(time)]))
                }
                if wanted?.isSet("EnableLastSeenTimestamp") == true {
                    parameters.append(try LLRPParameter("LastSeenTimestamp\(clock)", fields: ["Microseconds": LLRPValue(time)]))
                }
                if wanted?.isSet("EnableTagSeenCount") == true {
                    parameters.append(try LLRPParameter("TagSeenCount", fields: ["TagCount": 1]))
                }
                let phase = read.phase ?? 0x4000
                if impinj?.parameter("ImpinjEnableRFPhaseAngle")?.integer("RFPhaseAngleMode") == 1 {
                    parameters.append(try LLRPParameter("ImpinjRFPhaseAngle", fields: ["PhaseAngle": LLRPValue(phase >> 4)]))
                }
                if impinj?.parameter("ImpinjEnablePeakRSSI")?.integer("PeakRSSIMode") == 1 {
                    parameters.append(try LLRPParameter("ImpinjPeakRSSI", fields: ["RSSI": LLRPValue(read.rssi)]))
                }
                if zebra?.isSet("EnablePhase") == true {
                    parameters.append(try LLRPParameter("MotoTagPhase", fields: ["Phase": LLRPValue(Int16(bitPattern: phase))]))
                }
                return try LLRPParameter("TagReportData", parameters: parameters)
            }()
        }
        return message("RO_ACCESS_REPORT", parameters: tags)
    }
}

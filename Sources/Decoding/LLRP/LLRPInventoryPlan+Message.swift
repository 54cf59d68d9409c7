import Readings

extension LLRPInventoryPlan {
    /// ADD_ROSPEC.
    /// - Parameter isPlain: only what every reader takes: antennas and power, which are the operator's duty, and what to report.
    public func message(id: UInt32, version: UInt8, isPlain: Bool = false) throws(LLRPError) -> LLRPMessage {
        var specs: [LLRPParameter] = []
        switch rotation {
        case .reader: specs.append(try antennaSpec(antennas.isEmpty ? [0] : antennas, stay: nil, isPlain: isPlain))
        case .stays(let milliseconds, let loops):
            for antenna in antennas { specs.append(try antennaSpec([antenna], stay: milliseconds, isPlain: isPlain)) }
            // 0: without end.
            if loops { specs.append(try LLRPParameter("LoopSpec", fields: ["LoopCount": 0])) }
        }
        let boundary = try LLRPParameter(
            "ROBoundarySpec",
            parameters: [
                LLRPParameter("ROSpecStartTrigger", fields: ["ROSpecStartTriggerType": restartsItself ? "Immediate" : "Null"]),
                LLRPParameter("ROSpecStopTrigger", fields: ["ROSpecStopTriggerType": "Null"]),
            ])
        let spec = try LLRPParameter(
            "ROSpec", fields: ["ROSpecID": LLRPValue(roSpecID), "Priority": 0, "CurrentState": "Disabled"],
            parameters: [boundary] + specs + [reportSpec(isPlain: isPlain)])
        return try LLRPMessage("ADD_ROSPEC", id: id, parameters: [spec], version: version)
    }

    private func antennaSpec(_ antennas: [UInt16], stay: UInt32?, isPlain: Bool) throws(LLRPError) -> LLRPParameter {
        var configuration: [LLRPParameter] = []
        if let power {
            configuration.append(
                try LLRPParameter(
                    "RFTransmitter",
                    fields: [
                        "HopTableID": LLRPValue(hopTable), "ChannelIndex": LLRPValue(channel), "TransmitPower": LLRPValue(power.index),
                    ]))
        }
        if !isPlain { configuration.append(try inventoryCommand()) }
        let inventory = try LLRPParameter(
            "InventoryParameterSpec", fields: ["InventoryParameterSpecID": 1, "ProtocolID": "EPCGlobalClass1Gen2"],
            parameters: configuration.isEmpty
                ? [] : [LLRPParameter("AntennaConfiguration", fields: ["AntennaID": 0], parameters: configuration)])
        let stop = try LLRPParameter(
            "AISpecStopTrigger",
            fields: ["AISpecStopTriggerType": stay == nil ? "Null" : "Duration", "DurationTrigger": LLRPValue(stay ?? 0)])
        return try LLRPParameter("AISpec", fields: ["AntennaIDs": LLRPValue(antennas)], parameters: [stop, inventory])
    }

    private func inventoryCommand() throws(LLRPError) -> LLRPParameter {
        var parameters: [LLRPParameter] = []
        // Tari 0: any that the mode allows (LLRP 1.1, section 16.2.1.2.1.2).
        if let mode, let mode = UInt16(exactly: mode) {
            parameters.append(try LLRPParameter("C1G2RFControl", fields: ["ModeIndex": LLRPValue(mode), "Tari": 0]))
        }
        parameters.append(
            try LLRPParameter(
                "C1G2SingulationControl",
                fields: ["Session": LLRPValue(session), "TagPopulation": LLRPValue(population), "TagTransitTime": 0]))
        switch vendor {
        case .impinj:
            let mode = LLRPValue(target == .dual ? "Dual_Target" : "Single_Target")
            parameters.append(try LLRPParameter("ImpinjInventorySearchMode", fields: ["InventorySearchMode": mode]))
        case .zebra:
            let query = try LLRPParameter("MotoAntennaQueryConfig", fields: ["EnableABFlip": LLRPValue(target == .dual)])
            parameters.append(try LLRPParameter("MotoAntennaConfig", parameters: [query]))
        case .none: break
        }
        return try LLRPParameter("C1G2InventoryCommand", fields: ["TagInventoryStateAware": false], parameters: parameters)
    }

    private func reportSpec(isPlain: Bool) throws(LLRPError) -> LLRPParameter {
        var parameters = [
            try LLRPParameter(
                "TagReportContentSelector",
                fields: [
                    "EnableAntennaID": true, "EnableChannelIndex": true, "EnablePeakRSSI": true, "EnableFirstSeenTimestamp": true,
                    "EnableTagSeenCount": true,
                ])
        ]
        if !isPlain {
            switch vendor {
            case .impinj:
                parameters.append(
                    try LLRPParameter(
                        "ImpinjTagReportContentSelector",
                        parameters: [
                            LLRPParameter("ImpinjEnableRFPhaseAngle", fields: ["RFPhaseAngleMode": "Enabled"]),
                            LLRPParameter("ImpinjEnablePeakRSSI", fields: ["PeakRSSIMode": "Enabled"]),
                        ]))
            case .zebra: parameters.append(try LLRPParameter("MotoTagReportContentSelector", fields: ["EnablePhase": true]))
            case .none: break
            }
        }
        return try LLRPParameter(
            "ROReportSpec", fields: ["ROReportTrigger": "Upon_N_Tags_Or_End_Of_AISpec", "N": LLRPValue(reportEvery)], parameters: parameters
        )
    }
}

/// Vendors' own messages and parameters that a client of theirs meets, as facts; rows as in `standard`, with `vendor:subtype` for the
/// number. Vendors add fields and parameters from one firmware to the next: what does not fit its row is kept whole, as `Custom`.
///
/// Impinj is 25882; sources: the public definition file of its LLRP extensions (version 1.18) and the dissector of Wireshark.
/// Zebra (formerly Motorola) is 161; only what published captures of FX readers confirm: the interface control guide (72E-131718) shows
/// reserved bits that the readers do not send.
extension LLRPDefinitions {
    static let vendors = """
        message 25882:21 IMPINJ_ENABLE_EXTENSIONS | r32 | Custom*
        message 25882:22 IMPINJ_ENABLE_EXTENSIONS_RESPONSE | | LLRPStatus Custom*
        message 25882:23 IMPINJ_SAVE_SETTINGS | u1 SaveConfiguration, r7 | Custom*
        message 25882:24 IMPINJ_SAVE_SETTINGS_RESPONSE | | LLRPStatus Custom*

        parameter 25882:21 ImpinjRequestedData | u32 RequestedData:ImpinjRequestedDataType | Custom*
        parameter 25882:22 ImpinjSubRegulatoryRegion | u16 RegulatoryRegion | Custom*
        parameter 25882:23 ImpinjInventorySearchMode | u16 InventorySearchMode:ImpinjInventorySearchType | Custom*
        parameter 25882:26 ImpinjFixedFrequencyList | u16 FixedFrequencyMode:ImpinjFixedFrequencyMode, r16, u16v ChannelList | Custom*
        parameter 25882:27 ImpinjReducedPowerFrequencyList | u16 ReducedPowerMode:ImpinjMode, r16, u16v ChannelList | Custom*
        parameter 25882:28 ImpinjLowDutyCycle | u16 LowDutyCycleMode:ImpinjMode, u16 EmptyFieldTimeout, u16 FieldPingInterval | Custom*
        parameter 25882:29 ImpinjDetailedVersion | utf8v ModelName, utf8v SerialNumber, utf8v SoftwareVersion, utf8v FirmwareVersion, \
        utf8v FPGAVersion, utf8v PCBAVersion | Custom*
        parameter 25882:30 ImpinjFrequencyCapabilities | u32v FrequencyList | Custom*
        parameter 25882:36 ImpinjGPIDebounceConfiguration | u16 GPIPortNum, u32 GPIDebounceTimerMSec | Custom*
        parameter 25882:37 ImpinjReaderTemperature | s16 Temperature | Custom*
        parameter 25882:38 ImpinjLinkMonitorConfiguration | u16 LinkMonitorMode:ImpinjMode, u16 LinkDownThreshold | Custom*
        parameter 25882:39 ImpinjReportBufferConfiguration | u16 ReportBufferMode:ImpinjReportBufferMode | Custom*
        parameter 25882:40 ImpinjAccessSpecConfiguration | | Custom*
        parameter 25882:41 ImpinjBlockWriteWordCount | u16 WordCount | Custom*
        parameter 25882:42 ImpinjBlockPermalock | u16 OpSpecID, u32 AccessPassword, u2 MB, r6, u16 BlockPointer, u16v BlockMask | Custom*
        parameter 25882:43 ImpinjBlockPermalockOpSpecResult | u8 Result:C1G2BlockPermalockResultType, u16 OpSpecID | Custom*
        parameter 25882:44 ImpinjGetBlockPermalockStatus | u16 OpSpecID, u32 AccessPassword, u2 MB, r6, u16 BlockPointer, \
        u16 BlockRange | Custom*
        parameter 25882:45 ImpinjGetBlockPermalockStatusOpSpecResult | u8 Result, u16 OpSpecID, u16v PermalockStatus | Custom*
        parameter 25882:46 ImpinjSetQTConfig | u16 OpSpecID, u32 AccessPassword, u8 DataProfile, u8 AccessRange, \
        u8 Persistence, r32 | Custom*
        parameter 25882:47 ImpinjSetQTConfigOpSpecResult | u8 Result, u16 OpSpecID | Custom*
        parameter 25882:48 ImpinjGetQTConfig | u16 OpSpecID, u32 AccessPassword | Custom*
        parameter 25882:49 ImpinjGetQTConfigOpSpecResult | u8 Result, u16 OpSpecID, u8 DataProfile, u8 AccessRange, r32 | Custom*
        parameter 25882:50 ImpinjTagReportContentSelector | | Custom*
        parameter 25882:51 ImpinjEnableSerializedTID | u16 SerializedTIDMode:ImpinjMode | Custom*
        parameter 25882:52 ImpinjEnableRFPhaseAngle | u16 RFPhaseAngleMode:ImpinjMode | Custom*
        parameter 25882:53 ImpinjEnablePeakRSSI | u16 PeakRSSIMode:ImpinjMode | Custom*
        parameter 25882:54 ImpinjEnableGPSCoordinates | u16 GPSCoordinatesMode:ImpinjMode | Custom*
        parameter 25882:55 ImpinjSerializedTID | u16v TID | Custom*
        parameter 25882:56 ImpinjRFPhaseAngle | u16 PhaseAngle | Custom*
        parameter 25882:57 ImpinjPeakRSSI | s16 RSSI | Custom*
        parameter 25882:58 ImpinjGPSCoordinates | s32 Latitude, s32 Longitude | Custom*
        parameter 25882:59 ImpinjLoopSpec | u32 LoopCount | Custom*
        parameter 25882:60 ImpinjGPSNMEASentences | | Custom*
        parameter 25882:61 ImpinjGGASentence | utf8v GGASentence | Custom*
        parameter 25882:62 ImpinjRMCSentence | utf8v RMCSentence | Custom*
        parameter 25882:63 ImpinjOpSpecRetryCount | u16 RetryCount | Custom*
        parameter 25882:64 ImpinjAdvancedGPOConfiguration | u16 GPOPortNum, u16 GPOMode:ImpinjAdvancedGPOMode, \
        u32 GPOPulseDurationMSec | Custom*
        parameter 25882:65 ImpinjEnableOptimizedRead | u16 OptimizedReadMode:ImpinjMode | C1G2Read* Custom*
        parameter 25882:66 ImpinjAccessSpecOrdering | u16 OrderingMode:ImpinjAccessSpecOrderingMode | Custom*
        parameter 25882:67 ImpinjEnableRFDopplerFrequency | u16 RFDopplerFrequencyMode:ImpinjMode | Custom*
        parameter 25882:68 ImpinjRFDopplerFrequency | s16 DopplerFrequency | Custom*
        parameter 25882:72 ImpinjEnableTxPower | u16 TxPowerMode:ImpinjMode | Custom*
        parameter 25882:1520 ImpinjArrayVersion | utf8v SerialNumber, utf8v FirmwareVersion, utf8v PCBAVersion | Custom*
        parameter 25882:1537 ImpinjHubVersions | | Custom*
        parameter 25882:1538 ImpinjHubConfiguration | u16 HubID, u16 Connected:ImpinjHubConnectedType, u16 Fault | Custom*

        parameter 161:703 MotoAntennaConfig | | Custom*
        parameter 161:708 MotoTagReportContentSelector | u1 EnableZoneID, u1 EnableZoneName, u1 EnableAntennaPhysicalPortConfig, \
        u1 EnablePhase, u1 EnableGPS, u1 EnableMLTReport, r26 |
        parameter 161:709 MotoTagPhase | s16 Phase |
        parameter 161:710 MotoAntennaQueryConfig | u1 EnableSLAll, u1 EnableABFlip, r14 |
        parameter 161:712 BrandIDCheckStatus | u8 Status |
        """
}

/// Every message and every parameter of LLRP 1.0.1 and 1.1, as facts: one row each. Numbers and layouts: section 16 of LLRP 1.0.1 and
/// section 17 of LLRP 1.1; names and words are those of LTK-XML, the XML encoding of LLRP.
///
/// Row: `message` or `parameter`, its number, its name · the fields in their order · the parameters that follow them.
/// Fields: `u1` … `u64` unsigned, `s8` … `s32` signed, `u96` twelve bytes, `u1v` bits, `u8v` bytes, `u16v`, `u32v` integers, `utf8v`
/// text, each vector after its 16-bit count; `rest` all bytes to the end; `r6` six reserved bits; after a name and `:` its enumeration.
/// Parameters: exactly one, `?` at most one, `*` any number, `+` at least one; a choice stands for any of its members.
/// `choice` and `words` rows name choices and enumerations. What only 1.1 knows stands where 1.0.1 has nothing or reserved bits.
extension LLRPDefinitions {
    static let standard = """
        message 1 GET_READER_CAPABILITIES | u8 RequestedData:GetReaderCapabilitiesRequestedData | Custom*
        message 11 GET_READER_CAPABILITIES_RESPONSE | | LLRPStatus GeneralDeviceCapabilities? LLRPCapabilities? \
        RegulatoryCapabilities? C1G2LLRPCapabilities? Custom*
        message 2 GET_READER_CONFIG | u16 AntennaID, u8 RequestedData:GetReaderConfigRequestedData, u16 GPIPortNum, u16 GPOPortNum | Custom*
        message 12 GET_READER_CONFIG_RESPONSE | | LLRPStatus Identification? AntennaProperties* AntennaConfiguration* \
        ReaderEventNotificationSpec? ROReportSpec? AccessReportSpec? LLRPConfigurationStateValue? KeepaliveSpec? \
        GPIPortCurrentState* GPOWriteData* EventsAndReports? Custom*
        message 3 SET_READER_CONFIG | u1 ResetToFactoryDefault, r7 | ReaderEventNotificationSpec? AntennaProperties* \
        AntennaConfiguration* ROReportSpec? AccessReportSpec? KeepaliveSpec? GPOWriteData* GPIPortCurrentState* EventsAndReports? Custom*
        message 13 SET_READER_CONFIG_RESPONSE | | LLRPStatus
        message 14 CLOSE_CONNECTION | |
        message 4 CLOSE_CONNECTION_RESPONSE | | LLRPStatus
        message 20 ADD_ROSPEC | | ROSpec
        message 30 ADD_ROSPEC_RESPONSE | | LLRPStatus
        message 21 DELETE_ROSPEC | u32 ROSpecID |
        message 31 DELETE_ROSPEC_RESPONSE | | LLRPStatus
        message 22 START_ROSPEC | u32 ROSpecID |
        message 32 START_ROSPEC_RESPONSE | | LLRPStatus
        message 23 STOP_ROSPEC | u32 ROSpecID |
        message 33 STOP_ROSPEC_RESPONSE | | LLRPStatus
        message 24 ENABLE_ROSPEC | u32 ROSpecID |
        message 34 ENABLE_ROSPEC_RESPONSE | | LLRPStatus
        message 25 DISABLE_ROSPEC | u32 ROSpecID |
        message 35 DISABLE_ROSPEC_RESPONSE | | LLRPStatus
        message 26 GET_ROSPECS | |
        message 36 GET_ROSPECS_RESPONSE | | LLRPStatus ROSpec*
        message 40 ADD_ACCESSSPEC | | AccessSpec
        message 50 ADD_ACCESSSPEC_RESPONSE | | LLRPStatus
        message 41 DELETE_ACCESSSPEC | u32 AccessSpecID |
        message 51 DELETE_ACCESSSPEC_RESPONSE | | LLRPStatus
        message 42 ENABLE_ACCESSSPEC | u32 AccessSpecID |
        message 52 ENABLE_ACCESSSPEC_RESPONSE | | LLRPStatus
        message 43 DISABLE_ACCESSSPEC | u32 AccessSpecID |
        message 53 DISABLE_ACCESSSPEC_RESPONSE | | LLRPStatus
        message 44 GET_ACCESSSPECS | |
        message 54 GET_ACCESSSPECS_RESPONSE | | LLRPStatus AccessSpec*
        message 45 CLIENT_REQUEST_OP | | TagReportData
        message 55 CLIENT_REQUEST_OP_RESPONSE | | ClientRequestResponse
        message 46 GET_SUPPORTED_VERSION | |
        message 56 GET_SUPPORTED_VERSION_RESPONSE | u8 CurrentVersion, u8 SupportedVersion | LLRPStatus
        message 47 SET_PROTOCOL_VERSION | u8 ProtocolVersion |
        message 57 SET_PROTOCOL_VERSION_RESPONSE | | LLRPStatus
        message 60 GET_REPORT | |
        message 61 RO_ACCESS_REPORT | | TagReportData* RFSurveyReportData* Custom*
        message 62 KEEPALIVE | |
        message 72 KEEPALIVE_ACK | |
        message 63 READER_EVENT_NOTIFICATION | | ReaderEventNotificationData
        message 64 ENABLE_EVENTS_AND_REPORTS | |
        message 100 ERROR_MESSAGE | | LLRPStatus
        message 1023 CUSTOM_MESSAGE | u32 VendorIdentifier, u8 MessageSubtype, rest Data |

        parameter 1 AntennaID | u16 AntennaID |
        parameter 2 FirstSeenTimestampUTC | u64 Microseconds |
        parameter 3 FirstSeenTimestampUptime | u64 Microseconds |
        parameter 4 LastSeenTimestampUTC | u64 Microseconds |
        parameter 5 LastSeenTimestampUptime | u64 Microseconds |
        parameter 6 PeakRSSI | s8 PeakRSSI |
        parameter 7 ChannelIndex | u16 ChannelIndex |
        parameter 8 TagSeenCount | u16 TagCount |
        parameter 9 ROSpecID | u32 ROSpecID |
        parameter 10 InventoryParameterSpecID | u16 InventoryParameterSpecID |
        parameter 11 C1G2_CRC | u16 CRC |
        parameter 12 C1G2_PC | u16 PC_Bits |
        parameter 13 EPC_96 | u96 EPC |
        parameter 14 SpecIndex | u16 SpecIndex |
        parameter 15 ClientRequestOpSpecResult | u16 OpSpecID |
        parameter 16 AccessSpecID | u32 AccessSpecID |
        parameter 17 OpSpecID | u16 OpSpecID |
        parameter 18 C1G2SingulationDetails | u16 NumCollisionSlots, u16 NumEmptySlots |
        parameter 19 C1G2XPCW1 | u16 XPC_W1 |
        parameter 20 C1G2XPCW2 | u16 XPC_W2 |

        parameter 128 UTCTimestamp | u64 Microseconds |
        parameter 129 Uptime | u64 Microseconds |
        parameter 137 GeneralDeviceCapabilities | u16 MaxNumberOfAntennaSupported, u1 CanSetAntennaProperties, \
        u1 HasUTCClockCapability, r14, u32 DeviceManufacturerName, u32 ModelName, utf8v ReaderFirmwareVersion | \
        ReceiveSensitivityTableEntry+ PerAntennaReceiveSensitivityRange* GPIOCapabilities PerAntennaAirProtocol+ MaximumReceiveSensitivity?
        parameter 139 ReceiveSensitivityTableEntry | u16 Index, s16 ReceiveSensitivityValue |
        parameter 140 PerAntennaAirProtocol | u16 AntennaID, u8v ProtocolID:AirProtocols |
        parameter 141 GPIOCapabilities | u16 NumGPIs, u16 NumGPOs |
        parameter 142 LLRPCapabilities | u1 CanDoRFSurvey, u1 CanReportBufferFillWarning, u1 SupportsClientRequestOpSpec, \
        u1 CanDoTagInventoryStateAwareSingulation, u1 SupportsEventAndReportHolding, r3, u8 MaxNumPriorityLevelsSupported, \
        u16 ClientRequestOpSpecTimeout, u32 MaxNumROSpecs, u32 MaxNumSpecsPerROSpec, u32 MaxNumInventoryParameterSpecsPerAISpec, \
        u32 MaxNumAccessSpecs, u32 MaxNumOpSpecsPerAccessSpec |
        parameter 143 RegulatoryCapabilities | u16 CountryCode, u16 CommunicationsStandard:CommunicationsStandard | \
        UHFBandCapabilities? Custom*
        parameter 144 UHFBandCapabilities | | TransmitPowerLevelTableEntry+ FrequencyInformation C1G2UHFRFModeTable+ \
        RFSurveyFrequencyCapabilities?
        parameter 145 TransmitPowerLevelTableEntry | u16 Index, s16 TransmitPowerValue |
        parameter 146 FrequencyInformation | u1 Hopping, r7 | FrequencyHopTable* FixedFrequencyTable?
        parameter 147 FrequencyHopTable | u8 HopTableID, r8, u32v Frequency |
        parameter 148 FixedFrequencyTable | u32v Frequency |
        parameter 149 PerAntennaReceiveSensitivityRange | u16 AntennaID, u16 ReceiveSensitivityIndexMin, u16 ReceiveSensitivityIndexMax |

        parameter 177 ROSpec | u32 ROSpecID, u8 Priority, u8 CurrentState:ROSpecState | ROBoundarySpec Spec+ ROReportSpec?
        parameter 178 ROBoundarySpec | | ROSpecStartTrigger ROSpecStopTrigger
        parameter 179 ROSpecStartTrigger | u8 ROSpecStartTriggerType:ROSpecStartTriggerType | PeriodicTriggerValue? GPITriggerValue?
        parameter 180 PeriodicTriggerValue | u32 Offset, u32 Period | UTCTimestamp?
        parameter 181 GPITriggerValue | u16 GPIPortNum, u1 GPIEvent, r7, u32 Timeout |
        parameter 182 ROSpecStopTrigger | u8 ROSpecStopTriggerType:ROSpecStopTriggerType, u32 DurationTriggerValue | GPITriggerValue?
        parameter 183 AISpec | u16v AntennaIDs | AISpecStopTrigger InventoryParameterSpec+ Custom*
        parameter 184 AISpecStopTrigger | u8 AISpecStopTriggerType:AISpecStopTriggerType, u32 DurationTrigger | \
        GPITriggerValue? TagObservationTrigger?
        parameter 185 TagObservationTrigger | u8 TriggerType:TagObservationTriggerType, r8, u16 NumberOfTags, u16 NumberOfAttempts, \
        u16 T, u32 Timeout |
        parameter 186 InventoryParameterSpec | u16 InventoryParameterSpecID, u8 ProtocolID:AirProtocols | AntennaConfiguration* Custom*
        parameter 187 RFSurveySpec | u16 AntennaID, u32 StartFrequency, u32 EndFrequency | RFSurveySpecStopTrigger Custom*
        parameter 188 RFSurveySpecStopTrigger | u8 StopTriggerType:RFSurveySpecStopTriggerType, u32 DurationPeriod, u32 N |
        parameter 207 AccessSpec | u32 AccessSpecID, u16 AntennaID, u8 ProtocolID:AirProtocols, u1 CurrentState:AccessSpecState, r7, \
        u32 ROSpecID | AccessSpecStopTrigger AccessCommand AccessReportSpec? Custom*
        parameter 208 AccessSpecStopTrigger | u8 AccessSpecStopTrigger:AccessSpecStopTriggerType, u16 OperationCountValue |
        parameter 209 AccessCommand | | C1G2TagSpec OpSpec+
        parameter 210 ClientRequestOpSpec | u16 OpSpecID |
        parameter 211 ClientRequestResponse | u32 AccessSpecID | EPCData OpSpec*
        parameter 217 LLRPConfigurationStateValue | u32 LLRPConfigurationStateValue |
        parameter 218 Identification | u8 IDType:IdentificationType, u8v ReaderID |
        parameter 219 GPOWriteData | u16 GPOPortNumber, u1 GPOData, r7 |
        parameter 220 KeepaliveSpec | u8 KeepaliveTriggerType:KeepaliveTriggerType, u32 PeriodicTriggerValue |
        parameter 221 AntennaProperties | u1 AntennaConnected, r7, u16 AntennaID, s16 AntennaGain |
        parameter 222 AntennaConfiguration | u16 AntennaID | RFReceiver? RFTransmitter? C1G2InventoryCommand* Custom*
        parameter 223 RFReceiver | u16 ReceiverSensitivity |
        parameter 224 RFTransmitter | u16 HopTableID, u16 ChannelIndex, u16 TransmitPower |
        parameter 225 GPIPortCurrentState | u16 GPIPortNum, u1 Config, r7, u8 State:GPIPortState |
        parameter 226 EventsAndReports | u1 HoldEventsAndReportsUponReconnect, r7 |
        parameter 237 ROReportSpec | u8 ROReportTrigger:ROReportTriggerType, u16 N | TagReportContentSelector Custom*
        parameter 238 TagReportContentSelector | u1 EnableROSpecID, u1 EnableSpecIndex, u1 EnableInventoryParameterSpecID, \
        u1 EnableAntennaID, u1 EnableChannelIndex, u1 EnablePeakRSSI, u1 EnableFirstSeenTimestamp, u1 EnableLastSeenTimestamp, \
        u1 EnableTagSeenCount, u1 EnableAccessSpecID, r6 | C1G2EPCMemorySelector* Custom*
        parameter 239 AccessReportSpec | u8 AccessReportTrigger:AccessReportTriggerType |
        parameter 240 TagReportData | | TagIdentity ROSpecID? SpecIndex? InventoryParameterSpecID? AntennaID? PeakRSSI? ChannelIndex? \
        FirstSeenTimestampUTC? FirstSeenTimestampUptime? LastSeenTimestampUTC? LastSeenTimestampUptime? TagSeenCount? \
        C1G2TagData* AccessSpecID? OpSpecResult* Custom*
        parameter 241 EPCData | u1v EPC |
        parameter 242 RFSurveyReportData | | ROSpecID? SpecIndex? FrequencyRSSILevelEntry+ Custom*
        parameter 243 FrequencyRSSILevelEntry | u32 Frequency, u32 Bandwidth, s8 AverageRSSI, s8 PeakRSSI | Timestamp
        parameter 244 ReaderEventNotificationSpec | | EventNotificationState+
        parameter 245 EventNotificationState | u16 EventType:NotificationEventType, u1 NotificationState, r7 |
        parameter 246 ReaderEventNotificationData | | Timestamp HoppingEvent? GPIEvent? ROSpecEvent? ReportBufferLevelWarningEvent? \
        ReportBufferOverflowErrorEvent? ReaderExceptionEvent? RFSurveyEvent? AISpecEvent? AntennaEvent? ConnectionAttemptEvent? \
        ConnectionCloseEvent? SpecLoopEvent? Custom*
        parameter 247 HoppingEvent | u16 HopTableID, u16 NextChannelIndex |
        parameter 248 GPIEvent | u16 GPIPortNumber, u1 GPIEvent, r7 |
        parameter 249 ROSpecEvent | u8 EventType:ROSpecEventType, u32 ROSpecID, u32 PreemptingROSpecID |
        parameter 250 ReportBufferLevelWarningEvent | u8 ReportBufferPercentageFull |
        parameter 251 ReportBufferOverflowErrorEvent | |
        parameter 252 ReaderExceptionEvent | utf8v Message | ROSpecID? SpecIndex? InventoryParameterSpecID? AntennaID? AccessSpecID? \
        OpSpecID? Custom*
        parameter 253 RFSurveyEvent | u8 EventType:RFSurveyEventType, u32 ROSpecID, u16 SpecIndex |
        parameter 254 AISpecEvent | u8 EventType:AISpecEventType, u32 ROSpecID, u16 SpecIndex | C1G2SingulationDetails?
        parameter 255 AntennaEvent | u8 EventType:AntennaEventType, u16 AntennaID |
        parameter 256 ConnectionAttemptEvent | u16 Status:ConnectionAttemptStatusType |
        parameter 257 ConnectionCloseEvent | |
        parameter 287 LLRPStatus | u16 StatusCode:StatusCode, utf8v ErrorDescription | FieldError? ParameterError?
        parameter 288 FieldError | u16 FieldNum, u16 ErrorCode:StatusCode |
        parameter 289 ParameterError | u16 ParameterType, u16 ErrorCode:StatusCode | FieldError? ParameterError?

        parameter 327 C1G2LLRPCapabilities | u1 CanSupportBlockErase, u1 CanSupportBlockWrite, u1 CanSupportBlockPermalock, \
        u1 CanSupportTagRecommissioning, u1 CanSupportUMIMethod2, u1 CanSupportXPC, r2, u16 MaxNumSelectFiltersPerQuery |
        parameter 328 C1G2UHFRFModeTable | | C1G2UHFRFModeTableEntry+
        parameter 329 C1G2UHFRFModeTableEntry | u32 ModeIdentifier, u1 DRValue:C1G2DRValue, u1 EPCHAGTCConformance, r6, \
        u8 MValue:C1G2MValue, u8 ForwardLinkModulation:C1G2ForwardLinkModulation, \
        u8 SpectralMaskIndicator:C1G2SpectralMaskIndicator, u32 BDRValue, u32 PIEValue, u32 MinTariValue, u32 MaxTariValue, \
        u32 StepTariValue |
        parameter 330 C1G2InventoryCommand | u1 TagInventoryStateAware, r7 | C1G2Filter* C1G2RFControl? C1G2SingulationControl? Custom*
        parameter 331 C1G2Filter | u2 T:C1G2TruncateAction, r6 | C1G2TagInventoryMask C1G2TagInventoryStateAwareFilterAction? \
        C1G2TagInventoryStateUnawareFilterAction?
        parameter 332 C1G2TagInventoryMask | u2 MB, r6, u16 Pointer, u1v TagMask |
        parameter 333 C1G2TagInventoryStateAwareFilterAction | u8 Target:C1G2StateAwareTarget, u8 Action:C1G2StateAwareAction |
        parameter 334 C1G2TagInventoryStateUnawareFilterAction | u8 Action:C1G2StateUnawareAction |
        parameter 335 C1G2RFControl | u16 ModeIndex, u16 Tari |
        parameter 336 C1G2SingulationControl | u2 Session, r6, u16 TagPopulation, u32 TagTransitTime | \
        C1G2TagInventoryStateAwareSingulationAction?
        parameter 337 C1G2TagInventoryStateAwareSingulationAction | u1 I:C1G2TagInventoryStateAwareI, u1 S:C1G2TagInventoryStateAwareS, \
        u1 S_All, r5 |
        parameter 338 C1G2TagSpec | | C1G2TargetTag+
        parameter 339 C1G2TargetTag | u2 MB, u1 Match, r5, u16 Pointer, u1v TagMask, u1v TagData |
        parameter 341 C1G2Read | u16 OpSpecID, u32 AccessPassword, u2 MB, r6, u16 WordPointer, u16 WordCount |
        parameter 342 C1G2Write | u16 OpSpecID, u32 AccessPassword, u2 MB, r6, u16 WordPointer, u16v WriteData |
        parameter 343 C1G2Kill | u16 OpSpecID, u32 KillPassword |
        parameter 344 C1G2Lock | u16 OpSpecID, u32 AccessPassword | C1G2LockPayload+
        parameter 345 C1G2LockPayload | u8 Privilege:C1G2LockPrivilege, u8 DataField:C1G2LockDataField |
        parameter 346 C1G2BlockErase | u16 OpSpecID, u32 AccessPassword, u2 MB, r6, u16 WordPointer, u16 WordCount |
        parameter 347 C1G2BlockWrite | u16 OpSpecID, u32 AccessPassword, u2 MB, r6, u16 WordPointer, u16v WriteData |
        parameter 348 C1G2EPCMemorySelector | u1 EnableCRC, u1 EnablePCBits, u1 EnableXPCBits, r5 |
        parameter 349 C1G2ReadOpSpecResult | u8 Result:C1G2ReadResultType, u16 OpSpecID, u16v ReadData |
        parameter 350 C1G2WriteOpSpecResult | u8 Result:C1G2WriteResultType, u16 OpSpecID, u16 NumWordsWritten |
        parameter 351 C1G2KillOpSpecResult | u8 Result:C1G2KillResultType, u16 OpSpecID |
        parameter 352 C1G2LockOpSpecResult | u8 Result:C1G2LockResultType, u16 OpSpecID |
        parameter 353 C1G2BlockEraseOpSpecResult | u8 Result:C1G2WriteResultType, u16 OpSpecID |
        parameter 354 C1G2BlockWriteOpSpecResult | u8 Result:C1G2WriteResultType, u16 OpSpecID, u16 NumWordsWritten |
        parameter 355 LoopSpec | u32 LoopCount |
        parameter 356 SpecLoopEvent | u32 ROSpecID, u32 LoopCount |
        parameter 357 C1G2Recommission | u16 OpSpecID, u32 KillPassword, r5, u1 SB3, u1 SB2, u1 LSB |
        parameter 358 C1G2BlockPermalock | u16 OpSpecID, u32 AccessPassword, u2 MB, r6, u16 BlockPointer, u16v BlockMask |
        parameter 359 C1G2GetBlockPermalockStatus | u16 OpSpecID, u32 AccessPassword, u2 MB, r6, u16 BlockPointer, u16 BlockRange |
        parameter 360 C1G2RecommissionOpSpecResult | u8 Result, u16 OpSpecID |
        parameter 361 C1G2BlockPermalockOpSpecResult | u8 Result:C1G2BlockPermalockResultType, u16 OpSpecID |
        parameter 362 C1G2GetBlockPermalockStatusOpSpecResult | u8 Result, u16 OpSpecID, u16v PermalockStatus |
        parameter 363 MaximumReceiveSensitivity | s16 MaximumSensitivityValue |
        parameter 365 RFSurveyFrequencyCapabilities | u32 MinimumFrequency, u32 MaximumFrequency |
        parameter 1023 Custom | u32 VendorIdentifier, u32 ParameterSubtype, rest Data |

        choice Timestamp UTCTimestamp Uptime
        choice TagIdentity EPCData EPC_96
        choice Spec AISpec RFSurveySpec LoopSpec Custom
        choice OpSpec C1G2Read C1G2Write C1G2Kill C1G2Lock C1G2BlockErase C1G2BlockWrite C1G2Recommission C1G2BlockPermalock \
        C1G2GetBlockPermalockStatus ClientRequestOpSpec Custom
        choice OpSpecResult C1G2ReadOpSpecResult C1G2WriteOpSpecResult C1G2KillOpSpecResult C1G2LockOpSpecResult \
        C1G2BlockEraseOpSpecResult C1G2BlockWriteOpSpecResult C1G2RecommissionOpSpecResult C1G2BlockPermalockOpSpecResult \
        C1G2GetBlockPermalockStatusOpSpecResult ClientRequestOpSpecResult
        choice C1G2TagData C1G2_PC C1G2_CRC C1G2XPCW1 C1G2XPCW2
        """
}

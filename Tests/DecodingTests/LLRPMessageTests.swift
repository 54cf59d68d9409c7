import Decoding
import Readings
import Testing

/// Frames as facts. Sources: the unit tests of sllurp, LTK and EdgeX's LLRP service (named at each), checked with Wireshark.
@Suite("LLRP messages")
struct LLRPMessageTests {
    static func bytes(_ hex: String) -> [UInt8] { Hex.bytes(hex) ?? [] }

    static let connected = bytes("043F00000020 0AB288C9 00F60016 0080000C 0004F8535BAADAFF 01000006 0000")
    static let oneTag = bytes("043D0000002C 4095892F 00F00022 8D3005FB63AC1F3841EC880467 810001 86CE 820004EC2EA8354C09 880001")
    static let longEPC = bytes(
        "043D00000037 40958941 00F0002D 00F10018 0090 1FB41F712AC9C37AB79D618173188324001A 810001 86EF 820004EC2EA8381F57 880001")
    static let allFields = bytes(
        """
        043D00000043 00000000 00F00039 8D306EDD870775C77926B231A9 8900000001 8E0000 8A0000 810001 8600 870000 820004577C585E9F40
        840004577C585E9F40 880001
        """)
    static let refused = bytes("041E0000001F 00000006 011F0015 0065 0005 68656C6C6F 01200008 0001 012D")
    static let closedByReader = bytes("043F0000001E 00000000 00F60014 0080000C 0005AC35BD20D1DA 01010004")
    static let impinjTag = bytes(
        """
        043D00000059 00000063 00F0004F 8D3005FB63AC1F3841EC880467 810001 86CE 87000A 820004EC2EA8354C09 880001
        03FF000E0000651A000000380400 03FF000E0000651A00000039EC46 03FF000E0000651A00000044FFE0
        """)
    static let addROSpec = bytes(
        """
        041400000050 00000006 00B10046 0000007B0000 00B20012 00B3000500 00B600090000000000 00B70018 00010000 00B800090000000000
        00BA0007000101 00ED0012010001 00EE000B1F80 015C000540
        """)
    static let setReaderConfig = bytes(
        """
        04030000002D 00000002 00 00F40019 00F50007000280 00F50007000480 00F50007000880 00DC0009 01 00002710
        """)
    static let all = [connected, oneTag, longEPC, allFields, refused, closedByReader, impinjTag, addROSpec, setReaderConfig]

    @Test(arguments: all)
    func decodedAndEncodedAgainIsTheSame(frame: [UInt8]) throws {
        let message = try LLRPMessage(frame)
        #expect(try message.encoded() == frame)
        #expect(message.violations == [])
    }

    @Test func aConnectionEvent() throws {
        let message = try LLRPMessage(Self.connected)
        #expect(message.name == "READER_EVENT_NOTIFICATION")
        #expect(message.id == 0x0AB2_88C9)
        #expect(message.version == 1)
        let event = try #require(message.parameter("ReaderEventNotificationData"))
        #expect(event.parameter("UTCTimestamp")?.unsigned("Microseconds") == 0x0004_F853_5BAA_DAFF)
        #expect(event.parameter("ConnectionAttemptEvent")?.word("Status") == "Success")
        #expect(message.parameter(at: "ReaderEventNotificationData", "ConnectionCloseEvent") == nil)
    }

    @Test func aTagReport() throws {
        let report = try #require(try LLRPMessage(Self.oneTag).parameter("TagReportData"))
        #expect(report.parameter("EPC_96")?.bytes("EPC") == Self.bytes("3005FB63AC1F3841EC880467"))
        #expect(report.parameter("AntennaID")?.integer("AntennaID") == 1)
        #expect(report.parameter("PeakRSSI")?.integer("PeakRSSI") == -50)
        #expect(report.parameter("FirstSeenTimestampUTC")?.integer("Microseconds") == 1_385_585_041_558_537)
        #expect(report.parameter("TagSeenCount")?.integer("TagCount") == 1)
        #expect(report.parameters(named: "Custom") == [])
    }

    @Test func anEPCOf144Bits() throws {
        let data = try #require(try LLRPMessage(Self.longEPC).parameter(at: "TagReportData", "EPCData"))
        #expect(data.bits("EPC")?.count == 144)
        #expect(data.bytes("EPC") == Self.bytes("1FB41F712AC9C37AB79D618173188324001A"))
    }

    @Test func aRefusalSaysWhichField() throws {
        let status = try #require(try LLRPMessage(Self.refused).parameter("LLRPStatus"))
        #expect(status.integer("StatusCode") == 101)
        #expect(status.word("StatusCode") == "M_FieldError")
        #expect(status.text("ErrorDescription") == "hello")
        #expect(status.parameter("FieldError")?.integer("FieldNum") == 1)
        #expect(status.parameter("FieldError")?.word("ErrorCode") == "A_OutOfRange")
    }

    @Test func parametersOfImpinjHaveNames() throws {
        let report = try #require(try LLRPMessage(Self.impinjTag).parameter("TagReportData"))
        #expect(report.parameter("ImpinjRFPhaseAngle")?.integer("PhaseAngle") == 1_024)
        #expect(report.parameter("ImpinjPeakRSSI")?.integer("RSSI") == -5_050)
        #expect(report.parameter("ImpinjRFDopplerFrequency")?.integer("DopplerFrequency") == -32)
        #expect(report.parameter("ImpinjPeakRSSI")?.kind == .custom(vendor: LLRPDefinitions.impinj, subtype: 57))
    }

    @Test func aROSpecIsBuiltByName() throws {
        let message = try LLRPMessage(
            "ADD_ROSPEC", id: 6,
            parameters: [
                LLRPParameter(
                    "ROSpec", fields: ["ROSpecID": 123, "CurrentState": "Disabled"],
                    parameters: [
                        LLRPParameter(
                            "ROBoundarySpec",
                            parameters: [
                                LLRPParameter("ROSpecStartTrigger", fields: ["ROSpecStartTriggerType": "Null"]),
                                LLRPParameter("ROSpecStopTrigger"),
                            ]),
                        LLRPParameter(
                            "AISpec", fields: ["AntennaIDs": [0]],
                            parameters: [
                                LLRPParameter("AISpecStopTrigger"),
                                LLRPParameter(
                                    "InventoryParameterSpec", fields: ["InventoryParameterSpecID": 1, "ProtocolID": "EPCGlobalClass1Gen2"]),
                            ]),
                        LLRPParameter(
                            "ROReportSpec", fields: ["ROReportTrigger": "Upon_N_Tags_Or_End_Of_AISpec", "N": 1],
                            parameters: [
                                LLRPParameter(
                                    "TagReportContentSelector",
                                    fields: [
                                        "EnableAntennaID": true, "EnableChannelIndex": true, "EnablePeakRSSI": true,
                                        "EnableFirstSeenTimestamp": true, "EnableLastSeenTimestamp": true, "EnableTagSeenCount": true,
                                    ], parameters: [LLRPParameter("C1G2EPCMemorySelector", fields: ["EnablePCBits": true])])
                            ]),
                    ])
            ])
        #expect(try message.encoded() == Self.addROSpec)
        #expect(message.violations == [])
        #expect(try LLRPMessage(Self.addROSpec) == message)
    }

    @Test func theConversationOfAClient() throws {
        let frames: [(LLRPMessage, String)] = [
            (try LLRPMessage("GET_READER_CAPABILITIES", id: 1), "04010000000B0000000100"),
            (try LLRPMessage("DELETE_ROSPEC", id: 2), "04150000000E0000000200000000"),
            (try LLRPMessage("IMPINJ_ENABLE_EXTENSIONS", id: 3), "07FF00000013000000030000651A1500000000"),
            (try LLRPMessage("ENABLE_ROSPEC", id: 4, fields: ["ROSpecID": 123]), "04180000000E000000040000007B"),
            (try LLRPMessage("KEEPALIVE_ACK", id: 5), "04480000000A00000005"),
            (try LLRPMessage("CLOSE_CONNECTION", id: 6), "040E0000000A00000006"),
            (try LLRPMessage("GET_SUPPORTED_VERSION", id: 7, version: 2), "082E0000000A00000007"),
            (
                try LLRPMessage(
                    "SET_READER_CONFIG", id: 8, parameters: [LLRPParameter("GPOWriteData", fields: ["GPOPortNumber": 2, "GPOData": true])]),
                "0403000000120000000800" + "00DB0007000280"
            ),
        ]
        for (message, hex) in frames { #expect(try message.encoded() == Self.bytes(hex), "\(message.name)") }
    }

    @Test func mistakesInBuildingAreErrors() {
        #expect(throws: LLRPError.self) { try LLRPMessage("ADD_ROSPECS", id: 1) }
        #expect(throws: LLRPError.self) { try LLRPMessage("START_ROSPEC", id: 1, fields: ["ROSpec": 1]) }
        #expect(throws: LLRPError.self) { try LLRPMessage("START_ROSPEC", id: 1, fields: ["ROSpecID": 1, "ROSpecID": 2]) }
        #expect(throws: LLRPError.self) { try LLRPMessage("START_ROSPEC", id: 1, fields: ["ROSpecID": 0x1_0000_0000]) }
        #expect(throws: LLRPError.self) { try LLRPMessage("START_ROSPEC", id: 1, fields: ["ROSpecID": -1]) }
        #expect(throws: LLRPError.self) { try LLRPMessage("START_ROSPEC", id: 1, fields: ["ROSpecID": "many"]) }
        #expect(throws: LLRPError.self) { try LLRPParameter("ROSpec", fields: ["CurrentState": "Asleep"]) }
        #expect(throws: LLRPError.self) { try LLRPParameter("PeakRSSI", fields: ["PeakRSSI": 128]) }
        #expect(throws: LLRPError.self) { try LLRPParameter("EPC_96", fields: ["EPC": [1, 2, 3]]) }
        #expect(throws: LLRPError.self) { try LLRPParameter("AISpec", fields: ["AntennaIDs": [65_536]]) }
        let long = LLRPValue(Array(repeating: UInt8(0), count: 65_536))
        #expect(throws: LLRPError.self) {
            try LLRPMessage("ERROR_MESSAGE", id: 1, parameters: [LLRPParameter("Custom", fields: ["Data": long])]).encoded()
        }
    }

    @Test func whatTheStandardDoesNotAllowIsNamed() throws {
        let message = try LLRPMessage("ADD_ROSPEC", id: 1, parameters: [LLRPParameter("ROSpec", parameters: [LLRPParameter("RFReceiver")])])
        #expect(
            message.violations == [
                "ADD_ROSPEC/ROSpec: RFReceiver has no place", "ADD_ROSPEC/ROSpec: 0 of ROBoundarySpec",
                "ADD_ROSPEC/ROSpec: 0 of AISpec or RFSurveySpec or LoopSpec or Custom",
            ])
    }

    @Test func anErrorSaysWhere() {
        // The length of the FieldError is cut.
        var frame = Self.refused
        frame[26] = 9
        #expect {
            try LLRPMessage(frame)
        } throws: { error in
            let error = error as? LLRPError
            return error?.path == "ADD_ROSPEC_RESPONSE/LLRPStatus/parameter 288" && error?.offset == 23
                && error?.reason == .parameterLength(stated: 9, available: 8)
        }
    }

    @Test func whatIsNotKnownIsKept() throws {
        let frames = [
            // A message type, a parameter type, a vendor's parameter and message that nobody defined.
            "07E80000000C 00000001 AABB", "043D00000014 00000001 03E8000A 010203040506",
            "043D00000017 00000001 03FF000D 00001234 00000001 55", "07FF00000011 00000001 00001234 99 ABCD",
            // An unknown TV parameter: what follows it cannot be told apart.
            "043D00000014 00000001 00F0000A 810001 FF0102",
            // Impinj's parameter 57 of an unexpected length; a custom parameter without a subtype.
            "043D00000017 00000001 03FF000D 0000651A 00000039 EC", "043D00000012 00000001 03FF0008 0000651A",
            // Reserved bits that are set, in a message and in the number of a parameter.
            "04030000000B 00000001 FF", "043D00000012 00000001 40F00008 00000000",
        ]
        for hex in frames {
            let message = try LLRPMessage(Self.bytes(hex))
            #expect(try message.encoded() == Self.bytes(hex), "\(hex)")
        }
        let unknown = try LLRPMessage(Self.bytes("07FF00000011 00000001 00001234 99 ABCD"))
        #expect(unknown.name == "CUSTOM_MESSAGE" && unknown.kind == .custom(vendor: 0x1234, subtype: 0x99))
        #expect(unknown.integer("VendorIdentifier") == 0x1234 && unknown.bytes("Data") == [0xAB, 0xCD])
    }

    @Test func parametersInsideParametersHaveALimit() throws {
        // Impinj's ImpinjTagReportContentSelector may hold vendors' parameters, so also itself.
        func nested(_ depth: Int) -> [UInt8] {
            let levels = (1...depth).reversed().flatMap { LLRPReportTests.size(0x03FF_0000 + $0 * 12, 4) + Self.bytes("0000651A00000032") }
            return Self.bytes("0402") + LLRPReportTests.size(17 + depth * 12, 4) + Self.bytes("00000001 0000 00 0000 0000") + levels
        }
        #expect(try LLRPMessage(nested(24)).encoded() == nested(24))
        for depth in [25, 5_000] {
            #expect {
                try LLRPMessage(nested(depth))
            } throws: { error in
                (error as? LLRPError)?.reason == .tooDeep
            }
        }
        let eleven = Array(repeating: try LLRPParameter("ImpinjPeakRSSI"), count: 11)
        let many = try LLRPMessage("GET_READER_CONFIG", id: 1, parameters: eleven).encoded()
        #expect(throws: LLRPError.self) { try LLRPMessage(many, limits: LLRPLimits(parameters: 10)) }
    }
}

import Foundation
import HTTPClient
import Ledger
import Readings
import SiteConfiguration
import Testing
import Upstream

@Suite struct EPCISMappingTests {
    private let own = EPCISMapping(uriPrefix: "https://gateway.example.com/", gatewayCode: "CRIB1", usesOnlyCBV: false)
    private let cbvOnly = EPCISMapping(uriPrefix: "https://gateway.example.com", gatewayCode: "CRIB1", usesOnlyCBV: true)

    private func event(_ stored: StoredEvent, _ mapping: EPCISMapping) throws -> JSON {
        guard case .event(let json) = mapping.map(try OutgoingEvent(stored)) else {
            Issue.record("not mapped")
            return .null
        }
        return json
    }

    @Test func checkout() throws {
        #expect(
            try event(SampleEvents.checkout(7), own) == [
                "type": "ObjectEvent", "action": "OBSERVE", "eventID": .string(SampleEvents.urn(7)),
                "eventTime": "2026-11-20T09:15:30.123+01:00", "eventTimeZoneOffset": "+01:00",
                "epcList": ["https://id.gs1.org/8004/952114132a%2Fb"],
                "bizStep": "https://gateway.example.com/voc/BizStep-checking_out", "disposition": "unavailable",
                "readPoint": ["id": "https://id.gs1.org/414/9521141123454/254/CRIB1"],
                "bizTransactionList": [
                    [
                        "type": "https://gateway.example.com/voc/BTT-loan",
                        "bizTransaction": .string("https://gateway.example.com/loan/\(SampleEvents.loan)"),
                    ]
                ],
                "sourceList": [["type": "possessing_party", "source": "https://gateway.example.com/store/CRIB1"]],
                "destinationList": [["type": "possessing_party", "destination": "https://gateway.example.com/person/p-7f3a"]],
                "stockgate:due": "2026-11-27T18:00:00.000+01:00", "stockgate:permit": "PERM-9", "stockgate:sequence": 7,
                "stockgate:station": "gate-1",
            ])
    }

    /// EPCIS 2.0 section 7.4.1.3: the event as it was, with its own id, and the declaration that it is wrong.
    @Test(arguments: [nil, 12] as [Int64?])
    func aWithdrawalDeclaresTheEventWrong(replacement: Int64?) throws {
        var json = try event(SampleEvents.retraction(11, of: 7, replacedBy: replacement), own)
        var declaration: [String: JSON] = ["declarationTime": "2026-11-20T09:15:30.123+01:00", "reason": "did_not_occur"]
        if let replacement {
            declaration["reason"] = "incorrect_data"
            declaration["correctiveEventIDs"] = [.string(SampleEvents.urn(replacement))]
        }
        #expect(json["errorDeclaration"] == .object(declaration))
        var members = try #require(json.object)
        members["errorDeclaration"] = nil
        json = .object(members)
        #expect(try json == event(SampleEvents.checkout(7), own))
    }

    @Test func returnSwapsTheParties() throws {
        let json = try event(SampleEvents.giveBack(8), own)
        #expect(json["bizStep"] == "https://gateway.example.com/voc/BizStep-checking_in")
        #expect(json["disposition"] == "available")
        #expect(json["bizLocation"] == json["readPoint"])
        #expect(json["sourceList"] == [["type": "possessing_party", "source": "https://gateway.example.com/person/p-7f3a"]])
        #expect(json["destinationList"] == [["type": "possessing_party", "destination": "https://gateway.example.com/store/CRIB1"]])
    }

    @Test func onlyWordsOfTheCBV() throws {
        for stored in [SampleEvents.checkout(1), SampleEvents.giveBack(2)] {
            let json = try event(stored, cbvOnly)
            #expect(json["bizStep"] == "storing")
            #expect(json["bizTransactionList"]?.array?.first?["type"] == nil)
            #expect(json.object?.keys.contains { $0.contains(":") } == false)
        }
        #expect(cbvOnly.context == ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"])
    }

    @Test func aLotIsAQuantityOfAClass() throws {
        let json = try event(SampleEvents.putAwayLot(3), own)
        #expect(json["epcList"] == nil)
        #expect(json["quantityList"] == [["epcClass": "https://id.gs1.org/01/09506000134352/10/ABC%2F1", "quantity": 200]])
        #expect(json["readPoint"] == ["id": "https://example.com/stockgate/location/A-01-03"])
    }

    /// What is used up leaves the shelf; who took it stays with us.
    @Test func whatIsUsedUpIsDispensed() throws {
        let json = try event(SampleEvents.consumed(4), own)
        #expect(json["bizStep"] == "dispensing" && json["disposition"] == "dispensed")
        #expect(json["quantityList"] == [["epcClass": "https://id.gs1.org/01/09506000134352", "quantity": 3]])
        #expect(json["readPoint"] == ["id": "https://example.com/stockgate/location/CAB-1"] && json["bizLocation"] == nil)
        #expect(!json.canonicalText.contains("p-7f3a"))
    }

    /// Keys of the company become EPC URIs; others stay links, of the host that was asked for; own URIs stay.
    @Test func identifiersAsTheSiteWantsThem() throws {
        func mapping(_ prefixes: [String], _ host: String = "https://id.gs1.org") -> EPCISMapping {
            EPCISMapping(
                uriPrefix: "https://gateway.example.com", gatewayCode: "CRIB1", usesOnlyCBV: false,
                naming: .init(companyPrefixes: prefixes, linkHost: host))
        }
        let urn = mapping(["9521141", "95060001343", "952012"])
        let checkout = try event(SampleEvents.checkout(1), urn)
        #expect(checkout["epcList"] == ["urn:epc:id:giai:9521141.32a%2Fb"])
        #expect(checkout["readPoint"] == ["id": "urn:epc:id:sgln:9521141.12345.CRIB1"])
        let item = try event(SampleEvents.putAwayItem(2), urn)
        #expect(item["epcList"] == ["urn:epc:id:sscc:952012.03456789123"])
        #expect(item["bizLocation"] == ["id": "urn:epc:id:sgln:9521141.12345.A-01-03"])
        let lot = try event(SampleEvents.putAwayLot(3), urn)
        #expect(lot["quantityList"]?.array?.first?["epcClass"] == "urn:epc:class:lgtin:95060001343.05.ABC%2F1")
        #expect(lot["readPoint"] == ["id": "https://example.com/stockgate/location/A-01-03"])
        let retraction = try event(SampleEvents.retraction(9, of: 1), urn)
        #expect(retraction["epcList"] == checkout["epcList"] && retraction["readPoint"] == checkout["readPoint"])

        let link = mapping(["4000000"], "https://id.example.com/gs1")
        #expect(try event(SampleEvents.checkout(1), link)["epcList"] == ["https://id.example.com/gs1/8004/952114132a%2Fb"])
        #expect(
            try event(SampleEvents.putAwayLot(3), link)["quantityList"]?.array?.first?["epcClass"]
                == "https://id.example.com/gs1/01/09506000134352/10/ABC%2F1")
    }

    @Test func everyTypeIsMappedOrPassedOver() throws {
        #expect(own.map(try OutgoingEvent(SampleEvents.exception(1))) == .noMeaning)
        #expect(own.map(try OutgoingEvent(SampleEvents.modeChange(1))) == .noMeaning)
        let empty = SampleEvents.event(4, type: "loan.checked_out", data: [:], subject: [])
        guard case .unmappable = own.map(try OutgoingEvent(empty)) else { return #expect(Bool(false)) as Void }
    }

    @Test func noEPCTwice() throws {
        var stored = SampleEvents.checkout(5)
        var json = try stored.json().object ?? [:]
        json["subject"] = ["https://example.com/a", "https://example.com/b", "https://example.com/a"]
        stored.bytes = JSON.object(json).canonicalBytes
        #expect(try event(stored, own)["epcList"] == ["https://example.com/a", "https://example.com/b"])
    }

    /// The samples were written by hand from the standard and are valid; ours must have their members and words.
    @Test(
        .enabled(if: EPCISServer.vectors != nil, "STOCKGATE_VECTORS is not set"),
        arguments: ["checkout", "return", "putaway", "checkout_cbv_only"])
    func hasTheShapeOfTheSamples(_ name: String) throws {
        let file = URL(fileURLWithPath: try #require(EPCISServer.vectors)).appendingPathComponent("epcis-samples/samples.json")
        let samples = try JSON(parsing: Array(try Data(contentsOf: file)))
        let sample = try #require(samples[name]?["document"]?["epcisBody"]?["eventList"]?.array?.first?.object)
        let mapped: JSON
        switch name {
        case "checkout": mapped = try event(SampleEvents.checkout(1), own)
        case "checkout_cbv_only": mapped = try event(SampleEvents.checkout(1), cbvOnly)
        case "return": mapped = try event(SampleEvents.giveBack(1), own)
        default: mapped = try event(SampleEvents.putAwayItem(1), own)
        }
        for (key, value) in sample {
            let ours = try #require(mapped[key], "\(key) is missing")
            switch key {
            case "type", "action", "bizStep", "disposition", "eventTimeZoneOffset", "readPoint", "bizLocation": #expect(ours == value)
            case "eventTime":
                let (left, right) = (ours.string.flatMap(WallTime.init(rfc3339:)), value.string.flatMap(WallTime.init(rfc3339:)))
                #expect(left?.milliseconds == right?.milliseconds)
            case "epcList": #expect(value.array?.contains(ours.array?.first ?? .null) == true)
            case "bizTransactionList", "sourceList", "destinationList":
                #expect(ours.array?.first?["type"] == value.array?.first?["type"])
                #expect(ours.array?.first?.object?.keys.sorted() == value.array?.first?.object?.keys.sorted())
            default: Issue.record("the sample has \(key)")
            }
        }
    }
}

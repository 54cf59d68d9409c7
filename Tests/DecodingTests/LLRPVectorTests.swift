import Decoding
import Foundation
import Identifiers
import Readings
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// Published messages on disk, each against what its publisher says that it means. `STOCKGATE_VECTORS` names the folder.
@Suite("LLRP vectors", .enabled(if: LLRPVectors.folder != nil, "STOCKGATE_VECTORS is not set"))
struct LLRPVectorTests {
    @Test(arguments: LLRPVectors.goldenFiles)
    func goldenMessagesRoundTripAndMeanWhatTheirXMLSays(name: String) throws {
        let messages = try LLRPVectors.messages(in: name)
        #expect(!messages.isEmpty)
        let expected = try LLRPVectors.xml(beside: name)
        if let expected { #expect(expected.count == messages.count) }
        for (index, frame) in messages.enumerated() {
            let message = try LLRPMessage(frame)
            #expect(try message.encoded() == frame, "\(name), message \(index)")
            #expect(message.definition != nil && message.rest.isEmpty, "\(name), message \(index)")
            #expect(message.violations == [], "\(name), message \(index)")
            if let expected, index < expected.count {
                let differences = LTKXML.differences(message, expected[index])
                #expect(differences == [], "\(name), message \(index)")
            }
        }
    }

    @Test(arguments: LLRPVectors.goldenFiles)
    func theHotPathSeesTheSameTagsAsTheTree(name: String) throws {
        for (index, frame) in try LLRPVectors.messages(in: name).enumerated() {
            let message = try LLRPMessage(frame)
            guard message.name == "RO_ACCESS_REPORT" else { continue }
            let batch = LLRPReportTests.decode(frame)
            var expected: [TagRead] = []
            var rejected: UInt64 = 0
            var last = TagRead(epc: .init([0])!)
            for report in message.parameters(named: "TagReportData") {
                last.rssi = report.parameter("PeakRSSI")?.integer("PeakRSSI").map { Int16($0) * 100 } ?? last.rssi
                let seen =
                    report.parameter("FirstSeenTimestampUTC")?.unsigned("Microseconds")
                    ?? report.parameter("FirstSeenTimestampUptime")?.unsigned("Microseconds")
                last.readerTime = seen ?? last.readerTime
                let antenna = report.parameter("AntennaID")?.integer("AntennaID") ?? Int(last.antenna)
                let bits = report.parameter("EPCData")?.bits("EPC")
                let bytes = bits?.bytes ?? report.parameter("EPC_96")?.bytes("EPC") ?? []
                guard (1...62).contains(bytes.count), antenna <= 255 else {
                    rejected += 1
                    continue
                }
                var masked = bytes
                if let bits, bits.count % 8 != 0 { masked[masked.count - 1] &= 0xFF << UInt8(8 - bits.count % 8) }
                last.epc = .init(masked)!
                last.antenna = UInt8(antenna)
                expected.append(last)
            }
            #expect(batch.readings.count == expected.count && batch.rejects.total == rejected, "\(name), message \(index)")
            #expect(batch.readings == expected.map { .tag($0) }, "\(name), message \(index)")
        }
    }

    @Test(arguments: LLRPVectors.tagReportFiles)
    func reportsOfAnR420MeanWhatTheirJSONSays(name: String) throws {
        let body = try LLRPVectors.data("llrp-edgex-testdata/roAccessReports/\(name).bytes")
        let json = try LLRPVectors.json("llrp-edgex-testdata/roAccessReports/\(name).json")
        let frame = LLRPVectors.frame(type: 61, body: body)
        let message = try LLRPMessage(frame)
        #expect(try message.encoded() == frame)
        let reports = message.parameters(named: "TagReportData")
        let expected = json["TagReportData"] as? [[String: Any]] ?? []
        #expect(reports.count == expected.count && !reports.isEmpty)
        let reads = LLRPReportTests.tags(frame)
        for ((report, read), fields) in zip(zip(reports, reads), expected) {
            let epc = (fields["EPC96"] as? [String: Any])?["EPC"] as? String
            #expect(report.parameter("EPC_96")?.bytes("EPC") == epc.flatMap { Data(base64Encoded: $0) }.map { Array($0) })
            #expect(report.parameter("AntennaID")?.integer("AntennaID") == fields["AntennaID"] as? Int)
            #expect(report.parameter("PeakRSSI")?.integer("PeakRSSI") == fields["PeakRSSI"] as? Int)
            #expect(report.parameter("FirstSeenTimestampUTC")?.integer("Microseconds") == fields["FirstSeenUTC"] as? Int)
            #expect(read.readerTime.map { Int($0) } == fields["FirstSeenUTC"] as? Int)
            #expect(Int(read.rssi) == (fields["PeakRSSI"] as? Int).map { $0 * 100 })
        }
    }

    @Test func theCapabilitiesOfAnR420MeanWhatTheirJSONSays() throws {
        let name = "llrp-edgex-testdata/GetReaderCapabilitiesResponse-000"
        let frame = LLRPVectors.frame(type: 11, body: try LLRPVectors.data(name + ".bytes"))
        let json = try LLRPVectors.json(name + ".json")
        let message = try LLRPMessage(frame)
        #expect(try message.encoded() == frame)
        #expect(message.violations == [])
        func object(_ path: String...) -> [String: Any]? { path.reduce(json) { $0?[$1] as? [String: Any] } }
        func list(_ object: [String: Any]?, _ name: String, _ fields: String...) -> [[Int]] {
            (object?[name] as? [[String: Any]] ?? []).map { entry in fields.map { (entry[$0] as? NSNumber)?.intValue ?? -1 } }
        }
        func values(_ parameters: [LLRPParameter]?) -> [[Int]] {
            (parameters ?? []).map { parameter in
                parameter.values.map { if case .integer(let number) = $0 { Int(number) } else { -1 } }
            }
        }
        #expect(message.parameter("LLRPStatus")?.integer("StatusCode") == 0)
        let general = try #require(message.parameter("GeneralDeviceCapabilities"))
        let expected = object("GeneralDeviceCapabilities")
        #expect(general.integer("MaxNumberOfAntennaSupported") == expected?["MaxSupportedAntennas"] as? Int)
        #expect(general.isSet("HasUTCClockCapability") == (expected?["HasUTCClock"] as? NSNumber)?.boolValue)
        #expect(general.isSet("CanSetAntennaProperties") == (expected?["CanSetAntennaProperties"] as? NSNumber)?.boolValue)
        #expect(general.integer("DeviceManufacturerName") == expected?["DeviceManufacturer"] as? Int)
        #expect(general.integer("ModelName") == expected?["Model"] as? Int)
        #expect(general.text("ReaderFirmwareVersion") == expected?["FirmwareVersion"] as? String)
        #expect(
            values(general.parameters(named: "ReceiveSensitivityTableEntry"))
                == list(expected, "ReceiveSensitivities", "Index", "ReceiveSensitivity"))
        let band = try #require(message.parameter(at: "RegulatoryCapabilities", "UHFBandCapabilities"))
        let bandJSON = object("RegulatoryCapabilities", "UHFBandCapabilities")
        let powers = values(band.parameters(named: "TransmitPowerLevelTableEntry"))
        #expect(powers == list(bandJSON, "TransmitPowerLevels", "Index", "TransmitPowerValue") && powers.count == 81)
        let modes = values(band.parameter("C1G2UHFRFModeTable")?.parameters(named: "C1G2UHFRFModeTableEntry"))
        #expect(
            modes
                == list(
                    object("RegulatoryCapabilities", "UHFBandCapabilities", "C1G2RFModes"), "UHFC1G2RFModeTableEntries", "ModeID",
                    "DivideRatio", "IsEPCHagConformant", "Modulation", "ForwardLinkModulation", "SpectralMask", "BackscatterDataRate",
                    "PIERatio",
                    "MinTariTime", "MaxTariTime", "StepTariTime") && modes.count == 10)
        let hopping = bandJSON?["FrequencyInformation"] as? [String: Any]
        let tables = hopping?["FrequencyHopTables"] as? [[String: Any]] ?? []
        #expect(band.parameter(at: "FrequencyInformation")?.isSet("Hopping") == (hopping?["Hopping"] as? NSNumber)?.boolValue)
        #expect(
            band.parameter("FrequencyInformation")?.parameters(named: "FrequencyHopTable").map { $0.integers("Frequency")?.map { Int($0) } }
                == tables.map { $0["Frequencies"] as? [Int] })
        #expect(message.parameter("C1G2LLRPCapabilities")?.integer("MaxNumSelectFiltersPerQuery") == 2)
        #expect(message.parameter("C1G2LLRPCapabilities")?.isSet("CanSupportBlockWrite") == true)
    }

    @Test func theEventOfAnR420MeansWhatItsJSONSays() throws {
        let name = "llrp-edgex-testdata/ReaderEventNotification-000"
        let message = try LLRPMessage(LLRPVectors.frame(type: 63, body: try LLRPVectors.data(name + ".bytes")))
        let json = try LLRPVectors.json(name + ".json")["ReaderEventNotificationData"] as? [String: Any]
        let event = try #require(message.parameter("ReaderEventNotificationData"))
        #expect(event.parameter("UTCTimestamp")?.integer("Microseconds") == json?["UTCTimestamp"] as? Int)
        #expect(event.parameter("ConnectionCloseEvent") != nil)
    }

    /// Every other body in the set: none loses a byte or a parameter.
    @Test func allBodiesOfAnR420RoundTrip() throws {
        let types = [
            "GetReaderCapabilitiesResponse": 11, "GetReaderConfigResponse": 12, "CloseConnectionResponse": 4, "GetROSpecsResponse": 36,
            "GetAccessSpecsResponse": 54, "ReaderEventNotification": 63,
        ]
        for file in LLRPVectors.files("llrp-edgex-testdata", ending: ".bytes") {
            guard let type = types.first(where: { file.hasPrefix($0.key) })?.value else { continue }
            let frame = LLRPVectors.frame(type: type, body: try LLRPVectors.data("llrp-edgex-testdata/\(file)"))
            let message = try LLRPMessage(frame)
            #expect(try message.encoded() == frame, "\(file)")
            #expect(message.rest.isEmpty && message.violations == [], "\(file)")
        }
    }
}

enum LLRPVectors {
    static let folder: String? = ProcessInfo.processInfo.environment["STOCKGATE_VECTORS"].flatMap { $0.isEmpty ? nil : $0 }

    static var goldenFiles: [String] {
        ["llrp-ltk-golden/dx101", "llrp-ltk-golden/ltkjava-test"].flatMap { group in files(group, ending: ".bin").map { "\(group)/\($0)" } }
    }

    static var tagReportFiles: [String] { files("llrp-edgex-testdata/roAccessReports", ending: ".bytes").map { String($0.dropLast(6)) } }

    static func files(_ place: String, ending: String) -> [String] {
        guard let folder else { return [] }
        return ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(place)")) ?? []).filter { $0.hasSuffix(ending) }.sorted()
    }

    static func data(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder ?? "")/\(name)"))) }

    static func json(_ name: String) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(data(name))) as? [String: Any] ?? [:]
    }

    static func frame(type: Int, body: [UInt8]) -> [UInt8] {
        [0x04, UInt8(type)] + LLRPReportTests.size(body.count + 10, 4) + [0, 0, 0, 1] + body
    }

    /// The file cut by the length in each header.
    static func messages(in name: String) throws -> [[UInt8]] {
        let bytes = try data(name)
        var messages: [[UInt8]] = []
        var position = 0
        while bytes.count - position >= 10 {
            let length = bytes[position + 2..<position + 6].reduce(0) { $0 << 8 | Int($1) }
            guard length >= 10, length <= bytes.count - position else { break }
            messages.append(Array(bytes[position..<position + length]))
            position += length
        }
        #expect(position == bytes.count, "\(name)")
        return messages
    }

    static func xml(beside name: String) throws -> [XMLElement]? {
        let path = "\(folder ?? "")/\(name.dropLast(4)).xml"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let root = try XMLDocument(contentsOf: URL(fileURLWithPath: path)).rootElement()
        guard root?.localName == "packetSequence" else { return root.map { [$0] } }
        return root?.children?.compactMap { $0 as? XMLElement }
    }
}

/// The XML encoding of the LLRP Tool Kit.
enum LTKXML {
    static func differences(_ message: LLRPMessage, _ xml: XMLElement) -> [String] {
        let id = attribute("MessageID", of: xml) ?? "0"
        return (id == String(message.id) ? [] : ["\(message.name): id \(message.id), not \(id)"]) + differences(element: message, xml)
    }

    /// `attribute(forName:)` finds none where a default namespace is declared.
    private static func attribute(_ name: String, of xml: XMLElement) -> String? {
        xml.attributes?.first { $0.name == name }?.stringValue
    }

    private static func differences(element: some LLRPElement, _ xml: XMLElement) -> [String] {
        let name = element.name
        // A row of a vendor's own, where the XML has the bytes.
        if element.kind.number == 1_023, xml.localName == "CUSTOM_MESSAGE" || xml.localName == "Custom", xml.localName != name { return [] }
        guard xml.localName == name else { return ["\(name) is not \(xml.localName ?? "")"] }
        var children = (xml.children ?? []).compactMap { $0 as? XMLElement }[...]
        var found: [String] = []
        for (field, value) in zip(element.definition?.fields ?? [], element.values) {
            guard let child = children.first, child.localName == field.name else {
                // A field of LLRP 1.1, in bits that 1.0.1 reserves.
                if value != 0 { found.append("\(name).\(field.name) is \(value)") }
                continue
            }
            children.removeFirst()
            let expected = child.stringValue?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
            let text = text(value, element, field, child)
            if !text.contains(expected.uppercased()) { found.append("\(name).\(field.name): \(text), not \(expected)") }
        }
        guard children.count == element.parameters.count else {
            return found + ["\(name): \(element.parameters.count) parameters, not \(children.count)"]
        }
        for (parameter, child) in zip(element.parameters, children) {
            found += differences(element: parameter, child).map { "\(name)/\($0)" }
        }
        return found
    }

    /// All ways in which the value may be written.
    private static func text(_ value: LLRPValue, _ element: some LLRPElement, _ field: LLRPField, _ xml: XMLElement) -> [String] {
        let all: [String] =
            switch value {
            case .integer(let number):
                [
                    String(number), element.word(field.name) ?? "",
                    field.form == .unsigned(bits: 1) ? (number == 1 ? "true" : "false") : "",
                    field.form == .unsigned(bits: 64) ? xml.stringValue.flatMap { time(number, as: $0) } ?? "" : "",
                ]
            case .bits(let bits):
                (attribute("Count", of: xml).map { $0 == String(bits.count) } ?? (bits.count % 8 == 0)) ? [Hex.text(bits.bytes)] : []
            case .bytes(let bytes):
                [
                    Hex.text(bytes), words(bytes.map { Int($0) }, field),
                    String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines),
                ]
            case .integers(let numbers):
                [
                    words(numbers.map { Int($0) }, field),
                    numbers.map { Hex.text([UInt8($0 >> 8 & 255), UInt8($0 & 255)]) }.joined(separator: " "),
                ]
            }
        return all.map { $0.uppercased() }
    }

    private static func words(_ numbers: [Int], _ field: LLRPField) -> String {
        let names = field.enumeration.map { LLRPDefinitions.enumeration($0) } ?? []
        return numbers.map { number in names.first { $0.value == number }?.word ?? String(number) }.joined(separator: " ")
    }

    /// The written time, when it is this one; it may be written with an offset.
    private static func time(_ microseconds: Int128, as text: String) -> String? {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard let wall = WallTime(rfc3339: text), text.count > 26, let fraction = Int(text.dropFirst(20).prefix(6)) else { return nil }
        // Years before 1970 and fractions of a second do not occur together.
        let whole = wall.milliseconds - wall.milliseconds % 1_000
        return Int128(whole) * 1_000 + Int128(fraction) == microseconds ? text : nil
    }
}

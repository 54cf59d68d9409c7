import Identifiers
import Readings
import TestSupport
import Testing

@Suite("Captures")
struct CaptureTests {
    static let contents: [Capture.Content] = [
        .received([0xA0, 0x03]), .received([]), .transmitted([0x42]), .key(code: 28, value: 1), .key(code: .max, value: .min),
        .input(InputChange(line: 255, isActive: true)), .input(InputChange(line: 0, isActive: false)), .device(.opened(profile: nil)),
        .device(.opened(profile: "r2000/a0-uhf")),
        .device(.closed(reason: "unplugged")), .scan(Scan(data: [0x1D, 0xFF, 0x00], symbology: AIMIdentifier("]C1"))),
        .scan(Scan(data: [0x31])),
        .badge(BadgeRead(credential: "0004888889")), .command(["who": "uid 1000", "do": ["pause": true]]), .master(["item": "4711"]),
        .wall(WallAnchor(instant: Instant(nanoseconds: 7), milliseconds: 1_795_220_130_123, offsetMinutes: -150, quality: .unsynchronised)),
        .state(["loan": "A-1"]), .commitFailed(ticket: 12), .committed(ticket: 1), .reloaded(nextSequence: 4), .released, .finished,
        .inputLost,
        .device(.running(profile: "r2000/a0-uhf")),
        .device(.running(profile: "zebra/fx7500-fx9600", session: ["phase": "running", "life": -7])),
    ]

    @Test(arguments: contents)
    func linesSurviveWritingAndReading(content: Capture.Content) throws {
        let line = Capture.Line(time: Instant(nanoseconds: 7), device: "gate-1", content: content)
        #expect(try Capture.Line(json: JSON(parsing: line.json.canonicalText)) == line)
        let bare = Capture.Line(time: Instant(nanoseconds: 7), content: content)
        #expect(try Capture.Line(json: JSON(parsing: bare.json.canonicalText)) == bare)
    }

    @Test(arguments: [41, 42] as [UInt64])
    func tagReadsSurviveWritingAndReading(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for round in 0..<1_000 {
            let bytes = (0..<Int.random(in: 1...62, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            var read = TagRead(epc: try #require(EPC(bytes)))
            read.antenna = .random(in: 0...255, using: &generator)
            read.rssi = Bool.random(using: &generator) ? TagRead.noRSSI : .random(in: -12_900...3_000, using: &generator)
            read.frequency = .random(in: 0...3_999_999_999, using: &generator)
            read.phase = Bool.random(using: &generator) ? nil : .random(in: 0...65_535, using: &generator)
            read.readerTime = Bool.random(using: &generator) ? nil : .random(in: 0...UInt64(Int64.max), using: &generator)
            let line = Capture.Line(time: Instant(nanoseconds: 1), device: "gate", content: .tag(read))
            #expect(try Capture.Line(json: JSON(parsing: line.json.canonicalText)) == line, "seed \(seed), round \(round)")
        }
    }

    @Test func headerSurvivesWritingAndReading() throws {
        var header = Capture.Header(recorded: "2026-11-21T08:00:00Z", note: "walk\nthrough", devices: ["gate-1": "r2000/a0-uhf"])
        #expect(try Capture.Header(json: JSON(parsing: header.json.canonicalText)) == header)
        header.gateway = Capture.GatewayPosition(
            gateway: "WH1", epoch: "0123456789abcdef", nextSequence: 17, previousHash: "00", configurationDigest: "11", masterDigest: "22")
        #expect(try Capture.Header(json: JSON(parsing: header.json.canonicalText)) == header)
    }

    @Test(arguments: [
        #"{"t":1}"#, #"[]"#, #"{"t":1,"rx":"A"}"#, #"{"t":1,"rx":"A 0"}"#, #"{"t":1,"rx":7}"#, #"{"t":1,"key":[1]}"#,
        #"{"t":1,"key":[70000,1]}"#,
        #"{"t":1,"in":[256,1]}"#, #"{"t":1,"dev":"away"}"#, #"{"t":1,"tag":{}}"#, #"{"t":1,"tag":{"epc":"E2","ant":256}}"#,
        #"{"t":1,"tag":{"epc":"E2","rssi":1e9}}"#, #"{"t":1,"tag":{"epc":"E2","mhz":-1}}"#, #"{"t":1,"tag":{"epc":"E2","phase":1e300}}"#,
        #"{"t":1,"scan":{}}"#, #"{"t":1,"badge":{}}"#, #"{"t":1,"wall":{"ms":1,"offset":0,"quality":"good"}}"#,
    ])
    func refusesLines(text: String) throws {
        let json = try JSON(parsing: text)
        #expect(throws: CaptureError.self) { try Capture.Line(json: json) }
    }

    @Test(arguments: [#"{}"#, #"{"capture":2}"#, #"{"capture":"1"}"#, #"{"capture":1,"gateway":"WH1"}"#])
    func refusesHeaders(text: String) throws {
        let json = try JSON(parsing: text)
        #expect(throws: CaptureError.self) { try Capture.Header(json: json) }
    }

    @Test func hexadecimal() {
        #expect(Hex.text([0x00, 0xA0, 0xFF] as [UInt8]) == "00A0FF")
        #expect(Hex.bytes("00 a0\nfF") == [0x00, 0xA0, 0xFF])
        #expect(Hex.bytes("") == [])
        #expect(Hex.bytes("0") == nil)
        #expect(Hex.bytes("0 0") == nil)
        #expect(Hex.bytes("0G") == nil)
    }

    @Test func spansSaturate() {
        #expect(Instant.Span.seconds(.max) == Instant.Span(nanoseconds: .max))
        #expect(Instant.Span.milliseconds(.min) == Instant.Span(nanoseconds: .min))
        #expect(Instant(nanoseconds: .max) + .seconds(1) == Instant(nanoseconds: .max))
        #expect(Instant(nanoseconds: .min) - Instant(nanoseconds: .max) == Instant.Span(nanoseconds: .min))
    }
}

import ControlTestSupport
import Ledger
import Readings
import Testing

@testable import Control

@Suite struct UploadTests {
    private func rows(_ text: String, piece: Int) throws -> [MasterRow] {
        let bytes = Array(text.utf8)
        var upload = MasterUpload()
        for start in stride(from: 0, to: bytes.count, by: piece) {
            try Array(bytes[start..<min(start + piece, bytes.count)]).withUnsafeBytes { try upload.take($0) }
        }
        return try upload.finish()
    }

    @Test(arguments: [1, 2, 7, 64, 10_000])
    func cutAnywhereGivesTheSameRows(piece: Int) throws {
        let text = "{\"set\":\"items\",\"id\":\"A\",\"name\":\"电钻\"}\r\n\n{\"set\":\"items\",\"id\":\"B\",\"deleted\":true}"
        let expected = [
            MasterRow(set: .items, id: "A", body: ["name": "电钻"]), MasterRow(set: .items, id: "B", isDeleted: true),
        ]
        #expect(try rows(text, piece: piece) == expected)
    }

    @Test func problemsNameTheirRows() {
        let error = #expect(throws: OperationError.self) {
            try rows("{\"set\":\"items\",\"id\":\"A\"}\n{\"set\":\"x\",\"id\":\"A\"}\n[]\n", piece: 10)
        }
        #expect(error?.code == .invalid)
        #expect(error?.problems.map(\.row) == [1, 2])
    }

    @Test func boundsHold() {
        let long = #expect(throws: OperationError.self) {
            try rows(String(repeating: "x", count: MasterUpload.maximumLine + 1), piece: 4_096)
        }
        #expect(long?.code == .tooLarge)
        #expect(MasterUpload().maximumBytes == 64 << 20)
        var upload = MasterUpload(maximumBytes: 1_000)
        let lines = [UInt8](repeating: 0x0A, count: 501)
        let large = #expect(throws: OperationError.self) { for _ in 0..<2 { try lines.withUnsafeBytes { try upload.take($0) } } }
        #expect(large?.code == .tooLarge)
    }

    @Test func manyRowsArriveWhole() async throws {
        let gateway = FakeGateway()
        let rows = (0..<5_000).map { MasterRow(set: .items, id: "ITEM-\($0)", body: ["name": .string("工具 \($0)")]) }
        try await withServer(gateway) { folder, _ in
            let client = try ControlClient(socket: folder.socket)
            _ = try await blocking { try client.importMaster(rows, dryRun: false) }
        }
        #expect(gateway.imported == rows)
    }

    @Test(arguments: ["", "a", "A-01/2", "100 %", "工具柜", "?&=#", "..", "a\u{0}b"])
    func percentEncodingGoesBothWays(text: String) {
        let encoded = PercentEncoding.encoded(text)
        #expect(encoded.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x2F && $0 != 0x3F })
        #expect(PercentEncoding.decoded(encoded) == text)
    }

    @Test(arguments: ["%", "%4", "%zz", "%FF"])
    func brokenEscapesAreRefused(text: String) {
        #expect(PercentEncoding.decoded(text) == nil)
    }

    @Test func namesStandBesideKeys() throws {
        let names: [Bearer: String] = [
            .person(PersonKey("p-1")!): "李雷", .item(ItemKey("I")!): "Drill", .location(LocationKey("L")!): "Shelf",
            .product(ProductKey("P")!): "Bolt",
        ]
        let json = try JSON(
            parsing: """
                {"actor":{"person":"p-1"},"data":{"bearer":{"item":"I"},"borrower":"p-1","candidates":["p-1","p-9"],"from":"L",
                "item":"I","items":["I"],"location":"L","stock":{"product":"P"},"epcs":["AA"]}}
                """)
        let expected = try JSON(
            parsing: """
                {"actor":{"name":"李雷","person":"p-1"},"data":{"bearer":{"item":"I","name":"Drill"},"borrower":"p-1","borrower_name":"李雷",
                "candidate_names":["李雷",null],"candidates":["p-1","p-9"],"from":"L","from_name":"Shelf","item":"I","item_name":"Drill",
                "item_names":["Drill"],"items":["I"],"location":"L","location_name":"Shelf","stock":{"product":"P","product_name":"Bolt"},"epcs":["AA"]}}
                """)
        #expect(json.naming { names[$0] } == expected)
        // Nobody is named where nobody is known: an erased person leaves a key only.
        #expect(json.naming { _ in nil } == json)
    }
}

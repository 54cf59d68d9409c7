import Ledger
import Readings
import Testing

@testable import MasterImport

private func read(_ text: String, _ file: String = "items.csv", _ set: MasterRow.Set? = nil) -> Result<ImportedMaster, ImportRefusal> {
    read(Array(text.utf8), file, set)
}

private func read(_ bytes: [UInt8], _ file: String, _ set: MasterRow.Set? = nil) -> Result<ImportedMaster, ImportRefusal> {
    do throws(ImportRefusal) {
        return .success(try MasterImport.read(bytes, file: file, set: set))
    } catch {
        return .failure(error)
    }
}

extension Result where Success == ImportedMaster, Failure == ImportRefusal {
    var lines: [String] { (try? get().rows.map { $0.json.canonicalText }) ?? [] }

    var problems: [String] {
        guard case .failure(let refusal) = self else { return [] }
        return refusal.problems.map { "\($0.line) \($0.column ?? "-") \($0.code.rawValue)" }
    }
}

@Suite struct ReadingTests {
    static let people = [
        #"{"id":"007","name":"李雷","set":"people"}"#, #"{"id":"0012345","person":"007","set":"credentials"}"#,
        #"{"id":"012","name":"韩梅梅","set":"people"}"#, #"{"id":"0012346","person":"012","set":"credentials"}"#,
    ]
    static let text = "工号,姓名,卡号\r\n007,李雷,0012345\r\n012,韩梅梅,0012346\r\n"

    @Test func separators() {
        for separator in [",", ";", "\t"] {
            #expect(read(Self.text.replacing(",", with: separator), "人员.csv").lines == Self.people)
        }
        #expect(read("sep=;\r\n" + Self.text.replacing(",", with: ";"), "人员.csv").lines == Self.people)
    }

    @Test func lineEnds() {
        for end in ["\n", "\r\n", "\r"] { #expect(read(Self.text.replacing("\r\n", with: end), "people.csv").lines == Self.people) }
        #expect(read(Self.text.replacing("0012346\r\n", with: "0012346"), "people.csv").lines == Self.people)
        #expect(read(Self.text.replacing("\r\n012", with: "\r\n\r\n,,\r\n012"), "people.csv").lines == Self.people)
    }

    @Test func byteOrderMarks() {
        let utf8 = Array(Self.text.utf8)
        #expect(read([0xEF, 0xBB, 0xBF] + utf8, "people.csv").lines == Self.people)
        let units = Array(Self.text.utf16)
        #expect(read([0xFF, 0xFE] + units.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }, "people.csv").lines == Self.people)
        #expect(read([0xFE, 0xFF] + units.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }, "people.csv").lines == Self.people)
    }

    /// 工号,姓名,卡号 / 007,李雷,0012345 / 012,韩梅梅,0012346 in GB18030, as `iconv -f UTF-8 -t GB18030` writes it.
    @Test func gb18030() {
        let bytes: [UInt8] = [
            0xB9, 0xA4, 0xBA, 0xC5, 0x2C, 0xD0, 0xD5, 0xC3, 0xFB, 0x2C, 0xBF, 0xA8, 0xBA, 0xC5, 0x0D, 0x0A, 0x30, 0x30, 0x37, 0x2C, 0xC0,
            0xEE,
            0xC0, 0xD7, 0x2C, 0x30, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x0D, 0x0A, 0x30, 0x31, 0x32, 0x2C, 0xBA, 0xAB, 0xC3, 0xB7, 0xC3,
            0xB7,
            0x2C, 0x30, 0x30, 0x31, 0x32, 0x33, 0x34, 0x36, 0x0D, 0x0A,
        ]
        #expect(read(bytes, "people.csv").lines == Self.people)
        // 𠮷, outside of the basic plane, is a code of four bytes.
        let rare = Array("id,name\n1,".utf8) + [0x95, 0x34, 0xB2, 0x35] + Array("\n".utf8)
        #expect(read(rare, "items.csv").lines == [#"{"id":"1","name":"𠮷","set":"items"}"#])
    }

    @Test func quotedFields() {
        let text = "id,name,code\n\"A,1\",\"Drill \"\"big\"\"\nwith bit\",\"c1|c2\nc3\"\nB,5\" pipe,=\"007\"\n"
        #expect(
            read(text).lines == [
                #"{"code":["c1","c2","c3"],"id":"A,1","name":"Drill \"big\" with bit","set":"items"}"#,
                #"{"code":["007"],"id":"B","name":"5\" pipe","set":"items"}"#,
            ])
    }

    @Test func tagsOfItemsAndLocations() {
        #expect(
            read("编号,名称,类别,借期,EPC\nD1,电钻,power,7,3034 0000 0000 0000 0000 00AB\n", "工具-2026.csv").lines == [
                #"{"class":"power","due_days":7,"id":"D1","name":"电钻","set":"items"}"#,
                #"{"id":"3034000000000000000000AB","item":"D1","set":"tags"}"#,
            ])
        #expect(read("库位,名称,标签\nA1,x,30340001\n", "库位.csv").lines.last == #"{"id":"30340001","location":"A1","set":"tags"}"#)
    }

    @Test func permitsWithDatesAsPeopleWriteThem() {
        let text = "单号,工号,物品,开始日期,截止日期,归还日期,数量\nR1,7,D1、D2,2026/11/1,2026-11-30,2026年12月5日,2\n"
        #expect(
            read(text, "申请.csv").lines == [
                #"{"due":"2026-12-05","from":"2026-11-01","id":"R1","items":["D1","D2"],"person":"7","#
                    + #""quantity":2,"set":"permits","until":"2026-11-30"}"#
            ])
    }

    @Test func booleansAndDeletes() {
        let text = "工号,姓名,停用,删除\n1,a,是,\n2,b,否,0\n3,,,yes\n"
        #expect(
            read(text, "人员.csv").lines == [
                #"{"blocked":true,"id":"1","name":"a","set":"people"}"#, #"{"blocked":false,"id":"2","name":"b","set":"people"}"#,
                #"{"deleted":true,"id":"3","set":"people"}"#,
            ])
    }

    /// `12E5` and `12E05` are numbers of tools; only a sign makes it a spreadsheet's notation.
    @Test func lettersThatLookLikeExponents() {
        #expect(read("id,name\n12E5,x\n1E05,y\n", "items.csv").lines.count == 2)
    }

    @Test(arguments: [
        #"[{"id":"A","name":"x"},{"id":"B","name":"y"}]"#, "{\"id\":\"A\",\"name\":\"x\"}\n{\"id\":\"B\",\"name\":\"y\"}\n",
        #"{"items":[{"id":"A","name":"x"},{"id":"B","name":"y"}]}"#,
        #"[{"set":"items","id":"A","name":"x"},{"set":"items","id":"B","name":"y"}]"#, #"[{"编号":"A","名称":"x"},{"编号":"B","名称":"y"}]"#,
    ])
    func json(text: String) {
        let expected = [#"{"id":"A","name":"x","set":"items"}"#, #"{"id":"B","name":"y","set":"items"}"#]
        #expect(read(text, "items.json").lines == expected)
    }

    @Test func jsonOfSeveralSets() {
        let text =
            "{\n \"people\": [\n  {\"id\":\"7\",\"name\":\"x\",\"badge\":[\"01\",\"02\"]}\n ],\n"
            + " \"items\": [ {\"id\":\"A\",\"name\":\"a ] } , \\\" b\"} ]\n}"
        let result = read(text, "all.json")
        #expect(
            result.lines == [
                #"{"id":"7","name":"x","set":"people"}"#, #"{"id":"01","person":"7","set":"credentials"}"#,
                #"{"id":"02","person":"7","set":"credentials"}"#, #"{"id":"A","name":"a ] } , \" b","set":"items"}"#,
            ])
        #expect((try? result.get().origins.map(\.line)) == [3, 3, 3, 5])
    }
}

@Suite struct RefusalTests {
    @Test(arguments: [
        ("id,name,code\nA,x,1\nB,y,1.23E+11\n", "items.csv", ["3 code scientific_notation"]),
        ("id,name,code\nA,x,1|4E+09\n", "items.csv", ["2 code scientific_notation"]),
        ("工号,姓名,卡号\n1,a,\"1,23E+11\"\n", "人员.csv", ["2 卡号 scientific_notation"]),
        ("id,name,epc\nA,x,3.03E+23\n", "items.csv", ["2 epc scientific_notation"]),
        ("id,name,due_days\nA,x,1E+01\n", "items.csv", ["2 due_days scientific_notation"]),
        // Lost leading zeros.
        ("工号,卡号\n001,0012345\n002,0012346\n003,12347\n", "卡号.csv", ["4 卡号 lost_leading_zeros"]),
        ("卡号,工号\n0012345,1\n0012346,2\n12347,3\n", "卡号.csv", ["4 卡号 lost_leading_zeros"]),
        ("工号,姓名\n0012,a\n13,b\n0014,c\n", "人员.csv", ["3 工号 lost_leading_zeros"]),
        (
            "id,name,gtin\nA,x,9506000134352\nB,y,9506000134353\nC,z,124\n", "products.csv",
            ["3 gtin wrong_check_digit", "4 gtin wrong_length"]
        ),
        // The UPC-A number 036000291452 without its zero: leading zeros do not change a check digit.
        ("id,name,gtin\nA,x,036000291452\nB,y,36000291452\n", "products.csv", ["3 gtin lost_leading_zeros"]),
        ("epc,item\n303400000000000000000001,A\n30340000000000000000001,B\n", "tags.csv", ["3 epc lost_leading_zeros"]),
        ("epc,item\n000000000000000000000001,A\n000000000000000000000002,A\n12345678,B\n", "tags.csv", ["4 epc lost_leading_zeros"]),
        ("epc,item\n3034,A\n", "tags.csv", ["2 epc lost_leading_zeros"]),
        ("epc,item\n30340000000000000000000G,A\n", "tags.csv", ["2 epc bad_epc"]),
        // Dates.
        ("单号,工号,类别,开始日期\nR1,1,a,46347\n", "申请.csv", ["2 开始日期 excel_date"]),
        (
            "id,person,classes,from\nR1,1,a,46347.5\nR2,1,a,21.11.2026\nR3,1,a,2026-02-30\n", "permits.csv",
            ["2 from excel_date", "3 from bad_date", "4 from bad_date"]
        ),
        // Types.
        ("id,name,due_days\nA,x,7\nB,y,seven\nC,z,7.0\n", "items.csv", ["3 due_days not_whole_number", "4 due_days not_whole_number"]),
        ("id,name,blocked\n1,x,maybe\n", "people.csv", ["2 blocked not_yes_or_no"]),
        ("id,name,class\nA,#N/A,x\nB,y,########\n", "items.csv", ["2 name excel_error", "3 class excel_error"]),
        // Shape.
        ("id,name\nA,x\nB\nC,z,1\n", "items.csv", ["3 - ragged_row", "4 - ragged_row"]),
        ("id,name\n\"A\nB\",x\nC\n", "items.csv", ["4 - ragged_row"]),
        ("id,name\nA,\"x\nB,y\n", "items.csv", ["2 - open_quote"]),
        ("id,name\nA,\"x\"y\n", "items.csv", ["2 - text_after_quote"]),
        ("id,name,colour\nA,x,red\n", "items.csv", ["1 colour unknown_column"]),
        ("id,name,名称\nA,x,y\n", "items.csv", ["1 名称 duplicate_column"]),
        ("name\nx\n", "items.csv", ["1 - missing_column"]),
        ("id,name\n,x\n", "items.csv", ["2 id missing_value"]),
        ("id,name\n", "items.csv", ["0 - empty"]), ("", "items.csv", ["0 - empty"]),
        ("id,name\nA,x\n", "stuff.csv", ["0 - unknown_set"]),
        ("id,name\nA,x\n\u{FEFF}id,name\nB,y\n", "items.csv", ["3 - inner_byte_order_mark"]),
        ("id,name\nA,x\u{0}\n", "items.csv", ["2 - nul_byte"]),
        ("id,name\nA,x\u{1B}[2J\n", "items.csv", ["2 - control_character"]),
        ("PK\u{3}\u{4}rest", "items.csv", ["0 - workbook"]),
        // JSON.
        ("[{\"id\":\"A\",\"name\":\"x\"},\n{\"id\":7,\"name\":\"y\"}]", "items.json", ["2 id number_instead_of_text"]),
        ("{\"id\":\"A\",\"name\":\"x\"}\n{\"id\":\"B\",\"name\":true}\n", "items.json", ["2 name wrong_type"]),
        ("[{\"id\":\"A\",\"name\":\"x\",\n\"due_days\":\"7\"}]", "items.json", ["1 due_days not_whole_number"]),
        ("[{\"id\":\"A\",\"name\":\"x\"},\n\n{\"id\":\"B\" \"name\":\"y\"}]", "items.json", ["3 - json_syntax"]),
        ("[{\"id\":\"A\"},\n7]", "items.json", ["2 - json_shape"]),
        ("[{\"id\":\"A\"}", "items.json", ["1 - json_syntax"]), ("{\"id\":\"A\"", "items.json", ["1 - json_syntax"]),
        ("{\"stuff\":[]}", "all.json", ["1 - unknown_set"]),
        ("[{\"id\":\"A\",\"name\":\"x\",\"colour\":\"red\"}]", "items.json", ["1 colour unknown_column"]),
        ("[{\"id\":\"1.2E+11\",\"name\":\"x\"}]", "items.json", ["1 id scientific_notation"]),
    ])
    func refuses(text: String, file: String, expected: [String]) {
        #expect(read(text, file).problems == expected)
    }

    @Test func limits() {
        let long = String(repeating: "x", count: 4_097)
        #expect(read("id,name\nA,x\nB,\(long)\n").problems == ["3 - field_too_long"])
        #expect(read("id,name\nA,x\nB,\"\(long)\"\n").problems == ["3 - field_too_long"])
        #expect(read("id,name\nA,\(long.dropFirst())\n").problems == [])
    }

    @Test func tooManyRows() {
        let text = [UInt8]("id,name\n".utf8) + (0...1_000_000).lazy.flatMap { _ in [0x41, 0x2C, 0x78, 0x0A] as [UInt8] }
        #expect(read(text, "items.csv").problems == ["1000002 - too_many_rows"])
    }

    @Test func notText() {
        // 0xFF begins no character of GB18030.
        #expect(read(Array("id,name\nA,x\nB,".utf8) + [0xFF, 0xFF, 0x0A], "items.csv").problems == ["3 - not_text"])
        #expect(read([0xFF, 0xFE, 0x41], "items.csv").problems == ["0 - not_text"])
        #expect(read([0xFF, 0xFE, 0x00, 0xD8, 0x41, 0x00], "items.csv").problems == ["0 - not_text"])
        #expect(read([0xEF, 0xBB, 0xBF, 0xC3, 0x28], "items.csv").problems == ["0 - not_text"])
        #expect(read([0x41, 0x00, 0x42, 0x00], "items.csv").problems == ["1 - nul_byte"])
    }

    @Test func textsInBothLanguages() throws {
        guard case .failure(let refusal) = read("id,name,code\nA,x,1.23E+11\n"), let problem = refusal.problems.first else {
            Issue.record("was taken")
            return
        }
        #expect(problem.text(in: .english) == "items.csv:2: code: 1.23E+11 is in scientific notation")
        #expect(problem.hint(in: .english) == "Excel turned this number into scientific notation: format the column as text")
        #expect(problem.text(in: .chinese) == "items.csv:2: code: 1.23E+11 是科学计数法")
        for code in ImportProblem.Code.allCases {
            let problem = ImportProblem(file: "f", line: 1, code, "one", "two")
            #expect(!problem.message(in: .english).isEmpty && problem.message(in: .english) != code.rawValue, "\(code)")
            #expect(problem.message(in: .chinese) != problem.message(in: .english) || code == .badRow, "\(code)")
            for language in ImportLanguage.allCases {
                #expect(!problem.message(in: language).contains("%") && problem.hint(in: language)?.contains("%") != true, "\(code)")
            }
        }
    }

    /// Nothing of a file reaches a terminal as a control sequence.
    @Test func problemsAreEscaped() {
        let problem = ImportProblem(file: "f", line: 1, column: "a\u{1B}[2J", .unknownColumn, "x", "y")
        #expect(!problem.text(in: .english).unicodeScalars.contains { $0.value < 0x20 })
    }

    @Test func ledgerProblemsFindTheirLines() throws {
        var all = try MasterImport.read(Array("id,name,epc\nA,x,30340001\nB,y,30340001\n".utf8), file: "items.csv")
        all.append(try MasterImport.read(Array("id,person\n01,E9\n".utf8), file: "badges.csv"))
        let refusal = #expect(throws: MasterRefusal.self) { try MasterData().applying(all.rows) }
        let problems = all.problems(of: try #require(refusal))
        #expect(
            problems.map(\.description) == [
                "items.csv:3: tags 30340001: bound to item A and to item B",
                "badges.csv:2: person: credentials 01: there is no person E9",
            ])
    }

    @Test func columnsFillOnlyMembersThatExist() {
        for set in MasterRow.Set.allCases {
            let members = Set(set.members.map(\.name)).union(["id", "deleted", "badge", "epc"])
            for column in ImportColumn.columns(of: set) { #expect(members.contains(column.member), "\(set) \(column.member)") }
            let names = ImportColumn.columns(of: set).flatMap { [$0.member] + $0.aliases }.map(ImportColumn.normalised)
            for member in set.members { #expect(names.contains(ImportColumn.normalised(member.name)), "\(set) \(member.name)") }
            #expect(Set(names).count == names.count, "an alias of \(set) stands twice: \(names)")
        }
    }

    /// Any bytes are read or refused; nothing traps.
    @Test func survivesAnyBytes() {
        let seed = UInt64.random(in: 0 ... .max)
        print("import of any bytes: seed \(seed)")
        var state = seed
        func next(_ count: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % count)
        }
        let pieces: [[UInt8]] = [
            [0x22], [0x2C], [0x0A], [0x0D, 0x0A], [0x7B], [0x5B], [0x5D], [0x7D], [0x3A], [0x5C], Array("id".utf8), Array("name".utf8),
            Array("items".utf8),
            Array("姓名".utf8), [0xEF, 0xBB, 0xBF], [0xFF, 0xFE], [0xC0], [0x81, 0x30], Array("1E+5".utf8), Array("=\"".utf8), [0x20], [0x00],
        ]
        for _ in 0..<3_000 {
            var bytes: [UInt8] = next(3) == 0 ? Array("id,name\n".utf8) : next(2) == 0 ? [0x5B, 0x7B, 0x22] : []
            for _ in 0..<next(40) { bytes += next(6) == 0 ? [UInt8(next(256))] : pieces[next(UInt64(pieces.count))] }
            _ = read(bytes, "items.csv")
        }
    }
}

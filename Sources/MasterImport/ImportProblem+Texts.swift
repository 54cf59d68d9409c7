extension ImportProblem {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        case cannotRead = "cannot_read"
        case tooLarge = "too_large"
        case empty
        case workbook
        case notText = "not_text"
        case nulByte = "nul_byte"
        case innerByteOrderMark = "inner_byte_order_mark"
        case controlCharacter = "control_character"
        case tooManyRows = "too_many_rows"
        case fieldTooLong = "field_too_long"
        case unknownSet = "unknown_set"
        case unknownColumn = "unknown_column"
        case duplicateColumn = "duplicate_column"
        case missingColumn = "missing_column"
        case raggedRow = "ragged_row"
        case openQuote = "open_quote"
        case textAfterQuote = "text_after_quote"
        case missingValue = "missing_value"
        case scientificNotation = "scientific_notation"
        case lostLeadingZeros = "lost_leading_zeros"
        case wrongCheckDigit = "wrong_check_digit"
        case wrongLength = "wrong_length"
        case badEPC = "bad_epc"
        case excelDate = "excel_date"
        case badDate = "bad_date"
        case notWholeNumber = "not_whole_number"
        case notYesOrNo = "not_yes_or_no"
        case excelError = "excel_error"
        case numberInsteadOfText = "number_instead_of_text"
        case wrongType = "wrong_type"
        case jsonSyntax = "json_syntax"
        case jsonShape = "json_shape"
        case badRow = "bad_row"
    }
}

extension ImportProblem.Code {
    /// `%1` and `%2` stand for the details.
    func texts(in language: ImportLanguage) -> (message: String, hint: String?) {
        guard let row = Self.table[self] else { return (rawValue, nil) }
        return language == .chinese ? (row.chinese, row.chineseHint) : (row.english, row.englishHint)
    }

    private struct Texts {
        var english: String
        var englishHint: String?
        var chinese: String
        var chineseHint: String?

        init(_ english: String, _ englishHint: String?, _ chinese: String, _ chineseHint: String?) {
            (self.english, self.englishHint, self.chinese, self.chineseHint) = (english, englishHint, chinese, chineseHint)
        }
    }

    private static let table: [Self: Texts] = [
        .cannotRead: Texts("cannot be read: %1", nil, "无法读取：%1", nil),
        .tooLarge: Texts("is larger than %1 bytes", "split the file", "超过 %1 字节", "请拆分文件"),
        .empty: Texts("has no rows", nil, "没有数据行", nil),
        .workbook: Texts("is an Excel workbook", "save it as \"CSV UTF-8\"", "是 Excel 工作簿", "请另存为“CSV UTF-8”"),
        .notText: Texts(
            "is not text in UTF-8, UTF-16 or GB18030", "save it as \"CSV UTF-8\"", "不是 UTF-8、UTF-16 或 GB18030 文本", "请另存为“CSV UTF-8”"),
        .nulByte: Texts(
            "has a zero byte", "save it as \"CSV UTF-8\"; UTF-16 needs a byte order mark", "含有零字节", "请另存为“CSV UTF-8”；UTF-16 文件需要 BOM"),
        .innerByteOrderMark: Texts(
            "has a byte order mark in its middle", "files were joined: import them one by one", "文件中间有 BOM", "文件是拼接而成的，请逐个导入"),
        .controlCharacter: Texts("has the control character %1", "remove it", "含有控制字符 %1", "请删除"),
        .tooManyRows: Texts("has more than %1 rows", "split the file", "超过 %1 行", "请拆分文件"),
        .fieldTooLong: Texts("a field is longer than %1 bytes", "is a quotation mark missing?", "字段超过 %1 字节", "是否缺少引号？"),
        .unknownSet: Texts(
            "it is not clear what the file holds", "say it with --set (%1), or name the file so, for example people.csv", "无法判断文件内容",
            "请用 --set 指定（%1），或改文件名，例如 人员.csv"),
        .unknownColumn: Texts("unknown column", "%1 have %2", "未知的列", "%1 可用的列：%2"),
        .duplicateColumn: Texts("the column stands twice, also as %1", nil, "列重复，另一列为 %1", nil),
        .missingColumn: Texts("the column %1 is missing", nil, "缺少列 %1", nil),
        .raggedRow: Texts(
            "has %1 fields, the header has %2", "a field that contains the separator needs quotation marks", "有 %1 个字段，表头有 %2 个",
            "含有分隔符的字段需要加引号"),
        .openQuote: Texts("a quotation mark is not closed", nil, "引号没有结束", nil),
        .textAfterQuote: Texts(
            "text follows a closing quotation mark", "inside a quoted field a quotation mark is written twice",
            "结束引号后还有文字", "引号字段内的引号要写两次"),
        .missingValue: Texts("is empty", nil, "为空", nil),
        .scientificNotation: Texts(
            "%1 is in scientific notation", "Excel turned this number into scientific notation: format the column as text", "%1 是科学计数法",
            "Excel 把数字变成了科学计数法：请把该列设为“文本”格式"),
        .lostLeadingZeros: Texts(
            "%1 has lost its leading zeros", "Excel dropped them: format the column as text and enter the values again", "%1 丢失了前导零",
            "Excel 去掉了前导零：请把该列设为“文本”格式后重新输入"),
        .wrongCheckDigit: Texts("%1 has a wrong check digit", "compare it with the label", "%1 校验位错误", "请与标签核对"),
        .wrongLength: Texts("%1 must have %2 digits", nil, "%1 应为 %2 位数字", nil),
        .badEPC: Texts("%1 is not an EPC in hexadecimal digits", nil, "%1 不是十六进制 EPC", nil),
        .excelDate: Texts(
            "%1 is a date as Excel counts days", "format the column as YYYY-MM-DD", "%1 是 Excel 日期序号", "请把该列设为 YYYY-MM-DD 格式"),
        .badDate: Texts("%1 is not a day", "write it as YYYY-MM-DD", "%1 不是日期", "请写成 YYYY-MM-DD"),
        .notWholeNumber: Texts("%1 is not a whole number", nil, "%1 不是整数", nil),
        .notYesOrNo: Texts("%1 is neither yes nor no", "write yes, no, true, false, 1, 0, 是 or 否", "%1 不是“是”或“否”", "请写 是、否、1 或 0"),
        .excelError: Texts("%1 is an error of Excel", "repair the formula or widen the column", "%1 是 Excel 错误值", "请修正公式或加宽列"),
        .numberInsteadOfText: Texts(
            "%1 is a number and must be text in quotation marks", "a number loses leading zeros and digits", "%1 是数字，应为带引号的文本",
            "数字会丢失前导零和位数"),
        .wrongType: Texts("%1 has another type than this column", nil, "%1 的类型与该列不符", nil),
        .jsonSyntax: Texts("is not JSON: %1", nil, "不是 JSON：%1", nil),
        .jsonShape: Texts(
            "must be a list of objects, one object on each line, or {\"items\":[…]}", nil, "应为对象列表、每行一个对象，或 {\"items\":[…]}", nil),
        .badRow: Texts("%1", nil, "%1", nil),
    ]
}
